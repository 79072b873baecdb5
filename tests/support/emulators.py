"""Other people's AWS on this machine, for verify/tests/emulators.py and tests/triage/emulators.py: moto and MiniStack.

The servers, botocore and AWS's own command line come from PyPI, in these versions, into target/emulators. Each server
lacks what the other has, and neither is AWS.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

BOTOCORE = "1.43.106"
# The last two are those that fit awscli: left to itself, pip tries their versions one by one, for minutes.
PACKAGES = ["moto[server]==5.2.5", "ministack==1.5.33", "awscli==1.46.3", "botocore==" + BOTOCORE, "boto3==1.43.106"]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOME = os.path.join(ROOT, "target", "emulators")
ACCOUNT = "123456789012"
# MiniStack has a root user, whose key this is.
MINISTACK_ROOT = "AKIA" + "RZPUZDIK" + "GROOTQWE", "r" * 40
BUILT = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "target/debug"))

checks = 0
lock = threading.Lock()


def enter(what):
    """Goes on under an interpreter that has the packages; status 77 says that `what` was not tested for want of them."""
    if sys.prefix == HOME:
        return
    python = os.path.join(HOME, "bin", "python")
    done = os.path.join(HOME, "done-" + re.sub(r"\W+", "-", "".join(PACKAGES)))
    if not os.path.exists(done):
        # Packages of other versions that are left there would be the ones that run.
        shutil.rmtree(HOME, ignore_errors=True)
        pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check", "--retries", "3"]
        try:
            subprocess.run([sys.executable, "-m", "venv", HOME], check=True)
            subprocess.run(pip + ["install", *PACKAGES], check=True)
            source = ["download", "--no-deps", "--no-binary", ":all:", "-d", HOME, "botocore==" + BOTOCORE]
            subprocess.run(pip + source, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"NOT TESTED: {what}: {error}", file=sys.stderr)
            sys.exit(77)
        open(done, "w").close()
    os.execv(python, [python, os.path.abspath(sys.argv[0]), *sys.argv[1:]])


def check(what, got, expected):
    global checks
    with lock:
        checks += 1
    if got != expected:
        sys.exit(f"FAILED: {what}\n  expected {expected!r}\n  got      {got!r}")


class Emulator:
    """A server of another project on a port of its own, with its log, and the credentials of its administrator."""

    def __init__(self, name, command, own, ready, **environment):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.name, self.own, self.url = name, own, f"http://127.0.0.1:{self.port}"
        # One log a script and server: the scripts may run at the same time.
        self.log = os.path.join(HOME, f"{os.path.basename(os.path.dirname(os.path.abspath(sys.argv[0])))}-{name}.log")
        fill = lambda text: text.replace("PORT", str(self.port))  # noqa: E731
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [os.path.join(HOME, "bin", command[0]), *map(fill, command[1:])],
                env={**os.environ, **{key: fill(value) for key, value in environment.items()}}, stdout=log, stderr=log)
        until = time.monotonic() + 120
        while time.monotonic() < until and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url + ready, timeout=5).close()
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        self.process.kill()
        sys.exit(f"FAILED: {name} did not start; see {self.log}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def client(self, service, key, secret, token=None):
        import boto3
        from botocore.config import Config

        return boto3.session.Session().client(
            service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=key,
            aws_secret_access_key=secret, aws_session_token=token, config=Config(parameter_validation=False))

    def shell(self, directory, own, *command, **options):
        """Runs a program with AWS's command line in its path and the credentials `own`."""
        environment = {
            "PATH": os.path.join(HOME, "bin") + ":" + os.environ["PATH"], "AWS_ENDPOINT_URL": self.url, "HOME": directory,
            "AWS_ACCESS_KEY_ID": own[0], "AWS_SECRET_ACCESS_KEY": own[1], "AWS_DEFAULT_REGION": "us-east-1",
            # What an emulator lacks, it lacks at the tenth try too.
            "AWS_MAX_ATTEMPTS": "1",
        }
        return subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True, **options)


def moto(**environment):
    """Signatures are computed again by botocore's own code, policies are evaluated, last use is real."""
    return Emulator("moto", ["moto_server", "-H", "127.0.0.1", "-p", "PORT"], ("testing", "testing"),
                    "/moto-api/data.json", **environment)


def ministack(**environment):
    """Has a root user, deactivated and deleted keys, sessions that expire, and accounts of foreign IDs."""
    return Emulator("ministack", ["ministack"], MINISTACK_ROOT, "/_ministack/health", BIND_HOST="127.0.0.1",
                    GATEWAY_PORT="PORT", AUTH="true", IOT_MTLS_ENABLED="0", AWS_ACCESS_KEY_ID=MINISTACK_ROOT[0],
                    AWS_SECRET_ACCESS_KEY=MINISTACK_ROOT[1], MINISTACK_ACCOUNT_ID=ACCOUNT, **environment)
