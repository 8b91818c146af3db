#!/usr/bin/env python3
"""Traces of single UEs end to end: a real akmapushd, devices of the fleet and some that the test plays
itself, akmapushctl, and tshark as the judge of captures.

usage: trace.py AKMAPUSHD AKMAPUSHCTL AKMAPUSH_LOAD AKMAPUSH_UE AKMA_PUSH_LUA"""

import base64
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import services
from services import API, Daemon, check, free_port

CTL, LOAD, FLEET, LUA = (os.path.abspath(a) for a in sys.argv[2:6])
AF = "utility.example"
PUSHES = f"{API}{AF}/pushes"
UES, TRACES_MAX = 10, 8
PAYLOAD = b"open the valve"
WAIT_S = 30
TSHARK = shutil.which("tshark")
COLUMNS = ("frame.time_epoch", "frame.packet_flags_direction", "frame.comment", "ip.src", "ip.dst", "ipv6.src",
           "ipv6.dst", "udp.srcport", "udp.dstport", "udp.payload", "ip.checksum.status", "udp.checksum.status",
           "akma_push.type", "akma_push.push_id", "akma_push.ref", "akma_push.status", "_ws.col.Protocol")
INBOUND, OUTBOUND = "0x00000001", "0x00000002"


class Ctl:
    """A trace under way."""

    def __init__(self, daemon, ue, *options, stdout=subprocess.PIPE):
        self.process = subprocess.Popen([CTL, "trace", "ue", ue, "--socket", str(daemon.admin), *options],
                                        stdout=stdout, stderr=subprocess.PIPE, text=True)
        self.told = ""

    def begun(self):
        """Waits until it says that it has begun."""
        if select.select([self.process.stderr], [], [], WAIT_S)[0]:
            self.told = self.process.stderr.readline()
        check("it has begun", "tracing" in self.told and "Ctrl-C" in self.told, self.told)
        return self

    def end(self, how=None):
        if how:
            self.process.send_signal(how)
        try:
            out, err = self.process.communicate(timeout=WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            check("it ends", False, err)
        self.out, self.err, self.code = out, err, self.process.returncode
        return self

    def __repr__(self):
        return f"exit {self.code}\n{self.out or ''}{self.err}"


class Tshark:
    """tshark with the script, and with none of the user's configuration and plugins."""

    def __init__(self, folder):
        self.env = {**os.environ, "HOME": str(folder), "WIRESHARK_CONFIG_DIR": str(folder),
                    "XDG_CONFIG_HOME": str(folder), "LC_ALL": "C.UTF-8"}
        self.command = [TSHARK, "-n", "-l", "-X", f"lua_script:{LUA}", "-o", "ip.check_checksum:TRUE",
                        "-o", "udp.check_checksum:TRUE", "-T", "fields", "-E", "separator=/t",
                        *(word for column in COLUMNS for word in ("-e", column))]

    @staticmethod
    def row(line):
        return {c: text for c, text in zip(COLUMNS, line.rstrip("\n").split("\t")) if text}

    def rows(self, path):
        a = subprocess.run([*self.command, "-r", str(path)], capture_output=True, text=True, timeout=100,
                           env=self.env)
        check(f"tshark reads {path.name}", a.returncode == 0 and "cut short" not in a.stderr, a.stderr)
        return [self.row(line) for line in a.stdout.splitlines()]

    def follow(self, pipe):
        """Reads from a pipe, line by line while it comes."""
        return subprocess.Popen([*self.command, "-r", "-"], stdin=pipe, stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True, env=self.env)


class Device:
    """A UE without a key of its own: it can look and forge, not more."""

    def __init__(self, daemon, number, address):
        self.supi, self.address = f"imsi-00102{number:010d}", address
        self.socket = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.settimeout(WAIT_S)
        self.port = self.socket.getsockname()[1]
        a = daemon.lines(API + "ues", [{"supi": self.supi, "address": address, "port": self.port}])
        check("a device is provisioned", a.status == 200, a)
        daemon.register(akid=f"a{number}@r", supi=self.supi)

    def receive(self):
        return self.socket.recvfrom(2000)

    @staticmethod
    def forged(push):
        """An acknowledgement of the PUSH, with a tag that is none."""
        return (bytes([0x12, push[1], 0, 0]) + b"salt" + push[8:28] + b"\1alt" + b"x" * 16)


def load(daemon, command, *arguments):
    subprocess.run([LOAD, command, "--server", f"127.0.0.1:{daemon.port}", *arguments], check=True,
                   timeout=WAIT_S, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def onboard(daemon, port):
    load(daemon, "provision", "--count", str(UES), "--group", "meters", "--port", str(port))
    load(daemon, "register", "--count", str(UES))
    daemon.ask("PUT", f"{API}afs/{AF}", {"allowedUes": {"all": True}, "trusted": True})


class Fleet:
    def __init__(self, port):
        self.process = subprocess.Popen([FLEET, "--count", str(UES), "--port", str(port), "--af", AF, "-q",
                                         "--seconds", "200"], stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        self.process.stdout.readline()  # "ready"

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)


def push(daemon, target=None):
    a = daemon.ask("POST", PUSHES, {"target": target or {"externalGroupId": "meters"}, "validityPeriod": 60,
                                    "payload": base64.b64encode(PAYLOAD).decode()})
    check("push accepted", a.status == 201, a)
    return a.json["pushId"]


def delivered(daemon, push_id):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        seen = daemon.get(f"{PUSHES}/{push_id}").json
        if seen.get("state") == "FINISHED":
            return seen
        time.sleep(0.02)
    check("delivered in time", False, seen)
    return seen


def identities(daemon):
    """[(SUPI, address)] of the fleet, from what a push to all of it says."""
    push_id = push(daemon)
    delivered(daemon, push_id)
    lines = daemon.get(f"{PUSHES}/{push_id}/results").body.splitlines()
    ues = [daemon.ctl("GET", f"{API}ues/{json.loads(line)['supi']}").json for line in lines]
    return [(ue["supi"], ue["gpsi"], ue["address"]) for ue in ues]


# ---- What is refused

def test_refused(daemon, folder):
    for ue, cause in (("imsi-001019999999999", "(UE_NOT_FOUND, 404)"), ("x", "(MANDATORY_IE_INCORRECT, 400)")):
        a = Ctl(daemon, ue, "--write", f"{folder}/none").end()
        check(f"{ue} refused", a.code == 1 and not a.out and cause in a.err, a)
        check("and no file made", not Path(folder, "none").exists())
    a = Ctl(daemon, "imsi-001019999999999", "--json").end()
    check("refused, --json", a.code == 1 and json.loads(a.out)["cause"] == "UE_NOT_FOUND" and not a.err, a)
    for text, *options in (("--seconds", "--seconds", "0"), ("--seconds", "--seconds", "86401"),
                           ("--count", "--count", "0"), ("--count", "--count", "x"),
                           ("same output", "--json", "--write", "-"), ("a file is missing", "--write", "")):
        a = Ctl(daemon, "imsi-001019999999999", *options).end()
        check(f"{options} is wrong", a.code == 2 and text in a.err and not a.out, a)
    a = Ctl(daemon, "imsi-001019999999999", "--socket", f"{folder}/nobody").end()
    check("no daemon", a.code == 3, a)


def test_refused_query(daemon, ues):
    path = f"/admin/v1/ues/{ues[0][0]}/trace"
    for query in ("seconds=0", "seconds=86401", "seconds=", "seconds=1x", "seconds=-1", "seconds=+1",
                  "seconds=99999999999999999999", "count=0", "count=1000000001", "count=", "x=1", "seconds=1&y="):
        a = daemon.ctl("GET", f"{path}?{query}")
        check(f"{query} refused", a.status == 400 and a.json.get("cause") == "INVALID_QUERY_PARAM", a)
    check("POST refused", daemon.ctl("POST", path, {}).status == 405)
    check("not on the services' door", daemon.get(path).status == 403)
    for ue in ("imsi-1", "%00", "x" * 300, "imsi-001010000000001%20", "nai-%C3%BC@x"):
        a = daemon.ctl("GET", f"/admin/v1/ues/{ue}/trace")
        check(f"{ue[:20]} refused", a.status in (400, 404), a)


def test_files(daemon, ues, folder):
    a = Ctl(daemon, ues[0][0], "--write", f"{folder}/none/x").end()
    check("a file that cannot be opened", a.code == 2 and "No such file" in a.err, a)
    a = Ctl(daemon, ues[0][0], "--write", "/dev/full").end()
    check("a full disk", a.code == 2 and "No space" in a.err, a)


# ---- Captures

def check_row(what, row, *, sent, peer, push_id, kind):
    own, other = ("src", "dst") if sent else ("dst", "src")
    check(f"{what}: direction", row.get("frame.packet_flags_direction") == (OUTBOUND if sent else INBOUND), row)
    check(f"{what}: addresses", row.get(f"ip.{own}") == "127.0.0.1" and row.get(f"ip.{other}") == peer[0], row)
    check(f"{what}: ports", row.get(f"udp.{own}port") == str(peer[2]) and
          row.get(f"udp.{other}port") == str(peer[1]), row)
    check(f"{what}: checksums", row.get("ip.checksum.status") == row.get("udp.checksum.status") == "1", row)
    check(f"{what}: dissected", row.get("_ws.col.Protocol") == "AKMA-PUSH" and
          row.get("akma_push.type") == str(kind) and row.get("akma_push.push_id") == push_id, row)
    check(f"{what}: time", abs(float(row.get("frame.time_epoch", 0)) - time.time()) < WAIT_S and
          len(row["frame.time_epoch"].split(".")[1]) == 9, row)
    check(f"{what}: sealed", PAYLOAD.hex() not in row.get("udp.payload", PAYLOAD.hex()), row)


def own_port(daemon):
    return daemon.ctl("GET", "/admin/v1/status").json["dataplane"]["ports"][0]


def test_capture(daemon, ues, port, folder, tshark):
    """Its PUSH and its ACK, and of nine others none."""
    supi, gpsi, address = ues[3]
    path = Path(folder, "one.pcapng")
    trace = Ctl(daemon, gpsi, "--write", str(path), "--count", "2").begun()
    push_id = push(daemon)
    delivered(daemon, push_id)
    trace.end()
    check("ends by its count", trace.code == 0 and not trace.out and
          trace.err.endswith(f"2 datagrams of {gpsi} in {path}\n"), trace)
    octets = path.read_bytes()
    check("a capture", octets[:4] == b"\x0a\x0d\x0d\x0a" and PAYLOAD not in octets and supi.encode() not in octets)
    if not tshark:
        return
    rows = tshark.rows(path)
    check("two datagrams", len(rows) == 2, rows)
    peer = (address, port, own_port(daemon))
    for row, what, sent, kind in zip(rows, ("PUSH", "ACK"), (True, False), (1, 2)):
        check_row(what, row, sent=sent, peer=peer, push_id=push_id, kind=kind)
    check("one ref", rows[0]["akma_push.ref"] == rows[1]["akma_push.ref"], rows)
    check("in order", float(rows[0]["frame.time_epoch"]) < float(rows[1]["frame.time_epoch"]), rows)
    check("no comments", not any("frame.comment" in row for row in rows), rows)


def test_live(daemon, ues, tshark):
    """A reader behind a pipe sees each datagram while the trace goes on."""
    trace = Ctl(daemon, ues[1][0], "--write", "-").begun()
    reader = tshark.follow(trace.process.stdout)
    too_late = threading.Timer(WAIT_S, reader.kill)
    too_late.start()
    for _ in range(2):
        push_id = push(daemon)
        seen = [tshark.row(reader.stdout.readline()) for _ in range(2)]
        check("live", [row.get("akma_push.push_id") for row in seen] == [push_id] * 2, seen)
    too_late.cancel()
    check("still going on", trace.process.poll() is None)
    trace.process.stdout.close()
    trace.process.send_signal(signal.SIGINT)
    err = trace.process.stderr.read()
    check("Ctrl-C ends it", trace.process.wait(WAIT_S) == 0 and f"4 datagrams of {ues[1][0]}\n" in err, err)
    check("and its reader", reader.wait(WAIT_S) == 0)


def test_reader_leaves(daemon, ues):
    trace = Ctl(daemon, ues[1][0], "--write", "-").begun()
    trace.process.stdout.close()
    delivered(daemon, push(daemon))
    err = trace.process.stderr.read()
    check("a reader that leaves ends it", trace.process.wait(WAIT_S) == 0 and "written" not in err, err)


def test_forged(daemon, folder, tshark):
    """What comes from who has no key is shown, and told apart; the PUSH is what went over the wire."""
    device = Device(daemon, 1, "127.9.9.9")
    path = Path(folder, "forged.pcapng")
    trace = Ctl(daemon, device.supi, "--write", str(path), "--count", "2").begun()
    push(daemon, {"supi": device.supi})
    datagram, worker = device.receive()
    device.socket.sendto(device.forged(datagram), worker)
    trace.end()
    check("forged: two datagrams", trace.code == 0 and "2 datagrams" in trace.err, trace)
    lines = Ctl(daemon, device.supi, "--json", "--count", "1").end().out.splitlines()  # the next lap
    again = json.loads(lines[1])
    check("as it was on the wire", base64.b64decode(again["octets"]) == datagram and again["event"] == "SENT" and
          (again["source"], again["sourcePort"]) == worker and
          (again["destination"], again["destinationPort"]) == (device.address, device.port), again)
    if not tshark:
        return
    rows = tshark.rows(path)
    check("the PUSH", rows[0].get("udp.payload") == datagram.hex() and "frame.comment" not in rows[0], rows)
    check("the forged ACK", rows[1].get("udp.payload") == device.forged(datagram).hex(), rows)
    check("is told apart", "tag does not verify" in rows[1].get("frame.comment", ""), rows)
    check("its sums are right", rows[1].get("udp.checksum.status") == "1", rows)


def test_ipv6(daemon, folder, tshark):
    try:
        device = Device(daemon, 2, "::1")
    except OSError:
        print("skipped: IPv6: there is no ::1")
        return
    path = Path(folder, "ipv6.pcapng")
    trace = Ctl(daemon, device.supi, "--write", str(path), "--count", "2").begun()
    push(daemon, {"supi": device.supi})
    datagram, worker = device.receive()
    device.socket.sendto(device.forged(datagram), worker)
    check("IPv6: two datagrams", trace.end().code == 0 and "2 datagrams" in trace.err, trace)
    if not tshark:
        return
    rows = tshark.rows(path)
    for row in rows:
        check("IPv6: addresses", row.get("ipv6.src") == row.get("ipv6.dst") == "::1", row)
        check("IPv6: sum", row.get("udp.checksum.status") == "1", row)
        check("IPv6: dissected", row.get("_ws.col.Protocol") == "AKMA-PUSH", row)
    check("IPv6: ports", [row.get("udp.srcport") for row in rows] == [str(worker[1]), str(device.port)], rows)


# ---- As lines

def test_lines(daemon, ues):
    supi, gpsi, address = ues[5]
    trace = Ctl(daemon, supi, "--json", "--count", "2", "--seconds", "20")
    begin = json.loads(trace.process.stdout.readline())
    check("BEGIN", begin == {"event": "BEGIN", "supi": supi, "gpsi": gpsi, "seconds": 20, "count": 2}, begin)
    delivered(daemon, push(daemon))
    lines = [json.loads(line) for line in trace.end().out.splitlines()]
    check("lines", [line["event"] for line in lines] == ["SENT", "RECEIVED", "END"] and trace.code == 0 and
          not trace.err, trace)
    check("END", lines[2] == {"event": "END", "cause": "COUNT", "datagrams": 2, "lost": 0}, lines[2])
    check("not dropped", not any("dropped" in line for line in lines), lines)
    check("to its address", lines[0]["destination"] == lines[1]["source"] == address, lines)

    trace = Ctl(daemon, supi, "--count", "2").begun()
    push_id = push(daemon)
    delivered(daemon, push_id)
    rows = trace.end().out.splitlines()
    check("for people", len(rows) == 3 and "sent" in rows[1] and f"PUSH 1/1 {push_id}" in rows[1] and
          "received" in rows[2] and f"ACK 1 acted upon {push_id}" in rows[2] and address in rows[2], trace)


def test_time(daemon, ues, folder, tshark):
    path, start = Path(folder, "empty.pcapng"), time.monotonic()
    trace = Ctl(daemon, ues[0][0], "--seconds", "1", "--write", str(path)).begun().end()
    took = time.monotonic() - start
    check("ends by its time", trace.code == 0 and 0.9 < took < 30 and "0 datagrams" in trace.err, (took, trace))
    if tshark:
        check("an empty capture", tshark.rows(path) == [])


# ---- Several

def test_two(daemon, ues):
    """Each its own; a second of the same UE is refused; one whose client was killed can be had again."""
    first, second = (Ctl(daemon, ue[0], "--json") for ue in ues[:2])
    for trace in (first, second):
        trace.process.stdout.readline()
    for identity in ues[0][:2]:
        a = Ctl(daemon, identity).end()
        check("a second of one UE", a.code == 1 and "(UE_TRACED, 409)" in a.err, a)
    delivered(daemon, push(daemon))
    first.end(signal.SIGKILL)
    again = Ctl(daemon, ues[0][0], "--json", "--count", "2")
    check("again after its client was killed", "BEGIN" in again.process.stdout.readline())
    delivered(daemon, push(daemon))
    again.end()
    second.end(signal.SIGINT)
    for trace, ue, n in ((first, ues[0], 2), (again, ues[0], 2), (second, ues[1], 4)):
        lines = [json.loads(line) for line in trace.out.splitlines()]
        peers = {line.get("destination") if line["event"] == "SENT" else line["source"]
                 for line in lines if line["event"] != "END"}
        check("each its own", len([line for line in lines if line["event"] != "END"]) == n and
              peers == {ue[2]}, (ue, trace))


def test_many(daemon, ues):
    traces = [Ctl(daemon, ue[0], "--json") for ue in ues[:TRACES_MAX]]
    for trace in traces:
        trace.process.stdout.readline()
    a = Ctl(daemon, ues[TRACES_MAX][0]).end()
    check("one too many", a.code == 1 and "(NF_CONGESTION, 503)" in a.err, a)
    delivered(daemon, push(daemon))
    for trace in traces:
        check("each of many", trace.end(signal.SIGINT).out.count('"octets"') == 2, trace)
    for _ in range(3 * TRACES_MAX):  # places and the data plane's set are given back
        trace = Ctl(daemon, ues[TRACES_MAX][0]).begun().end(signal.SIGINT)
        check("one after the other", trace.code == 0, trace)


def test_stopped_client(daemon, ues):
    """A client that takes nothing holds up neither pushes nor other traces."""
    stopped = Ctl(daemon, ues[0][0], "--json", "--count", "8")
    stopped.process.stdout.readline()
    stopped.process.send_signal(signal.SIGSTOP)
    other = Ctl(daemon, ues[1][0], "--json", "--count", "8")
    other.process.stdout.readline()
    for _ in range(4):
        delivered(daemon, push(daemon))
    check("the other goes on", other.end().out.count('"octets"') == 8, other)
    stopped.process.send_signal(signal.SIGCONT)
    check("and it has all", stopped.end().out.count('"octets"') == 8, stopped)


def test_flood(daemon, ues):
    """More than a client takes is left out and counted, each once; others notice nothing."""
    device = Device(daemon, 3, "127.9.9.8")
    trace = Ctl(daemon, device.supi, "--json", "--seconds", "8")
    trace.process.stdout.readline()
    trace.process.send_signal(signal.SIGSTOP)
    push_id = push(daemon, {"supi": device.supi})
    datagram, worker = device.receive()
    before = metric(daemon, "rx_tag")
    for n in range(20000):
        device.socket.sendto(device.forged(datagram), worker)
        if n % 200 == 0:
            time.sleep(0.001)
    check("pushes go on", delivered(daemon, push(daemon))["states"] == {"DELIVERED": UES})
    trace.process.send_signal(signal.SIGCONT)
    lines = trace.end().out.splitlines()
    end = json.loads(lines[-1])
    forged = metric(daemon, "rx_tag") - before
    sent = daemon.get(f"{PUSHES}/{push_id}").json["datagramsSent"]
    check("told how many are missing", end["cause"] == "TIME" and end["lost"] > 0 and trace.code == 0, end)
    check("each is shown or lost", end["datagrams"] == len(lines) - 1 and
          end["datagrams"] + end["lost"] == forged + sent, (end, len(lines), forged, sent))
    check("the data plane counts its own", 0 <= metric(daemon, "trace_lost") <= end["lost"])
    daemon.ask("DELETE", f"{PUSHES}/{push_id}")


def test_restart(daemon, ues):
    """A trace ends with the daemon, at once; after a crash it says so."""
    trace = Ctl(daemon, ues[0][0], "--json", "--seconds", "1000")
    trace.process.stdout.readline()
    start = time.monotonic()
    check("the daemon ends orderly", daemon.stop() == 0)
    check("and does not wait for a trace", time.monotonic() - start < 30, time.monotonic() - start)
    check("a good end", trace.end().code == 0 and '"SHUTDOWN"' in trace.out, trace)
    daemon.start()
    trace = Ctl(daemon, ues[0][0]).begun()
    daemon.stop(signal.SIGKILL)
    check("the daemon was killed", trace.end().code == 3 and "broke" in trace.err, trace)
    daemon.start()
    trace = Ctl(daemon, ues[0][0], "--count", "2").begun()
    delivered(daemon, push(daemon))
    check("after a restart", trace.end().code == 0 and "2 datagrams" in trace.err, trace)


def metric(daemon, name):
    return sum(int(line.split()[1]) for line in daemon.get("/metrics").body.splitlines()
               if line.startswith(f"akmapush_{name}_total{{"))


def main():
    with tempfile.TemporaryDirectory(prefix="akmapush-trace-") as folder:
        port = free_port(socket.SOCK_DGRAM)
        tshark = Tshark(folder) if TSHARK else None
        daemon = Daemon(folder, ues=1000).start()
        fleet = Fleet(port)
        try:
            onboard(daemon, port)
            ues = identities(daemon)
            check("ten UEs", len(ues) == UES, ues)
            test_refused(daemon, folder)
            test_refused_query(daemon, ues)
            test_files(daemon, ues, folder)
            test_capture(daemon, ues, port, folder, tshark)
            if tshark:
                test_live(daemon, ues, tshark)
            test_reader_leaves(daemon, ues)
            test_forged(daemon, folder, tshark)
            test_ipv6(daemon, folder, tshark)
            test_lines(daemon, ues)
            test_time(daemon, ues, folder, tshark)
            test_two(daemon, ues)
            test_many(daemon, ues)
            test_stopped_client(daemon, ues)
            check("nothing was lost", metric(daemon, "trace_lost") == 0)
            test_flood(daemon, ues)
            test_restart(daemon, ues)
            check("ends orderly", daemon.stop() == 0)
        finally:
            fleet.end()
            if daemon.process.poll() is None:
                daemon.stop(signal.SIGKILL)
    print(f"{services.passed} passed, {services.failed} failed")
    if services.failed:
        return 1
    if not tshark:
        print("skipped: captures are not judged, no tshark (package tshark)")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
