#!/usr/bin/env python3
"""akmapushctl end to end: every command against a real akmapushd with its store in a temporary
folder, for people and with --json; refusals, exit codes, completion, the prompt on a terminal.

usage: ctl.py AKMAPUSHCTL AKMAPUSHD"""

import json
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
from pathlib import Path

CTL, DAEMON = (os.path.abspath(a) for a in sys.argv[1:3])
AF = "meter.example.com"
SUPI, GPSI = "imsi-001010000000001", "msisdn-15551234567"
counts = {True: 0, False: 0}


def check(what, good, seen=""):
    counts[bool(good)] += 1
    if not good:
        print(f"FAILED {what}: {seen}", flush=True)


class Answer:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            return {}

    def __repr__(self):
        return f"exit {self.code}\n{self.out[:600]}{self.err[:600]}"


def ctl(*words, data="", env=None):
    return Answer(subprocess.run([CTL, *words], input=data, capture_output=True, text=True,
                                 timeout=60, env=env))


def good(*words, data=""):
    """A command that has to succeed, for people; nothing else on standard error."""
    answer = ctl(*words, data=data)
    check(" ".join(words), answer.code == 0 and answer.out and not answer.err, answer)
    return answer


def good_json(*words, data=""):
    answer = ctl(*words, "--json", data=data)
    check(" ".join(words) + " --json", answer.code == 0 and answer.json and not answer.err, answer)
    return answer.json


def refused(status, cause, *words, data="", code=1):
    """A command that the daemon refuses: told, and with --json its ProblemDetails as they are."""
    answer = ctl(*words, data=data)
    check(" ".join(words) + " refused", answer.code == code and not answer.out and
          f"({cause}, {status})" in answer.err, answer)
    answer = ctl(*words, "--json", data=data)
    check(" ".join(words) + " refused, --json", answer.code == code and not answer.err and
          answer.json.get("cause") == cause and answer.json.get("status") == status, answer)


def wrong(text, *words):
    """A command line that is wrong: exit code 2, and the text is said."""
    answer = ctl(*words)
    check(" ".join(words) + " is wrong", answer.code == 2 and text in answer.err and
          not answer.out, answer)


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    def __init__(self, folder):
        self.folder = folder
        self.socket = f"{folder}/admin.sock"
        self.config = Path(folder, "akmapush.yaml")
        self.config.write_text(
            f"listen: {{port: {free_port(socket.SOCK_STREAM)}}}\n"
            f"store: {{path: {folder}/store, kek: {folder}/kek}}\n"
            f"admin: {{socket: {self.socket}}}\n"
            f"dataplane: {{ues: 300000, pushes: 64, source: {{port: "
            f"{free_port(socket.SOCK_DGRAM)}}}}}\n")
        self.log = open(f"{folder}/log", "wb")
        self.process = subprocess.Popen([DAEMON, "--config", str(self.config)],
                                        stdout=self.log, stderr=self.log)
        for _ in range(200):
            if ctl("status").code == 0 or self.process.poll() is not None:
                return
            time.sleep(0.1)

    def end(self):
        self.process.terminate()
        check("the daemon ends in order", self.process.wait(30) == 0,
              Path(self.folder, "log").read_text()[-2000:])


# ---- Without a daemon

