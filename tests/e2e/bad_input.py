#!/usr/bin/env python3
"""Bad input over HTTP and UDP against a real akmapushd: bodies made wrong member by member from the
OpenAPI files, media types, methods, paths, limits, repetitions, datagrams of every length. Each is
refused by name, changes nothing, and the next request works. Every answer, good or bad, is held
against docs/openapi.

usage: bad_input.py AKMAPUSHD [PART…]"""

import base64
import contextlib
import json
import random
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
import bad_bodies
import bad_datagrams
import h2c
import openapi_answers
from real_daemon import Daemon, check, finish

OPENAPI = openapi_answers.ROOT / "docs" / "openapi"
API, NAANF = "/akma-push/v1/", "/naanf-akma/v1/"
AF, OTHER, EXTERNAL = "meter.example.com", "other.example.com", "external.example.com"
JSON, NDJSON = "application/json", "application/x-ndjson"
SUPI, GPSI, AKID = "imsi-001010000000001", "msisdn-15551234567", "one@ausf.example.com"
KEY = "11" * 32
UA = "0100010001"
PAYLOAD_MAX = 18944

TEXT = {"type": "string"}
SUPI_OF = {"type": "string", "maxLength": 255, "pattern": "^(imsi-[0-9]{5,15}|nai-[!-~]+)$"}
GPSI_OF = {"type": "string", "maxLength": 255,
           "pattern": "^(msisdn-[0-9]{5,15}|extid-[!-?A-~]+@[!-?A-~]+)$"}
FEATURES = {"type": "string", "pattern": "^[A-Fa-f0-9]*$"}
PROBLEM = {"description": "x", "content": {"application/problem+json": {"schema": {}}}}
KEY_INFO = {
    "type": "object", "required": ["aKId", "kAkma"],
    "properties": {"supi": SUPI_OF, "gpsi": GPSI_OF, "suppFeat": FEATURES,
                   "aKId": {"type": "string", "minLength": 1, "maxLength": 253,
                            "pattern": "^[!-~]+$"},
                   "kAkma": {"type": "string", "pattern": "^[0-9A-Fa-f]{64}$"}}}


def operation(name, request, responses):
    responses = {status: {"description": "x", "content": {JSON: {"schema": schema}}} if schema
                 else {"description": "x"} for status, schema in responses.items()}
    errors = {status: PROBLEM for status in ("400", "403", "404", "413", "415", "503", "default")}
    return {"post": {"operationId": name, "responses": {**errors, **responses},
                     "requestBody": {"content": {JSON: {"schema": request}}}}}


# TS 29.535 annex A, as far as this function uses it.
NAANF_PATHS = {"paths": {
    NAANF + "register-anchorkey": operation("RegisterAKMAKey", KEY_INFO, {"200": KEY_INFO}),
    NAANF + "retrieve-applicationkey": operation("GetAKMAAPPKeyMaterial", {
        "type": "object", "required": ["afId", "aKId"],
        "properties": {
            "afId": {"type": "string",
                     "pattern": "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9-]+)+$"},
            "aKId": KEY_INFO["properties"]["aKId"], "anonInd": {"type": "boolean"},
            "suppFeat": FEATURES}}, {
        "200": {"type": "object", "required": ["kaf", "expiry"],
                "properties": {"kaf": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                               "expiry": {"type": "string", "format": "date-time"},
                               "supi": SUPI_OF, "gpsi": GPSI_OF, "suppFeat": FEATURES}},
        "204": None}),
    NAANF + "remove-context": operation("RemoveContext", {
        "type": "object", "required": ["supi"],
        "properties": {"supi": SUPI_OF}}, {"204": None}),
}}


