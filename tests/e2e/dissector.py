#!/usr/bin/env python3
"""tools/wireshark/akma-push.lua in tshark: every datagram of the test vectors, and many that are cut, bent or
another protocol's, in a capture made here. What tshark shows is compared with what this script reads from
the octets by docs/specification.md 4. Skipped without tshark.

usage: dissector.py AKMA_PUSH_LUA PROTOCOL1_JSON OPERATIONS_MD"""

import datetime
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path
from struct import pack

from real_daemon import check, finish

LUA, VECTORS, OPERATIONS = sys.argv[1:4]
PORT, FORCED = 48470, 40000  # FORCED: where Decode As names akma_push
HEADER, TAG, LENGTH_MAX = 32, 16, 1232
LENGTH_MIN = HEADER + TAG
PUSH, ACK = 1, 2
STATUS = ("received", "acted upon", "refused by the application", "too old")
NAMES = ("version type suite flags flags.ack flags.ordered segment segment.index segment.count selector push_id "
         "push_id.time ref expiry status salt salt.part ciphertext tag").split()
TIMES = ("push_id.time", "expiry")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
EXPERTS = "length version type suite flags segment push_id status reply".split()
COLUMNS = ([f"akma_push.{name}" for name in NAMES] + [f"akma_push.{name}.invalid" for name in EXPERTS] +
           ["akma_push.cut", "akma_push", "_ws.col.Protocol", "_ws.col.Info"])


# ---- What a datagram is, by the specification

def flaws(d, length):
    """Rules that a datagram of that length on the wire breaks, as far as its octets are in d."""
    kind = d[0] & 15 if d else None
    rules = {
        "length": (0, lambda: LENGTH_MIN <= length <= LENGTH_MAX),
        "version": (1, lambda: d[0] >> 4 == 1),
        "type": (1, lambda: kind in (PUSH, ACK)),
        "suite": (2, lambda: d[1] in (1, 2)),
        "flags": (3, lambda: d[2] == 0 if kind == ACK else d[2] < 4),
        "segment": (4, lambda: d[3] == 0 if kind == ACK else d[3] >> 4 <= d[3] & 15),
        "push_id": (17, lambda: d[14] & 0xf0 == 0x70 and d[16] & 0xc0 == 0x80),
        "status": (29, lambda: kind != ACK or d[28] < 4),
        "reply": (29, lambda: kind != ACK or length <= LENGTH_MIN or d[28] not in (0, 3)),
    }
    return {name for name, (needs, good) in rules.items() if len(d) >= needs and not good()}


def parts(d, length):
    """{name: value as text} of what is shown of a datagram."""
    kind = d[0] & 15 if d else None
    found, end = {}, len(d)

    def put(name, at, n, value=lambda octets: str(int.from_bytes(octets, "big"))):
        if at + n <= end:
            found[name] = value(d[at:at + n])

    put("version", 0, 1, lambda o: str(o[0] >> 4))
    put("type", 0, 1, lambda o: str(kind))
    put("suite", 1, 1)
    put("flags", 2, 1, lambda o: f"0x{o[0]:02x}")
    put("segment", 3, 1, lambda o: f"0x{o[0]:02x}")
    put("push_id", 8, 16, lambda o: str(uuid.UUID(bytes=o)))
    put("push_id.time", 8, 16, lambda o: int.from_bytes(o[:6], "big") * 1000000)
    put("ref", 24, 4, lambda o: "0x" + o.hex())
    if kind == PUSH:
        put("flags.ack", 2, 1, lambda o: str(o[0] & 1))
        put("flags.ordered", 2, 1, lambda o: str(o[0] >> 1 & 1))
        put("segment.index", 3, 1, lambda o: str(o[0] >> 4))
        put("segment.count", 3, 1, lambda o: str((o[0] & 15) + 1))
        put("selector", 4, 4, bytes.hex)
        put("expiry", 28, 4, lambda o: int.from_bytes(o, "big") * 10 ** 9)
    if kind == ACK:
        put("status", 28, 1)
        put("salt.part", 4, 4, bytes.hex)
        put("salt.part", 4, 28, lambda o: f"{o[:4].hex()}|{o[25:].hex()}")
        put("salt", 4, 28, lambda o: (o[:4] + o[25:]).hex())
    sealed = d[HEADER:max(HEADER, length - TAG)]
    if sealed:
        found["ciphertext"] = sealed.hex()
    if length >= LENGTH_MIN:
        put("tag", length - TAG, TAG, bytes.hex)
    return found