def test_usage():
    wrong("did you mean status?", "statsu")
    wrong("see akmapushctl help", "xyzzy")
    wrong("did you mean push recall?", "push", "recal")
    wrong("see akmapushctl push --help", "push", "xyzzy")
    wrong("did you mean --payload-text?", "push", "submit", "--payload-txt", "x")
    wrong("has no option --xyzzy", "status", "--xyzzy")
    wrong("did you mean --socket?", "--sokcet", "x", "status")
    wrong("a value is missing", "status", "--socket")
    wrong("no such option", "status", "-x")
    wrong("something is missing", "push", "show")
    wrong("too many words", "af", "show", "a", "b")
    wrong("it is akmapushctl af show [OPTION…] FQDN", "af", "show")
    wrong("akmapushctl: --limit: ", "push", "list", "--limit", "0")
    wrong("--socket: a value is missing", "--socket")
    wrong("--socket: a path is missing", "--socket=", "status")
    wrong("a verb is missing", "push", "--json")
    wrong("an empty word", "af", "show", "")
    wrong("Usage: akmapushctl push VERB", "push")
    wrong("Usage: akmapushctl", )
    wrong("which UEs", "af", "put", AF)
    wrong("which UEs", "af", "put", AF, "--all", "--group", "x")
    wrong("is no whole number", "af", "put", AF, "--all", "--rate", "-1")
    wrong("one of them, or --file", "ue", "put")
    wrong("--port goes with", "ue", "put", "--supi", SUPI, "--port", "1")
    wrong("not both", "ue", "put", "--supi", SUPI, "--address", "::1", "--no-address")
    wrong("addresses are in the file", "ue", "put", "--file", "-", "--address", "::1")
    wrong("in whose name", "push", "submit", "--all", "--payload-text", "x")
    wrong("to whom", "push", "submit", "--af", AF, "--payload-text", "x")
    wrong("what? one of", "push", "submit", "--af", AF, "--all")
    wrong("no duration", "push", "submit", "--af", AF, "--all", "--payload-text", "x",
          "--validity", "soon")
    wrong("hexadecimal", "push", "submit", "--af", AF, "--all", "--payload-hex", "abc")
    wrong("is no whole number", "push", "submit", "--af", AF, "--all", "--payload-text", "x",
          "--suite", "3")
    wrong("printable", "push", "submit", "--af", AF, "--all", "--payload-text", "x",
          "--idempotency-key", "a\nb")
    wrong('"a&b" is no state', "push", "results", "x", "--state", "a&b")
    wrong("did you mean REFUSED?", "push", "results", "x", "--state", "DELIVERED,REFUSD")
    wrong('"running" is not WAITING', "push", "list", "--state", "running")
    wrong("did you mean lapPause?", "tune", "set", "lappause=1")
    wrong("as in rate=200k", "tune", "set", "rate")
    wrong("as in burst=64", "tune", "set", "burst=1T")
    wrong("burst is given twice", "tune", "set", "burst=5", "burst=6")
    wrong('nothing called ""', "tune", "set", "=5")
    wrong("No such file", "group", "add", "meters", "/nonexistent")


def commands():
    """Every command that the help lists."""
    lines = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  +\S", ctl("help").out, re.M)
    return [line.split() for line in lines]


def test_help():
    listed = commands()
    check("commands of the help", len(listed) == 32, listed)
    for words in listed:
        answer = ctl(*words, "--help")
        name = "akmapushctl " + " ".join(words)
        check(name + " --help", answer.code == 0 and not answer.err and
              answer.out.startswith(f"Usage: {name} [") and
              f"  {name}" in answer.out.split("Examples:")[-1] or words[0] in ("group", "completion"),
              answer)
        check(name + " --help tells --json", "--json" in answer.out and "--socket" in answer.out,
              answer)
        check("help " + name, ctl("help", *words).out == answer.out)
    check("push --help", "push recall" in ctl("push", "--help").out)
    check("--help", ctl("--help").out == ctl("help").out)
    check("--version", re.match(r"akmapushctl \d", ctl("--version").out))


def completed(*words):
    return ctl("completion", "words", "--", *words).out.split()


def test_completion():
    script = ctl("completion", "bash")
    installed = Path(__file__).resolve().parent.parent.parent / "tools/ctl/akmapushctl.bash"
    check("completion bash", script.code == 0 and script.out == installed.read_text(), script)
    objects = completed("")
    for words in commands():
        check(f"{words[0]} is completed", words[0] in objects, objects)
        if len(words) > 1:
            check(f"{words} is completed", words[1] in completed(words[0], ""))
        for option in re.findall(r"(--[a-z-]+)", ctl(*words, "--help").out.split("Examples")[0]):
            check(f"{words} {option} is completed", option in completed(*words, "--") or
                  option == "--check", completed(*words, "--"))
    bash = ('source "$1"; COMP_WORDS=("$2" push re); COMP_CWORD=2; _akmapushctl; '
            'echo "${COMPREPLY[@]}"')
    got = subprocess.run(["bash", "-c", bash, "bash", installed, CTL], capture_output=True,
                         text=True).stdout
    check("bash completes", got == "recall replace results\n", got)