class World:
    def __init__(self, program, folder):
        self.daemon = Daemon(program, folder).start()
        self.contract = openapi_answers.Contract(OPENAPI / "akma-push.yaml",
                                                 OPENAPI / "admin.yaml", NAANF_PATHS)
        self.before, self.n_refused = None, 0

    def ask(self, method, path, body=None, kind=JSON, headers=(), door=None):
        headers = list(headers)
        if body is not None and kind is not None:
            headers.append(("content-type", kind))
        answer = (door or self.daemon.client).ask(method, path, body, headers)
        for text in self.contract.breaches(method, path, answer) if method != "HEAD" else ():
            check(f"{method} {path[:80]} as declared", False, f"{text}; body {str(body)[:200]}")
        return answer

    def get(self, path):
        return self.ask("GET", path)

    def want(self, what, status, *arguments, **more):
        answer = self.ask(*arguments, **more)
        check(what, answer.status == status, answer)
        return answer

    def lines(self, path, *lines):
        return self.ask("POST", path, "".join((x if isinstance(x, str) else json.dumps(x)) + "\n"
                                              for x in lines), kind=NDJSON)

    def retrieve(self, akid=AKID, af=AF, **more):
        return self.ask("POST", NAANF + "retrieve-applicationkey",
                        {"afId": af + UA, "aKId": akid, **more})

    # ---- Nothing else changes

    def state(self):
        """All that bad input could have changed."""
        get = self.daemon.client.ask
        paths = [API + "afs", API + "groups", API + "groups/kept/members", API + "ues/" + SUPI,
                 API + "ues/" + GPSI, API + f"{AF}/pushes?limit=1000",
                 API + f"{OTHER}/pushes?limit=1000", API + f"{EXTERNAL}/pushes?limit=1000"]
        key = get("POST", NAANF + "retrieve-applicationkey", {"afId": AF + UA, "aKId": AKID},
                  [("content-type", JSON)])
        numbers = self.daemon.metrics()
        return [get("GET", path).body for path in paths] + [key.body] + [
            (name, numbers["akmapush_" + name]) for name in
            ("handles", "ues_registered", "ues_addressed", "registrations_total",
             "pushes_accepted_total", "pushes_running")]

    def refused(self, what, status, *arguments, cause=None, param=None, exact=False, every=1,
                **more):
        """Asks; the answer is a problem with that status, cause and parameter (or something inside
        it, unless exact), and nothing has changed: looked at after `every` such requests."""
        if self.before is None:
            self.before = self.state()
        answer = self.ask(*arguments, **more)
        problem = answer.json if isinstance(answer.json, dict) else {}
        params = [p["param"] for p in problem.get("invalidParams", [])]
        statuses = status if isinstance(status, tuple) else (status,)
        good = answer.status in statuses and cause in (None, problem.get("cause"))
        if param is not None:
            good = good and any(p == param[:63] or not exact and p.startswith(param + "/")
                                for p in params)
        check(what, good, f"wanted {status} {cause} {param}: {answer}")
        self.n_refused += 1
        if self.n_refused % every == 0:
            self.compare(what)
        return answer

    def compare(self, what):
        after = self.state()
        for one, other in zip(self.before, after):
            check(what + ": nothing else changes", one == other, f"{one} became {other}")
        self.before = after

    def changed(self):
        """What comes has been asked for."""
        self.before = None


def reads(w):
    """Answers without anything wrong, for what is declared of them."""
    for path in ("afs", "afs/" + AF, "groups", "groups/kept", "groups/kept/members", "ues/" + SUPI,
                 AF + "/pushes", AF + "/pushes?state=RUNNING&limit=1", f"{AF}/pushes/{w.push_id}",
                 f"{AF}/pushes/{w.push_id}/results", f"{AF}/pushes/{w.push_id}/results?state=SENT"):
        w.want(path, 200, "GET", API + path)
    w.want("metrics", 200, "GET", "/metrics")
    check("retrieve", w.retrieve().status == 200)
    w.want("push-info", 200, "POST", API + AF + "/push-info", {"gpsi": GPSI})
    w.want("group again", 200, "PUT", API + "groups/kept", {"description": "kept"})
    for path, body in (("afs/gone.example.com", {"allowedUes": {"all": True}}),
                       ("groups/gone", {})):
        w.want(path, 201, "PUT", API + path, body)
        w.want(path, 204, "DELETE", API + path)
    w.lines(API + "ues", {"supi": "imsi-001010000000009", "address": "::1"})
    w.want("delete UE", 204, "DELETE", API + "ues/imsi-001010000000009")


def set_up(w):
    """Something of each kind, and one push that stays."""
    w.want("group", 201, "PUT", API + "groups/kept", {"description": "kept"})
    for af, more in ((AF, {"trusted": True}), (OTHER, {}), (EXTERNAL, {"maxTargets": 3})):
        w.want("AF", 201, "PUT", API + "afs/" + af, {"allowedUes": {"all": True}, **more})
    w.want("key", 200, "POST", NAANF + "register-anchorkey",
           {"supi": SUPI, "aKId": AKID, "kAkma": KEY})
    check("UE", w.lines(API + "ues", {"supi": SUPI, "gpsi": GPSI}).json["stored"] == 1)
    check("members", w.lines(API + "groups/kept/members", {"supi": SUPI},
                             {"gpsi": "msisdn-15550000002"}).json["added"] == 2)
    push = w.want("push", 201, "POST", API + AF + "/pushes",
                  {"target": {"supi": SUPI}, "payload": "aGk=", "validityPeriod": 3600})
    return push.json["pushId"]


# ---- Bodies

