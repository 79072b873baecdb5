"""How each scanner is called, with verification off, and how its report is read."""

import hashlib
import json
import re
import shutil
import subprocess

# An access key ID; the scanners that print lines are only asked where the match is.
KEY_ID = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{16}")


class Found:
    """One finding of a scanner."""

    def __init__(self, path, text="", key_id=None, secret=None, is_aws=False, line=None, sha1=None):
        self.path, self.key_id, self.secret = path, key_id, secret
        self.text, self.is_aws, self.line, self.sha1 = text or "", is_aws, line, sha1

    def reports(self, secret):
        """Whether it tells of a secret, in plain or as it is written in the file."""
        if self.secret in secret["forms"]:
            return True
        if self.sha1:
            return self.sha1 in {hashlib.sha1(form.encode()).hexdigest() for form in secret["forms"]} or (
                not self.is_aws and self.line in secret["lines"])
        return any(form in self.text for form in secret["forms"])

    def is_only_id(self, ids):
        """Whether it tells of a key ID and nothing else."""
        if self.secret:
            return False
        if self.sha1:
            return self.sha1 in {hashlib.sha1(key_id.encode()).hexdigest() for key_id in ids}
        return any(key_id in self.text for key_id in ids) or self.key_id in ids


class Tool:
    """A scanner: `binary` is looked up in PATH."""

    name = binary = ""
    joins = False
    statuses = (0, 1)

    def command(self, where, output, scratch):
        raise NotImplementedError

    def read(self, output):
        raise NotImplementedError

    def version(self):
        return said([self.binary, "--version"])

    def report(self, output):
        with open(output, encoding="utf-8", errors="replace") as file:
            return json.load(file)


def said(command):
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    found = re.search(r"\d+\.\d+(?:\.\d+)*(?:-rc\.\d+)?", run.stdout.decode(errors="replace"))
    return found.group() if found else ""


class Keysieve(Tool):
    """Errors only: what would make a build fail."""

    name, joins = "keysieve", True

    def command(self, where, output, scratch):
        return [self.binary, "scan", where, "--no-ignore", "--show-secrets", "--format", "json"]

    def read(self, output):
        for one in self.report(output)["findings"]:
            if one["level"] == "error":
                secret = one.get("secret_key") or one.get("secret")
                for place in one["places"]:
                    yield Found(place["path"], key_id=one.get("key_id"), secret=secret,
                                is_aws=one["rule"].startswith("aws-"))


class Kingfisher(Tool):
    name, binary, joins, statuses = "kingfisher", "kingfisher", True, (0, 200, 205)

    def command(self, where, output, scratch):
        return [self.binary, "scan", where, "--no-validate", "--no-update-check", "--no-dedup", "--quiet",
                "--git-history", "none", "--format", "json", "--output", output]

    def read(self, output):
        for one in self.report(output)["findings"]:
            finding, key_id, secret = one["finding"], None, None
            snippet = finding["snippet"]
            if "aws" in one["rule"]["id"].lower():
                others = list(finding.get("dependent_captures", {}).values())
                halves = [snippet] + [value for value in others if isinstance(value, str)]
                key_id = next((half for half in halves if KEY_ID.fullmatch(half)), None)
                secret = next((half for half in halves if len(half) == 40), None)
            yield Found(finding["path"], snippet, key_id, secret, "aws" in one["rule"]["id"].lower())


class DetectSecrets(Tool):
    """Tells hashes of what it found, and lines."""

    name, binary = "detect-secrets", "detect-secrets"

    def command(self, where, output, scratch):
        return [self.binary, "scan", "--all-files", "--no-verify", where]

    def read(self, output):
        for path, all_found in self.report(output)["results"].items():
            for one in all_found:
                yield Found(path, is_aws=one["type"].startswith("AWS"), line=one["line_number"],
                            sha1=one["hashed_secret"])


class CredSweeper(Tool):
    name, binary, joins = "credsweeper", "credsweeper", True

    def command(self, where, output, scratch):
        return [self.binary, "--path", where, "--save-json", output, "--no-stdout", "--jobs", "2"]

    def read(self, output):
        for one in self.report(output):
            values = [(line["value"], line["path"]) for line in one["line_data_list"]]
            is_aws = "AWS" in one["rule"]
            key_id = next((value for value, _ in values if is_aws and KEY_ID.fullmatch(value)), None)
            secret = next((value for value, _ in values if is_aws and len(value) == 40), None)
            yield Found(values[0][1], " ".join(value for value, _ in values), key_id, secret, is_aws)