def info(d, length):
    kind = {PUSH: "PUSH", ACK: "ACK"}.get(d[0] & 15 if d else None)
    text = kind or "AKMA push"
    if kind and len(d) >= HEADER:
        what = f"segment {(d[3] >> 4) + 1}/{(d[3] & 15) + 1}" if kind == "PUSH" else \
            f"status {d[28]} ({STATUS[d[28]] if d[28] < 4 else 'unknown'})"
        text = f"{kind} {what} ref 0x{d[24:28].hex()} suite {d[1]}"
    return text + (" [malformed]" if flaws(d, length) else "")


# ---- Captures

def checksum(octets):
    total = sum(int.from_bytes(octets[n:n + 2].ljust(2, b"\0"), "big") for n in range(0, len(octets), 2))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def packet(payload, source, port, v6):
    """An Ethernet frame."""
    length = 8 + len(payload)
    addresses = bytes(range(32)) if v6 else bytes([192, 0, 2, 1, 192, 0, 2, 2])
    udp = pack("!4H", source, port, length, 0) + payload
    udp = udp[:6] + pack("!H", checksum(addresses + pack("!2H", 17, length) + udp) or 0xffff) + payload
    if v6:
        return bytes(12) + b"\x86\xdd" + pack("!IHBB", 6 << 28, length, 17, 64) + addresses + udp
    ip = pack("!BBHHHBBH", 0x45, 0, 20 + length, 1, 0, 64, 17, 0) + addresses
    return bytes(12) + b"\x08\0" + ip[:10] + pack("!H", checksum(ip)) + ip[12:] + udp