def good_bodies(push_id):
    """operation, method, path, a body with every member"""
    push = {"payload": "aGk=", "validityPeriod": 600, "ackRequested": True, "ordered": False,
            "suite": 1, "segmentSize": 100}
    af = {"afId": AF, "suspended": False, "trusted": True, "hot": False, "rate": 10, "pushRate": 10,
          "quota": 1000, "maxTargets": 10, "maxPayload": 100, "description": "x"}
    pushes = API + AF + "/pushes"
    yield "PutAf", "PUT", API + "afs/" + AF, {**af, "allowedUes": {"all": True}}
    yield "PutAf", "PUT", API + "afs/" + AF, {**af, "allowedUes": {"externalGroupIds": ["kept"]}}
    yield "PutGroup", "PUT", API + "groups/kept", {"description": "x"}
    for target in ({"supi": SUPI}, {"gpsi": GPSI}, {"list": [{"supi": SUPI}, {"gpsi": GPSI}]},
                   {"list": [{"gpsi": GPSI}]}, {"externalGroupId": "kept"}, {"all": True}):
        yield "Push", "POST", pushes, {**push, "target": target}
    yield "ReplacePush", "PUT", f"{pushes}/{push_id}", {**push, "target": {"supi": SUPI}}
    yield "ReplacePush", "PUT", f"{pushes}/{push_id}", push
    yield "GetPushInfo", "POST", API + AF + "/push-info", {"gpsi": GPSI, "uaStarId": "ff414b5002"}
    yield "GetPushInfo", "POST", API + AF + "/push-info", {"supi": SUPI}
    yield "RegisterAKMAKey", "POST", NAANF + "register-anchorkey", \
        {"supi": SUPI, "aKId": AKID, "kAkma": KEY, "suppFeat": "1"}
    yield "RegisterAKMAKey", "POST", NAANF + "register-anchorkey", \
        {"gpsi": GPSI, "aKId": AKID, "kAkma": KEY}
    yield "GetAKMAAPPKeyMaterial", "POST", NAANF + "retrieve-applicationkey", \
        {"afId": AF + UA, "aKId": AKID, "anonInd": False, "suppFeat": "1"}
    yield "RemoveContext", "POST", NAANF + "remove-context", {"supi": SUPI}


def made_bodies(w):
    seen = set()
    for name, method, path, body in good_bodies(w.push_id):
        schema = w.contract.operation(name).request_schema()
        is_ours = path.startswith(API)

        def refused(what, wrong, cause, param, status=400, exact=False):
            w.refused(f"{name} {what}", status, method, path, wrong, cause=cause, param=param,
                      exact=exact, every=16)

        for what, wrong, pointer in bad_bodies.wrong_types(schema, body):
            # Of a payload that is base64 all the same it is the length that is wrong.
            is_long = pointer == "/payload" and "10000" in what
            is_group = "externalGroupIds/" in pointer
            refused(what, wrong, None, pointer,
                    413 if is_long else (400, 404) if is_group else 400)
        for what, wrong, pointer in bad_bodies.missing(schema, body):
            refused(what, wrong, "MANDATORY_IE_MISSING", pointer, exact=True)
        for what, wrong, pointer in bad_bodies.unknown(schema, body) if is_ours else ():
            refused(what, wrong, "UNKNOWN_IE", pointer, exact=True)
        for what, text in bad_bodies.repeated(body):
            refused(what, text, "INVALID_MSG_FORMAT", None)
        if name not in seen:
            for what, text in bad_bodies.malformed(body):
                refused(what, text, "INVALID_MSG_FORMAT", None)
        w.compare(f"{name} {list(body)}")
        seen.add(name)


def both_or_neither(w):
    both = {"supi": SUPI, "gpsi": GPSI}
    for what, path, body in (
            ("register", NAANF + "register-anchorkey", {"aKId": AKID, "kAkma": KEY}),
            ("push-info", API + AF + "/push-info", {})):
        for cause, more in (("MANDATORY_IE_INCORRECT", both), ("MANDATORY_IE_MISSING", {})):
            a = w.refused(f"{what} with {list(more)}", 400, "POST", path, {**body, **more},
                          cause=cause, param="/supi")
            check(f"{what} names both", [p["param"] for p in a.json["invalidParams"]]
                  == ["/supi", "/gpsi"], a)
    push = {"payload": "", "validityPeriod": 600}
    for cause, target in (("MANDATORY_IE_INCORRECT", both), ("MANDATORY_IE_MISSING", {}),
                          ("MANDATORY_IE_INCORRECT", {"supi": SUPI, "all": True}),
                          ("MANDATORY_IE_INCORRECT", {"list": [], "externalGroupId": "kept"})):
        for method, path in (("POST", "/pushes"), ("PUT", f"/pushes/{w.push_id}")):
            w.refused(f"{method} target {list(target)}", 400, method, API + AF + path,
                      {**push, "target": target}, cause=cause, param="/target")
    for cause, item in (("MANDATORY_IE_INCORRECT", both), ("MANDATORY_IE_MISSING", {})):
        w.refused(f"list with {list(item)}", 400, "POST", API + AF + "/pushes",
                  {**push, "target": {"list": [{"gpsi": "msisdn-15559999999"}, item]}},
                  cause=cause, param="/target/list/1/supi")
    for item in ({"gpsi": "msisdn-15559999999x"}, {"gpsi": None}, 7, None, "x", []):
        w.refused(f"list with {item}", 400, "POST", API + AF + "/pushes",
                  {**push, "target": {"list": [{"gpsi": "msisdn-15559999998"}, item]}},
                  param="/target/list/1")


