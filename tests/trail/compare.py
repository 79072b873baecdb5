#!/usr/bin/env python3
"""Holds `keysieve trail find` against jq on real logs, and measures it beside gzip, jq and DuckDB.

    python3 -m venv venv && venv/bin/pip install duckdb     # without it its rows are left out
    venv/bin/python tests/trail/compare.py target/release/keysieve LOGS KEY_ID [--turns 5] [--lineage]

It needs gzip and jq. The events must be jq's, byte for byte, once jq has taken the secrets out as keysieve does; if they
are not, the status is 1. Processor time (user and system, children included) counts, since elapsed time depends on what
else the machine does. The tools take turns; for each the best of its turns is compared. Logs may be delivered files,
lists of records, records one per line or answers of lookup-events, plain or gzip.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile

RECORDS = """
def records:
  if type == "array" then .[] | records
  elif has("Records") then .Records[]
  elif has("Events") then .Events[].CloudTrailEvent | fromjson
  elif has("detail") and (.detail | type == "object" and has("eventSource")) then .detail
  else . end;
"""

# Every string of a record, names of fields included.
HOLDS = """
def holds: any(.. | (strings, (objects | keys_unsorted[])); test("(^|[^A-Za-z0-9])" + $key + "($|[^A-Za-z0-9])"));
"""

REDACTED = """
def redacted:
  walk(if type == "object" then with_entries(
    if (.key | ascii_downcase | IN("sessiontoken", "secretaccesskey", "password")) and (.value | type == "string" and . != "")
    then .value = "[redacted]" else . end) else . end);
