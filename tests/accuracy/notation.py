"""The matrix: the same credentials in ten arrangements, under seven namings, in seven notations, three people each."""

import json

PEOPLE = ("alice", "bob", "carol", "dave", "erin")

# Name of the ID, name of the secret.
NAMINGS = (("id", "secret"), ("access_key", "secret_key"), ("access_key_id", "secret_access_key"), ("key", "value"),
           ("user", "password"), ("login", "pwd"), ("id", "hidden"))


def plural(name):
    return name + "s"


def objects(pairs, naming, secret_first):
    """One object for each person."""
    made = []
    for key_id, secret in pairs:
        fields = [(naming[0], key_id), (naming[1], secret)]
        made.append(dict(reversed(fields) if secret_first else fields))
    return made


def list_of_objects(pairs, naming, secret_first=False):
    return {"accounts": objects(pairs, naming, secret_first)}


def map_of_objects(pairs, naming, secret_first=False):
    return {"accounts": dict(zip(PEOPLE, objects(pairs, naming, secret_first)))}


def two_maps(pairs, naming, rotated=False):
    people = list(zip(PEOPLE, pairs))
    others = people[1:] + people[:1] if rotated else people
    return {plural(naming[0]): {person: pair[0] for person, pair in people},
            plural(naming[1]): {person: pair[1] for person, pair in others}}


def two_lists(pairs, naming):
    return {plural(naming[0]): [pair[0] for pair in pairs], plural(naming[1]): [pair[1] for pair in pairs]}


def flat(pairs, naming, secret_first=False):
    made = {}
    for person, (key_id, secret) in zip(PEOPLE, pairs):
        fields = [(f"{person}_{naming[0]}", key_id), (f"{person}_{naming[1]}", secret)]
        made.update(reversed(fields) if secret_first else fields)
    return made


def flat_grouped(pairs, naming):
    people = list(zip(PEOPLE, pairs))
    made = {f"{person}_{naming[0]}": pair[0] for person, pair in people}
    made.update({f"{person}_{naming[1]}": pair[1] for person, pair in people[1:] + people[:1]})
    return made


MODELS = {
    "list of objects": list_of_objects,
    "list of objects, secret first": lambda pairs, naming: list_of_objects(pairs, naming, True),
    "map of objects": map_of_objects,
    "map of objects, secret first": lambda pairs, naming: map_of_objects(pairs, naming, True),
    "two maps": two_maps,
    "two maps, the second in another order": lambda pairs, naming: two_maps(pairs, naming, True),
    "two lists": two_lists,
    "flat, prefixed": flat,
    "flat, prefixed, secret first": lambda pairs, naming: flat(pairs, naming, True),
    "flat, grouped, in another order": flat_grouped,
}


def compact(tree):
    return json.dumps(tree, separators=(", ", ": ")) + "\n"


def pretty(tree):
    return json.dumps(tree, indent=2) + "\n"


def python(tree):
    return f"DATA = {tree!r}\n"


def yaml(tree, depth=0):
    pad, made = "  " * depth, ""
    if isinstance(tree, dict):
        for key, value in tree.items():
            made += f"{pad}{key}: {value}\n" if isinstance(value, str) else f"{pad}{key}:\n" + yaml(value, depth + 1)
        return made
    for value in tree:
        made += f"{pad}- {value}\n" if isinstance(value, str) else f"{pad}- " + yaml(value, depth + 1).lstrip()
    return made


def toml(tree):
    made, tables = "", ""
    for key, value in tree.items():
        if isinstance(value, str):
            made += f'{key} = "{value}"\n'
        elif isinstance(value, list) and isinstance(value[0], str):
            made += f"{key} = [" + ", ".join(f'"{one}"' for one in value) + "]\n"
        elif isinstance(value, list):
            tables += "".join(f"\n[[{key}]]\n" + toml(one) for one in value)
        elif all(isinstance(one, str) for one in value.values()):
            tables += f"\n[{key}]\n" + toml(value)
        else:
            tables += "".join(f"\n[{key}.{name}]\n" + toml(one) for name, one in value.items())
    return made + tables


def xml(tree, name="config", depth=0):
    pad = "  " * depth
    if isinstance(tree, str):
        return f"{pad}<{name}>{tree}</{name}>\n"
    inner = ((key, value) for key, value in tree.items()) if isinstance(tree, dict) else (("item", one) for one in tree)
    return f"{pad}<{name}>\n" + "".join(xml(value, key, depth + 1) for key, value in inner) + f"{pad}</{name}>\n"


def properties(tree, path=""):
    if isinstance(tree, str):
        return f"{path}={tree}\n"
    inner = tree.items() if isinstance(tree, dict) else enumerate(tree)
    return "".join(properties(value, f"{path}.{key}" if path else str(key)) for key, value in inner)


NOTATIONS = {"JSON": pretty, "compact JSON": compact, "Python": python, "YAML": yaml, "TOML": toml, "XML": xml,
             "properties": properties}
ENDINGS = {"JSON": "json", "compact JSON": "json", "Python": "py", "YAML": "yml", "TOML": "toml", "XML": "xml",
           "properties": "properties"}


def matrix(draw):
    """Model, naming, notation, file name, text and pairs of each cell. No pair is in two cells: a scanner may bring
    together what is known of one key from several files."""
    for model, build in MODELS.items():
        for naming in NAMINGS:
            for notation, write in NOTATIONS.items():
                pairs = [(draw.id(), draw.secret()) for _ in range(3)]
                text = write(build(pairs, naming))
                yield model, "/".join(naming), notation, f"config.{ENDINGS[notation]}", text, pairs