def ignored_by_3gpp(w):
    """TS 29.500 6.6.2: members that are not known are ignored."""
    for more in ({"x": 1}, {"a/b": {"c": []}}, {"supi2": None}):
        w.want("register", 200, "POST", NAANF + "register-anchorkey",
               {"supi": SUPI, "aKId": AKID, "kAkma": KEY, **more})
        check("retrieve", w.retrieve(**more).status == 200)
    w.want("remove with more", 404, "POST", NAANF + "remove-context",
           {"supi": "imsi-001010000009999", "x": 1})
    w.changed()


def names(w):
    """Keys, FQDNs, Ua* identifiers, A-KIDs that are wrong or not there."""
    register, retrieve = NAANF + "register-anchorkey", NAANF + "retrieve-applicationkey"
    for key in (KEY[:-1], KEY + "1", KEY[:-1] + "g", KEY[:-2] + " 1", "0x" + KEY[2:], KEY[:-1] +
                "\u0661", ""):
        a = w.refused(f"key {key!r}", 400, "POST", register,
                      {"supi": SUPI, "aKId": "new@x", "kAkma": key}, param="/kAkma",
                      cause="MANDATORY_IE_INCORRECT")
        check("the key is not repeated", KEY[:16] not in a.text, a)
    fqdns = ["a.b", "a" * 64 + ".example.com", "-a.example.com", "a-.example.com", "a..example.com",
             ".example.com", "a_b.example.com", "b\u00fccher.example.com", "a b.example.com",
             "x" * 250 + ".com", "a.example.com..", "", ("a" * 49 + ".") * 5 + "abcd"]
    for fqdn in fqdns:
        w.refused(f"afId {fqdn}", 400, "POST", retrieve, {"afId": fqdn + UA, "aKId": AKID},
                  cause="MANDATORY_IE_INCORRECT", param="/afId")
        path = API + "afs/" + "".join(f"%{c:02X}" for c in fqdn.encode())
        if fqdn:
            w.refused(f"PUT of {fqdn}", 400, "PUT", path, {"allowedUes": {"all": True}},
                      cause="MANDATORY_IE_INCORRECT", param="afId")
            w.refused(f"GET of {fqdn}", 404, "GET", path, cause="AF_NOT_FOUND")
    for ua in ("", "010001000", "01000100011x", "010001000g", "0x01000100", "\u0661" * 10):
        w.refused(f"Ua* {ua}", 400, "POST", retrieve, {"afId": AF + "." + ua, "aKId": AKID},
                  cause="MANDATORY_IE_INCORRECT", param="/afId")
        w.refused(f"push-info {ua}", 400, "POST", API + AF + "/push-info",
                  {"supi": SUPI, "uaStarId": ua}, param="/uaStarId")
    for ua in ("ff414b5001", "FF414B5002"):
        w.refused(f"Ua* {ua} of pushes", 403, "POST", retrieve, {"afId": AF + ua, "aKId": AKID},
                  cause="UA_STAR_ID_NOT_SERVED")
    for ua in ("ff414b5001", UA):
        w.refused(f"push-info for {ua}", 403, "POST", API + AF + "/push-info",
                  {"supi": SUPI, "uaStarId": ua}, cause="UA_STAR_ID_NOT_SERVED")
    w.want("an unknown A-KID", 204, "POST", retrieve, {"afId": AF + UA, "aKId": "nobody@x"})
    w.refused("an unknown AF", 403, "POST", retrieve, {"afId": "nobody.example.com" + UA,
                                                       "aKId": AKID}, cause="NOT_AUTHORIZED")