def test_unreachable(folder):
    path = f"{folder}/none.sock"
    answer = ctl("status", "--socket", path)
    check("no daemon", answer.code == 3 and path in answer.err and "akmapushd runs" in answer.err,
          answer)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)
        answer = ctl("--socket", path, "status")
    check("nobody listens", answer.code == 3 and "refused" in answer.err, answer)
    check("long path", ctl("status", "--socket", "/" + "x" * 200).code == 3)
    server = subprocess.Popen(
        [sys.executable, "-c", "import socket,sys\ns=socket.socket(socket.AF_UNIX)\n"
         "s.bind(sys.argv[1])\ns.listen()\nc=s.accept()[0]\nc.recv(99)\nc.send(b'hello\\n')",
         path + "2"])
    while not os.path.exists(path + "2"):
        time.sleep(0.05)
    answer = ctl("status", "--socket", path + "2")
    check("another program there", answer.code == 3 and "broke" in answer.err, answer)
    server.wait(10)


# ---- With one

def test_status(daemon):
    answer = good("status")
    check("status tells", "health      ok" in answer.out and daemon.socket in answer.out, answer)
    status = good_json("status")
    check("status is the daemon's", status["pid"] == daemon.process.pid, status)
    before = good_json("--socket", daemon.socket, "status")
    check("options before the command", before["pid"] == daemon.process.pid, before)
    other = ctl("status", env={**os.environ, "AKMAPUSH_SOCKET": "/nonexistent"})
    check("AKMAPUSH_SOCKET", other.code == 3 and "/nonexistent" in other.err, other)


def test_groups():
    refused(404, "GROUP_NOT_FOUND", "group", "show", "meters")
    good("group", "put", "meters")
    check("group put", good_json("group", "put", "meters", "--description", "a \"b\"")
          ["description"] == 'a "b"')
    refused(400, "MANDATORY_IE_INCORRECT", "group", "put", "a b")
    check("group show", re.search(r"^meters +0  a \"b\"$", good("group", "show", "meters").out, re.M))
    good("group", "put", "a/b?c%d")
    check("ids are encoded", good_json("group", "show", "a/b?c%d")["externalGroupId"] == "a/b?c%d")
    listed = good_json("group", "list")["groups"]
    check("group list", [g["externalGroupId"] for g in listed] == ["a/b?c%d", "meters"], listed)
    check("group list table", good("group", "list").out.startswith("GROUP"))
    check("group delete", good("group", "delete", "a/b?c%d").out == "a/b?c%d deleted\n")


