#!/usr/bin/env python3
"""Runs keysieve-verify against other people's AWS: moto and MiniStack, both on this machine.

    verify/tests/emulators.py [DIRECTORY]

The programs keysieve and keysieve-verify are those in DIRECTORY, target/debug unless it is named. Where the packages of
tests/support/emulators.py cannot be had the status is 77 and nothing was tested. What is learnt here is that signatures,
forms and answers fit those of others.
"""

import base64
import glob
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/support"))
import emulators  # noqa: E402
from emulators import ACCOUNT, BOTOCORE, BUILT, HOME, MINISTACK_ROOT, ROOT, check  # noqa: E402

emulators.enter("keysieve-verify against moto and MiniStack")
PROGRAM = os.path.join(BUILT, "keysieve-verify")


def requests(emulator):
    with open(emulator.log, "rb") as log:
        return log.read().count(b"POST /")


def ask(emulator, *args, own=None, found=(), status=None, rate=("--rate=100",)):
    """The answers to one run, by key, and its last line."""
    environment = {"PATH": os.environ["PATH"]}
    if own:
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"] = own[:2]
    lines = [json.dumps(finding(*pair)) for pair in found]
    lines.append(json.dumps({"schema": "keysieve-report/1", "coverage": {"complete": True},
                             "summary": {"errors": len(found), "warnings": 0, "notes": 0, "accepted": 0}}))
    args = [*args, *(["--with-found-secret", "-"] if found else []), "--format=jsonl", *rate]
    run = subprocess.run(
        [PROGRAM, *args, "--endpoint-url", emulator.url], env=environment, input="\n".join(lines), text=True,
        capture_output=True)
    if status is not None:
        check(f"status of {args}: {run.stderr}", run.returncode, status)
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    return {answer["key_id"]: answer for answer in answers[:-1]}, answers[-1]


def one(emulator, *args, **options):
    """What is said about the only key: status and reason."""
    answers, _ = ask(emulator, *args, **options)
    (answer,) = answers.values()
    return answer["status"], answer["reason"]


def finding(key, secret=None, token=None):
    found = {"rule": "aws-access-key-pair", "fingerprint": "ks1:" + "0" * 32, "key_id": key,
             "places": [{"path": "x", "line": 1}]}
    if secret:
        found["secret_key"] = secret
    if token:
        found["session_token"] = token
    return found