def unknown_things(w):
    """AFs, groups, UEs and pushes that are not there, or can't be."""
    push = {"target": {"gpsi": GPSI}, "payload": "", "validityPeriod": 600}
    nobody = API + "nobody.example.com"
    no_push = "/pushes/01890000-0000-7000-8000-000000000000"
    for method, path, body in (("POST", "/pushes", push), ("GET", "/pushes", None),
                               ("GET", no_push, None), ("PUT", no_push, push),
                               ("DELETE", no_push, None), ("GET", no_push + "/results", None),
                               ("POST", "/push-info", {"gpsi": GPSI})):
        w.refused(f"{method} {path[:9]} of an unknown AF", 404, method, nobody + path, body,
                  cause="AF_NOT_FOUND")
        if path.startswith(no_push):
            w.refused(f"{method} of an unknown push", 404, method, API + AF + path, body,
                      cause="PUSH_NOT_FOUND")
    for push_id in ("x", "01890000-0000-7000-8000-00000000000", "%00", "0" * 36,
                    "01890000-0000-7000-8000-00000000000G"):
        for method, body in (("GET", None), ("PUT", push), ("DELETE", None)):
            a = w.ask(method, f"{API}{AF}/pushes/{push_id}", body)
            check(f"{method} push {push_id}", a.status in (400, 404), a)
    for method in ("GET", "DELETE"):
        w.refused(f"{method} an unknown AF", 404, method, API + "afs/nobody.example.com",
                  cause="AF_NOT_FOUND")
        w.refused(f"{method} an unknown group", 404, method, API + "groups/none",
                  cause="GROUP_NOT_FOUND")
        w.refused(f"{method} an unknown UE", 404, method, API + "ues/imsi-001010000007777",
                  cause="UE_NOT_FOUND")
        for ue in ("x", "imsi-1", "msisdn-x", "imsi-001010000000001%20", "%20" + SUPI):
            w.refused(f"{method} UE {ue}", 400, method, API + "ues/" + ue, param="ueId",
                      cause="MANDATORY_IE_INCORRECT")
    w.refused("an allowed group that there is not", 404, "PUT", API + "afs/" + AF,
              {"allowedUes": {"externalGroupIds": ["kept", "none"]}}, cause="GROUP_NOT_FOUND",
              param="/allowedUes/externalGroupIds/1")
    for group in ("none", "", "x" * 256, "a b"):
        a = w.ask("POST", API + AF + "/pushes", {**push, "target": {"externalGroupId": group}})
        check(f"push to group {group[:9]!r}", a.status in (400, 404), a)
    for method, body, kind in (("GET", None, None), ("POST", "", NDJSON)):
        w.refused("members of an unknown group", 404, method, API + "groups/none/members", body,
                  kind=kind, cause="GROUP_NOT_FOUND")
    for group in ("a%20b", "x" * 256, "%C3%BC"):
        w.refused(f"group {group[:9]}", 400, "PUT", API + "groups/" + group, {},
                  cause="MANDATORY_IE_INCORRECT", param="externalGroupId")
    for group in ("%7f", "%", "a%0a"):
        w.refused(f"group {group}", 400, "PUT", API + "groups/" + group, {},
                  cause="INVALID_MSG_FORMAT")
    w.refused("an unknown UE", 404, "POST", API + AF + "/push-info",
              {"gpsi": "msisdn-15550007777"}, cause="UE_NOT_FOUND")
    w.refused("a SUPI of an AF that is not trusted", 403, "POST", API + OTHER + "/pushes",
              {**push, "target": {"supi": SUPI}}, cause="NOT_AUTHORIZED")
    w.refused("a SUPI in its list", 403, "POST", API + OTHER + "/pushes",
              {**push, "target": {"list": [{"gpsi": "msisdn-15550008888"}, {"supi": SUPI}]}},
              cause="NOT_AUTHORIZED")


# ---- Lines

def lines(w):
    """A wrong line is told with its number, cause and member; it changes nothing."""
    for name, path, good in (
            ("ChangeMembers", API + "groups/kept/members", {"supi": SUPI, "remove": False}),
            ("PutUes", API + "ues", {"supi": SUPI, "gpsi": GPSI, "address": "127.0.0.1",
                                     "port": 5000})):
        schema = w.contract.operation(name).request_schema()
        cases = [(what, json.dumps(body), pointer) for what, body, pointer in
                 [*bad_bodies.wrong_types(schema, good), *bad_bodies.unknown(schema, good)]
                 if len(json.dumps(body)) < 4096]
        cases += [(what, text, None) for what, text in bad_bodies.repeated(good)]
        cases += [(what, text, None) for what, text in bad_bodies.malformed(good)
                  if b"\n" not in text and 0 < len(text) < 4096 and text.strip()]
        before = w.state()
        for what, text, pointer in cases:
            text = text.encode() if isinstance(text, str) else text
            a = w.ask("POST", path, text + b"\n", kind=NDJSON)
            errors = (a.json or {}).get("errors", [])
            good_answer = a.status == 200 and a.json["failed"] == 1 and len(errors) == 1 and \
                errors[0]["line"] == 1 and (pointer is None or pointer[:63] in errors[0]["detail"])
            check(f"{name} {what}", good_answer, f"{pointer}: {a}")
        check(f"{name}: nothing changes", w.state() == before, (before, w.state()))
    for path in (API + "ues", API + "groups/kept/members"):
        for body in ({}, {"supi": SUPI, "gpsi": GPSI} if "kept" in path else {"address": None}):
            a = w.lines(path, body)
            check(f"{path} {body}", a.status == 200 and a.json["failed"] == 1, a)
        w.refused("a line too long", 413, "POST", path, "x" * 5000, kind=NDJSON,
                  cause="PAYLOAD_TOO_LARGE")
        w.refused("a whole line too long", 413, "POST", path, " " * 4097 + "\n{}\n", kind=NDJSON,
                  cause="PAYLOAD_TOO_LARGE")


# ---- Pushes

