#!/usr/bin/env python3
"""Pushes end to end: a real akmapushd, devices of the fleet, SIGKILL and SIGTERM in the middle.

usage: push.py AKMAPUSHD AKMAPUSH_LOAD AKMAPUSH_UE"""

import json
import signal
import subprocess
import sys
import tempfile
import time

import services
from services import API, Daemon, check, free_port

LOAD, FLEET = sys.argv[2], sys.argv[3]
AF = "utility.example"
PUSHES = f"{API}{AF}/pushes"
UES = 2000
WAIT_S = 60


def load(daemon, command, *arguments):
    subprocess.run([LOAD, command, "--server", f"127.0.0.1:{daemon.port}", *arguments],
                   check=True, timeout=WAIT_S, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def onboard(daemon, port):
    load(daemon, "provision", "--count", str(UES), "--group", "meters", "--port", str(port))
    load(daemon, "register", "--count", str(UES))
    load(daemon, "af", "--af", AF, "--group", "meters")


class Fleet:
    def __init__(self, port, *arguments):
        self.process = subprocess.Popen(
            [FLEET, "--count", str(UES), "--port", str(port), "--af", AF, "--json", "-q",
             "--seconds", "200", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.process.stdout.readline()  # "ready"

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return json.loads(out.strip().splitlines()[-1])


def push(daemon, body=None, **more):
    whole = {"target": {"externalGroupId": "meters"}, "payload": "aGVsbG8=", "validityPeriod": 120}
    return daemon.ask("POST", PUSHES, {**whole, **(body or {})}, **more)


def wait_for(daemon, push_id, what):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        seen = daemon.get(f"{PUSHES}/{push_id}")
        if seen.status == 200 and what(seen.json):
            return seen.json
        time.sleep(0.05)
    check(f"push {push_id} in time", False, seen)
    return seen.json


def finished(seen):
    return seen["state"] == "FINISHED"


def results(daemon, push_id, query=""):
    seen = daemon.get(f"{PUSHES}/{push_id}/results{query}")
    return [json.loads(line) for line in seen.body.splitlines()]


def is_problem(what, answer, status, cause):
    check(f"{what}: {status} {cause}",
          answer.status == status and answer.json.get("cause") == cause, answer)


def bad_input(daemon):
    one = {"target": {"gpsi": "msisdn-1234567"}}
    is_problem("media type", daemon.ask("POST", PUSHES, "{}", kind="text/plain"), 415,
               "UNSUPPORTED_MEDIA_TYPE")
    is_problem("method", daemon.ask("PUT", PUSHES, "{}"), 405, "METHOD_NOT_ALLOWED")
    is_problem("payload", push(daemon, {"payload": "A" * 25264}), 413, "PAYLOAD_TOO_LARGE")
    is_problem("validity", push(daemon, {"validityPeriod": 0}), 400, "MANDATORY_IE_INCORRECT")
    is_problem("absurd validity", push(daemon, {"validityPeriod": 10**9}), 400,
               "MANDATORY_IE_INCORRECT")
    is_problem("not built", push(daemon, {"priority": True}), 400, "NOT_BUILT")
    is_problem("typo", push(daemon, {"sute": 1}), 400, "UNKNOWN_IE")
    is_problem("truncated", daemon.ask("POST", PUSHES, '{"target":{'), 400, "INVALID_MSG_FORMAT")
    is_problem("unknown AF", daemon.ask("POST", f"{API}nobody.example/pushes", one), 404,
               "AF_NOT_FOUND")
    is_problem("unknown push", daemon.get(f"{PUSHES}/01234567-89ab-7def-8123-456789abcdef"), 404,
               "PUSH_NOT_FOUND")
    key = ("idempotency-key: one",)
    first = push(daemon, one, headers=key)
    check("push with a key", first.status == 201, first)
    again = push(daemon, one, headers=key)
    check("the same again", again.headers.get("location") == first.headers["location"], again)
    is_problem("other content", push(daemon, {**one, "suite": 2}, headers=key), 409,
               "IDEMPOTENCY_CONFLICT")
    check("not allowed", first.json.get("states") == {"NOT_ALLOWED": 1}, first)


def through_sigkill(daemon, how):
    before = push(daemon)
    check("push accepted", before.status == 201, before)
    push_id = before.json["pushId"]
    wait_for(daemon, push_id, lambda seen: seen["states"].get("DELIVERED", 0) > UES // 20)
    daemon.stop(how)
    daemon.start()
    seen = wait_for(daemon, push_id, finished)
    check(f"all delivered through {how.name}", seen["states"] == {"DELIVERED": UES}, seen)
    lines = results(daemon, push_id, "?state=DELIVERED")
    check("a result each", len({line["gpsi"] for line in lines}) == UES, len(lines))
    check("no SUPI", not any("supi" in line for line in lines), lines[:1])
    return push_id


def stops(daemon):
    recalled = push(daemon).json["pushId"]
    check("recall", daemon.ask("DELETE", f"{PUSHES}/{recalled}").status == 204)
    old = push(daemon).json["pushId"]
    new = daemon.ask("PUT", f"{PUSHES}/{old}", {"payload": "", "validityPeriod": 2})
    check("replace", new.status == 201 and new.json["pushId"] != old, new)
    daemon.stop(signal.SIGKILL)
    daemon.start()
    for push_id, state in ((recalled, "RECALLED"), (old, "REPLACED")):
        seen = wait_for(daemon, push_id, finished)
        check(f"{state} after SIGKILL", seen["states"] == {state: UES}, seen)
    seen = wait_for(daemon, new.json["pushId"], finished)
    check("unconfirmed", seen["deliveryResults"].get("SUCCESS") is None, seen)
    is_problem("recall of what is over", daemon.ask("DELETE", f"{PUSHES}/{recalled}"), 409,
               "PUSH_FINISHED")
    listed = daemon.get(f"{PUSHES}?state=FINISHED&limit=2").json["pushes"]
    check("newest first", [p["pushId"] for p in listed] == [new.json["pushId"], old], listed)


def suspended(daemon):
    running = push(daemon).json["pushId"]
    af = {"allowedUes": {"externalGroupIds": ["meters"]}}
    daemon.ask("PUT", f"{API}afs/{AF}", {**af, "suspended": True})
    is_problem("suspended", push(daemon), 403, "AF_SUSPENDED")
    check("lifted", daemon.ask("PUT", f"{API}afs/{AF}", af).status == 200)
    daemon.stop(signal.SIGKILL)
    daemon.start()
    seen = wait_for(daemon, running, finished)
    check("ended by suspension", seen["states"] == {"NOT_ALLOWED": UES}, seen)


def make_hot(daemon):
    """its K_AFs are kept: what its devices get must be right all the same, through restarts"""
    af = {"allowedUes": {"externalGroupIds": ["meters"]}, "hot": True}
    a = daemon.ask("PUT", f"{API}afs/{AF}", af)
    is_problem("hot without a cache", a, 400, "OPTIONAL_IE_INCORRECT")
    check("what it would take", "dataplane.kaf_cache is 0" in a.body, a)
    daemon.stop()
    daemon.config.write_text(daemon.config.read_text().replace(
        "dataplane: {", "dataplane: {kaf_cache: 256 KiB, rate: 2000, "))
    daemon.start()
    check("hot", daemon.ask("PUT", f"{API}afs/{AF}", af).json.get("hot") is True)
    for i in range(1, 16):
        other = daemon.ask("PUT", f"{API}afs/hot{i}.example", {"allowedUes": {"all": True}, "hot": True})
        check("fifteen more", other.status == 201, other)
    a = daemon.ask("PUT", f"{API}afs/hot16.example", {"allowedUes": {"all": True}, "hot": True})
    is_problem("one too many", a, 400, "OPTIONAL_IE_INCORRECT")
    check("not registered", daemon.get(f"{API}afs/hot16.example").status == 404)
    check("again is not one more", daemon.ask("PUT", f"{API}afs/{AF}", af).status == 200)


def kafs(daemon):
    text = daemon.get("/metrics").body
    return {what: sum(int(line.split()[1]) for line in text.splitlines()
                      if line.startswith(f"akmapush_kaf_{what}_total{{"))
            for what in ("cached", "missed")}


def main():
    with tempfile.TemporaryDirectory(prefix="akmapush-push-") as folder:
        port = free_port(services.socket.SOCK_DGRAM)
        daemon = Daemon(folder, "push: {{checkpoint_interval: 200}}\n").start()
        try:
            onboard(daemon, port)
            bad_input(daemon)
            daemon.ctl("PUT", "/admin/v1/tuning", {"rate": 2000})
            stops(daemon)
            suspended(daemon)
            make_hot(daemon)
            fleet = Fleet(port, "--lose", "1", "--duplicate", "5")
            through_sigkill(daemon, signal.SIGKILL)
            last = through_sigkill(daemon, signal.SIGTERM)
            seen = kafs(daemon)
            check("K_AFs came from the cache", seen["cached"] > seen["missed"] > 0, seen)
            summary = fleet.end()
            check("none delivered twice", summary["delivered_again"] == 0, summary)
            check("ends orderly", daemon.stop() == 0)
            daemon.start()
            check("kept", len(results(daemon, last)) == UES)
        finally:
            if daemon.process.poll() is None:
                daemon.stop(signal.SIGKILL)
    print(f"{services.passed} passed, {services.failed} failed")
    return services.failed > 0


if __name__ == "__main__":
    sys.exit(main())
