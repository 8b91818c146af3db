#!/usr/bin/env python3
"""The daemon's services end to end: a real akmapushd with its store in a temporary folder, asked
through curl. Bad input of every kind, roles of TLS clients, and that a restart keeps everything.

usage: services.py AKMAPUSHD"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DAEMON = sys.argv[1]
NAANF = "/naanf-akma/v1/"
API = "/akma-push/v1/"
UA = "0100010001"
failed = 0
passed = 0


def check(what, good, seen=""):
    global failed, passed
    if good:
        passed += 1
        return
    failed += 1
    print(f"FAILED {what}: {seen}", flush=True)


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return {}

    def __repr__(self):
        return f"{self.status} {self.body[:300]}"


def curl(url, *arguments, method=None, body=None, kind="application/json", headers=()):
    command = ["curl", "-s", "-i", "--max-time", "20", *arguments]
    if method:
        command += ["-X", method]
    for header in headers:
        command += ["-H", header]
    if body is not None:
        command += ["-H", f"content-type: {kind}", "--data-binary", "@-"]
    done = subprocess.run(command + [url], input=body if body is None or
                          isinstance(body, bytes) else body.encode(), capture_output=True)
    if done.returncode:
        return Answer(-done.returncode, {}, done.stderr.decode())
    head, _, rest = done.stdout.decode(errors="replace").partition("\r\n\r\n")
    lines = head.split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
    return Answer(int(lines[0].split()[1]), fields, rest)


class Daemon:
    def __init__(self, folder, extra="", ues=10000):
        self.folder = Path(folder)
        self.port, self.tls_port = free_port(), free_port()
        self.admin = self.folder / "admin.sock"
        self.config = self.folder / "akmapush.yaml"
        self.config.write_text(
            f"listen: {{port: {self.port}}}\n"
            f"admin: {{socket: {self.admin}}}\n"
            f"store: {{path: {self.folder}/store, kek: {self.folder}/kek, room_min: 0}}\n"
            f"dataplane: {{ues: {ues}, source: {{port: 0}}}}\n" + extra.format(self=self))
        self.process = None

    def start(self):
        self.log = open(self.folder / "log", "a")
        self.process = subprocess.Popen([DAEMON, "-c", str(self.config)], stderr=self.log)
        for _ in range(200):
            if self.process.poll() is not None:
                raise SystemExit("akmapushd ended: " + (self.folder / "log").read_text())
            if self.get("/health").status == 200:
                return self
            time.sleep(0.05)
        raise SystemExit("akmapushd does not come up")

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        code = self.process.wait(30)
        self.log.close()
        return code

    def ask(self, method, path, body=None, **more):
        if not isinstance(body, (str, bytes, type(None))):
            body = json.dumps(body)
        return curl(f"http://127.0.0.1:{self.port}{path}", "--http2-prior-knowledge",
                    method=method, body=body, **more)

    def get(self, path):
        return self.ask("GET", path)

    def ctl(self, method, path, body=None):
        return curl(f"http://localhost{path}", "--http2-prior-knowledge", "--unix-socket",
                    str(self.admin), method=method,
                    body=None if body is None else json.dumps(body))

    def lines(self, path, lines):
        text = "".join((line if isinstance(line, str) else json.dumps(line)) + "\n"
                       for line in lines)
        return self.ask("POST", path, text, kind="application/x-ndjson")

    def register(self, key="11" * 32, akid="a1@r", **identity):
        return self.ask("POST", NAANF + "register-anchorkey",
                        {"aKId": akid, "kAkma": key, **identity})

    def retrieve(self, akid="a1@r", af="af.example.com", ua=UA, **more):
        return self.ask("POST", NAANF + "retrieve-applicationkey",
                        {"afId": af + ua, "aKId": akid, **more})


def supi(i):
    return f"imsi-00101{i:010d}"


def gpsi(i):
    return f"msisdn-1555{i:07d}"


def expect(what, answer, status, cause=None, param=None):
    good = answer.status == status
    if cause:
        good = good and answer.json.get("cause") == cause
        good = good and answer.json.get("status") == status
        good = good and answer.headers.get("content-type", "").startswith(
            "application/problem+json")
    if param:
        good = good and any(p["param"] == param for p in answer.json.get("invalidParams", []))
    check(what, good, answer)
    return answer


# ---- Registration

def registration(d):
    a = expect("register", d.register(supi=supi(1)), 200)
    check("register echoes", a.json == {"supi": supi(1), "aKId": "a1@r", "kAkma": "11" * 32}, a)
    a = expect("register by GPSI, upper case digits", d.register(
        key="AB" * 32, akid="g1@r", gpsi=gpsi(500), suppFeat="1F", extra={"ignored": 1}), 200)
    check("lower case out, no features", a.json["kAkma"] == "ab" * 32
          and a.json["suppFeat"] == "0", a)
    good = {"supi": supi(2), "aKId": "x@r", "kAkma": "22" * 32}
    path = NAANF + "register-anchorkey"
    bad = [
        ("both identities", {**good, "gpsi": gpsi(2)}, "MANDATORY_IE_INCORRECT", "/supi"),
        ("neither identity", {k: v for k, v in good.items() if k != "supi"},
         "MANDATORY_IE_MISSING", "/gpsi"),
        ("a SUPI of another form", {**good, "supi": "imsi-12"}, None, "/supi"),
        ("a SUPI that is a number", {**good, "supi": 5}, None, "/supi"),
        ("a key too short", {**good, "kAkma": "22" * 31}, None, "/kAkma"),
        ("a key too long", {**good, "kAkma": "22" * 33}, None, "/kAkma"),
        ("a key of other letters", {**good, "kAkma": "2g" * 32}, None, "/kAkma"),
        ("no key", {"supi": supi(2), "aKId": "x@r"}, "MANDATORY_IE_MISSING", "/kAkma"),
        ("no A-KID", {"supi": supi(2), "kAkma": "22" * 32}, "MANDATORY_IE_MISSING", "/aKId"),
        ("an empty A-KID", {**good, "aKId": ""}, None, "/aKId"),
        ("an A-KID of 254 octets", {**good, "aKId": "x" * 254}, None, "/aKId"),
        ("an A-KID with a blank", {**good, "aKId": "a b"}, None, "/aKId"),
        ("features that are not hex", {**good, "suppFeat": "xyz"}, None, "/suppFeat"),
    ]
    for what, body, cause, param in bad:
        a = expect("register with " + what, d.ask("POST", path, body), 400, None, param)
        check(what + ": cause", cause is None or a.json.get("cause") == cause, a)
        check(what + ": no key in the answer", "2222" not in a.body, a)
    for what, text in [("malformed", "{"), ("truncated", json.dumps(good)[:-5]), ("empty", ""),
                       ("an array", "[]"), ("trailing text", json.dumps(good) + "x"),
                       ("a key twice", '{"supi":"%s","supi":"%s","aKId":"x","kAkma":"%s"}'
                        % (supi(2), supi(3), "22" * 32)),
                       ("not UTF-8", b'{"supi":"\xff"}'), ("nested deep", "[" * 100000)]:
        expect("register with JSON " + what, d.ask("POST", path, text), 400,
               "INVALID_MSG_FORMAT")
    expect("another media type", d.ask("POST", path, good, kind="text/plain"), 415)
    expect("charset in the media type", d.ask(
        "POST", path, {**good, "aKId": "cs@r"}, kind="application/json; charset=utf-8"), 200)
    a = expect("another method", d.ask("GET", path), 405)
    check("allow", "post" in a.headers.get("allow", ""), a.headers)
    for size in (1 << 20, 3 << 20):
        a = d.ask("POST", path, "{" + " " * size + "}")
        check("too large, and told so", a.status == 413, a)
    for i in range(20):  # answered before the body is there: curl wants to end it all the same
        expect(f"an early answer {i}", d.ask("POST", "/naanf-akma/v1/none", "{}"), 404)
    expect("another path", d.ask("POST", "/naanf-akma/v1/registration", good), 404)
    expect("the next request works", d.register(supi=supi(1)), 200)


def keys(d):
    """TS 33.537 4.2.2.1 and the policy of TS 33.535 6.2."""
    expect("an AF that is not registered", d.retrieve(), 403)
    expect("register the AF", d.ask("PUT", API + "afs/af.example.com",
                                    {"allowedUes": {"all": True}}), 201)
    d.register(supi=supi(1))
    one = expect("a key", d.retrieve(), 200).json
    check("a key's form", len(one.get("kaf", "")) == 64 and one["expiry"].endswith("Z")
          and "supi" not in one and "gpsi" not in one, one)
    expect("an unknown A-KID", d.retrieve("nobody@r"), 204)
    check("afId in other case", d.retrieve(af="AF.Example.COM").json == one)
    check("A-KIDs are compared as octets", d.retrieve("A1@R").status == 204)
    expect("register anew", d.register(key="33" * 32, akid="a2@r", supi=supi(1)), 200)
    expect("the old A-KID", d.retrieve("a1@r"), 204)
    two = expect("the new A-KID", d.retrieve("a2@r"), 200).json
    check("another K_AF", two["kaf"] != one["kaf"])
    check("another Ua*", d.retrieve("a2@r", ua="0100010002").json["kaf"] != two["kaf"])
    for ua in ("ff414b5001", "FF414B5002"):
        expect("the identifiers of pushes", d.retrieve("a2@r", ua=ua), 403,
               "UA_STAR_ID_NOT_SERVED")
    for what, af in [("short", "a"), ("no Ua*", "af.example.com"), ("no FQDN", UA),
                     ("a bad label", "-af.example.com" + UA), ("a U-label", "b\u00fc.example" + UA),
                     ("not hex", "af.example.com010001000z")]:
        expect("afId: " + what, d.ask("POST", NAANF + "retrieve-applicationkey",
                                      {"afId": af, "aKId": "a2@r"}), 400, None, "/afId")
    expect("anonInd of another type", d.retrieve("a2@r", anonInd="yes"), 400, None, "/anonInd")
    d.lines(API + "ues", [{"supi": supi(1), "gpsi": gpsi(1)}])
    check("GPSI for an AF", d.retrieve("a2@r").json.get("gpsi") == gpsi(1)
          and "supi" not in d.retrieve("a2@r").json)
    d.ask("PUT", API + "afs/af.example.com", {"allowedUes": {"all": True}, "trusted": True})
    check("SUPI for a trusted AF", d.retrieve("a2@r").json.get("supi") == supi(1))
    a = d.retrieve("a2@r", anonInd=True).json
    check("nobody for an anonymous user", "supi" not in a and "gpsi" not in a and "kaf" in a, a)
    d.ask("PUT", API + "afs/af.example.com", {"allowedUes": {"all": True}, "suspended": True})
    expect("a suspended AF", d.retrieve("a2@r"), 403, "AF_SUSPENDED")
    d.ask("PUT", API + "afs/af.example.com", {"allowedUes": {"all": True}})
    expect("an A-KID of another subscriber moves", d.register(
        key="44" * 32, akid="a2@r", supi=supi(7)), 200)
    check("to the newest", d.retrieve("a2@r").json["kaf"] != two["kaf"])
    check("away from the other", d.get(API + "ues/" + supi(1)).json.get("registered") is False)
    expect("remove", d.ask("POST", NAANF + "remove-context", {"supi": supi(7)}), 204)
    expect("gone", d.retrieve("a2@r"), 204)
    expect("remove again", d.ask("POST", NAANF + "remove-context", {"supi": supi(7)}), 404,
           "UE_NOT_FOUND")
    expect("remove nobody", d.ask("POST", NAANF + "remove-context", {}), 400,
           "MANDATORY_IE_MISSING", "/supi")
    expect("remove by GPSI", d.ask("POST", NAANF + "remove-context", {"supi": gpsi(1)}), 400)


# ---- AFs, groups, UEs

def suspension(d, path, whole):
    """One member of a registration, whatever the others are at the time."""
    expect("a registration", d.ask("PUT", path, whole), 200)
    for method, suspended in [("PUT", True), ("PUT", True), ("DELETE", False), ("DELETE", False)]:
        a = expect(f"{method} suspension", d.ask(method, path + "/suspension"), 200)
        check("nothing else changed", a.json == {"afId": "meter.example.com", **whole,
                                                 "suspended": suspended}, a)
        check("suspension is read back", d.get(path).json == a.json)
    expect("suspend nobody", d.ask("PUT", API + "afs/nobody.example.com/suspension"), 404,
           "AF_NOT_FOUND")
    expect("GET suspension", d.get(path + "/suspension"), 405)


def afs(d):
    path = API + "afs/meter.example.com"
    whole = {"allowedUes": {"all": True}, "rate": 1000, "pushRate": 5, "quota": 10**6,
             "maxTargets": 100, "maxPayload": 64, "description": "meters", "trusted": True,
             "hot": False, "suspended": False}
    expect("unknown AF", d.get(path), 404, "AF_NOT_FOUND")
    a = expect("register", d.ask("PUT", API + "afs/Meter.Example.COM", whole), 201)
    check("location", a.headers.get("location") == path, a.headers)
    check("all of it", a.json == {"afId": "meter.example.com", **whole}, a)
    check("read back", d.get(path).json == a.json)
    expect("what was read can be put", d.ask("PUT", path, a.json), 200)
    expect("replaced whole", d.ask("PUT", path, {"allowedUes": {"all": True}}), 200)
    check("nothing of the old", d.get(path).json["rate"] == 0)
    check("listed", "meter.example.com" in [x["afId"] for x in d.get(API + "afs").json["afs"]])
    suspension(d, path, whole)
    d.ask("PUT", path, {"allowedUes": {"all": True}})
    for what, body, cause, param in [
            ("no targets", {}, "MANDATORY_IE_MISSING", "/allowedUes"),
            ("both kinds", {"allowedUes": {"all": True, "externalGroupIds": ["x"]}},
             "MANDATORY_IE_INCORRECT", "/allowedUes"),
            ("all false", {"allowedUes": {"all": False}}, "MANDATORY_IE_INCORRECT", None),
            ("no groups", {"allowedUes": {"externalGroupIds": []}}, None, None),
            ("65 groups", {"allowedUes": {"externalGroupIds": ["x"] * 65}}, None, None),
            ("a typo", {**whole, "trustd": True}, "UNKNOWN_IE", "/trustd"),
            ("a typo inside", {"allowedUes": {"al": True}}, "UNKNOWN_IE", None),
            ("a negative rate", {**whole, "rate": -1}, None, "/rate"),
            ("a rate of text", {**whole, "rate": "1"}, None, "/rate"),
            ("a payload too long", {**whole, "maxPayload": 18945}, None, "/maxPayload"),
            ("what is not built", {**whole, "notificationDestination": "http://x"}, "NOT_BUILT",
             "/notificationDestination"),
            ("another afId", {**whole, "afId": "other.example.com"}, None, "/afId"),
            ("a long description", {**whole, "description": "x" * 257}, None, "/description")]:
        a = expect("AF: " + what, d.ask("PUT", path, body), 400, None, param)
        check("AF: " + what + ": cause", cause is None or a.json.get("cause") == cause, a)
    expect("an unknown group", d.ask("PUT", path, {"allowedUes": {"externalGroupIds": ["nope"]}}),
           404, "GROUP_NOT_FOUND")
    check("nothing changed", d.get(path).json["allowedUes"] == {"all": True})
    for name in ("a", "-x.example", "x..example", "b%C3%BC.example", "x" * 64 + ".example", "%00a.b"):
        check("FQDN " + name, d.ask("PUT", API + "afs/" + name, whole).status in (400, 404))
    expect("POST", d.ask("POST", path, whole), 405)
    expect("delete", d.ask("DELETE", path), 204)
    expect("gone", d.get(path), 404)
    expect("delete again", d.ask("DELETE", path), 404, "AF_NOT_FOUND")


def groups(d):
    path = API + "groups/meters@example.com"
    expect("unknown group", d.get(path), 404, "GROUP_NOT_FOUND")
    expect("members of an unknown group", d.lines(path + "/members", [{"supi": supi(1)}]), 404,
           "GROUP_NOT_FOUND")
    a = expect("make", d.ask("PUT", path, {"description": "all"}), 201)
    check("location", a.headers.get("location") == path, a.headers)
    expect("again", d.ask("PUT", path, {}), 200)
    expect("a typo", d.ask("PUT", path, {"descripton": ""}), 400, "UNKNOWN_IE", "/descripton")
    a = d.lines(path + "/members", [{"supi": supi(i)} for i in range(10, 2510)]
                + [{"gpsi": gpsi(10)}, {"gpsi": gpsi(10)}, {}, "nonsense", {"supi": supi(1),
                   "x": 1}, {"supi": 7}, {"supi": supi(11), "remove": True},
                   {"supi": supi(9999), "remove": True}])
    check("members", a.status == 200 and a.json.get("added") == 2501 and a.json["removed"] == 1
          and a.json["unchanged"] == 2 and a.json["failed"] == 4, a)
    check("errors", [e["line"] for e in a.json.get("errors", [])] == [2503, 2504, 2505, 2506]
          and a.json["errors"][2]["cause"] == "UNKNOWN_IE", a)
    check("counted", d.get(path).json["members"] == 2500, d.get(path))
    listed = [json.loads(line) for line in d.get(path + "/members").body.splitlines()]
    check("listed", len(listed) == 2500 and {"supi": supi(10)} in listed
          and {"gpsi": gpsi(10)} in listed and {"supi": supi(11)} not in listed, len(listed))
    expect("NDJSON wanted", d.ask("POST", path + "/members", {"supi": supi(1)}), 415)
    a = d.lines(path + "/members", ["x" * 5000, {"supi": supi(12)}])
    check("a line too long", a.status in (200, 413), a)
    a = d.lines(path + "/members", [])
    check("no lines", a.status == 200 and a.json["added"] == 0, a)
    a = d.lines(path + "/members", ["bad"] * 300)
    check("errors are at most 100", a.json["failed"] == 300 and len(a.json["errors"]) == 100, a)
    # bound after both were named: one subscriber, once in the list
    before = d.get(path).json["members"]
    d.lines(API + "ues", [{"supi": supi(10), "gpsi": gpsi(10)}])
    listed = [json.loads(line) for line in d.get(path + "/members").body.splitlines()]
    check("twins are listed once", len(listed) == before - 1
          and {"supi": supi(10), "gpsi": gpsi(10)} in listed, (len(listed), before))
    expect("AF of the group", d.ask("PUT", API + "afs/g.example.com",
                                    {"allowedUes": {"externalGroupIds": ["meters@example.com"]}}),
           201)
    expect("an id with a slash", d.ask("PUT", API + "groups/a%2Fb", {}), 201)
    check("an id with a slash is escaped", d.ask("PUT", API + "groups/c%2Fd", {}).headers
          .get("location") == (API + "groups/c%2Fd").lower())
    check("listed by id", [g["externalGroupId"] for g in d.get(API + "groups").json["groups"]]
          == ["a/b", "c/d", "meters@example.com"], d.get(API + "groups"))
    expect("an id with a blank", d.ask("PUT", API + "groups/a%20b", {}), 400)
    expect("delete", d.ask("DELETE", path), 204)
    expect("gone", d.get(path), 404)
    expect("the same id anew", d.ask("PUT", path, {}), 201)
    check("empty", d.get(path).json["members"] == 0)
    check("allowed by no AF", d.get(API + "afs/g.example.com").json["allowedUes"]
          == {"externalGroupIds": []})


def ues(d):
    path = API + "ues"
    a = d.lines(path, [
        {"supi": supi(3000), "gpsi": gpsi(3000), "address": "127.0.0.1"},
        {"supi": supi(3001), "address": "::1", "port": 5000},
        {"gpsi": gpsi(3002)},
        {"supi": supi(3003), "gpsi": gpsi(3000)},                    # 4: of another
        {"supi": supi(3000), "gpsi": gpsi(3004)},                    # 5: has another
        {"supi": supi(3005), "address": "300.1.1.1"},                # 6
        {"supi": supi(3005), "address": "0.0.0.0"},                  # 7
        {"supi": supi(3005), "address": "224.0.0.1"},                # 8
        {"supi": supi(3005), "address": "ff02::1"},                  # 9
        {"supi": supi(3005), "address": 5},                          # 10
        {"supi": supi(3005), "port": 5},                             # 11
        {"supi": supi(3005), "address": "127.0.0.1", "port": 0},     # 12
        {"supi": supi(3005), "address": "127.0.0.1", "port": 65536},  # 13
        {"supi": gpsi(3005)},                                        # 14
        {}, "[]",                                                    # 15, 16
        {"supi": supi(3005), "adress": "127.0.0.1"},                 # 17
    ])
    check("lines", a.status == 200 and a.json.get("lines") == 17 and a.json["stored"] == 3
          and a.json["failed"] == 14, a)
    check("their errors", [e["line"] for e in a.json.get("errors", [])] == list(range(4, 18))
          and [e["cause"] for e in a.json["errors"][:2]] == ["IDENTITY_CONFLICT"] * 2, a)
    a = expect("one UE", d.get(path + "/" + gpsi(3000)), 200).json
    check("all of it", a == {"supi": supi(3000), "gpsi": gpsi(3000), "address": "127.0.0.1",
                             "port": 48470, "registered": False}, a)
    check("IPv6 and port", d.get(path + "/" + supi(3001)).json["address"] == "::1"
          and d.get(path + "/" + supi(3001)).json["port"] == 5000)
    check("handle for the admin", "handle" in d.ctl("GET", path + "/" + supi(3000)).json)
    d.lines(path, [{"supi": supi(3000), "address": None}])
    check("address taken away", "address" not in d.get(path + "/" + supi(3000)).json)
    d.register(supi=supi(3000), akid="u@r", key="55" * 32)
    d.lines(path, [{"supi": supi(3000), "address": "127.0.0.5"}])
    check("registered", d.get(path + "/" + gpsi(3000)).json["registered"] is True
          and "keyExpiry" in d.get(path + "/" + gpsi(3000)).json)
    check("keys are never shown", "5555" not in d.get(path + "/" + gpsi(3000)).body)
    expect("not an identity", d.get(path + "/somebody"), 400)
    expect("unknown", d.get(path + "/" + supi(4444)), 404, "UE_NOT_FOUND")
    # groups follow both identities of a UE that is deleted
    group = API + "groups/kept"
    d.ask("PUT", group, {})
    d.lines(group + "/members", [{"gpsi": gpsi(3000)}])
    expect("delete", d.ask("DELETE", path + "/" + supi(3000)), 204)
    expect("gone", d.get(path + "/" + supi(3000)), 404)
    expect("gone by GPSI too", d.get(path + "/" + gpsi(3000)), 404)
    expect("its key too", d.retrieve("u@r"), 204)
    listed = d.get(group + "/members").body
    check("still members", supi(3000) in listed and gpsi(3000) in listed, listed)
    a = d.lines(path, [{"supi": supi(3009), "gpsi": gpsi(3000)}])
    check("the GPSI of a deleted UE is free", a.json["stored"] == 1, a)
    # twins deleted
    d.lines(path, [{"supi": supi(3010)}, {"gpsi": gpsi(3010)}])
    d.register(gpsi=gpsi(3010), akid="t@r", key="66" * 32)
    d.lines(path, [{"supi": supi(3010), "gpsi": gpsi(3010)}])
    check("twins have one key", d.get(path + "/" + supi(3010)).json.get("registered") is True)
    expect("remove-context of a twin", d.ask("POST", NAANF + "remove-context",
                                             {"supi": supi(3010)}), 204)
    expect("its A-KID", d.retrieve("t@r"), 204)
    expect("delete twins", d.ask("DELETE", path + "/" + gpsi(3010)), 204)
    expect("gone", d.get(path + "/" + supi(3010)), 404)


# ---- Operations

def operations(d):
    a = d.get("/metrics")
    lines = a.body.splitlines()
    check("metrics", a.status == 200 and lines[-1] == "# EOF" and a.headers["content-type"]
          == "application/openmetrics-text; version=1.0.0; charset=utf-8", a.headers)
    types = {}
    for line in lines[:-1]:
        if line.startswith("# TYPE "):
            name, kind = line.split()[2:]
            check("a family once: " + name, name not in types)
            types[name] = kind
        elif not line.startswith("# HELP "):
            name = line.split("{")[0].split(" ")[0]
            family = name[:-6] if name.endswith("_total") else name
            check("sample of a family: " + line, types.get(family)
                  == ("counter" if name.endswith("_total") else "gauge"))
            float(line.rsplit(" ", 1)[1])
    check("registrations counted", any(line.startswith("akmapush_registrations_total ")
                                       and int(line.split()[1]) > 3 for line in lines))
    check("answers counted", any('op="register-anchorkey",class="4xx"' in line for line in lines))
    expect("no admin in the clear", d.get("/admin/v1/status"), 403)
    a = expect("status", d.ctl("GET", "/admin/v1/status"), 200).json
    check("status", a["health"] == "ok" and a["dataplane"]["ports"][0] > 0, a)
    expect("stats", d.ctl("GET", "/admin/v1/stats"), 200)
    a = expect("tuning", d.ctl("GET", "/admin/v1/tuning"), 200).json
    check("tuning", a == {"burst": 64, "rate": 0, "lapPause": 2500, "lapPauseMax": 60000}, a)
    a = expect("tune", d.ctl("PUT", "/admin/v1/tuning", {"burst": 8, "rate": 1000}), 200).json
    check("tuned", d.ctl("GET", "/admin/v1/tuning").json["burst"] == 8, a)
    for body in ({"burst": 0}, {"burst": 65}, {"lapPause": 100}, {"lapPause": 70000}, {"brst": 1}):
        expect(f"tune {body}", d.ctl("PUT", "/admin/v1/tuning", body), 400)
    text = d.config.read_text()
    d.config.write_text(text.replace("ues: 10000", "ues: 10000, burst: 16, workers: 2"))
    d.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    check("reload", d.ctl("GET", "/admin/v1/tuning").json["burst"] == 16)
    log = (d.folder / "log").read_text()
    check("reload is told", "dataplane.burst: 64 becomes 16" in log
          and "dataplane.workers: 1 would become 2, which needs a restart" in log, log[-500:])
    d.config.write_text("lisen: {}\n")
    d.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    check("a bad file changes nothing", d.get("/health").status == 200
          and "was not taken over" in (d.folder / "log").read_text())
    d.config.write_text(text)
    check("nothing secret in the log", all(s not in (d.folder / "log").read_text()
                                           for s in ("1111", "2222", "a1@r", "a2@r")))


def restart(d, how):
    d.ask("PUT", API + "afs/kept.example.com", {"allowedUes": {"externalGroupIds": ["kept"]},
                                                "rate": 7, "description": "d"})
    d.register(supi=supi(5000), akid="k@r", key="77" * 32)
    d.register(supi=supi(5000), akid="k2@r", key="88" * 32)
    d.lines(API + "ues", [{"supi": supi(5000), "gpsi": gpsi(5000), "address": "127.0.0.7"},
                          {"supi": "nai-user@example.com", "gpsi": "extid-x@example.com"}])

    def state():
        return [d.get(API + "afs").json, d.get(API + "groups").json,
                sorted(d.get(API + "groups/kept/members").body.splitlines()),
                d.get(API + "ues/" + supi(5000)).json, d.get(API + "ues/" + supi(3009)).json,
                d.get(API + "ues/extid-x@example.com").json,
                d.retrieve("k2@r", af="af.example.com").json]

    before = state()
    check("state is whole", len(before[6].get("kaf", "")) == 64 and before[5].get("supi")
          == "nai-user@example.com", before)
    code = d.stop(how)
    check(f"end by {how}", how != signal.SIGTERM or code == 0, code)
    d.start()
    after = state()
    for one, other in zip(before, after):
        check(f"kept over {how}", one == other, (one, other))
    expect("the old A-KID stays unknown", d.retrieve("k@r"), 204)
    a = expect("a group's number is not used again", d.ask("PUT", API + "groups/new", {}), 201)
    check("new group is empty", a.json["members"] == 0, a)
    d.ask("DELETE", API + "groups/new")


# ---- TLS

def certificate(folder, name, ca=None):
    key, cert = f"{folder}/{name}.key", f"{folder}/{name}.crt"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
               "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert, "-days",
               "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    if ca:
        command += ["-CA", f"{folder}/{ca}.crt", "-CAkey", f"{folder}/{ca}.key"]
    done = subprocess.run(command, capture_output=True)
    if done.returncode == 0:
        return
    # OpenSSL before 3.1 has no -CA for req
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                    f"{cert}.req", "-subj", f"/CN={name}"], check=True, capture_output=True)
    extension = f"{cert}.ext"
    Path(extension).write_text(f"subjectAltName=DNS:{name}\n")
    subprocess.run(["openssl", "x509", "-req", "-in", f"{cert}.req", "-CA", f"{folder}/{ca}.crt",
                    "-CAkey", f"{folder}/{ca}.key", "-CAcreateserial", "-days", "2", "-extfile",
                    extension, "-out", cert], check=True, capture_output=True)


TLS = """tls:
  address: 127.0.0.1
  port: {self.tls_port}
  certificate: {self.folder}/server.crt
  key: {self.folder}/server.key
  ca: {self.folder}/ca.crt
  clients:
    - {{name: ausf.test, role: ausf}}
    - {{name: operator.test, role: operator}}
    - {{name: one.test, role: af, af: one.example.com}}
