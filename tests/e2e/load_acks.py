#!/usr/bin/env python3
"""Floods of akmapush-load acks: each kind is counted by the daemon as its help says, and a push under a
flood as fast as it goes reaches all devices.

usage: load_acks.py AKMAPUSHD AKMAPUSH-LOAD AKMAPUSH-UE"""

import json
import socket
import subprocess
import sys
import tempfile
import time

from real_daemon import Daemon, check, finish

DAEMON, LOAD, UE = sys.argv[1:4]
AF, GROUP = "utility.example", "meters"
UES, FLOOD = 2000, 3000
END = '_total{worker="0"}'


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class World:
    def __init__(self, folder):
        self.source, self.port = free_port(), free_port()
        self.daemon = Daemon(DAEMON, folder)
        self.daemon.config.write_text(self.daemon.text.replace("port: 0}", f"port: {self.source}}}"))
        self.daemon.start()

    def load(self, *arguments):
        done = subprocess.run([LOAD, *arguments, "--json", "-q", "--server", f"127.0.0.1:{self.daemon.port}"],
                              capture_output=True, text=True, check=False)
        check(f"akmapush-load {arguments[0]}", done.returncode == 0, done.stderr)
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}

    def provision(self):
        self.load("provision", "--count", str(UES), "--group", GROUP, "--port", str(self.port))
        self.load("register", "--count", str(UES))
        self.load("af", "--af", AF, "--group", GROUP)

    def counts(self):
        return {name[len("akmapush_"):-len(END)]: int(n) for name, n in self.daemon.metrics().items()
                if name.endswith(END) and name.startswith(("akmapush_rx", "akmapush_ack"))}

    def flood(self, *arguments):
        return subprocess.Popen([LOAD, "acks", "--to", f"127.0.0.1:{self.source}", "--json", "-q", *arguments],
                                stdout=subprocess.PIPE, text=True)


def ended(process):
    summary = json.loads(process.communicate(timeout=60)[0].splitlines()[-1])
    check("the flood ends in order", process.returncode == 0, process.returncode)
    return summary


def flood_of(w, kind, reason, *more):
    before = w.counts()
    summary = ended(w.flood("--kind", kind, "--count", str(FLOOD), "--rate", "30k", *more))
    end = time.monotonic() + 5
    while w.counts()["rx"] - before["rx"] < FLOOD and time.monotonic() < end:
        time.sleep(0.02)
    rose = {name: n - before[name] for name, n in w.counts().items() if n != before[name]}
    check(f"{kind}: sent", (summary["sent"], summary["failed"]) == (FLOOD, 0), summary)
    if reason == "rx_ref":  # one of two million refs is somebody's
        rose[reason] = rose.get(reason, 0) + (stray := rose.pop("rx_tag", 0))
        check(f"{kind}: hardly any is somebody's", stray < 5, stray)
    check(f"{kind}: counted", rose == {"rx": FLOOD, reason: FLOOD}, rose)


def kinds(w):
    """With a push that waits for its acknowledgements; one of its datagrams shows a ref."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ue:
        ue.bind(("127.1.0.0", w.port))
        ue.settimeout(10)
        a = w.daemon.client.ask("POST", f"/akma-push/v1/{AF}/pushes",
                                {"target": {"externalGroupId": GROUP}, "payload": "aGVsbG8=", "validityPeriod": 600},
                                [("content-type", "application/json")])
        check("a push", a.status == 201, a.text)
        push_id, ref = a.json["pushId"], ue.recv(2000)[24:28].hex()
        flood_of(w, "junk", "rx_header")
        flood_of(w, "junk", "rx_header", "--size", "1232")
        flood_of(w, "unknown", "rx_unknown_push", "--size", "53")
        flood_of(w, "ref", "rx_ref", "--push", push_id)
        flood_of(w, "ref", "rx_suite", "--push", push_id, "--suite", "2")
        flood_of(w, "tag", "rx_tag", "--push", push_id, "--ref", ref)
        flood_of(w, "tag", "rx_tag", "--push", push_id, "--ref", ref, "--size", "100", "--random", "7")
    path = f"/akma-push/v1/{AF}/pushes/{push_id}"
    states = w.daemon.client.ask("GET", path).json["states"]
    check("nothing is acknowledged", not {"DELIVERED", "RECEIVED", "REFUSED"} & set(states), states)
    check("recalled", w.daemon.client.ask("DELETE", path).status in (200, 204))


def push_under_flood(w):
    fleet = subprocess.Popen([UE, "--count", str(UES), "--port", str(w.port), "--af", AF, "--json", "-q",
                              "--seconds", "100"], stdout=subprocess.PIPE, text=True)
    fleet.stdout.readline()
    flood = w.flood("--seconds", "100")
    push = w.load("push", "--af", AF, "--group", GROUP, "--wait")
    check("under a flood: all acknowledged", push.get("succeeded") == UES, push)
    check("under a flood: it goes on", flood.poll() is None)
    flood.kill()
    flood.communicate()
    fleet.terminate()
    summary = json.loads(fleet.communicate(timeout=60)[0].splitlines()[-1])
    check("under a flood: none twice", (summary["distinct"], summary["delivered_again"]) == (UES, 0), summary)
    check("under a flood: it was one", w.counts()["rx_unknown_push"] > FLOOD, w.counts())


WRONG = (
    (), ("--to", "127.0.0.1"), ("--to", "localhost:9", "--count", "1"), ("--to", "127.0.0.1:9"),
    ("--to", "127.0.0.1:9", "--count", "1", "--kind", "nice"),
    ("--to", "127.0.0.1:9", "--count", "1", "--kind", "ref"),
    ("--to", "127.0.0.1:9", "--count", "1", "--kind", "ref", "--push", "0190"),
    ("--to", "127.0.0.1:9", "--count", "1", "--kind", "ref", "--push", "0123456789abcdef-0123-456789abcdef01"),
    ("--to", "127.0.0.1:9", "--count", "1", "--kind", "tag", "--push", "01234567-89ab-7def-8123-456789abcdef"),
    ("--to", "127.0.0.1:9", "--count", "1", "--size", "47"), ("--to", "127.0.0.1:9", "--count", "1", "--size", "1233"),
    ("--to", "127.0.0.1:9", "--count", "1", "--address", "10.0.0.2/24"), ("--to", "127.0.0.1:9", "--count", "1", "stray"),
)


def wrong_usage():
    for arguments in WRONG:
        done = subprocess.run([LOAD, "acks", *arguments], capture_output=True, text=True, check=False)
        check(f"wrong usage: {arguments}", done.returncode == 2 and done.stderr, (done.returncode, done.stderr))


def main():
    wrong_usage()
    with tempfile.TemporaryDirectory() as folder:
        w = World(folder)
        try:
            w.provision()
            kinds(w)
            push_under_flood(w)
            check("ends in order", w.daemon.stop() == 0, w.daemon.log.read_text())
        finally:
            w.daemon.kill()
    sys.exit(finish())


if __name__ == "__main__":
    main()
