"""Generates the cases: pairs in the shapes of tests/shapes and texts that only look like them, the matrix of
notations, and the tables of tests/notation.

Secrets of the shapes are 40 uniform characters; unlike those of the tests they are not chosen to pass any filter.
"""

import base64
import os
import random
import re
import uuid

import notation
import tables as layouts

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
UPPER = BASE32[:26]
ALPHANUMERIC = UPPER + UPPER.lower() + "0123456789"
BASE64 = ALPHANUMERIC + "+/"
URL_SAFE = ALPHANUMERIC + "-_"
HEX = "0123456789abcdef"

PLACE = re.compile(r"\{([A-Z0-9]+)(?::([a-z0-9]+))?\}")

# File names by shape, because some scanners look at them; everything else is `.txt`.
ENDINGS = {
    ".py": range(1, 12), ".ipynb": [12], ".ini": range(14, 19), ".json": [19, 20, 21, 22, 52, 57, 73, 88, 89],
    ".csv": [25, 26], ".env": [27], ".sh": [24, 28, 30], ".cfg": [31, 32], ".Dockerfile": [35, 36, 37],
    ".yml": [38, 39, 40, 41, 42, 43, 44, 45, 46, 54, 55, 56, 68], ".groovy": [47], ".tf": [48, 49, 51],
    ".tfvars": [50], ".rb": [58, 60, 67], ".java": [61, 62], ".properties": [63], ".js": [64, 65], ".go": [66],
    ".php": [69, 70], ".cs": [72], ".ps1": [75], ".rs": [76], ".cpp": [77], ".exs": [78], ".r": [79],
    ".xml": [81, 92, 94], ".scala": [82], ".sql": [84, 85, 86], ".log": [87], ".html": [91], ".md": [93],
}
ENDING = {number: ending for ending, numbers in ENDINGS.items() for number in numbers}