class RipSecrets(Tool):
    """Tells whole lines, without the kind of secret."""

    name, binary = "ripsecrets", "ripsecrets"

    def command(self, where, output, scratch):
        return [self.binary, "--only-matching", where]

    def read(self, output):
        return lines(output, 1, is_aws=False)


class GitSecrets(Tool):
    """Tells whole lines; its patterns are those of `git secrets --register-aws`."""

    name, binary = "git-secrets", "git-secrets"

    def command(self, where, output, scratch):
        script = 'git secrets --register-aws --global >/dev/null; cd "$1" && git secrets --scan --no-index . 2>&1'
        return ["sh", "-c", script, "sh", where]

    def read(self, output):
        return lines(output, 2, is_aws=True)

    def version(self):
        return said(["dpkg-query", "-W", "-f", "${Version}", "git-secrets"])


def lines(output, places, is_aws):
    """`path:text` or `path:line:text`; the path need not be absolute."""
    with open(output, encoding="utf-8", errors="replace") as file:
        for line in file:
            parts = line.rstrip("\n").split(":", places)
            if len(parts) > places and not parts[0].startswith("["):
                yield Found(parts[0], parts[-1], is_aws=is_aws)


class Gitleaks(Tool):
    name, binary, verb = "gitleaks", "gitleaks", "dir"

    def command(self, where, output, scratch):
        return [self.binary, self.verb, where, "--no-banner", "--report-format", "json", "--report-path", output]

    def read(self, output):
        for one in self.report(output) or []:
            yield Found(one["File"], one["Secret"], is_aws=one["RuleID"].startswith("aws"))

    def version(self):
        # Built with `go install` it does not know its version; the program holds that of its module.
        return said(["sh", "-c", 'go version -m "$1" | grep "[[:space:]]mod[[:space:]]"', "sh", self.binary])


class Betterleaks(Tool):
    """Version 2: a finding lists every secret near its ID as a set of components."""

    name, binary, joins = "betterleaks", "betterleaks", True

    def command(self, where, output, scratch):
        return [self.binary, where, "--no-banner", "--silent", "--output", output]

    def report(self, output):
        # It tells the format by the name of the file.
        with open(output, encoding="utf-8", errors="replace") as file:
            return json.load(file)["findings"]

    def read(self, output):
        for one in self.report(output):
            path, value = one["location"]["path"], one["match"]["value"]
            is_aws = one["rule_id"].startswith("aws")
            sets = one.get("component_sets") or []
            for components in (of["components"] for of in sets):
                for part in components:
                    yield Found(path, key_id=value, secret=part["match"]["value"], is_aws=is_aws)
            if not sets:
                yield Found(path, value, is_aws=is_aws)


class TruffleHog(Tool):
    """Tells of pairs only; one for each ID with each secret near it."""

    name, binary, joins = "trufflehog", "trufflehog", True

    def command(self, where, output, scratch):
        return [self.binary, "filesystem", where, "--json", "--no-verification", "--no-update"]

    def read(self, output):
        with open(output, encoding="utf-8", errors="replace") as file:
            for line in file:
                one = json.loads(line)
                if "DetectorName" not in one:
                    continue
                path = one["SourceMetadata"]["Data"]["Filesystem"]["file"]
                is_aws = one["DetectorName"] in ("AWS", "AWSSessionKey")
                parts = one.get("RawV2", "").split(":") if is_aws else []
                key_id = one["Raw"] if is_aws else None
                secret = next((part for part in parts if len(part) == 40), None)
                yield Found(path, one["Raw"] + " " + one.get("RawV2", ""), key_id, secret, is_aws)


def installed(program):
    """The scanners that are there, keysieve first."""
    tools = []
    for kind in (Keysieve, Kingfisher, TruffleHog, Betterleaks, Gitleaks, CredSweeper, DetectSecrets, RipSecrets, GitSecrets):
        tool = kind()
        tool.binary = shutil.which(program if kind is Keysieve else tool.binary)
        if tool.binary:
            tools.append(tool)
    return tools