def limits(w):
    pushes = API + AF + "/pushes"
    push = {"target": {"gpsi": GPSI}, "payload": "", "validityPeriod": 600}
    for n in (PAYLOAD_MAX + 1, PAYLOAD_MAX + 2, PAYLOAD_MAX * 2):
        payload = base64.b64encode(bytes(n)).decode()
        for method, path in (("POST", pushes), ("PUT", f"{pushes}/{w.push_id}")):
            w.refused(f"{method} of {n} octets", 413, method, path, {**push, "payload": payload},
                      cause="PAYLOAD_TOO_LARGE", param="/payload")
    w.refused("17 segments", 413, "POST", pushes,
              {**push, "payload": base64.b64encode(bytes(161)).decode(), "segmentSize": 10},
              cause="PAYLOAD_TOO_LARGE", param="/payload")
    for payload in ("a", "aGk", "aGk=\n", "aGk= ", "a-_=", "aGl=", "====", "aGk=aGk="):
        w.refused(f"payload {payload!r}", 400, "POST", pushes, {**push, "payload": payload},
                  cause="MANDATORY_IE_INCORRECT", param="/payload")
    for validity in (0, -1, 604801, 2**31, 2**32, 2**32 + 60, 2**63 - 1, 1.5, 1e10, "60", None,
                     "2020-01-01T00:00:00Z"):
        for method, path in (("POST", pushes), ("PUT", f"{pushes}/{w.push_id}")):
            w.refused(f"{method} validity {validity}", 400, method, path,
                      {**push, "validityPeriod": validity}, cause="MANDATORY_IE_INCORRECT",
                      param="/validityPeriod")
    for name, value in (("priority", 1), ("notBefore", "2030-01-01T00:00:00Z"),
                        ("collapseKey", "x"), ("notificationDestination", "http://x/"),
                        ("priority", None)):
        for method, path in (("POST", pushes), ("PUT", f"{pushes}/{w.push_id}")):
            w.refused(f"{method} with {name}", 400, method, path, {**push, name: value},
                      cause="NOT_BUILT", param="/" + name)
    w.refused("AF with notificationDestination", 400, "PUT", API + "afs/" + AF,
              {"allowedUes": {"all": True}, "notificationDestination": "http://x/"},
              cause="NOT_BUILT", param="/notificationDestination")
    many = [{"gpsi": f"msisdn-1555{i:07d}"} for i in range(4)]
    for target in ({"list": many}, {"list": many + [{"gpsi": "x"}]}):
        w.refused("too many targets", 400, "POST", API + EXTERNAL + "/pushes",
                  {**push, "target": target}, cause="TOO_MANY_TARGETS", param="/target")
    w.want("as many as may be", 201, "POST", API + EXTERNAL + "/pushes",
           {**push, "target": {"list": [{"gpsi": GPSI}] * 3}})
    w.changed()
    for query in ("state=X", "limit=0", "limit=1001", "limit=-1", "limit=x", "limit=1e2", "x=1",
                  "limit=", "state=RUNNING&state=RUNNING", "limit=%31%00", "limit=%zz"):
        is_malformed = "&" in query or "%" in query
        w.refused(f"?{query}", 400, "GET", f"{pushes}?{query}", cause="INVALID_QUERY_PARAM",
                  param=None if is_malformed else query.split("=")[0])
    for query in ("state=X", "state=SENT,X", "state=,", "x=1", "state=sent"):
        w.refused(f"results?{query}", 400, "GET", f"{pushes}/{w.push_id}/results?{query}",
                  cause="INVALID_QUERY_PARAM", param=query.split("=")[0])


def too_often(w):
    """429 with Retry-After: pushes a second, targets a day, single pushes for one UE."""
    def put(af, **more):
        w.want("AF", 201, "PUT", API + "afs/" + af, {"allowedUes": {"all": True}, **more})
        return f"{API}{af}/pushes"

    push = {"target": {"gpsi": GPSI}, "payload": "", "validityPeriod": 600}
    both = {**push, "target": {"list": [{"gpsi": GPSI}, {"gpsi": "msisdn-15550000002"}]}}
    for what, pushes, first, second in (
            ("pushRate", put("rate.example.com", pushRate=1), push, push),
            ("quota", put("quota.example.com", quota=3), both, both),
            ("single pushes", put("single.example.com"), push, push)):
        w.changed()
        last = w.ask("POST", pushes, first)
        for _ in range(16):
            before = w.before = w.state()
            last = w.ask("POST", pushes, second)
            if last.status != 201:
                break
        check(what, last.status == 429 and int(last.headers["retry-after"]) > 0 and
              last.json["cause"] == "NF_CONGESTION_RISK", last)
        check(f"{what}: nothing changes", w.state() == before)
        if what == "quota":
            unknown = [{"gpsi": f"msisdn-1666{i:07d}"} for i in range(4)]
            w.refused(f"{what}: names nobody", 429, "POST", pushes,
                      {**push, "target": {"list": unknown}}, cause="NF_CONGESTION_RISK")
    w.changed()