def test_members(folder):
    lines = f"{SUPI}\n\n  # a remark\nmsisdn-15550000000\r\n"
    check("group add", good("group", "add", "meters", "-", data=lines).out ==
          "added 2, removed 0, unchanged 0, failed 0\n")
    answer = ctl("group", "add", "meters", "-", data="# x\nbad\n\ntwo words\nimsi-1\n" + SUPI)
    check("wrong lines are told by their numbers", answer.code == 1 and
          "unchanged 1, failed 2" in answer.out and re.search(r"^ +2  MANDATORY", answer.err, re.M)
          and re.search(r"^ +5  MANDATORY", answer.err, re.M) and "line 4: more than" in answer.err
          and "not sent: 1" in answer.err, answer)
    listed = ctl("group", "members", "meters", "--json").out.splitlines()
    check("members --json", {SUPI, "msisdn-15550000000"} ==
          {v for line in listed for v in json.loads(line).values()}, listed)
    check("members", sorted(good("group", "members", "meters").out.split()) ==
          [SUPI, "msisdn-15550000000"])
    check("group remove", good_json("group", "remove", "meters", "-", data="msisdn-15550000000")
          ["removed"] == 1)
    refused(404, "GROUP_NOT_FOUND", "group", "members", "nosuch")
    refused(404, "GROUP_NOT_FOUND", "group", "add", "nosuch", "-", data=SUPI)
    long = ctl("group", "add", "meters", "-", data="x" * 100000 + "\n")
    check("a line too long", long.code == 1 and "longer" in long.err, long)

    path = Path(folder, "many")
    path.write_text("".join(f"imsi-00102{i:010}\n" for i in range(100000)))
    good("group", "put", "many")
    answer = good("group", "add", "many", str(path))
    check("100,000 members", answer.out == "added 100,000, removed 0, unchanged 0, failed 0\n", answer)
    check("100,000 listed", len(good("group", "members", "many").out.splitlines()) == 100000)
    answer = subprocess.run(f"'{CTL}' group members many | head -n 1", shell=True,
                            capture_output=True, text=True)
    check("a reader that goes away", not answer.stderr and answer.stdout.count("\n") == 1, answer)


def test_ues():
    refused(404, "UE_NOT_FOUND", "ue", "show", SUPI)
    refused(400, "MANDATORY_IE_INCORRECT", "ue", "show", "x")
    check("ue put", good("ue", "put", "--supi", SUPI, "--gpsi", GPSI, "--address", "127.1.0.1",
                         "--port", "4000").out == SUPI + " stored\n")
    answer = ctl("ue", "put", "--gpsi", "msisdn-1")
    check("a GPSI that is none", answer.code == 1 and not answer.out and
          "ue put msisdn-1: /gpsi" in answer.err, answer)
    shown = good("ue", "show", GPSI).out
    check("ue show", SUPI in shown and "127.1.0.1:4000" in shown and "not registered" in shown,
          shown)
    ue = good_json("ue", "show", SUPI)
    check("ue show --json", ue["gpsi"] == GPSI and ue["port"] == 4000, ue)
    good("ue", "put", "--supi", SUPI, "--no-address")
    check("no address", "address" not in good_json("ue", "show", SUPI))
    answer = ctl("ue", "put", "--supi", "imsi-001010000000009", "--gpsi", GPSI)
    check("conflict", answer.code == 1 and "IDENTITY_CONFLICT" in answer.err, answer)
    lines = ('# supi, gpsi, address, port\nimsi-001010000000002,extid-a@b.c,::1,5000\n'
             'imsi-001010000000003 127.1.0.3\n{"supi": "imsi-001010000000004"}\n'
             'imsi-001010000000003 -\n5000 imsi-001010000000003\nwhat imsi-001010000000003\n127.0.0.1')
    answer = ctl("ue", "put", "--file", "-", data=lines)
    check("ue put --file", answer.code == 1 and answer.out == "lines 4, stored 4, failed 0\n" and
          all(f"line {n}: " in answer.err for n in (6, 7, 8)), answer)
    check("IPv6", "[::1]:5000" in good("ue", "show", "extid-a@b.c").out)
    check("taken away", ctl("ue", "show", "imsi-001010000000003").code == 1)
    check("ue delete", good_json("ue", "delete", "imsi-001010000000002") ==
          {"name": "imsi-001010000000002", "done": "deleted"})
    refused(404, "UE_NOT_FOUND", "ue", "delete", "imsi-001010000000002")


