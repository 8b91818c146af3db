#!/usr/bin/env python3
"""What a real akmapushd finds at its start and under it: a key file, a store folder and a
configuration that are wrong, each refused with exit code 1 and a message that says what and where,
nothing changed by the refusal; signals before it is ready; and a file system that fills up (a small tmpfs; needs root, else
skipped): 507, reads go on, works again when there is room.

usage: bad_start.py AKMAPUSHD"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
import openapi_answers
from real_daemon import Daemon, check, finish

API, NAANF = "/akma-push/v1/", "/naanf-akma/v1/"
AF = "meter.example.com"
JSON = [("content-type", "application/json")]
NDJSON = [("content-type", "application/x-ndjson")]


def supi(i):
    return f"imsi-00101{i:010d}"


def register(d, i, key=None):
    return d.client.ask("POST", NAANF + "register-anchorkey",
                        {"supi": supi(i), "aKId": f"a{i}@x", "kAkma": key or f"{i:064x}"}, JSON)


def retrieve(d, i):
    return d.client.ask("POST", NAANF + "retrieve-applicationkey",
                        {"afId": AF + "0100010001", "aKId": f"a{i}@x"}, JSON)


def push(d, i):
    return d.client.ask("POST", f"{API}{AF}/pushes", {
        "target": {"supi": supi(i)}, "payload": "aGk=", "validityPeriod": 3600}, JSON)


def fill(d, n=50):
    a = d.client.ask("PUT", API + "afs/" + AF, {"allowedUes": {"all": True}, "trusted": True}, JSON)
    check("AF", a.status == 201, a)
    a = d.client.ask("PUT", API + "groups/g", {}, JSON)
    check("group", a.status == 201, a)
    for i in range(n):
        a = register(d, i)
        check("register", a.status == 200, a)
    check("push", push(d, 0).status == 201)


def state(d, n=50):
    return [d.client.ask("GET", API + path).json for path in ("afs", "groups", AF + "/pushes")] + \
        [(retrieve(d, i).json or {}).get("kaf") for i in range(n)]


def refused(what, d, *said):
    """It ends with 1, and says all of that in one line."""
    code, text = d.refuse_to_start()
    lines = [line for line in text.splitlines() if all(s in line for s in said)]
    check(what, code == 1 and lines, f"exit {code}, wanted {said}: {text}")


# ---- The key file and the store

def key_file(program, folder):
    d = Daemon(program, folder).start()
    fill(d)
    before = state(d)
    check("end", d.stop() == 0)
    key = d.kek.read_bytes()
    check("the key file", len(key) == 32 and d.kek.stat().st_mode & 0o777 == 0o600)
    kek = str(d.kek)
    for what, text, said in (("another key", bytes(32), "not the key"),
                             ("one bit", bytes([key[0] ^ 1]) + key[1:], "not the key"),
                             ("31 octets", key[:31], "32 octets"), ("none", b"", "32 octets"),
                             ("33 octets", key + b"x", "32 octets"),
                             ("hex", key.hex().encode(), "32 octets")):
        d.kek.write_bytes(text)
        refused(f"key file with {what}", d, kek, said)
    d.kek.write_bytes(key)
    for mode in (0o640, 0o604, 0o644, 0o660, 0o601, 0o777):
        d.kek.chmod(mode)
        refused(f"key file of mode {mode:o}", d, kek, "others", "chmod 600")
        check("the mode is left alone", d.kek.stat().st_mode & 0o777 == mode)
    d.kek.chmod(0o600)
    away = d.folder / "away"
    d.kek.rename(away)
    refused("no key file, but a store", d, kek)
    check("no new key is made", not d.kek.exists())
    d.kek.symlink_to(away)
    refused("a link for a key file", d, kek, "symbolic link")
    d.kek.unlink()
    d.kek.mkdir()
    refused("a folder for a key file", d, kek)
    d.kek.rmdir()
    os.mkfifo(d.kek, 0o600)
    refused("a pipe for a key file", d, kek)
    d.kek.unlink()
    away.rename(d.kek)
    d.start()
    check("all is as before", state(d) == before)
    refused_while_running(program, d)
    check("end", d.stop() == 0)


def refused_while_running(program, d):
    other = Daemon(program, tempfile.mkdtemp(dir=d.folder))
    other.config.write_text(other.text.replace(str(other.store), str(d.store)).replace(
        str(other.kek), str(d.kek)))
    refused("a store in use", other, str(d.store), "in use")
    other.config.write_text(other.text.replace(f"port: {other.port}", f"port: {d.port}", 1))
    code, text = other.refuse_to_start()
    check("a port in use", code == 1 and str(d.port) in text and "in use" in text, text)


def folders(program, folder):
    d = Daemon(program, folder)
    for what, option, path, said in (
            ("no parent of the store", "store", "/nowhere/at/all", ("missing", "/nowhere/at")),
            ("a file above the store", "store", f"{d.config}/store", (str(d.config),)),
            ("a file for the store", "store", str(d.config), (str(d.config), "not a folder")),
            ("no parent of the key", "kek", "/nowhere/kek", ("/nowhere/kek", "missing"))):
        check(f"{what}: nothing is made", not d.store.exists() and not d.kek.exists())
        d.config.write_text(d.text.replace(str(getattr(d, option)), path))
        refused(what, d, *said)
    d.config.write_text(d.text.replace("listen: {", "listen: {address: 192.0.2.1, "))
    refused("cleartext not on loopback", d, "listen.address", "192.0.2.1")
    d.config.write_text(d.text.replace(d.admin_path, "/nowhere/admin.sock"))
    refused("no folder of the admin socket", d, "/nowhere/admin.sock")


def damage(program, folder):
    """Each file of the store cut, flipped, emptied or gone: refused, or as it was."""
    d = Daemon(program, folder).start()
    fill(d)
    before = state(d)
    check("end", d.stop() == 0)
    d.start()  # so that there are tables as well as a log
    for i in range(50, 60):
        register(d, i)
    before = state(d, 60)
    d.stop(9)
    whole = d.folder / "whole"
    shutil.copytree(d.store, whole)
    n_refused = n_whole = 0
    for path in sorted(p.name for p in whole.iterdir() if p.is_file()):
        octets = (whole / path).read_bytes()
        for what, change in (("cut", lambda o: o[:len(o) // 2]), ("empty", lambda o: b""),
                             ("gone", None), ("flipped", flip),
                             ("noise", lambda o: b"\xa5" * len(o))):
            shutil.rmtree(d.store)
            shutil.copytree(whole, d.store)
            if change is None:
                (d.store / path).unlink()
            else:
                (d.store / path).write_bytes(change(octets))
            if start_or_refusal(d, f"{path} {what}", before):
                n_whole += 1
            else:
                n_refused += 1
    print(f"damage: {n_refused} refused, {n_whole} harmless", flush=True)
    shutil.rmtree(d.store)
    shutil.copytree(whole, d.store)
    d.start()
    check("the whole one starts", state(d, 60) == before)
    d.stop()


def flip(octets):
    half = len(octets) // 2
    return octets[:half] + bytes(b ^ 0xff for b in octets[half:half + 4]) + octets[half + 4:]


def start_or_refusal(d, what, before):
    """True when it starts with all that there was; a refusal says what to do."""
    d.process = subprocess.Popen([d.program, "-c", str(d.config)], stderr=subprocess.PIPE)
    end = time.monotonic() + 60
    while time.monotonic() < end and d.process.poll() is None:
        with contextlib.suppress(OSError):
            if d.client.ask("GET", "/health").status == 200:
                # A log cut in the middle of a record is what a crash leaves behind.
                if not what.endswith(".log cut"):
                    check(f"{what}: nothing is lost", state(d, 60) == before)
                d.process.stderr.close()
                d.stop()
                return True
        time.sleep(0.01)
    text = d.process.stderr.read().decode(errors="replace")
    d.kill()
    check(f"{what}: refused with a way on", d.process.returncode == 1 and str(d.store) in text
          and "restore" in text, text)
    return False


# ---- Configuration

WRONG = {
    "number": ("x", "-1", "1.5", "1e3", "0x10", "99999999999999999999999", "[1]", "{a: 1}", "''",
               "~", "1 2"),
    "truth": ("yes", "1", "True", "[true]", "{}", "''"),
    "other": ("[a]", "{a: b}"),
}


def kind_of(default):
    if re.fullmatch(r"\d+( \w+)?", default):
        return "number"
    return "truth" if default in ("true", "false") else "other"


def options(program):
    """(section, group or None, name, default) of every option, from the program itself."""
    text = subprocess.run([program, "--print"], capture_output=True, text=True, check=True).stdout
    section = group = None
    for line in text.splitlines():
        found = re.fullmatch(r"#( *)([a-z_0-9]+): ?(.*)", line)
        if not found or line.startswith("#  #") or line.startswith("#    #"):
            continue
        depth, name, default = len(found[1]), found[2], found[3]
        if depth == 0:
            section, group = name, None
        elif depth == 2 and not default and name == "source":
            group = name
        else:
            yield section, group if depth == 4 else None, name, default


def wrong_config(program, folder, text, line, *said):
    path = Path(folder, "wrong.yaml")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = subprocess.run([program, "--check", "-c", str(path)], capture_output=True, text=True,
                          errors="replace", timeout=30)
    where = f"{path}:{line}: " if line else f"{path}"
    good = done.returncode == 1 and any(
        m.startswith(where) and all(s in m for s in said) for m in done.stderr.splitlines())
    check(f"configuration {text[:60]!r}", good, f"wanted {where} {said}: {done}")


def configuration(program, folder):
    all_options = list(options(program))
    check("options are found", len(all_options) > 35, len(all_options))
    for section, group, name, default in all_options:
        full = f"{section}.{group}.{name}" if group else f"{section}.{name}"
        head = f"# a comment\n{section}:\n" + (f"  {group}:\n" if group else "")
        line, pad = (4, "    ") if group else (3, "  ")
        for value in WRONG[kind_of(default)]:
            if name in ("clients", "eal") and value == "[a]":
                continue
            wrong_config(program, folder, f"{head}{pad}{name}: {value}\n", line, full + ":",
                         "found", "expected")
        wrong_config(program, folder, f"{head}{pad}{name}x: 1\n", line, f"{name}x",
                     "is not known here")
        twice = f"{pad}{name}: {default}\n"
        if default:
            wrong_config(program, folder, head + twice * 2, line + 1, full, "second time")
    for text, line, said in (
            ("lisen: {}\n", 1, ("'lisen'", "is 'listen' meant?")), ("5\n", 1, ("mapping",)),
            ("[]\n", 1, ("mapping",)), ("listen: 5\n", 1, ("listen", "mapping")),
            ("listen: []\n", 1, ("listen", "mapping")), ("a: [\n", 0, ("not YAML",)),
            ("a: b: c\n", 1, ("not YAML",)), ("\t- x\n", 1, ("not YAML",)),
            ("listen: {port: 0}\n", 1, ("listen.port", "1 to 65535")),
            ("listen: {port: 65536}\n", 1, ("listen.port", "1 to 65535")),
            ("\n\nlisten:\n  address: localhost\n", 4, ("listen.address", "an IPv4 or IPv6")),
            ("log: {level: loud}\n", 1, ("log.level", "one of error, warn, info, debug")),
            ("http: {body_max: 1 KB}\n", 1, ("http.body_max", "KiB")),
            ("akma: {mode_d_id: ff414b50}\n", 1, ("akma.mode_d_id", "ten hex digits")),
            ("akma: {mode_d_id: ff414b5002}\n", 1, ("mode_k_id", "mode_d_id")),
            ("dataplane: {burst: 65}\n", 1, ("dataplane.burst", "1 to 64")),
            ("dataplane: {lap_pause: 70000}\n", 1, ("dataplane.lap_pause",)),
            ("dataplane: {lap_pause: 5000, lap_pause_max: 3000}\n", 1, ("lap_pause_max",)),
            ("tls: {certificate: /x}\n", 0, ("tls.key", "missing")),
            ("tls: {clients: [{name: a, role: king}]}\n", 1, ("role", "one of ausf")),
            ("tls: {clients: [{name: a, role: af}]}\n", 1, ("af",)),
            ("listen: {}\n---\nlog: {}\n", 3, ("second document",)),
            ("\nlisten: {address: 0.0.0.0}\n", 2, ("listen.address", "loopback")),
            ("admin: {socket: relative}\n", 1, ("admin.socket",)),
            (b"\xff\xfe\x00", 0, ("not YAML",)), (b"listen: \x00\n", 0, ()),
            ("&a [*a]\n", 0, ()), ("[" * 2000, 0, ()), ("x: " * 3000, 0, ()),
            ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 1, ("'a'",))):
        wrong_config(program, folder, text, line, *said)
    wrong_config(program, folder, "#" * (1 << 20) + "\n", 0, "too large")
    wrong_config(program, folder, "a: 1\nb: 2\nlisten: {port: x}\n", 3, "listen.port")
    for what, arguments in (("no such file", ["-c", "/nowhere.yaml"]),
                            ("a folder", ["-c", folder])):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=30)
        check(what, done.returncode == 1 and arguments[1] in done.stderr, done)


# ---- Arguments behind --

def behind(program, folder):
    path = Path(folder, "dpdk.yaml")
    path.write_text("dataplane: {io: dpdk}\ndpdk:\n  eal: [--no-huge]\n  ports:\n"
                    "    - {device: net_null0, addresses: [10.0.0.1/24]}\n")
    dpdk = ["--check", "-c", str(path)]
    for what, arguments, code, said in (
            ("good", [*dpdk, "--", "-m", "256"], 0, "good"),
            ("none", [*dpdk, "--"], 0, "good"),
            ("none, and no dpdk", ["--check", "--"], 0, "good"),
            ("a word before --", [*dpdk, "word", "--", "-m", "256"], 2, "'word' is not expected"),
            ("a word, no --", [*dpdk, "word"], 2, "'word' is not expected"),
            ("-- for the name of a file", ["--check", "-c", "--", "word"], 2, "'word'"),
            ("no dpdk", ["--check", "--", "-m"], 1, "of no use while dataplane.io is kernel"),
            ("no dpdk, not only checked", ["--", "-m"], 1, "of no use while dataplane.io is kernel"),
            ("too many", [*dpdk, "--", *["-x"] * 32], 1,
             "32 arguments behind -- and 1 in dpdk.eal, at most 32 together"),
            ("too long", [*dpdk, "--", "-m", "x" * 256], 1,
             "argument 2 behind -- has 256 characters, expected 1 to 255"),
            ("empty", [*dpdk, "--", ""], 1, "argument 1 behind -- has 0 characters")):
        done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=30)
        check(f"behind --, {what}", done.returncode == code and said in done.stdout + done.stderr, done)


# ---- Signals before it is ready

def signalled(program, folder, number):
    """The process, which got the signal as soon as it had begun to make its store."""
    d = Daemon(program, folder)
    with open(d.log, "a") as log:
        d.process = subprocess.Popen([program, "-c", str(d.config)], stderr=log)
    while not d.store.exists() and d.process.poll() is None:
        time.sleep(0.0002)
    d.process.send_signal(number)
    return d


def signals(program, folder):
    d = signalled(program, tempfile.mkdtemp(dir=folder), signal.SIGHUP)
    end = time.monotonic() + 60
    while "read again" not in d.log.read_text() and d.process.poll() is None and \
            time.monotonic() < end:
        time.sleep(0.02)
    check("a reload asked for during the start waits", d.process.poll() is None and
          "read again" in d.log.read_text(), d.log.read_text())
    fill(d, 1)
    check("end", d.stop() == 0)
    for number in (signal.SIGTERM, signal.SIGINT):
        d = signalled(program, tempfile.mkdtemp(dir=folder), number)
        code = d.process.wait(60)
        check("ended during the start", code in (0, -number), code)
        d.start()
        fill(d, 1)
        d.process.send_signal(number)
        check("asked twice to end", d.stop(number) == 0)


# ---- Few handles

def few_files(program, folder):
    """More connections than the process may have files: the store keeps those that it needs."""
    d = Daemon(program, folder)
    with open(d.log, "a") as log:
        d.process = subprocess.Popen(["sh", "-c", 'ulimit -n 160; exec "$0" -c "$1"', program,
                                      str(d.config)], stderr=log)
    end = time.monotonic() + 60
    while "ready" not in d.log.read_text() and time.monotonic() < end:
        time.sleep(0.02)
    check("it is told", "160 files may be open" in d.log.read_text(), d.log.read_text())
    fill(d, 1)
    with contextlib.ExitStack() as stack:
        for _ in range(300):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_connection(("127.0.0.1", d.port), 5))
        time.sleep(1.2)  # as long as the door waits when there is no handle
        for i in range(20):
            a = register(d, i)
            check("register while others take all connections", a.status == 200, a)
    check("end", d.stop() == 0, d.log.read_text())


# ---- A full file system

def full_disk(program, folder):
    """In a mount namespace of its own, the folder is a tmpfs of 256 MiB."""
    contract = openapi_answers.Contract(openapi_answers.ROOT / "docs/openapi/akma-push.yaml")
    d = Daemon(program, folder, room_min="8 MiB", more="log: {level: error}\n").start()
    fill(d)
    before = state(d)
    ballast = Path(folder, "ballast")
    make_ballast(ballast, 4 << 20)
    writes_without_room(d, contract)
    check("reads go on", state(d) == before)
    check("nothing of it", d.client.ask("GET", API + "groups").json["groups"][1:] == [])
    ballast.unlink()
    with_room_again(d, before)
    # To the last octet: below what the store keeps free of its own accord.
    make_ballast(ballast, 0)
    writes_without_room(d, contract)
    check("reads go on when there is no octet", state(d)[3:] == before[3:])
    check("end in order without room", d.stop() == 0, d.log.read_text()[-2000:])
    with contextlib.suppress(SystemExit):
        d.start()
        check("reads after a start without room", state(d)[3:] == before[3:])
        d.stop()
    ballast.unlink()
    d.start()
    with_room_again(d, before)
    check("end", d.stop() == 0)
    d.config.write_text(d.text.replace("room_min: 8 MiB", "room_min: 0"))
    d.start()
    check("room_min 0 keeps nothing free", register(d, 1).status == 200)
    check("end", d.stop() == 0)


def make_ballast(path, left):
    with open(path, "wb") as f:
        with contextlib.suppress(OSError):
            while shutil.disk_usage(path.parent).free > left:
                n = min(1 << 20, shutil.disk_usage(path.parent).free - left)
                os.write(f.fileno(), bytes(n))


def writes_without_room(d, contract):
    line = json.dumps({"supi": supi(1), "gpsi": "msisdn-15551234567"}) + "\n"
    new = "/akma-push/v1/afs/new.example.com"
    for what, method, path, body, headers in (
            ("register", "POST", NAANF + "register-anchorkey",
             {"supi": supi(1), "aKId": "new@x", "kAkma": "22" * 32}, JSON),
            ("AF", "PUT", new, {"allowedUes": {"all": True}}, JSON),
            ("group", "PUT", API + "groups/new", {}, JSON),
            ("members", "POST", API + "groups/g/members", line.replace("msisdn", "x"), NDJSON),
            ("UEs", "POST", API + "ues", line, NDJSON),
            ("push", "POST", f"{API}{AF}/pushes", {"target": {"supi": supi(2)}, "payload": "aGk=",
                                                   "validityPeriod": 60}, JSON),
            ("delete", "DELETE", API + "groups/g", None, []),
            ("remove", "POST", NAANF + "remove-context", {"supi": supi(1)}, JSON)):
        if what == "members":
            body = json.dumps({"supi": supi(1)}) + "\n"
        a = d.client.ask(method, path, body, headers)
        check(f"{what} without room", a.status in (503, 507), a)
        for text in contract.breaches(method, path, a) if path.startswith(API) else ():
            check(f"{what} without room as declared", False, text)
    a = d.client.ask("GET", "/health")
    check("health says so", a.status == 503 and a.json["detail"], a)


def with_room_again(d, before):
    end = time.monotonic() + 30
    while register(d, 1).status != 200 and time.monotonic() < end:
        time.sleep(0.1)
    for what, a in (("register", register(d, 1)), ("push", push(d, 3))):
        check(f"{what} with room again", a.status in (200, 201), a)
    check("as before", state(d)[3:] == before[3:])
    a = d.client.ask("GET", "/health")
    check("health with room again", a.status == 200, a)
    a = d.client.ask("GET", API + "groups")
    check("what was refused is not there", len(a.json["groups"]) == 1, a)


def run_full_disk(program, folder):
    can = os.geteuid() == 0 and subprocess.run(["unshare", "-m", "true"],
                                               capture_output=True).returncode == 0
    if not can:
        print("skipped full disk: needs root and mount namespaces", flush=True)
        return
    script = 'mount -t tmpfs -o size=256m none "$1" && exec "$2" "$3" "$4" --full-disk "$1"'
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh",
                           folder, sys.executable, os.path.abspath(__file__), program], timeout=240,
                          capture_output=True, text=True)
    print(done.stdout, end="")
    check("full disk", done.returncode == 0, done.stderr)


def main():
    program = os.path.abspath(sys.argv[1])
    if sys.argv[2:3] == ["--full-disk"]:
        full_disk(program, sys.argv[3])
        return finish()
    for part in (configuration, behind, folders, key_file, damage, signals, few_files, run_full_disk):
        if sys.argv[2:] and part.__name__ not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            start = time.monotonic()
            part(program, folder)
            print(f"{part.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    return finish()


if __name__ == "__main__":
    sys.exit(main())