def idempotency(w):
    pushes = API + AF + "/pushes"
    body = {"target": {"gpsi": GPSI}, "payload": "aGk=", "validityPeriod": 600}

    def key(value):
        return [("idempotency-key", value)]

    for value in ("", "x" * 256, "a\tb", "\u00fc", "x" * 4000):
        w.refused(f"Idempotency-Key {value[:5]!r}", 400, "POST", pushes, body, headers=key(value),
                  cause="OPTIONAL_IE_INCORRECT", param="Idempotency-Key")
    w.refused("what is refused is not remembered", 400, "POST", pushes,
              {**body, "validityPeriod": 0}, headers=key("k1"))
    first = w.want("with a key", 201, "POST", pushes, body, headers=key("k1"))
    w.changed()
    for _ in range(3):
        w.before = w.before or w.state()
        a = w.want("the same again", 201, "POST", pushes, body, headers=key("k1"))
        check("the first answer", a.json == first.json and a.headers.get("location")
              == first.headers.get("location"), (a, first))
        check("no second push", w.state() == w.before)
    for what, other in (("another payload", {**body, "payload": "aGo="}),
                        ("another target", {**body, "target": {"supi": SUPI}}),
                        ("another spelling", json.dumps(body) + " "),
                        ("no JSON", "{"), ("a wrong body", {})):
        w.refused(f"key with {what}", 409, "POST", pushes, other, headers=key("k1"),
                  cause="IDEMPOTENCY_CONFLICT")
    w.refused("key of a POST with a PUT", 409, "PUT", f"{pushes}/{w.push_id}", body,
              headers=key("k1"), cause="IDEMPOTENCY_CONFLICT")
    a = w.want("the key of another AF", 201, "POST", API + OTHER + "/pushes", body,
               headers=key("k1"))
    check("is another push", a.json["pushId"] != first.json["pushId"])
    where = first.headers["location"]
    new = w.want("replaced", 201, "PUT", where, body, headers=key("k2"))
    w.changed()
    a = w.want("replaced again", 201, "PUT", where, body, headers=key("k2"))
    check("no second replacement", a.json["pushId"] == new.json["pushId"], a)
    w.refused("PUT of a push that is over", 409, "PUT", where, body, cause="PUSH_FINISHED")
    w.want("recall", 204, "DELETE", new.headers["location"])
    w.changed()
    w.refused("recall again", 409, "DELETE", new.headers["location"], cause="PUSH_FINISHED")


# ---- HTTP

def door(w):
    declared = [(o, o.template.replace("{afId}/push", AF + "/push").replace(
        "{afId}", AF).replace("{externalGroupId}", "kept").replace("{ueId}", SUPI).replace(
        "{pushId}", w.push_id)) for o in w.contract.operations if "/admin/" not in o.template]
    for o, path in declared:
        for method in ("GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "QUERY", "get",
                       "CONNECTX"):
            if method in w.contract.templates[o.template]:
                continue
            a = w.refused(f"{method} {o.template}", 405, method, path, cause="METHOD_NOT_ALLOWED")
            check(f"{method} {o.template}: allow", a.headers.get("allow"), a.headers)
        a = w.ask("HEAD", path)
        check(f"HEAD {o.template}", a.status == 405 and not a.body, a)
        content = o.declared.get("requestBody", {}).get("content", {})
        for kind in ("text/plain", "application/jsonx", "application/xml", "application/json5", "",
                     "application/json; charset=latin-1", "multipart/form-data", None,
                     NDJSON if JSON in content else JSON) if content else ():
            w.refused(f"{o.name} as {kind}", 415, o.method, path, "{}", kind=kind,
                      cause="UNSUPPORTED_MEDIA_TYPE")
        if JSON in content:
            for body in (b" " * ((1 << 20) + 1), b"[" * (1 << 21)):
                w.refused(f"{o.name} of {len(body)} octets", 413, o.method, path, body,
                          cause="PAYLOAD_TOO_LARGE")
                w.refused(f"{o.name} of {len(body)} octets, told", 413, o.method, path, body,
                          headers=[("content-length", len(body))], cause="PAYLOAD_TOO_LARGE")
            w.refused(f"{o.name} of 1 MiB", 400, o.method, path, b" " * (1 << 20),
                      cause="INVALID_MSG_FORMAT")
            w.refused(f"{o.name} without a body", 400, o.method, path, b"",
                      cause="INVALID_MSG_FORMAT")
    for path in ("/", "/x", API, API + "x", API + "afs/", API + "afs//", API + AF, API + AF + "/x",
                 API + "afs/a.example.com/x", "/akma-push/v2/afs", "/AKMA-PUSH/v1/afs",
                 "/naanf-akma/v1/", "/admin/v1/x", "/health/", "/metrics/x", "/a" * 40):
        a = w.ask("GET", path)
        check(f"GET {path}", a.status == 404, a)
    for path in ("/%", "/%g0", "/%00", "/%0a", "/../health", "/x/./y", "/" + "x" * 10000):
        a = w.ask("GET", path)
        check(f"GET {path[:20]}", a.status in (400, 404, 414), a)
    w.refused("a header too large", 431, "GET", "/health", headers=[("x", "y" * 60000)],
              cause="HEADERS_TOO_LARGE")
    w.refused("too many headers", 431, "GET", "/health", headers=[(f"x{i}", "y") for i in
                                                                  range(300)])
    for path in ("/admin/v1/status", "/admin/v1/tuning", "/admin/v1/pushes"):
        a = w.ask("GET", path)
        check(f"{path} in the clear", a.status == 403, a)