def test_afs():
    refused(404, "GROUP_NOT_FOUND", "af", "put", AF, "--group", "nosuch")
    refused(404, "AF_NOT_FOUND", "af", "suspend", AF)
    check("af put", good("af", "put", AF, "--all").out == AF + " registered\n")
    check("af put again", good("af", "put", AF, "--group", "meters", "--trusted", "--rate", "50k",
                               "--push-rate", "7", "--quota", "1M", "--max-targets", "5",
                               "--max-payload", "99", "--description", "a").out == AF + " replaced\n")
    before = good_json("af", "show", AF)
    check("af show --json", (before["rate"], before["quota"]) == (50000, 1000000), before)
    check("af show", "50,000" in good("af", "show", AF).out)
    check("af suspend", good("af", "suspend", AF).out == AF + " suspended\n")
    check("af list", re.search(rf"^{AF} +suspended +yes +meters +50,000 ", good("af", "list").out,
                               re.M))
    refused(403, "AF_SUSPENDED", "push", "submit", "--af", AF, "--group", "meters",
            "--payload-text", "x")
    after = good_json("af", "resume", AF)
    check("nothing else changes", after == before, (before, after))
    check("af list --json", good_json("af", "list")["afs"] == [before])
    refused(400, "OPTIONAL_IE_INCORRECT", "af", "put", AF, "--all", "--max-payload", "1M")
    refused(400, "OPTIONAL_IE_INCORRECT", "af", "put", AF, "--all", "--hot")  # there is no cache
    answer = ctl("af", "put", AF, "--all", "--max-payload", "1M")
    check("the parameter is named", "  /maxPayload: " in answer.err, answer)
    refused(404, "AF_NOT_FOUND", "af", "show", "nosuch.example.com")


def submit(*words):
    return good_json("push", "submit", "--af", AF, *words)["pushId"]


def test_pushes(folder):
    good("af", "put", AF, "--all", "--trusted")
    payload = Path(folder, "payload")
    payload.write_bytes(bytes(range(256)))
    ids = Path(folder, "ids")
    ids.write_text(f"{SUPI}\nmsisdn-15550000009\n")
    answer = good("push", "submit", "--af", AF, "--group", "meters", "--payload-text", "hello",
                  "--validity", "1h", "--idempotency-key", "k 1")
    check("push submit", re.match(r"[0-9a-f-]{36} accepted, 1 target, until \d{4}-", answer.out),
          answer)
    check("the same key", submit("--group", "meters", "--payload-text", "hello", "--validity",
                                 "3600", "--idempotency-key", "k 1") == answer.out.split()[0])
    refused(409, "IDEMPOTENCY_CONFLICT", "push", "submit", "--af", AF, "--group", "meters",
            "--payload-text", "other", "--idempotency-key", "k 1")
    first = answer.out.split()[0]
    second = submit("--list", str(ids), "--payload-file", str(payload), "--no-ack", "--ordered",
                    "--suite", "2", "--segment-size", "100")
    shown = good("push", "show", second).out
    check("push show", "not acknowledged, in order, suite 2, segments of 100" in shown and
          re.search(r"^NO_(CONTEXT|ADDRESS) +2  100.0 %$", shown, re.M), shown)
    push = good_json("push", "show", second, "--af", AF)
    check("push show --json", push["targets"] == 2 and push["afId"] == AF, push)
    listed = good_json("push", "list", "--af", AF, "--state", "RUNNING", "--limit", "10")["pushes"]
    check("push list", [p["pushId"] for p in listed] == [second, first], listed)
    check("push list table", first in good("push", "list").out)
    refused(404, "AF_NOT_FOUND", "push", "list", "--af", "nosuch.example.com")
    refused(404, "PUSH_NOT_FOUND", "push", "show", "01982f2e-6c1a-7a40-8000-0242ac120002")
    refused(404, "GROUP_NOT_FOUND", "push", "submit", "--af", AF, "--group", "nosuch",
            "--payload-text", "x")
    test_lists(folder)
    test_replace(first, second)
    test_interrupt()