"""

PROGRAM = RECORDS + HOLDS + REDACTED + """
records | select(tojson | contains($key)) | select((.eventSource | type == "string") and (.eventID | type == "string")) | select(holds) | redacted
"""

# As people write it who know that the key signs.
SIGNED = RECORDS + "records | select(.userIdentity.accessKeyId == $key)"

DUCK = {
    "read_json_objects, records of files that hold the key": """
        select count(*) from (select unnest(json_extract(json, '$.Records[*]')) r
            from read_json_objects({files}, format='unstructured', maximum_object_size=100000000)
            where contains(json::varchar, '{key}')) where contains(r::varchar, '{key}')""",
    "read_json_auto": """
        select count(*) from (select unnest(Records) r
            from read_json_auto({files}, ignore_errors=true, maximum_object_size=100000000))
            where r.userIdentity.accessKeyId = '{key}'""",
    "read_json, JSON[]": """
        select count(*) from (select unnest(Records) r
            from read_json({files}, columns={{Records: 'JSON[]'}}, maximum_object_size=100000000))
            where contains(r::varchar, '{key}')""",
    "read_csv, one column, then JSON of files that hold the key": """
        select count(*) from (select unnest(json_extract(l, '$.Records[*]')) r
            from read_csv({files}, columns={{l: 'VARCHAR'}}, delim='\\x01', quote='', escape='', header=false, auto_detect=false,
                max_line_size=100000000) where contains(l, '{key}')) where contains(r::varchar, '{key}')""",
}


def taken():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def run(command, keep=None):
    """Runs a shell command; its processor time in seconds."""
    before = taken()
    with open(keep or os.devnull, "wb") as out, open(os.devnull, "wb") as err:
        status = subprocess.run(command, stdout=out, stderr=err, shell=isinstance(command, str)).returncode
    if status not in (0, 1):
        raise SystemExit(f"status {status}: {command}")
    return taken() - before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("logs")
    parser.add_argument("key")
    parser.add_argument("--turns", type=int, default=5, help="of each tool; 0: compare the answers only")
    given = parser.parse_args()
    files = sorted(
        os.path.join(at, name)
        for at, _, names in os.walk(given.logs)
        for name in names
        if ".json" in name and "Digest" not in name
    )
    work = tempfile.TemporaryDirectory()
    names = os.path.join(work.name, "names")
    with open(names, "w") as out:
        out.write("\0".join(files))
    text = f"xargs -0 gzip -dcf < {names}"

    def jq(program):
        source = os.path.join(work.name, f"{abs(hash(program))}.jq")
        with open(source, "w") as out:
            out.write(program)
        return f"{text} | jq -c --arg key {given.key} -f {source}"

    find = [given.program, "trail", "find", given.key, given.logs, "--threads", "1"]
    answer, truth = (os.path.join(work.name, name) for name in ("answer", "truth"))
    run(find, answer)
    run(jq(PROGRAM), truth)
    ours = subprocess.run(["jq", "-c", ".event", answer], stdout=subprocess.PIPE, check=True).stdout.splitlines()
    theirs = {}
    with open(truth, "rb") as lines:
        for line in lines.read().splitlines():
            record = json.loads(line)
            theirs.setdefault(record["eventID"], (record.get("eventTime", ""), record["eventID"], line))
    theirs = [line for _, _, line in sorted(theirs.values())]
    odd = [pair for pair in zip(ours, theirs) if pair[0] != pair[1]]
    # What looks like a secret is cut out wherever it stands: the rest must be equal.
    odd = [pair for pair in odd if not re.fullmatch(b".{8,}".join(map(re.escape, pair[0].split(b"[secret]"))), pair[1])]
    if odd or len(ours) != len(theirs):
        print(f"DIFFERENT: {len(ours)} events, jq has {len(theirs)}", *odd[:1], sep="\n")
        sys.exit(1)
    cut = sum(b"[secret]" in event for event in ours)
    print(f"{len(files)} files; {len(ours)} events, equal to jq's byte for byte; secrets cut out of {cut} of them")
    if not given.turns:
        return

    python = [sys.executable, "-c"]
    listed = json.dumps(files).replace('"', "'")
    queries = os.path.join(work.name, "queries.json")
    tools = {
        "keysieve trail find": find,
        "keysieve trail index": [given.program, "trail", "index", given.logs, "--threads", "1", "-o", os.path.join(work.name, "x")],
        "gzip -dc": text,
        "gzip -dc | jq, the same question": jq(PROGRAM),
        "gzip -dc | jq, signer only": jq(SIGNED),
    }
    try:
        import duckdb  # noqa: F401
    except ImportError:
        print("NOT MEASURED: DuckDB, which is not installed")
    else:
        with open(queries, "w") as out:
            json.dump({name: query.format(files=f"[{listed[1:-1]}]", key=given.key) for name, query in DUCK.items()}, out)
        for name in DUCK:
            code = (
                "import duckdb, json; c = duckdb.connect(); c.execute('set threads=1'); "
                f"print(c.execute(json.load(open({queries!r}))[{name!r}]).fetchall()[0][0])"
            )
            said = subprocess.run(python + [code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if said.returncode:
                error = said.stderr.decode().strip().splitlines()[-1]
                print(f"DuckDB, {name}: fails: {error[:120]}")
            else:
                print(f"DuckDB, {name}: {said.stdout.decode().strip()} records")
                tools["DuckDB, " + name] = python + [code]
    best = {name: float("inf") for name in tools}
    for turn in range(given.turns):
        for name, command in tools.items():
            # The slow ones need no five turns: a second in ten says nothing against a factor of twenty.
            if turn > 1 and best[name] > 10 * best["keysieve trail find"]:
                continue
            if os.path.exists(os.path.join(work.name, "x")):
                os.remove(os.path.join(work.name, "x"))
            best[name] = min(best[name], run(command))
    found = best["keysieve trail find"]
    for name, seconds in best.items():
        print(f"{seconds:8.3f} s  {seconds / found:6.1f} times trail find  {seconds / best['gzip -dc']:6.2f} of gzip  {name}")
    child = subprocess.Popen(find, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, used = os.wait4(child.pid, 0)
    print(f"memory of trail find: {used.ru_maxrss / 1024:.1f} MiB")


main()