def broken_requests(w):
    """Not even HTTP: the stream or the connection ends, the daemon goes on."""
    client = w.daemon.client
    good = [(":method", "GET"), (":scheme", "http"), (":authority", "x"), (":path", "/health")]
    for what, pairs in (("upper case", good + [("X-Y", "1")]), ("no path", good[:3]),
                        ("two paths", good + [(":path", "/x")]), ("a late pseudo header", [
                            *good[:3], ("x", "y"), good[3]]), ("connection", good + [
                                ("connection", "close")]), ("newline", good + [("x", "a\nb")]),
                        ("content-length", good + [("content-length", "5")])):
        try:
            a = client.ask_raw(pairs)
            check(f"request with {what}", a.status < 0 or a.status == 400, a)
        except OSError:
            check(f"request with {what}: closed", True)
        w.want("the next request works", 200, "GET", "/health")
    post = [(":method", "POST"), (":scheme", "http"), (":authority", "x"),
            (":path", NAANF + "register-anchorkey"), ("content-type", JSON)]
    body = json.dumps({"supi": "imsi-001010000005555", "aKId": "c@x", "kAkma": KEY}).encode()
    for length in (len(body) - 1, len(body) + 1, -1, "x", "1e2", 2**64):
        with contextlib.suppress(OSError):
            a = client.ask_raw([*post, ("content-length", length)], body)
            check(f"content-length {length}", a.status < 0 or a.status >= 400, a)
    check("a body cut short registers nobody", w.ask(
        "GET", API + "ues/imsi-001010000005555").status == 404)
    for octets in (0, 10, len(body) - 1):
        other = h2c.Client(client.address)
        other.leave(post, body[:octets])
        w.want("the next request works", 200, "GET", "/health")
    for what, octets in (("HTTP/1.1", b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"),
                         ("noise", random.Random(1).randbytes(5000)), ("zeros", bytes(100)),
                         ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500))):
        check(f"{what} is ended", client.talk(octets))
        w.want("the next request works", 200, "GET", "/health")


# ---- The admin socket

def admin(w):
    door = w.daemon.admin
    tuning = {"burst": 32, "rate": 0, "lapPause": 3000, "lapPauseMax": 60000}
    before = w.want("tuning", 200, "GET", "/admin/v1/tuning", door=door).json
    schema = w.contract.operation("PutTuning").request_schema()
    cases = [*bad_bodies.wrong_types(schema, tuning), *bad_bodies.unknown(schema, tuning)]
    for what, body, pointer in cases:
        w.refused(f"tuning {what}", 400, "PUT", "/admin/v1/tuning", body, param=pointer, door=door)
    for what, text in bad_bodies.malformed(tuning):
        a = w.ask("PUT", "/admin/v1/tuning", text, door=door)
        check(f"tuning {what}", a.status == 400, a)
    check("tuning stays", w.ask("GET", "/admin/v1/tuning", door=door).json == before)
    for path in ("/admin/v1/status", "/admin/v1/stats", "/admin/v1/pushes", API + "afs",
                 API + "ues/" + SUPI):
        w.want(path, 200, "GET", path, door=door)
    w.refused("an unknown push", 404, "GET", "/admin/v1/pushes/x", door=door,
              cause="PUSH_NOT_FOUND")
    w.refused("pushes of an unknown AF", 404, "GET", "/admin/v1/pushes?af=x", door=door,
              cause="AF_NOT_FOUND")


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        w = World(program, folder)
        try:
            w.push_id = set_up(w)
            for part in (reads, made_bodies, both_or_neither, names, unknown_things, lines, limits,
                         idempotency, too_often, door, broken_requests, admin, ignored_by_3gpp,
                         bad_datagrams.datagrams):
                start = time.monotonic()
                if sys.argv[2:] and part.__name__ not in sys.argv[2:]:
                    continue
                part(w)
                w.before = None
                print(f"{part.__name__}: {time.monotonic() - start:.1f} s", flush=True)
            log = Path(w.daemon.log).read_text()
            check("no key in the log", KEY[:20] not in log)
            check("end", w.daemon.stop() == 0, log[-2000:])
        finally:
            w.daemon.kill()
    print("\n".join(w.contract.report()))
    return finish()


if __name__ == "__main__":
    sys.exit(main())