"""


def roles(folder):
    certificate(folder, "ca")
    certificate(folder, "other")
    for name in ("server", "ausf.test", "operator.test", "one.test", "nobody.test"):
        certificate(folder, name, "ca")
    d = Daemon(folder, TLS).start()

    def ask(who, method, path, body=None, *more):
        return curl(f"https://server:{d.tls_port}{path}", "--http2", "--resolve",
                    f"server:{d.tls_port}:127.0.0.1", "--cacert", f"{folder}/ca.crt", "--cert",
                    f"{folder}/{who}.crt", "--key", f"{folder}/{who}.key", *more, method=method,
                    body=None if body is None else json.dumps(body))

    register = ("POST", NAANF + "register-anchorkey",
                {"supi": supi(1), "aKId": "a@r", "kAkma": "11" * 32})
    put_af = ("PUT", API + "afs/one.example.com", {"allowedUes": {"all": True}})
    put_group = ("PUT", API + "groups/g", {})
    get_ue = ("GET", API + "ues/" + supi(1))
    metrics = ("GET", "/metrics")
    remove = ("POST", NAANF + "remove-context", {"supi": supi(2)})
    pushes = ("GET", API + "one.example.com/pushes")
    retrieve = ("POST", NAANF + "retrieve-applicationkey",
                {"afId": "one.example.com" + UA, "aKId": "a@r"})
    other = ("POST", NAANF + "retrieve-applicationkey",
             {"afId": "two.example.com" + UA, "aKId": "a@r"})
    other_pushes = ("GET", API + "two.example.com/pushes")
    matrix = [
        ("ausf.test", [register, remove], [put_af, put_group, get_ue, metrics, retrieve, pushes]),
        ("operator.test", [put_af, put_group, get_ue, metrics], [register, remove, retrieve,
                                                                pushes]),
        ("one.test", [retrieve, pushes], [register, remove, put_af, put_group, get_ue, metrics,
                                          other, other_pushes]),
        ("nobody.test", [], [register, put_af, retrieve, pushes, metrics]),
    ]
    ask("operator.test", *put_af)
    ask("operator.test", "PUT", API + "afs/two.example.com", {"allowedUes": {"all": True}})
    for who, may, may_not in matrix:
        for request in may:
            a = ask(who, *request)
            check(f"{who} may {request[:2]}", a.status in (200, 201, 204, 404), a)
        for request in may_not:
            a = ask(who, *request)
            check(f"{who} may not {request[:2]}", a.status == 403, a)
    check("health for all of them", ask("ausf.test", "GET", "/health").status == 200)
    check("a certificate of another CA", ask("other", "GET", "/health").status < 0)
    check("TLS 1.2", ask("ausf.test", "GET", "/health", None, "--tls-max", "1.2").status < 0)
    check("no certificate", curl(f"https://server:{d.tls_port}/health", "--resolve",
                                 f"server:{d.tls_port}:127.0.0.1", "--cacert",
                                 f"{folder}/ca.crt").status < 0)
    check("all in the clear on loopback", d.register(supi=supi(9), akid="z@r").status == 200)
    check("end", d.stop() == 0)


# ---- Limits and start

def full(folder):
    d = Daemon(folder, ues=5).start()
    for i in range(5):
        expect("register", d.register(supi=supi(i), akid=f"f{i}@r"), 200)
    expect("a full table", d.register(supi=supi(5), akid="f5@r"), 507, "INSUFFICIENT_RESOURCES")
    expect("known ones go on", d.register(supi=supi(4), akid="f44@r"), 200)
    a = d.lines(API + "ues", [{"supi": supi(6)}, {"supi": supi(3), "address": "127.0.0.1"}])
    check("lines in a full table", a.json["stored"] == 1 and a.json["errors"][0]["cause"]
          == "INSUFFICIENT_RESOURCES", a)
    check("end", d.stop() == 0)
    d.config.write_text(d.config.read_text().replace("ues: 5", "ues: 4"))
    done = subprocess.run([DAEMON, "-c", d.config], capture_output=True, timeout=30)
    check("a table that became too small", done.returncode == 1
          and b"make it larger" in done.stderr, done.stderr)


def strangers(folder):
    """push.strangers_max: an AF that names UEs nobody knows is put off, and a metric says so."""
    d = Daemon(folder, "push: {{strangers_max: 2}}\n").start()
    try:
        d.ask("PUT", "/akma-push/v1/afs/guess.example", {"allowedUes": {"all": True}})
        push = {"payload": "", "validityPeriod": 60}
        path = "/akma-push/v1/guess.example/pushes"
        for n, status in ((0, 201), (1, 201), (2, 429)):
            a = expect(f"stranger {n}", d.ask(
                "POST", path, {**push, "target": {"gpsi": f"msisdn-4900000{n}"}}), status)
        check("when to come again", int(a.headers.get("retry-after", 0)) > 0, a.headers)
        check("counted", "akmapush_pushes_refused_strangers_total 1\n" in d.get("/metrics").body)
    finally:
        d.stop()


def no_room(folder):
    d = Daemon(folder).start()
    d.ask("PUT", API + "afs/af.example.com", {"allowedUes": {"all": True}})
    d.ask("PUT", API + "groups/g", {})
    d.register(supi=supi(1))
    kaf = d.retrieve().json
    check("end", d.stop() == 0)
    text = d.config.read_text()
    d.config.write_text(text.replace("room_min: 0", "room_min: 1048576 GiB"))
    d.start()
    expect("register without room", d.register(supi=supi(1), akid="new@r"), 507,
           "INSUFFICIENT_RESOURCES")
    expect("a new subscriber", d.register(supi=supi(2), akid="two@r"), 507)
    expect("AF", d.ask("PUT", API + "afs/b.example.com", {"allowedUes": {"all": True}}), 507)
    expect("AF changed", d.ask("PUT", API + "afs/af.example.com",
                               {"allowedUes": {"all": True}, "suspended": True}), 507)
    expect("AF deleted", d.ask("DELETE", API + "afs/af.example.com"), 507)
    expect("group", d.ask("PUT", API + "groups/h", {}), 507)
    expect("group deleted", d.ask("DELETE", API + "groups/g"), 507)
    expect("members", d.lines(API + "groups/g/members", [{"supi": supi(1)}]), 507)
    expect("UEs", d.lines(API + "ues", [{"supi": supi(1), "gpsi": gpsi(1)}]), 507)
    expect("UE deleted", d.ask("DELETE", API + "ues/" + supi(1)), 507)
    expect("context removed", d.ask("POST", NAANF + "remove-context", {"supi": supi(1)}), 507)
    check("reads go on", d.retrieve().json == kaf)
    expect("nothing else changed", d.retrieve("new@r"), 204)
    check("no group", [g["externalGroupId"] for g in d.get(API + "groups").json["groups"]]
          == ["g"])
    check("no members", d.get(API + "groups/g").json["members"] == 0)
    check("no binding", "gpsi" not in d.get(API + "ues/" + supi(1)).json)
    check("no AF", len(d.get(API + "afs").json["afs"]) == 1)
    expect("health says so", d.get("/health"), 503)
    check("end", d.stop() == 0)
    d.config.write_text(text)
    d.start()
    check("as before", d.retrieve().json == kaf)
    expect("with room again", d.register(supi=supi(1), akid="new@r"), 200)
    check("end", d.stop() == 0)


def start(folder):
    def run(*arguments):
        return subprocess.run([DAEMON, *arguments], capture_output=True, text=True, timeout=30)

    bad = Path(folder) / "bad.yaml"
    bad.write_text("listen:\n  prt: 1\n")
    a = run("--check", "-c", str(bad))
    check("check", a.returncode == 1 and f"{bad}:2: listen: 'prt' is not known here; is 'port' "
          "meant?" in a.stderr, a)
    check("check without a file", run("--check").returncode == 0)
    check("no such file", run("-c", "/nowhere").returncode == 1)
    check("version", run("--version").stdout.startswith("akmapushd "))
    check("help", "usage" in run("--help").stdout)
    check("unknown option", run("--what").returncode == 2)
    check("an argument too many", run("x").returncode == 2)
    d = Daemon(folder)
    d.config.write_text(d.config.read_text().replace(f"{folder}/store", "/nowhere/at/all"))
    a = run("-c", str(d.config))
    check("no folder for the store", a.returncode == 1 and "/nowhere/at/all" in a.stderr, a)
    d = Daemon(folder, "log: {{level: info}}\n")
    d.config.write_text(d.config.read_text().replace("listen: {", "listen: {address: 192.0.2.1, "))
    a = run("-c", str(d.config))
    check("cleartext on loopback only", a.returncode == 1, a)


def main():
    if not shutil.which("curl"):
        print("skipped: there is no curl")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        d = Daemon(folder).start()
        try:
            for part in (registration, keys, afs, groups, ues, operations):
                part(d)
            restart(d, signal.SIGTERM)
            restart(d, signal.SIGKILL)
            check("end", d.stop() == 0)
        finally:
            if d.process.poll() is None:
                d.process.kill()
    for part in (roles, full, strangers, no_room, start):
        with tempfile.TemporaryDirectory() as folder:
            part(folder)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ.pop("http_proxy", None)
    sys.exit(main())