class Draw:
    """Random values."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def text(self, alphabet, length):
        return "".join(self.random.choice(alphabet) for _ in range(length))

    def id(self, prefix="AK" + "IA"):
        return prefix + self.text("QRSTUVWXYZ2345", 1) + self.text(BASE32, 15)

    def secret(self):
        return self.text(BASE64, 40)

    def token(self, length):
        return base64.b64encode(b"\x21\x0a\x23origin_ec").decode() + self.text(BASE64, length)

    def base64(self, length):
        return base64.b64encode(bytes(self.random.randrange(256) for _ in range(length))).decode()

    def uuid(self):
        return str(uuid.UUID(int=self.random.getrandbits(128)))


def generate(where, shapes, count, seed):
    """Writes the shapes and look-alikes; what is in each file."""
    draw, made = Draw(seed), []
    for number, title, text, flags, rows in tables(shapes):
        for _ in range(count):
            made.append(filled(draw, number, title, text, flags, rows))
    for title, text, rows in many(draw):
        for _ in range(count):
            made.append(filled(draw, 0, title, text, [], rows))
    for kind, group in (("nothing", nothing), ("token", tokens)):
        for _ in range(count):
            for title, text in group(draw).items():
                made.append({"shape": title, "kind": kind, "data": text.encode(), "pairs": [], "secrets": [],
                             "ids": KEY_ID.findall(text), "ending": ".txt"})
    return written(where, made)


def of_notation(where, seeds, seed):
    """Writes the matrix of notations for several seeds."""
    made = []
    for number in range(seed, seed + seeds):
        draw = layouts.Draw(random.Random(number))
        for model, naming, name, file, text, pairs in notation.matrix(draw):
            lines = text.split("\n")
            secrets = [{"forms": [secret], "lines": [at for at, line in enumerate(lines, 1) if secret in line]}
                       for _, secret in pairs]
            made.append({"shape": f"{model}, {naming}, {name}", "kind": "leak", "data": text.encode(), "pairs": pairs,
                         "secrets": secrets, "ids": [key_id for key_id, _ in pairs],
                         "ending": os.path.splitext(file)[1], "row": (number, model, naming)})
    return written(where, made)


def of_table(where, path, count, seed):
    """Writes the cases of a table of tests/notation, each filled several times."""
    made = []
    for at, block in enumerate(layouts.blocks(path)):
        for filling in range(count):
            draw = layouts.Draw(random.Random(seed * 1_000_003 + at * 101 + filling))
            case = layouts.fill(block, draw)
            lines = case.text.split("\n")
            wanted = {secret for _, _, secret in case.want} & set(case.secrets)
            secrets = [{"forms": sorted(case.secrets[secret]),
                        "lines": [at for at, line in enumerate(lines, 1)
                                  if any(form in line for form in case.secrets[secret])]} for secret in sorted(wanted)]
            made.append({"shape": f"{case.group}: {case.title}", "kind": "leak" if wanted else "token",
                         "data": case.text.encode(), "secrets": secrets, "ids": sorted(case.ids.values()),
                         "pairs": sorted((key_id, secret) for _, key_id, secret in case.want if key_id and secret in wanted),
                         "ending": os.path.splitext(case.file)[1] or ".txt"})
    return written(where, made)


def written(where, made):
    """Writes each case into a directory of its own, far enough from the others to be no neighbour of theirs."""
    for at, case in enumerate(made):
        case["file"] = f"case{at:05}{case.pop('ending')}"
        folder = os.path.join(where, f"{at:05}", "of", "its", "own")
        os.makedirs(folder)
        with open(os.path.join(folder, case["file"]), "wb") as file:
            file.write(case.pop("data"))
    return made


KEY_ID = re.compile(r"A(?:KIA|SIA)[A-Z2-7]{16}")


def tables(directory):
    """The shapes that hold a secret: number, title, text, flags, and the slots of each expected finding."""
    for name in sorted(os.listdir(directory)):
        if not name.endswith(".txt"):
            continue
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            blocks = ("\n" + file.read()).split("\n#### ")[1:]
        for block in blocks:
            lines = block.rstrip("\n").split("\n")
            title, flags, rows, at = lines[0], [], [], 1
            while lines[at][:2] in ("= ", "! "):
                if lines[at][0] == "!":
                    flags.append(lines[at][2:])
                else:
                    level, *slots = lines[at][2:].split(" | ")[0].split(" ")
                    if level == "error":
                        rows.append([None if slot == "-" else slot.strip("()").split("@")[0] for slot in slots[:2]])
                at += 1
            if rows:
                yield int(title.split(" ")[0].split(".")[1]), title, "\n".join(lines[at:]) + "\n", flags, rows


def filled(draw, number, title, text, flags, rows):
    """One filling of a shape."""
    values, forms = {}, {}

    def value(slot, form):
        name = slot.rstrip("0123456789")
        if slot not in values:
            values[slot] = {"ID": draw.id, "ASIA": lambda: draw.id("AS" + "IA"), "SECRET": draw.secret,
                            "TOKEN": lambda: draw.token(int(form) if form.isdigit() else 700)}[name]()
        plain = values[slot]
        quoted = {"pct": ("%2F", "%2B"), "pctpct": ("%252F", "%252B"), "js": ("\\/", "+"), "u": ("/", "\\u002B"),
                  "html": ("&#47;", "&#43;"), "htmlx": ("&#x2F;", "&#x2b;")}
        if form in quoted:
            written = plain.replace("+", "\0").replace("/", quoted[form][0]).replace("\0", quoted[form][1])
        elif form in ("b64", "b64nl"):
            written = base64.b64encode((plain + "\n" * (form == "b64nl")).encode()).decode()
        elif form in ("a", "b"):
            return plain[:len(plain) // 2] if form == "a" else plain[len(plain) // 2:]
        else:
            written = plain
        forms.setdefault(slot, set()).update((plain, written))
        return written

    def place(match):
        slot, form = match.group(1), match.group(2) or ""
        if slot.rstrip("0123456789") in ("ID", "ASIA", "SECRET", "TOKEN"):
            return value(slot, form)
        if slot == "BLOB":
            file = f"[default]\naws_access_key_id = {value('ID', '')}\naws_secret_access_key = {value('SECRET', '')}\n"
            blob = base64.b64encode(file.encode()).decode()
            forms["SECRET"].add(blob)
            return blob
        other = {"BOM": "\ufeff", "ROLEID": "AR" + "OA" + draw.text(BASE32, 17), "SES": "BM" + draw.text(ALPHANUMERIC, 42),
                 "HEX64": draw.text(HEX, 64), "B64": draw.text(BASE64, 43)}
        return other.get(slot, match.group())

    text = PLACE.sub(place, text)
    secrets = sorted({secret for _, secret in rows if secret})
    told = [{"forms": sorted(forms.get(slot, {values[slot]})),
             "lines": [at for at, line in enumerate(text.split("\n"), 1)
                       if any(form in line for form in forms.get(slot, {values[slot]}))]} for slot in secrets]
    return {
        "shape": title, "kind": "leak", "ending": ENDING.get(number, ".txt"),
        "data": b"\xff\xfe" + text.encode("utf-16-le") if "wide" in flags else text.encode(),
        "pairs": sorted({(values[key_id], values[secret]) for key_id, secret in rows if key_id and secret}),
        "secrets": told, "ids": sorted(values[key_id] for key_id, _ in rows if key_id),
    }


def many(draw):
    """Files of several pairs, which must not become the product of all with all."""
    del draw
    rows = [[f"ID{at}", f"SECRET{at}"] for at in range(1, 9)]
    profiles = "".join(f"[team{at}]\naws_access_key_id = {{ID{at}}}\naws_secret_access_key = {{SECRET{at}}}\n\n"
                       for at in range(1, 9))
    yield "several profiles", profiles, rows
    yield ("several pairs of JSON, secret first",
           "[" + ",\n ".join(f'{{"SecretAccessKey": "{{SECRET{at}}}", "AccessKeyId": "{{ID{at}}}"}}' for at in range(1, 9)) + "]\n",
           rows)
    yield "several rows of CSV", "Access key ID,Secret access key\n" + "".join(
        f"{{ID{at}}},{{SECRET{at}}}\n" for at in range(1, 9)), rows


def nothing(draw):
    """A key ID, and beside it what is no secret at all."""
    key_id = lambda: f"aws_access_key_id = {draw.id()}\n"  # noqa: E731
    sha = lambda: draw.text(HEX, 40)  # noqa: E731
    name = lambda: draw.random.choice(["AbstractSingletonProxyFactoryBeanBuilder", "SimpleBeanFactoryAwareAspectInstanceFact"])  # noqa: E731
    return {
        "commit": key_id() + f"commit = {sha()}\n",
        "bare commit": key_id() + sha() + "\n",
        "thumbprint": key_id() + f"thumbprint: {sha().upper()}\n",
        "ETag": f'{{"AccessKeyId": "{draw.id()}", "ETag": "{sha()}"}}\n',
        "class name": key_id() + f"handler: {name()}\n",
        "class in code": f'key = "{draw.id()}"\nnew {name()}()\n',
        "package path": key_id() + "com/amazonaws/services/s3/model/S3Object\n",
        "integrity": key_id() + f'"integrity": "sha512-{draw.base64(64)}"\n',
        "short integrity": key_id() + f"sha1-{draw.base64(20)}\n",
        "go.sum": key_id() + f"example.org/mod v1.2.3 h1:{draw.base64(32)}\n",
        "lock file": key_id() + f'resolved "https://registry.example.org/x.tgz#{sha()}"\n',
        "image": key_id() + f'src="data:image/png;base64,{draw.base64(3000)}"\n',
        "certificate": key_id() + "-----BEGIN CERTIFICATE-----\n" + "".join(
            draw.base64(48) + "\n" for _ in range(10)) + draw.secret() + "\n-----END CERTIFICATE-----\n",
        "UUID": key_id() + f"id: {draw.uuid()}\n",
        "address": key_id() + f"0x{sha()}\n",
        "placeholder": key_id() + "aws_secret_access_key = <your-secret>\n",
        "placeholder, variable": key_id() + "aws_secret_access_key = ${AWS_SECRET_ACCESS_KEY}\n",
        "placeholder, letters": key_id() + "aws_secret_access_key = " + "x" * 40 + "\n",
        "placeholder, stars": key_id() + "aws_secret_access_key = " + "*" * 40 + "\n",
        "placeholder, vault": key_id() + "aws_secret_access_key = vault:secret/data/deploy#aws_secret_access_key\n",
        "placeholder, sub": key_id() + 'aws_secret_access_key: !Sub "{{resolve:secretsmanager:deploy:SecretString:key}}"\n',
        "IAM identifiers": "".join(f"{prefix}{draw.text(BASE32, 17)}\n" for prefix in ("AI" + "DA", "AR" + "OA", "AG" + "PA")),
        "capitals": "enum { AS" + "IAPACIFICSOUTHEAST, AS" + "IAPACIFICNORTHEAST }\n",
        "ID inside base64": draw.base64(99) + draw.id() + draw.base64(99) + "\n",
        "two profiles, halves": f"[a]\naws_access_key_id = {draw.id()}\n[b]\naws_secret_access_key =\n",
        "presigned URL": "https://photos.s3.amazonaws.com/cat?X-Amz-Credential="
                         f"{draw.id()}%2F20260203%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Signature={draw.text(HEX, 64)}\n",
        "minified": key_id() + "var a=function(t,e){return t.prototype.hasOwnProperty.call(e)},b=" + '"'
                    + "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" + '"\n',
    }


def tokens(draw):
    """A key ID, and beside it a token of somebody else: a secret, but none of AWS."""
    key_id = lambda: f"aws_access_key_id = {draw.id()}\n"  # noqa: E731
    word = lambda: draw.text(ALPHANUMERIC, 40)  # noqa: E731
    made = {name: key_id() + f"{name}={word()}\n" for name in (
        "CLOUDFLARE_API_TOKEN", "OKTA_API_TOKEN", "DATADOG_APPLICATION_KEY", "x-api-key", "jwt_secret", "client_secret",
        "SESSION_SECRET", "GITHUB_TOKEN", "slack_signing_secret", "HEROKU_KEY", "zendesk_token", "NETLIFY_AUTH_TOKEN",
        "ALGOLIA_ADMIN_KEY", "AZURE_CLIENT_SECRET", "DOCKER_PASSWORD", "SONAR_TOKEN")}
    made.update({
        "quoted token": key_id() + f'cloudflare_token: "{draw.text(URL_SAFE, 40)}"\n',
        "token of another section": f"okta:\n  token: {word()}\naws:\n  access_key_id: {draw.id()}\n",
        "key of another section": f"cloudflare:\n  key: {word()}\naws:\n  access_key: {draw.id()}\n",
        "JSON neighbour": f'{{"accessKeyId": "{draw.id()}", "apiKey": "{word()}"}}\n',
        "JSON, nested": f'{{"aws_access_key_id": "{draw.id()}", "cloudflare": {{"api_token": "{word()}"}}}}\n',
        "environment list": f"- name: AWS_ACCESS_KEY_ID\n  value: {draw.id()}\n- name: OKTA_TOKEN\n  value: {word()}\n",
        "XML neighbour": f'<add key="AWSAccessKey" value="{draw.id()}"/>\n<add key="CloudflareToken" value="{word()}"/>\n',
        "comment": f"# cloudflare token: {word()}\naws_access_key_id={draw.id()}\n",
        "provider": f'provider "okta" {{\n  secret = "{word()}"\n}}\nprovider "aws" {{\n  access_key = "{draw.id()}"\n}}\n',
        "call": f'Okta("{draw.id()}", token="{word()}")\n',
        "query": key_id() + f"https://example.org/?sig={word()}&x=1\n",
        "MinIO": "endpoint: http://minio:9000\n"
                 f"MINIO_ROOT_USER={draw.text(ALPHANUMERIC, 20)}\nMINIO_ROOT_PASSWORD={word()}\n",
        "emulator": "LK" + "IA" + draw.text(BASE32, 16) + " " + draw.secret() + "\n",
    })
    return made