def root_of(client):
    """What `keysieve root` makes of the account's own exports: its status, and the row of the report."""
    client.generate_credential_report()
    report = client.get_credential_report()
    document = {
        "Content": base64.b64encode(report["Content"]).decode(), "ReportFormat": report["ReportFormat"],
        "GeneratedTime": report["GeneratedTime"].isoformat(),
    }
    path = os.path.join(HOME, "report.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(document, file)
        json.dump({"SummaryMap": client.get_account_summary()["SummaryMap"]}, file)
    run = subprocess.run(
        [os.path.join(BUILT, "keysieve"), "root", "--format=json", path], capture_output=True, text=True)
    document = json.loads(run.stdout)
    check("both exports are read", (len(document["accounts"]), document["unread"]), (2, []))
    return run.returncode, document["accounts"][0]


def collected(emulator, own, key):
    """The files that the script of `keysieve collect` gets from an emulator by AWS's own command line."""
    script = subprocess.run(
        [os.path.join(BUILT, "keysieve"), "collect", key, "--region=us-east-1", "--account=" + ACCOUNT],
        capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as directory:
        run = emulator.shell(directory, own, "sh", "-s", input=script)
        evidence = os.path.join(directory, "evidence")
        root = subprocess.run(
            [os.path.join(BUILT, "keysieve"), "root", "--format=json", os.path.join(evidence, "credential-report.json")],
            capture_output=True, text=True)
        return set(os.listdir(evidence)), run.stderr, json.loads(root.stdout)["accounts"]


def made(client, user, policy=None):
    """A user with a key."""
    client.create_user(UserName=user)
    if policy:
        client.put_user_policy(UserName=user, PolicyName="p", PolicyDocument=json.dumps(
            {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": policy, "Resource": "*"}]}))
    return another(client, user)


def another(client, user):
    key = client.create_access_key(UserName=user)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def with_moto():
    # So many calls of an administrator who needs no key.
    with emulators.moto(INITIAL_NO_AUTH_ACTION_COUNT="13") as moto:
        admin = moto.client("iam", "x", "y")
        reader = made(admin, "reader", ["iam:GetAccessKeyLastUsed", "iam:ListAccessKeys", "iam:GetAccountSummary",
                                        "sts:GetAccessKeyInfo", "sts:AssumeRole", "iam:CreateRole",
                                        "iam:GenerateCredentialReport", "iam:GetCredentialReport"])
        deploy = made(admin, "deploy")
        second = another(admin, "deploy")
        admin.update_access_key(UserName="deploy", AccessKeyId=second[0], Status="Inactive")
        weak = made(admin, "weak")
        gone = another(admin, "weak")
        admin.delete_access_key(UserName="weak", AccessKeyId=gone[0])
        # 3 + 2 + 1 + 1 + 2 + 1 + 1: the next call needs a right signature.
        unsigned = 13 - 11
        for _ in range(unsigned):
            admin.get_account_summary()

        answers, last = ask(moto, found=[deploy], status=1)
        check("an active pair", (answers[deploy[0]]["status"], answers[deploy[0]]["root"]), ("active", False))
        check("its owner", answers[deploy[0]]["owner"]["arn"], f"arn:aws:iam::{ACCOUNT}:user/deploy")
        check("its account is that in the ID", answers[deploy[0]]["notes"], [])
        check("one request", last["requests"], 1)
        wrong = deploy[1][:-1] + ("A" if deploy[1][-1] != "A" else "B")
        check("a wrong secret", one(moto, found=[(deploy[0], wrong)], status=2), ("unknown", "wrong-secret"))
        check("an unknown ID", one(moto, found=[gone], status=0), ("inactive", "no-such-key"))

        role = moto.client("iam", *reader).create_role(RoleName="ir", AssumeRolePolicyDocument=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}))
        session = moto.client("sts", *reader).assume_role(
            RoleArn=role["Role"]["Arn"], RoleSessionName="me")["Credentials"]
        triple = session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
        answers, _ = ask(moto, found=[triple], status=1)
        check("a session", answers[triple[0]]["owner"]["kind"], "session")
        check("a session without its token", one(moto, found=[triple[:2]], status=2), ("unknown", "no-token"))
        other = triple[0], triple[1], triple[2][:-8] + "AAAAAAAA"
        check("a session with a wrong token", one(moto, found=[other], status=2), ("unknown", "token-refused"))

        answers, last = ask(moto, deploy[0], second[0], gone[0], own=reader, status=2)
        check("who asks", last["asked_as"], f"arn:aws:iam::{ACCOUNT}:user/reader")
        mine = answers[deploy[0]]
        check("looked up", (mine["status"], mine["owner"]["name"], mine["root"]), ("active", "deploy", False))
        check("used", (mine["last_used"]["service"], bool(mine["last_used"]["at"])), ("sts", True))
        check("made", bool(mine["created"]), True)
        check("deactivated", (answers[second[0]]["status"], answers[second[0]]["reason"]), ("inactive", "deactivated"))
        check("deleted", (answers[gone[0]]["status"], answers[gone[0]]["reason"]), ("unknown", "no-such-key"))
        check("about root", len(answers[gone[0]]["notes"]), 1)
        check("no permission", one(moto, deploy[0], own=weak, status=2), ("unknown", "denied"))
        old = "AKIA" + "IQ2RXT5NWZL4KHVA"
        answers, _ = ask(moto, old, own=reader, status=2)
        check("the account of an old ID", answers[old]["account_id"], ACCOUNT)

        # Its report has no row of root, which is not "no root key".
        status, account = root_of(moto.client("iam", *reader))
        check("moto's report", (status, account["account_id"], account["has_root_key"]), (2, ACCOUNT, None))

        before = requests(moto)
        canary = "AKIA" + "XYZDQCEN" + "4B6JSJQI"
        check("a canary", one(moto, found=[(canary, deploy[1])], status=0), ("not_asked", "canary"))
        check("a canary is never asked: the log of the server", requests(moto), before)
        check("the log is one", before > 10, True)


def with_ministack():
    root = MINISTACK_ROOT
    with emulators.ministack() as ministack:
        admin = ministack.client("iam", *root)
        answers, last = ask(ministack, found=[root], status=1)
        check("root", (answers[root[0]]["status"], answers[root[0]]["root"]), ("active", True))
        check("roots are counted", last["summary"]["active_root"], 1)
        answers, _ = ask(ministack, root[0], own=root, status=1)
        check("root looks itself up", answers[root[0]]["root"], True)

        deploy = made(admin, "deploy")
        check("an active pair", one(ministack, found=[deploy], status=1), ("active", None))
        wrong = deploy[0], "x" * 40
        check("a wrong secret", one(ministack, found=[wrong], status=2), ("unknown", "wrong-secret"))
        admin.update_access_key(UserName="deploy", AccessKeyId=deploy[0], Status="Inactive")
        check("deactivated", one(ministack, found=[deploy], status=0), ("inactive", "no-such-key"))
        admin.delete_access_key(UserName="deploy", AccessKeyId=deploy[0])
        check("deleted", one(ministack, found=[deploy], status=0), ("inactive", "no-such-key"))

        status, account = root_of(admin)
        check("MiniStack's report", (status, account["account_id"], account["has_root_key"]), (0, ACCOUNT, False))

        other = another(admin, "deploy")
        leaked = "AKIA" + "RZPUZDIK" + "GB2VALC6"
        files, errors, accounts = collected(ministack, root, leaked)
        for name in ("account-summary", "authorization-details", "keys-deploy", f"events-{leaked}-us-east-1"):
            check(f"{name}: {errors}", name + ".json" in files, True)
        check("AWS's command line writes what `root` reads", accounts[0]["account_id"], ACCOUNT)
        check("nothing is half there", [name for name in files if name.endswith(".part")], [])
        check("the other key", one(ministack, found=[other], status=1), ("active", None))

        twenty(ministack, admin, root)

        session = ministack.client("sts", *root).get_session_token(DurationSeconds=1)["Credentials"]
        triple = session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]
        time.sleep(2)
        check("expired", one(ministack, found=[triple], status=0), ("inactive", "expired"))
        foreign = "AKIA" + "IQ2RXT5NWZL4KHVA"
        check("another account", one(ministack, foreign, own=root, status=2)[0], "unknown")


def twenty(ministack, admin, root):
    """At the usual pace: which of twenty keys are alive, whose they are, and which is root's."""
    keys, owners = [root], {}
    for number in range(19):
        user = f"user{number // 2}"
        key = another(admin, user) if number % 2 else made(admin, user)
        owners[key[0]] = user
        keys.append(key)
    idle = {key for key, _ in keys[2::4]}
    for key in idle:
        admin.update_access_key(UserName=owners[key], AccessKeyId=key, Status="Inactive")
    for way, given in (
        ("looked up", {"args": [key for key, _ in keys], "own": root}),
        ("found pairs", {"args": [], "found": keys}),
    ):
        begun = time.monotonic()
        answers, last = ask(ministack, *given.pop("args"), **given, status=1, rate=())
        took = time.monotonic() - begun
        check(f"{way}: all are told", len(answers), 20)
        check(f"{way}: alive", {key for key in answers if answers[key]["status"] == "active"}, set(owners) - idle | {root[0]})
        check(f"{way}: not alive", {key for key in answers if answers[key]["status"] == "inactive"}, idle)
        check(f"{way}: root's", [key for key in answers if answers[key]["root"]], [root[0]])
        if way == "looked up":
            names = {key: answers[key]["owner"]["name"] for key in owners}
            check(f"{way}: whose", names, owners)
        # Ten a second: five seconds. How long it took is told, and depends on what else the machine does. IDs of this
        # emulator do not hold their account, so each is asked about once more than AWS's.
        check(f"{way}: {last['requests']} requests are few enough for ten seconds", last["requests"] <= 50, True)
        print(f"twenty keys, {way}: {took:.1f} s, {last['requests']} requests")


def with_botocore():
    """The vectors and endpoints in this tree are those of botocore's own tests."""
    (archive,) = glob.glob(os.path.join(HOME, f"botocore-{BOTOCORE}.tar.gz"))
    with tarfile.open(archive) as tar:
        files = {name.split("/", 1)[1]: tar.extractfile(name).read().decode()
                 for name in tar.getnames()
                 if re.search(r"aws4_testsuite/.*\.(req|authz)$|endpoint-rules/(sts|iam)/endpoint-tests-1\.json$", name)}
    ours = read("sign_vectors.txt")
    sets = dict(re.findall(r"^== (\S+)\n.*?\n--\n(.*?)\n", ours, re.S | re.M))
    theirs = {}
    for name, text in files.items():
        if name.endswith(".req") and text.split(" ")[1] == "/":
            theirs[os.path.basename(name)[:-4]] = files[name[:-4] + ".authz"].strip()
    check("signature vectors", sets, theirs)
    lines = set()
    for service in ("sts", "iam"):
        for case in json.loads(files[f"tests/functional/endpoint-rules/{service}/endpoint-tests-1.json"])["testCases"]:
            params, endpoint = case.get("params") or {}, case["expect"].get("endpoint")
            region = params.get("Region")
            if not endpoint or not region or region == "aws-global" or params.keys() & {"Endpoint", "UseGlobalEndpoint"}:
                continue
            variant = ("f" if params.get("UseFIPS") else "") + ("d" if params.get("UseDualStack") else "") or "-"
            signed = [it.get("signingRegion") for it in (endpoint.get("properties") or {}).get("authSchemes", [])]
            other = " " + signed[0] if signed and signed[0] != region else ""
            lines.add(f"{service} {region} {variant} {endpoint['url']}{other}")
    committed = {line for line in read("endpoint_tests.txt").splitlines() if not line.startswith("#")}
    check("endpoint tests", committed, lines)


def read(name):
    with open(os.path.join(ROOT, "src/aws/verify", name), encoding="utf-8") as file:
        return file.read()


with_botocore()
with_moto()
with_ministack()
print(f"keysieve-verify against moto, MiniStack and botocore's tests: {emulators.checks} checks hold")