def test_lists(folder):
    """What is wrong with a list, and in which line, is said before anything is sent."""
    lines = Path(folder, "list")
    for text, said in [("", "no identity"), ("# c\n\n", "no identity"),
                       (f"# c\n{SUPI}\nfoo\n", 'line 3: "foo"'),
                       (f"{SUPI} {GPSI}\n", "line 1: more than one word"),
                       ("imsi-" + "1" * 5000, "line 1: too long")]:
        lines.write_text(text)
        wrong(said, "push", "submit", "--af", AF, "--list", str(lines), "--payload-text", "x")
    wrong('"foo" is neither', "push", "submit", "--af", AF, "--ue", "foo", "--payload-text", "x")
    lines.write_text(f"  {SUPI}\t\r\n")  # blanks around count for nothing
    check("blanks around an identity", "1 target," in good(
        "push", "submit", "--af", AF, "--list", str(lines), "--payload-text", "x", "--validity",
        "1s").out)
    answer = ctl("push", "show", "nosuch")
    check("told which, and what helps", "push show nosuch: " in answer.err and
          "akmapushctl push list" in answer.err and answer.err.count("o such push") == 1, answer)
    answer = ctl("group", "add", "meters", folder)
    check("a folder is no file", answer.code == 1 and "Is a directory" in answer.err, answer)


def test_replace(first, second):
    third = good_json("push", "replace", first, "--payload-text", "new", "--validity", "2s")["pushId"]
    check("replaced", good_json("push", "show", first)["states"] == {"REPLACED": 1})
    check("push recall", good("push", "recall", second).out == second + " recalled\n")
    refused(409, "PUSH_FINISHED", "push", "recall", second)
    answer = ctl("push", "watch", third)
    check("push watch", answer.code == 0 and "FINISHED" in answer.out and "100%" in answer.err,
          answer)
    watched = ctl("push", "watch", second, "--json")
    check("push watch --json", watched.json["state"] == "FINISHED" and not watched.err, watched)
    lines = good("push", "results", second).out.splitlines()
    check("push results", len(lines) == 3 and lines[0].startswith("UE ") and
          all("RECALLED" in line for line in lines[1:]), lines)
    lines = ctl("push", "results", second, "--json", "--af", AF, "--state",
                "RECALLED,REPLACED").out.splitlines()
    check("push results --json", [json.loads(line)["deliveryResult"] for line in lines] ==
          ["TERMINATE"] * 2, lines)
    check("no results", ctl("push", "results", second, "--state", "DELIVERED").out == "")
    waited = ctl("push", "submit", "--af", AF, "--ue", SUPI, "--payload-hex", "00", "--validity",
                 "1s", "--wait", "--json")
    check("--wait", waited.code == 0 and waited.json.get("state") == "FINISHED", waited)


