"""Reads the tables of tests/notation and fills them with random values.

The form of a table is said in its first lines.
"""

import base64
import math
import re
import urllib.parse

BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
UPPER = BASE32[:26]
ALPHANUMERIC = UPPER + UPPER.lower() + "0123456789"
BASE64 = ALPHANUMERIC + "+/"
ALPHABETS = {"N": ALPHANUMERIC, "B": BASE64, "H": "0123456789abcdef", "U": UPPER + "0123456789",
             "X": UPPER.lower() + "0123456789", "L": UPPER.lower(), "R": BASE32}
CHARACTERS = {"ESC": "\x1b", "CR": "\r", "TAB": "\t", "NBSP": "\u00a0", "ZWSP": "\u200b", "AKIA": "AK" + "IA"}
PLACE = re.compile(r"<(?:(ESC|CR|TAB|NBSP|ZWSP|AKIA)|LINES(\d+)|([IASTFWYNBHUXLR])(\d+)(?::([a-z0-9]+))?)>")
WORDS = "the note says that each person asks for a key of their own and keeps it safe every day ".split()


class Case:
    """One text of a table, filled."""

    def __init__(self, title, group, file, text, want, secrets, ids):
        self.title, self.group, self.file, self.text = title, group, file, text
        self.want, self.secrets, self.ids = want, secrets, ids


class Draw:
    """Random values from a seed."""

    def __init__(self, random):
        self.random = random

    def text(self, alphabet, length):
        return "".join(self.random.choice(alphabet) for _ in range(length))

    def id(self, prefix="AK" + "IA"):
        """A key ID with a digit: one without may read as words, which makes it a note."""
        while True:
            body = self.text("QRSTUVWXYZ2345", 1) + self.text(BASE32, 15)
            if any(letter.isdigit() for letter in body):
                return prefix + body

    def secret(self):
        """40 uniform characters that the strictest filters keep, as in tests/support/keys.rs."""
        while True:
            secret = self.text(BASE64, 40)
            if is_typical(secret):
                return secret

    def signed_secret(self):
        """A secret with one of `+/`, as in the reports that the layouts are from."""
        while True:
            secret = self.secret()
            if "+" in secret or "/" in secret:
                return secret

    def token(self, length=400):
        return base64.b64encode(b"\x21\x0a\x23origin_ec").decode() + self.text(BASE64, length)

    def readable(self, length):
        """Base64 of readable text, without padding."""
        text = ""
        while len(text) < length:
            text += self.random.choice(WORDS) + " "
        return base64.b64encode(text[:length * 3 // 4].encode()).decode()


def is_typical(secret):
    def kind(letter):
        return letter.islower() and 1 or letter.isupper() and 2 or letter.isdigit() and 3 or 4
    counts = [secret.count(letter) / len(secret) for letter in set(secret)]
    entropy = -sum(part * math.log2(part) for part in counts)
    changes = sum(kind(a) != kind(b) for a, b in zip(secret, secret[1:]))
    return entropy >= 4.35 and changes >= 16 and any(letter.isdigit() for letter in secret)


def blocks(path):
    """Title, group, file, text and expectation of each case, before it is filled."""
    with open(path, encoding="utf-8") as file:
        parts = ("\n" + file.read()).split("\n#### ")[1:]
    for part in parts:
        title, *lines = part.split("\n")
        group, name, want, alternatives, cut = "misleading", "a.txt", [], None, False
        while lines and re.match(r"[@%=!~] ", lines[0]):
            mark, rest = lines[0][0], lines.pop(0)[2:]
            if mark == "@":
                group, name = rest.split(" ")
            elif mark == "=":
                want.append(tuple(rest.split(" ")))
            elif mark == "!":
                cut = rest == "cut"
            elif mark == "%":
                alternatives = rest.removeprefix("x = ").split(" | ")
        text = "\n".join(lines).rstrip("\n") + ("" if cut else "\n")
        for one in alternatives or [None]:
            replaced = (lambda text: text) if one is None else (lambda text, one=one: text.replace("<x>", one))
            yield replaced(title), group, name, replaced(text), want


def fill(block, draw):
    """One filling of a block."""
    title, group, file, text, want = block
    values, secrets, ids = {}, {}, {}

    def place(match):
        character, lines, kind, number, form = match.groups()
        if character:
            return CHARACTERS[character]
        if lines:
            return "\n".join(f"option_{at} = {at}" for at in range(int(lines)))
        name = kind + number
        if kind in "IASTFW":
            if name not in values:
                values[name] = {"I": draw.id, "A": lambda: draw.id("AS" + "IA"), "S": draw.signed_secret, "F": draw.secret,
                                "T": draw.token, "W": lambda: draw.text(ALPHABETS["U"], 20)}[kind]()
            plain = values[name]
        elif kind == "Y":
            plain = draw.readable(int(number))
        else:
            plain = draw.text(ALPHABETS[kind], int(number))
        written = write(plain, form)
        if kind == "S":
            secrets.setdefault(name, set()).update((plain, written))
        if kind in "IA":
            ids[name] = plain
        return written

    text = PLACE.sub(place, text)
    wanted = {tuple([level] + [None if half == "-" else values.get(half, half) for half in halves])
              for level, *halves in want}
    return Case(title, group, file, text, wanted, {values[name]: forms for name, forms in secrets.items()}, ids)


def write(plain, form):
    if form in (None, ""):
        return plain
    if form == "pct":
        return urllib.parse.quote(plain, safe="")
    if form == "sed":
        return plain.replace("/", "\\/")
    if form == "b64":
        return base64.b64encode(plain.encode()).decode()
    if form == "sp4":
        return " ".join(plain[at:at + 4] for at in range(0, len(plain), 4))
    half = int(form[1:] or len(plain) // 2)
    return plain[:half] if form[0] == "a" else plain[half:]
