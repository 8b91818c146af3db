"""Wrong JSON bodies made from a schema and a good body: for each member each wrong type, numbers
out of range, texts too long, too short or of another form; unknown, missing, repeated members."""

import copy
import json

import jsonschema

TEXTS = ["", " ", "x", "a b", "\u00fc", "0", "true", "imsi-1234", "imsi-" + 16 * "1", "imsi-12345a",
         "IMSI-12345", " imsi-12345", "imsi-12345 ", "nai-", "nai-a b", "nai-\u00fc", "msisdn-1234",
         "msisdn-" + 16 * "1", "msisdn-+12345", "extid-a", "extid-@b", "extid-a@", "extid-a@b@c",
         "extid-a b@c", "nai-" + 252 * "x", "0123456789abcdef", "xyzxyzxyzx", 100000 * "x"]
INSERTED = [b"\0", b"\xff", b"]", b"\x01", b"}", b"\xed\xa0\x80", b"\xc0\xaf", b":", b"\0"]
OTHERS = [None, True, False, 0, 1, -1, 1.5, 1e300, -1e300, [], {}, [1], [None], {"x": 1}]


def candidates(schema):
    values = OTHERS + TEXTS
    for limit in ("minimum", "maximum"):
        if limit in schema:
            values = values + [schema[limit] - 1, schema[limit] + 1]
    if schema.get("type") == "integer":
        values = values + [2**31, 2**32, 2**32 + 1, 2**63 - 1, -2**63,
                           float(schema.get("maximum", 5))]
    if "maxLength" in schema:
        values = values + [(schema["maxLength"] + 1) * "x"]
    return values


def wrong_values(schema):
    """Values that the schema refuses."""
    valid = jsonschema.Draft4Validator(schema).is_valid
    return [value for value in candidates(schema) if not valid(value)]


def at(body, path):
    for part in path:
        body = body[part]
    return body


def pointer(path):
    return "".join(f"/{part}" for part in path)


def changed(body, path, change):
    """A copy in which `change` has had its way with the object or list that holds the member."""
    body = copy.deepcopy(body)
    change(at(body, path[:-1]), path[-1])
    return body


def members(schema, body, path=()):
    """(path, its schema, whether it must be there) of each member of the body and what is in it."""
    if isinstance(body, dict):
        for name, sub in schema.get("properties", {}).items():
            if name in body:
                yield path + (name,), sub, name in schema.get("required", ())
                yield from members(sub, body[name], path + (name,))
    elif isinstance(body, list) and body:
        yield path + (0,), schema.get("items", {}), False
        yield from members(schema.get("items", {}), body[0], path + (0,))


def put(value):
    def change(holder, name):
        holder[name] = value
    return change


def drop(holder, name):
    del holder[name]


def short(value):
    text = json.dumps(value)
    return text if len(text) < 40 else f"{text[:30]}… of {len(text)}"


def wrong_types(schema, body):
    """(what, body, pointer of the member that is wrong)"""
    for path, sub, _ in members(schema, body):
        for value in wrong_values(sub):
            yield f"{pointer(path)} = {short(value)}", changed(body, path, put(value)), \
                pointer(path)


def missing(schema, body):
    for path, _, is_required in members(schema, body):
        if is_required:
            yield f"no {pointer(path)}", changed(body, path, drop), pointer(path)


def unknown(schema, body, path=()):
    """An unknown member in each object of the body."""
    holders = [()] + [p for p, _, _ in members(schema, body) if isinstance(at(body, p), dict)]
    for holder in holders:
        for name in ("xyz", "a/b~c", "", "\u00fc", 300 * "n"):
            wrong = changed(body, holder + (name,), put(1))
            yield f"unknown {short(name)} in {pointer(holder) or 'the body'}", wrong, \
                pointer(holder) + "/" + name.replace("~", "~0").replace("/", "~1")


def repeated(body):
    """Texts in which each member of the top stands twice."""
    inside = json.dumps(body)[1:-1]
    for name, value in body.items():
        yield f"{name} twice", "{" + inside + ", " + json.dumps(name) + ": " + \
            json.dumps(value) + "}"


def is_json(octets):
    try:
        json.loads(octets.decode())
        return True
    except ValueError:
        return False


def malformed(body):
    """Texts that are no JSON objects: cut at every place, with things put in, in other dresses."""
    text = json.dumps(body)
    for n in range(len(text)):
        yield f"cut after {n}", text[:n].encode()
    for n in range(len(text)):
        what = INSERTED[n % len(INSERTED)]
        octets = text.encode()
        octets = octets[:n] + what + octets[n:]
        if not is_json(octets):
            yield f"{what!r} at {n}", octets
    for octets in (b"null", b"true", b"1", b'"x"', b"[]", b"[" + text.encode() + b"]", b"{,}",
                   text.encode() * 2, b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"),
                   text.replace('"', "'").encode(), text[:-1].encode() + b",}", b"[" * 100000,
                   b'{"a":' * 50000, b"NaN", b'{"x": NaN}', b'{"x": Infinity}', b'{"x": 01}',
                   b'{"x": 0x1}', b'{"x": "\\ud800"}', b'{"x": "\\u0000"}', b'{"\\u0000": 1}',
                   b'{"x": "\n"}', b"// x\n" + text.encode(), b'{"x": 1e999}',
                   b'{"x": 99999999999999999999}', b'{"x": -99999999999999999999}'):
        yield f"{octets[:24]!r} of {len(octets)}", octets
