#!/usr/bin/env python3
"""A port whose MTU is too small for the longest datagrams: af_packet on a veth in a network namespace, the
fleet of devices in another. Pushes that fit arrive, cut into segments of what there is room for; others are
refused with the limit; one that was accepted when the MTU was larger fails and is counted. Needs root;
skipped otherwise.

usage: dpdk_mtu.py AKMAPUSHD AKMAPUSH-LOAD AKMAPUSH-UE"""

import argparse
import base64
import contextlib
import sys
import tempfile
import time

from netns import namespaces, need_namespaces, run, there, veth
from port_daemon import AF, GROUP, Case, PortDaemon
from real_daemon import check, finish

MTU, ROOM, UES = 1000, 1000 - 20 - 8 - 48, 50
DEVICE, EAL = "net_af_packet0,iface=xa", ("--no-huge", "-m", "'256'")


@contextlib.contextmanager
def small_daemon(options, is_v6=False):
    with tempfile.TemporaryDirectory() as folder:
        daemon = PortDaemon(options.daemon, folder, UES, DEVICE, EAL)
        if not is_v6:
            daemon.text = daemon.text.replace(", fd00::1/64", "").replace(", fd00::2", "")
            daemon.config.write_text(daemon.text)
        try:
            yield daemon
        finally:
            daemon.kill()


def ask_push(daemon, octets, **more):
    body = {"target": {"externalGroupId": GROUP}, "validityPeriod": 60,
            "payload": base64.b64encode(bytes(octets)).decode(), **more}
    return daemon.client.ask("POST", f"/akma-push/v1/{AF}/pushes", body, [("content-type", "application/json")])


def delivered(daemon, answer):
    """How many targets have it, when it is over or after 20 seconds."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        push = daemon.client.ask("GET", f"/akma-push/v1/{AF}/pushes/{answer.json['pushId']}").json
        if push["state"] == "FINISHED":
            break
        time.sleep(0.1)
    return push["states"].get("DELIVERED", 0)


def failed(daemon):
    return daemon.metrics()['akmapush_tx_failed_total{worker="0"}']


def refused(daemon):
    for octets, size in ((ROOM + 1, ROOM + 1), (ROOM * 2, 1184)):
        answer = ask_push(daemon, octets, segmentSize=size)
        params = answer.json.get("invalidParams", [{}])[0]
        check(f"{octets} octets in segments of {size}: refused", answer.status == 400 and
              params.get("param") == "/segmentSize" and f"at most {ROOM}" in params.get("reason", ""), answer)
    answer = ask_push(daemon, 16 * ROOM + 1)
    check("too long for 16 segments", answer.status == 413 and f"segments of {ROOM}" in answer.text, answer)


def taken(daemon, case):
    fleet = case.fleet(there)
    for octets, more in ((ROOM, {"segmentSize": 1184}), (ROOM + 1, {}), (16 * ROOM, {})):
        answer = ask_push(daemon, octets, **more)
        check(f"{octets} octets, {more}: taken", answer.status == 201, answer)
        check(f"{octets} octets, {more}: all have it", delivered(daemon, answer) == UES,
              daemon.client.ask("GET", "/akma-push/v1/pushes"))
    fleet.terminate()
    fleet.communicate(timeout=60)


def small(options):
    case = Case(options, "a small MTU", DEVICE)
    with veth(MTU), small_daemon(options) as daemon:
        daemon.start()
        said = daemon.log.read_text()
        check("the port is named", f"port {DEVICE} has an MTU of {MTU}" in said, said)
        check("what it means is told", f"room for {ROOM} octets of payload" in said, said)
        case.provision(daemon)
        refused(daemon)
        taken(daemon, case)
        check("ends in order", daemon.stop() == 0, daemon.log.read_text())


def accepted_before(options):
    """Nobody listens, so the push is still there when the daemon comes back to a smaller MTU."""
    case = Case(options, "accepted before", DEVICE)
    with veth(1260), small_daemon(options) as daemon:
        daemon.start()
        said = daemon.log.read_text()
        check("1260 is enough for IPv4", "has an MTU of" not in said and "room for" not in said, said)
        case.provision(daemon)
        check("the longest segment is taken", ask_push(daemon, 1184, segmentSize=1184).status == 201)
        time.sleep(3)  # the next hop is known by now, and the second lap leaves
        before = failed(daemon)
        check("most have left", before < 2 * UES, before)
        check("ends in order", daemon.stop() == 0, daemon.log.read_text())
        run("ip", "link", "set", "xa", "mtu", str(MTU))
        daemon.start()
        time.sleep(3)
        metrics = daemon.metrics()
        given, failures = (metrics[f'akmapush_{name}_total{{worker="0"}}'] for name in ("sent", "tx_failed"))
        check("all that the back end was given failed", given == failures >= UES, (given, failures))
        check("ends in order again", daemon.stop() == 0, daemon.log.read_text())


def starts(options):
    with veth(1279), small_daemon(options, is_v6=True) as daemon:
        daemon.start()
        check("with IPv6 one octet is missing", "room for 1183 octets" in daemon.log.read_text(),
              daemon.log.read_text())
        check("ends in order", daemon.stop() == 0, daemon.log.read_text())
    with veth(76), small_daemon(options) as daemon:
        code, said = daemon.refuse_to_start()
        check("no room at all: exit code", code == 1, code)
        check("no room at all: told", "datagrams of 48 octets at most" in said, said)


def main():
    parser = argparse.ArgumentParser()
    for name in ("daemon", "load", "ue"):
        parser.add_argument(name)
    parser.set_defaults(ues=UES)
    options = parser.parse_args()
    need_namespaces()
    with namespaces():
        small(options)
        accepted_before(options)
        starts(options)
    sys.exit(finish())


if __name__ == "__main__":
    main()
