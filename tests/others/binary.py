"""Writes an AWS key ID and its secret, the two arguments, into binary files of many kinds."""

import marshal, os, pickle, plistlib, py_compile, sqlite3, sys
key_id, secret = sys.argv[1:]
def write(name, data):
    with open(name, "wb") as file:
        file.write(data)
sources = {
    "settings": f"AWS_ACCESS_KEY_ID = '{key_id}'\nAWS_SECRET_ACCESS_KEY = '{secret}'\nREGION = 'eu-west-1'\n",
    "call": f"import boto3\ns3 = boto3.client('s3', aws_access_key_id='{key_id}', aws_secret_access_key='{secret}')\n",
    "dict": f"KEYS = {{'access_key': '{key_id}', 'secret_key': '{secret}', 'n': 7}}\n",
    "function": f"def keys(n=1):\n    return ('{key_id}', '{secret}', n)\n",
    "class": f"class Keys:\n    access_key = '{key_id}'\n    secret_key = '{secret}'\n    retries = 3\n",
}
for name, text in sources.items():
    write("source", text.encode())
    for level in (0, 2):
        py_compile.compile("source", cfile=f"{name}{level}.pyc", dfile="a.py", optimize=level, doraise=True)
    for version in range(3, 5):
        write(f"{name}.marshal{version}", marshal.dumps(compile(text, "a.py", "exec"), version))
os.remove("source")
class Keys:
    def __init__(self):
        self.access_key = key_id
        self.secret_key = secret
values = {
    "dict": {"access_key": key_id, "secret_key": secret, "region": "eu-west-1"},
    "list": [["deploy", key_id, secret], ["other", 1, 2.5]],
    "tuple": (key_id, secret),
    "object": Keys(),
}
for name, value in values.items():
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        write(f"{name}.pickle{protocol}", pickle.dumps(value, protocol))
for table, row in {
    "key TEXT, secret TEXT": (key_id, secret),
    "name TEXT, key TEXT, secret TEXT, region TEXT": ("deploy", key_id, secret, "eu-west-1"),
    "id INTEGER PRIMARY KEY, key TEXT, secret TEXT, n INTEGER": (7, key_id, secret, 300),
    "a REAL, key TEXT, b BLOB, secret TEXT, c TEXT": (1.5, key_id, b"xyz", secret, "a" * 300),
    "long TEXT, key TEXT, secret TEXT": ("b" * 200, key_id, secret),
}.items():
    path = f"{len(os.listdir())}.sqlite"
    base = sqlite3.connect(path)
    base.execute(f"CREATE TABLE t ({table})")
    marks = ",".join("?" * len(row))
    other = tuple("other" if isinstance(one, str) else one for one in row)
    for number in range(3):
        if not table.startswith("id"):
            base.execute(f"INSERT INTO t VALUES ({marks})", other)
    base.execute(f"INSERT INTO t VALUES ({marks})", row)
    if not table.startswith("id"):
            base.execute(f"INSERT INTO t VALUES ({marks})", other)
    base.commit()
    base.close()
write("binary.plist", plistlib.dumps({"AccessKeyId": key_id, "SecretAccessKey": secret, "n": 1}, fmt=plistlib.FMT_BINARY))