class Capture:
    """Frames to be, each with what it is, the octets of the datagram that were captured, its length."""

    def __init__(self):
        self.cases, self.frames, self.source = [], [], 48471

    def add(self, what, datagram, port=PORT, captured=None):
        frame = packet(datagram, self.source, port, v6=len(self.cases) // 2 % 2)
        cut = 0 if captured is None else len(datagram) - captured
        self.cases.append((f"{what}, port {port}", datagram[:captured], len(datagram), port == FORCED))
        self.frames.append(pack("<4I", 0, 0, len(frame) - cut, len(frame)) + frame[:len(frame) - cut])

    def everywhere(self, what, datagram, captured=None):
        self.add(what, datagram, PORT, captured)
        self.add(what, datagram, FORCED, captured)

    def write(self, path):
        path.write_bytes(pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + b"".join(self.frames))


# ---- tshark

class Tshark:
    """tshark with the script, and with none of the user's configuration and plugins."""

    def __init__(self, folder):
        self.pcap = folder / "datagrams.pcap"
        self.env = {**os.environ, "HOME": str(folder), "WIRESHARK_CONFIG_DIR": str(folder), "TZ": "XST-9",
                    "XDG_CONFIG_HOME": str(folder), "LC_ALL": "C.UTF-8"}

    def run(self, *arguments):
        return subprocess.run(["tshark", "-n", "-X", f"lua_script:{LUA}", "-r", str(self.pcap),
                               "-d", f"udp.port=={FORCED},akma_push", *arguments],
                              capture_output=True, text=True, timeout=100, env=self.env)

    def frames(self, display_filter):
        """How many it selects."""
        a = self.run("-Y", display_filter, "-T", "fields", "-e", "frame.number")
        check(f"{display_filter}: understood", a.returncode == 0 and is_quiet(a.stderr), a.stderr)
        return a.stdout.count("\n")

    def rows(self):
        """{column: text} for each frame; a field that is not there is not in it."""
        a = self.run("-T", "fields", "-E", "separator=/t", "-E", "aggregator=|",
                     *(word for column in COLUMNS for word in ("-e", column)))
        check("tshark ends well", a.returncode == 0 and is_quiet(a.stderr), a.stderr)
        lines = a.stdout.split("\n")[:-1]
        return [{c: text for c, text in zip(COLUMNS, line.split("\t")) if text} for line in lines]


def is_quiet(stderr):
    lines = [line for line in stderr.splitlines() if line and not line.startswith("Running as user")]
    return not lines


def nanoseconds(text):
    """Of "Jan  2, 2026 03:04:05.678000000 UTC", and of "2026-01-02T03:04:05.678000000Z" (since 4.2)."""
    match = re.fullmatch(r"(?:(\w{3}) +(\d+), (\d+) |(\d+)-(\d\d)-(\d\d)[T ])"
                         r"(\d\d):(\d\d):(\d\d)\.(\d{9})(?:Z| UTC)", text)
    if not match:
        return text
    month, day, year = match.group(1, 2, 3) if match[1] else match.group(5, 6, 4)
    month = MONTHS.index(month) + 1 if match[1] else month
    # 48 bits of milliseconds go on to the year 10889, dates of Python do not: 400 years are 146097 days.
    days = (datetime.date(int(year) - 1200, int(month), int(day)) - datetime.date(1970, 1, 1)).days + 3 * 146097
    hours, minutes, seconds = (int(n) for n in match.group(7, 8, 9))
    return (days * 86400 + hours * 3600 + minutes * 60 + seconds) * 10 ** 9 + int(match[10])


def seen_parts(row):
    found = {}
    for name in NAMES:
        text = row.get(f"akma_push.{name}")
        if text is None:
            continue
        if name.startswith("flags."):
            text = {"True": "1", "False": "0"}.get(text, text) # words since 4.2
        found[name] = nanoseconds(text) if name in TIMES else text.replace(":", "")
    return found


def differences(expected, seen):
    return {name: (expected.get(name), seen.get(name)) for name in expected.keys() | seen.keys()
            if expected.get(name) != seen.get(name)}


def check_row(what, row, datagram, length, forced):
    broken = flaws(datagram, length)
    if not datagram or not forced and (broken or len(datagram) < HEADER):
        ours = [column for column in row if column.startswith("akma_push")]
        check(f"{what}: left alone", not ours and row.get("_ws.col.Protocol") != "AKMA-PUSH", row)
        return
    seen = differences(parts(datagram, length), seen_parts(row))
    check(f"{what}: parts", not seen, seen)
    seen = {name for name in EXPERTS if f"akma_push.{name}.invalid" in row}
    check(f"{what}: what is wrong", seen == broken, (seen, broken))
    check(f"{what}: cut", ("akma_push.cut" in row) == (len(datagram) < length), row)
    check(f"{what}: columns", row.get("_ws.col.Protocol") == "AKMA-PUSH"
          and row.get("_ws.col.Info") == info(datagram, length), (row.get("_ws.col.Info"), info(datagram, length)))


# ---- What is in the capture

def changed(d, at, octets):
    return d[:at] + octets + d[at + len(octets):]


# Annex A.1 of the specification, whose push_id and ref docs/operations.md looks for.
EXAMPLES = {
    "example, PUSH": "1101010022f02bd7019b7ca98f2e7001a1b2c3d4e5f607185c3e9a07695743b5"
                     "76fb909be7263c1dc1e3ecad9e95aab3f10a0218055fcc1ed305767a",
    "example, ACK": "120100009cee65ee019b7ca98f2e7001a1b2c3d4e5f607185c3e9a070196af35"
                    "a15fb897fde561128d60fea80a89ad0278a53920d56b",
}


def add_vectors(capture, vectors):
    for what, text in EXAMPLES.items():
        capture.everywhere(what, bytes.fromhex(text))
    for n, message in enumerate(vectors["messages"]):
        for kind in ("push", "ack"):
            capture.everywhere(f"{kind} of message {n}", bytes.fromhex(message[kind]))
    for reject in vectors["rejects"]:
        if reject["datagram"]:
            capture.everywhere(f"reject: {reject['why']}", bytes.fromhex(reject["datagram"]))


def add_bent(capture, d, rng):
    """A good datagram with every value in the octets that rules look at, cut at every length."""
    for at in (0, 1, 2, 3, 14, 16, 28):
        for value in range(256):
            capture.everywhere(f"octet {at} is {value}", changed(d, at, bytes([value])))
    for n in range(len(d)):
        capture.everywhere(f"first {n} octets", d[:n])
        capture.everywhere(f"{n} octets captured", d, captured=n)
    for n in (LENGTH_MAX - 1, LENGTH_MAX, LENGTH_MAX + 1, 1400):
        capture.everywhere(f"{n} octets", d[:-TAG] + rng.randbytes(n - len(d) + TAG))
    for expiry in (0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1):
        capture.everywhere(f"octets 28 to 31 are {expiry}", changed(d, 28, pack("!I", expiry)))
    for ms in (0, 999, 1000, 2 ** 32, 2 ** 41 + 1, 2 ** 48 - 1):
        capture.everywhere(f"made at {ms} ms", changed(d, 8, ms.to_bytes(6, "big")))


def add_others(capture, rng):
    """Other protocols, and noise. Each from a port of its own: what tshark took for QUIC once, it takes for QUIC
    whenever it comes between the same ports."""
    others = {
        "DNS": "12340100000100000000000020" + "78" * 32 + "076578616d706c6503636f6d0000010001",
        "DTLS": "16fefd00000000000000000030010000240000000000000024fefd" + "5a" * 34,
        "STUN": "000100582112a442" + "77" * 100,
        "RTP": "8060000100000001deadbeef" + "00" * 160,
        "QUIC": "c300000001088394c8f03e5157080000449e" + "11" * 100,
        "text": b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\n\r\n".hex(),
        "zeros": "00" * 64,
        "ones": "ff" * 64,
        "version and type alone": "11" + "00" * 63,
    }
    for name, text in others.items():
        capture.source += 1
        capture.everywhere(name, bytes.fromhex(text))
    for n in range(1500):
        capture.source += 1
        capture.everywhere(f"noise {n}", rng.choice((b"", b"\x11", b"\x12", b"\x11\1\0\0", b"\x12\1\0\0")) +
                           rng.randbytes(rng.randrange(1, 1400)))


def check_texts(tshark):
    """What people read."""
    a = tshark.run("-V", "-Y", "akma_push")
    check("no error of Lua", a.returncode == 0 and "Lua Error" not in a.stdout + a.stderr
          and is_quiet(a.stderr), a.stderr)
    for text in ("Type: PUSH (1)", "Type: ACK (2)", "Suite: AES-128-GCM (1)", "Suite: AES-256-GCM (2)",
                 *(f"Status: {status} ({n})" for n, status in enumerate(STATUS)),
                 "Expert Info (Error/Malformed): There is no such suite",
                 "Expert Info (Note/Undecoded): Cut by the capture"):
        check(f"shown: {text}", text in a.stdout)


def check_filters(tshark):
    """The examples of docs/operations.md: each finds something, but not all of the capture."""
    page = Path(OPERATIONS).read_text(encoding="utf-8")
    found = re.findall(r"^\| `([^`]*akma_push[^`]*)` \|", page, flags=re.M)
    check("filters in docs/operations.md", len(found) >= 5, found)
    everything = tshark.frames("udp")
    for text in found:
        n = tshark.frames(text)
        check(f"filter {text}", 0 < n < everything, n)


def why_not():
    """Why the script cannot be run here, or None."""
    if not shutil.which("tshark"):
        return "no tshark (package tshark)"
    version = subprocess.run(["tshark", "--version"], capture_output=True, text=True, timeout=60).stdout
    return None if re.search(r"with Lua", version.replace("\n", " ")) else "this tshark was built without Lua"


def main():
    missing = why_not()
    if missing:
        print(f"skipped: {missing}")
        return 77
    vectors = json.loads(Path(VECTORS).read_text(encoding="utf-8"))
    rng = random.Random(48470)
    with tempfile.TemporaryDirectory(prefix="akmapush-dissector-") as name:
        tshark, capture = Tshark(Path(name)), Capture()
        add_vectors(capture, vectors)
        for kind in ("push", "ack"):
            add_bent(capture, bytes.fromhex(vectors["messages"][1][kind]), rng)
        add_others(capture, rng)
        capture.write(tshark.pcap)
        rows = tshark.rows()
        check("a row for each frame", len(rows) == len(capture.cases), (len(rows), len(capture.cases)))
        for case, row in zip(capture.cases, rows):
            check_row(case[0], row, *case[1:])
        check_texts(tshark)
        check_filters(tshark)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