def interrupted(*words):
    process = subprocess.Popen([CTL, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    return process.returncode, out, err


def test_interrupt():
    push = submit("--ue", SUPI, "--payload-text", "x")
    code, out, err = interrupted("push", "watch", push)
    check("an interrupt leaves the push alone", code == 130 and f"push recall {push}" in err and
          good_json("push", "show", push)["state"] == "RUNNING", (code, out, err))
    good("push", "recall", push)
    code, out, err = interrupted("stats", "--watch", "--json")
    check("stats --watch", code == 0 and len([json.loads(l) for l in out.splitlines()]) >= 2, err)
    code, out, err = interrupted("stats", "--watch")
    check("stats --watch has rates", code == 0 and out.count("COUNTER") >= 2, (out, err))


def test_operations(daemon):
    stats = good_json("stats")
    check("stats --json", len(stats["workers"]) == 1 and "store" in stats, stats)
    answer = good("stats").out
    check("stats", all(name in answer for name in stats["counters"]) and "put-af" in answer, answer)
    good("stats", "--worker", "0")
    answer = ctl("stats", "--worker", "1")
    check("no such worker", answer.code == 2 and "numbered from 0" in answer.err, answer)
    before = good_json("tune", "show")
    check("tune set", "200,000" in good("tune", "set", "rate=200k", "lapPause=5000").out)
    check("what is not named stays", good_json("tune", "show") ==
          {**before, "rate": 200000, "lapPause": 5000})
    check("tune show", "lapPause " in good("tune", "show").out)
    good_json("tune", "set", "rate=0")
    refused(400, "OPTIONAL_IE_INCORRECT", "tune", "set", "burst=65")

    faulty = Path(daemon.folder, "faulty.yaml")
    faulty.write_text("listen: {prot: 1}\n")
    check("config check", "good" in good("config", "check", str(daemon.config)).out)
    answer = ctl("config", "check", str(faulty))
    check("config check, faulty", answer.code == 1 and "faulty.yaml:1" in answer.err, answer)
    answer = ctl("config", "check", str(faulty), "--json")
    check("config check --json", answer.code == 1 and answer.json["valid"] is False and
          "prot" in answer.json["errors"][0], answer)
    check("config check --json, good", good_json("config", "check", str(daemon.config)).get("valid"))


# ---- The prompt

class Prompt:
    """akmapushctl on a terminal of its own."""

    def __init__(self):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(CTL, [CTL], {**os.environ, "TERM": "xterm", "NO_COLOR": "1"})
        self.seen = ""

    def expect(self, text, seconds=10):
        end = time.monotonic() + seconds
        while text not in self.seen and time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    break
        check(f"prompt: {text!r}", text in self.seen, repr(self.seen[-600:]))
        self.seen = self.seen.partition(text)[2]

    def ready(self):
        """The prompt is there, and the line editor has the terminal."""
        self.expect("akmapush> ")
        end = time.monotonic() + 10
        while termios.tcgetattr(self.fd)[3] & termios.ICANON and time.monotonic() < end:
            time.sleep(0.01)

    def send(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        """Its exit code. What it still writes is read, since it waits for that."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    os.read(self.fd, 65536)
                except OSError:
                    break
        else:
            os.kill(self.pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_prompt():
    prompt = Prompt()
    prompt.ready()
    prompt.send("stat\t")
    prompt.expect("stat")
    prompt.send("us\n")
    prompt.expect("health      ok")
    prompt.ready()
    prompt.send("push rec\t\x15")
    prompt.expect("all")
    prompt.send("group put quoted --description 'two words'\n")
    prompt.expect("two words\r\n")
    prompt.ready()
    prompt.send("statsu\n")
    prompt.expect("did you mean status?")
    prompt.ready()
    prompt.send("group put 'x\n")
    prompt.expect("a quote is not closed")
    prompt.ready()
    prompt.send("status --help\n")
    prompt.expect("Examples:")
    prompt.ready()
    prompt.send("half a line\x03")
    prompt.expect("^C\r")
    prompt.ready()
    prompt.send("\x10")  # the line before
    prompt.expect("status --help")
    prompt.send("\x15group delete quoted\n")
    prompt.expect("quoted deleted")
    prompt.ready()
    prompt.send("\x04")
    check("the prompt ends with Ctrl-D", prompt.end() == 0)
    prompt = Prompt()
    prompt.ready()
    prompt.send("quit\n")
    check("the prompt ends with quit", prompt.end() == 0)


def test_clean_up():
    check("af delete", good("af", "delete", AF).out == AF + " deleted\n")
    check("group delete", good_json("group", "delete", "many")["done"] == "deleted")
    check("nothing left", good_json("af", "list") == {"afs": []})


def main():
    folder = tempfile.mkdtemp(prefix="akmapush-ctl-")
    os.environ["AKMAPUSH_SOCKET"] = f"{folder}/admin.sock"
    os.environ.pop("NO_COLOR", None)
    test_usage()
    test_help()
    test_completion()
    test_unreachable(folder)
    daemon = Daemon(folder)
    try:
        test_status(daemon)
        test_groups()
        test_members(folder)
        test_ues()
        test_afs()
        test_pushes(folder)
        test_operations(daemon)
        test_prompt()
        test_clean_up()
    finally:
        daemon.end()
        shutil.rmtree(folder)
    print(f"{counts[True]} passed, {counts[False]} failed")
    return 1 if counts[False] else 0


if __name__ == "__main__":
    sys.exit(main())
