#!/usr/bin/env python3
"""Durability, end to end: a real akmapushd under load is killed (SIGKILL) at random moments and
started again at once, over and over, while one fleet of devices lives through all of it. After each
kill everything that was acknowledged has to be there; at the end every push has to be over with all
its targets delivered, and no device's application may have been given a push twice.

Under way at a kill: anchor keys (akmapush-load), AFs, groups and members, UEs, pushes to a group,
single pushes and pushes to lists, replacements and recalls. A request without an answer is repeated
until it has one, pushes under the same Idempotency-Key, and must not have been done twice. Then the
load holds still, so that what the API shows can be compared with what it has to be, to the item.

usage: crash.py --build DIR [--cycles N] [--seconds-per-cycle S] [--seed N] [--ues N] [--json]"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import h2c

SEED = "akmapush"  # of the subscribers: the default of akmapush-load and akmapush-ue
GROUP = "meters"
BULK, SINGLE = "bulk.example", "single.example"
UA = "0100011301"
API, NAANF = "/akma-push/v1", "/naanf-akma/v1"
REGISTERED = 20_000  # subscribers registered again and again, behind those of the fleet
OTHERS = 2_000       # behind them: addresses and members of groups that come and go
SAMPLE = 200         # registrations looked at after a kill
ANSWER_S = 60        # the longest that an answer may take, restarts included

CONFIG = """\
listen: {{address: 127.0.0.1, port: {port}}}
admin: {{socket: {folder}/admin.sock}}
store: {{path: {folder}/store, kek: {folder}/kek, room_min: 0}}
dataplane:
  ues: {ues}
  source: {{ipv4: 127.0.0.1, port: {source}}}
  lap_pause_max: 5000
push: {{checkpoint_interval: 100}}
"""


class Failure(Exception):
    """The test cannot go on; the text says why."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ---- Subscribers, as tools/subscriber.h has them, and their keys (TS 33.535 Annex A)

def supi(i):
    return f"imsi-00101{i:010d}"


def gpsi(i):
    return f"msisdn-999{i:010d}"


def mac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


def kdf(key, fc, *parameters):
    """TS 33.220 B.2."""
    return mac(key, bytes([fc]) + b"".join(p + len(p).to_bytes(2, "big") for p in parameters))


def kausf(i, registration):
    return mac(hashlib.sha256(SEED.encode()).digest(),
               b"kausf" + i.to_bytes(8, "big") + registration.to_bytes(4, "big"))


def akid(i, registration):
    atid = kdf(kausf(i, registration), 0x81, b"A-TID", supi(i)[5:].encode())
    text = base64.urlsafe_b64encode(atid).decode().rstrip("=")
    return f"0.{text}@akma.5gc.mnc001.mcc001.3gppnetwork.org"


def kaf(i, registration, fqdn):
    kakma = kdf(kausf(i, registration), 0x80, b"AKMA", supi(i)[5:].encode())
    return kdf(kakma, 0x82, fqdn.encode() + bytes.fromhex(UA)).hex()


# ---- The daemon

class Daemon:
    def __init__(self, build, folder, ues):
        self.program, self.folder = build / "control/akmapushd", folder
        self.port, self.process = free_port(socket.SOCK_STREAM), None
        self.config = folder / "akmapush.yaml"
        self.config.write_text(CONFIG.format(port=self.port, folder=folder, ues=ues,
                                             source=free_port(socket.SOCK_DGRAM)))

    def spawn(self):
        with open(self.folder / "akmapushd.log", "ab") as log:
            self.process = subprocess.Popen([self.program, "--config", self.config], stderr=log)

    def wait(self):
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failure(f"akmapushd ended with {self.process.returncode}: "
                              f"{self.folder}/akmapushd.log")
            client = h2c.Client(("127.0.0.1", self.port), timeout=5)
            try:
                if client.ask("GET", "/health").status == 200:
                    return
            except OSError:
                pass
            finally:
                client.close()
            time.sleep(0.01)
        raise Failure("akmapushd does not answer")

    def kill(self):
        if self.process.poll() is not None:
            raise Failure(f"akmapushd had ended with {self.process.returncode} before it was killed:"
                          f" {self.folder}/akmapushd.log")
        self.process.kill()
        self.process.wait(30)

    def stop(self):
        """Its exit code."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(30)
        return self.process.returncode if self.process else None


class Service:
    """The daemon, seen by one thread: asks until there is an answer."""

    def __init__(self, port):
        self.client = h2c.Client(("127.0.0.1", port), timeout=ANSWER_S)
        self.lost = False  # the latest request was repeated for want of an answer

    def ask(self, method, path, body=None, headers=()):
        kind = () if body is None else (("content-type", "application/json" if isinstance(
            body, dict) else "application/x-ndjson"),)
        self.lost = False
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            try:
                answer = self.client.ask(method, path, body, headers + kind)
                if answer.status > 0 and answer.status not in (429, 503):
                    return answer
                self.lost |= answer.status < 0
                time.sleep(0.05)
            except OSError:
                self.lost = True
                self.client.close()
                time.sleep(0.01)
        raise Failure(f"{method} {path}: no answer in {ANSWER_S} s")

    def get(self, path):
        return self.ask("GET", path)


# ---- Load

class Worker(threading.Thread):
    """One thread of load. It holds `still` while a request is under way, so who has that knows how
    all of them came out."""

    def __init__(self, test, name):
        super().__init__(name=name, daemon=True)
        self.test, self.service = test, Service(test.daemon.port)
        self.random = random.Random(f"{test.options.seed} {name}")
        self.still, self.over = threading.Lock(), False

    def run(self):
        try:
            while not self.over:
                self.test.go.wait()
                with self.still:
                    if self.test.go.is_set() and not self.over:
                        self.step()
                time.sleep(self.pause())
        except Exception as e:  # a thread's end must not go by unseen
            self.test.lose(f"{self.name}: {e!r}")

    def pause(self):
        return 0.001

    def expect(self, what, answer, *statuses):
        self.test.lost_answers += self.service.lost
        if answer.status in statuses:
            return True
        self.test.lose(f"{what}: {'/'.join(map(str, statuses))} expected, got {answer}")
        return False


class Provisioner(Worker):
    """AFs, groups, members, UEs: made, changed, deleted."""

    def __init__(self, test):
        super().__init__(test, "provisioner")
        self.afs, self.groups, self.ues = {}, {}, {}
        self.gone_afs, self.gone_groups = set(), set()
        self.first = test.options.ues + REGISTERED
        self.done = Counter()

    def step(self):
        step = self.random.choices([self.put_af, self.del_af, self.put_group, self.del_group,
                                    self.members, self.addresses], [6, 1, 4, 1, 8, 4])[0]
        step()

    def put_af(self):
        af = f"af{self.random.randrange(40)}.crash.example"
        body = {"allowedUes": {"all": True}, "trusted": self.random.random() < 0.5,
                "quota": self.random.randrange(1, 1 << 30),
                "description": f"{self.random.getrandbits(64):x}"}
        answer = self.service.ask("PUT", f"{API}/afs/{af}", body)
        if self.expect(f"PUT AF {af}", answer, 200, 201):
            self.afs[af] = body
            self.gone_afs.discard(af)
            self.done["afs"] += 1

    def del_af(self):
        if self.afs:
            af = self.random.choice(sorted(self.afs))
            if self.expect(f"DELETE AF {af}", self.service.ask("DELETE", f"{API}/afs/{af}"), 204,
                           *[404] * self.service.lost):
                del self.afs[af]
                self.gone_afs.add(af)

    def put_group(self):
        group = f"crash-{self.random.randrange(20)}"
        if self.expect(f"PUT group {group}", self.service.ask("PUT", f"{API}/groups/{group}", {}),
                       200, 201):
            self.groups.setdefault(group, set())
            self.gone_groups.discard(group)
            self.done["groups"] += 1

    def del_group(self):
        if self.groups:
            group = self.random.choice(sorted(self.groups))
            if self.expect(f"DELETE group {group}",
                           self.service.ask("DELETE", f"{API}/groups/{group}"), 204,
                           *[404] * self.service.lost):
                del self.groups[group]
                self.gone_groups.add(group)

    def upload(self, path, lines):
        answer = self.service.ask("POST", path, "".join(json.dumps(line) + "\n" for line in lines))
        good = self.expect(f"POST {path}", answer, 200)
        if good and answer.json["failed"]:
            self.test.lose(f"POST {path}: {answer}")
        return good

    def members(self):
        if not self.groups:
            return
        group = self.random.choice(sorted(self.groups))
        named = {supi(self.first + self.random.randrange(OTHERS))
                 for _ in range(self.random.randrange(1, 1500))}
        is_removal = self.random.random() < 0.3
        lines = [{"supi": s, "remove": True} if is_removal else {"supi": s} for s in sorted(named)]
        if self.upload(f"{API}/groups/{group}/members", lines):
            if is_removal:
                self.groups[group] -= named
            else:
                self.groups[group] |= named
            self.done["members"] += len(lines)

    def addresses(self):
        named = {self.first + self.random.randrange(OTHERS): self.random.randrange(1024, 65536)
                 for _ in range(self.random.randrange(1, 50))}
        if self.upload(f"{API}/ues", [{"supi": supi(i), "gpsi": gpsi(i), "address": "127.0.0.9",
                                       "port": port} for i, port in named.items()]):
            self.ues.update(named)
            self.done["ues"] += len(named)

    # ---- Is all of it there?

    def verify(self, service):
        lose = self.test.lose
        for af, body in self.afs.items():
            seen = service.get(f"{API}/afs/{af}")
            if seen.status != 200 or any(seen.json[name] != body[name] for name in body):
                lose(f"AF {af}: {body} expected, got {seen}")
        for group, members in self.groups.items():
            self.verify_group(service, group, members)
        for gone in [f"{API}/afs/{af}" for af in self.gone_afs] + \
                    [f"{API}/groups/{group}" for group in self.gone_groups]:
            seen = service.get(gone)
            if seen.status != 404:
                lose(f"{gone}: had been deleted, got {seen}")
        for i in self.random.sample(sorted(self.ues), min(len(self.ues), SAMPLE // 2)):
            seen = service.get(f"{API}/ues/{self.random.choice([supi, gpsi])(i)}")
            want = (supi(i), gpsi(i), self.ues[i])
            if seen.status != 200 or \
                    tuple(seen.json.get(name) for name in ("supi", "gpsi", "port")) != want:
                lose(f"UE {i}: {want} expected, got {seen}")

    def verify_group(self, service, group, members):
        seen = service.get(f"{API}/groups/{group}")
        if seen.status != 200 or seen.json["members"] != len(members):
            self.test.lose(f"group {group}: {len(members)} members expected, got {seen}")
            return
        text = service.get(f"{API}/groups/{group}/members").text
        listed = Counter(json.loads(line).get("supi") for line in text.splitlines())
        if listed != Counter(members):
            self.test.lose(f"group {group}: members differ: lost "
                           f"{sorted(members - listed.keys())[:5]}, too many "
                           f"{sorted((listed - Counter(members)).elements())[:5]}")


class Push:
    def __init__(self, key, targets, method, path, body):
        self.key, self.targets = key, targets
        self.request = (method, path, body, (("idempotency-key", key),))
        self.id = None
        self.is_stopped = False  # recalled or replaced, or that may be
        self.is_over = False


class Pusher(Worker):
    """Pushes of one AF, never more of them open than `room`."""

    def __init__(self, test, af, room, pause):
        super().__init__(test, af)
        self.af, self.path, self.room, self.between = af, f"{API}/{af}/pushes", room, pause
        self.pushes, self.open, self.by_id = [], [], {}
        self.n_keys = 0
        self.verified = 0  # of `pushes`: how many the last look at the list has covered
        self.done = Counter()

    def pause(self):
        return self.random.uniform(0, 2 * self.between)

    def step(self):
        if self.done["pushes"] and self.random.random() < 0.1:
            self.replace_or_recall()
        elif len(self.open) < self.room:
            target, n = self.target()
            self.submit("POST", self.path, n, target)
        else:
            self.look(self.random.choice(self.open), self.service)

    def target(self):
        if self.af == BULK:
            return {"externalGroupId": GROUP}, self.test.options.ues
        some = self.random.sample(range(self.test.options.ues),
                                  self.random.choice([1, 1, 1, self.random.randrange(2, 20)]))
        names = [{"gpsi": gpsi(i)} for i in some]
        return (names[0] if len(names) == 1 else {"list": names}), len(names)

    def submit(self, method, path, n, target=None):
        size = self.random.choice([0, 1, 64, 300])
        body = {"payload": base64.b64encode(self.random.randbytes(size)).decode(),
                "validityPeriod": 3600, "suite": self.random.choice([1, 2])}
        if target:
            body["target"] = target
        if self.af == SINGLE and size == 300:
            body["segmentSize"] = 100
        self.n_keys += 1
        push = Push(f"key-{self.n_keys}", n, method, path, body)
        answer = self.service.ask(*push.request)
        if method == "PUT" and answer.status == 409:
            return None  # over already
        if not self.expect(f"push {self.af} {push.key}", answer, 201):
            return None
        push.id = answer.headers["location"].rsplit("/", 1)[1]
        self.done["pushes"] += 1
        self.done["repeated"] += self.service.lost
        if push.id in self.by_id:
            self.test.lose(f"push {push.id}: for {self.by_id[push.id].key} and {push.key}")
        if self.pushes and push.id <= self.pushes[-1].id:
            self.test.lose(f"push {push.id} of {self.af}: not above {self.pushes[-1].id}")
        self.by_id[push.id] = push
        self.pushes.append(push)
        self.open.append(push)
        return push

    def replace_or_recall(self):
        if not self.open:
            return
        old = self.random.choice(self.open)
        path = f"{self.path}/{old.id}"
        if self.random.random() < 0.5:
            old.is_stopped |= self.submit("PUT", path, old.targets) is not None
            return
        answer = self.service.ask("DELETE", path)
        if self.expect(f"recall of {old.id}", answer, 204, 409):
            # 409: over, which may be the doing of a recall without an answer
            old.is_stopped |= answer.status == 204 or self.service.lost
            self.done["recalled"] += answer.status == 204

    # ---- Is all of it there?

    def look(self, push, service):
        """At one push; it leaves those that are open once it is over."""
        seen = service.get(f"{self.path}/{push.id}")
        if seen.status != 200 or seen.json["targets"] != push.targets:
            self.test.lose(f"push {push.id} of {self.af} to {push.targets}: got {seen}")
            self.open.remove(push)
            return
        states = seen.json["states"]
        allowed = {"DELIVERED", "REPLACED", "RECALLED"} if push.is_stopped else {"DELIVERED"}
        if sum(states.values()) != push.targets:
            self.test.lose(f"push {push.id} of {self.af}: states do not sum up: {seen}")
        if seen.json["state"] == "FINISHED":
            self.test.delivered += states.get("DELIVERED", 0) * (not push.is_over)
            push.is_over = True
            self.open.remove(push)
            if not states.keys() <= allowed:
                self.test.lose(f"push {push.id} of {self.af}: ended with {states}")
        elif push.is_over:
            self.test.lose(f"push {push.id} of {self.af}: was over and is {seen}")

    def verify(self, service):
        """All since the last time and all that are open; that there are no others; that the same
        request under the same key again is the same push."""
        since = self.pushes[self.verified:]
        listed = service.get(f"{self.path}?limit=1000").json["pushes"]
        newest = [push["pushId"] for push in listed][:len(since) + 1]
        wanted = [push.id for push in reversed(self.pushes[max(self.verified - 1, 0):])]
        if newest != wanted[:len(newest)] or len(newest) < len(wanted):
            self.test.lose(f"pushes of {self.af}: {wanted} expected, listed {newest}")
        old = self.random.sample(self.pushes, min(len(self.pushes), 5))
        for push in set(since + self.open + old):
            if push not in self.open:
                self.open.append(push)  # look() takes it out again
            self.look(push, service)
        for push in old + self.pushes[-1:]:
            again = service.ask(*push.request)
            if again.status != 201 or not again.headers["location"].endswith(push.id):
                self.test.lose(f"{push.key} of {self.af} again: {push.id} expected, got {again}")
        self.verified = len(self.pushes)

    def verify_results(self, service):
        for push in self.random.sample(self.pushes, min(len(self.pushes), 10)):
            lines = service.get(f"{self.path}/{push.id}/results").text.splitlines()
            named = {json.loads(line)["gpsi"] for line in lines}
            if not len(lines) == len(named) == push.targets:
                self.test.lose(f"push {push.id} of {self.af}: {len(lines)} results, {len(named)} "
                               f"UEs, {push.targets} expected")


class Registrar:
    """akmapush-load register over one part of the subscribers after the other. may_be[i]: the
    registration numbers that may be current, the acknowledged one first."""

    def __init__(self, test):
        self.test, self.n = test, test.options.ues + REGISTERED
        self.random = random.Random(f"{test.options.seed} registrar")
        self.may_be = {}
        self.acknowledged = 0

    def command(self, arguments, **more):
        return subprocess.Popen(
            [self.test.tools / "akmapush-load", *map(str, arguments), "--server",
             f"127.0.0.1:{self.test.daemon.port}", "--timeout", str(ANSWER_S), "--quiet", "--json"],
            stdout=open(self.test.folder / "load.log", "ab"), stderr=subprocess.STDOUT, **more)

    def run(self, *arguments):
        process = self.command(arguments)
        if process.wait(120):
            raise Failure(f"akmapush-load {arguments[0]}: {process.returncode}")

    def begin(self, number, first=None, count=None):
        """Starts registrations under a number, from a random subscriber to the last."""
        if first is None:
            first = self.random.randrange(self.test.options.ues, self.n)
            count = self.n - first
        self.part, self.number = range(first, first + count), number
        self.file = self.test.folder / f"acknowledged-{number}-{first}"
        self.retries = first == 0 or self.random.random() < 0.5
        rate = self.random.choice([[], ["--rate", 500], ["--rate", 5000]])
        self.process = self.command(
            ["register", "--from", first, "--count", count, "--again", number, *rate,
             "--acknowledged", self.file, *["--retry"] * self.retries])

    def end(self):
        """Ends them (the daemon is back) and takes down what was acknowledged."""
        if self.part.start:  # those of the fleet are left to come to their end
            time.sleep(self.random.uniform(0, 0.3) * self.retries)
            self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)
            raise Failure("akmapush-load register does not end") from None
        for i in self.part:
            self.may_be.setdefault(i, [None]).append(self.number)
        for line in self.file.read_text().splitlines() if self.file.exists() else ():
            i = int(line.split()[1])
            self.may_be[i] = [self.number]
            self.acknowledged += 1
        if not self.part.start and any(self.may_be[i] != [self.number] for i in self.part):
            self.test.lose("the fleet's registrations were not all answered")

    def sample(self, n):
        """Some of the latest part (its last acknowledged ones above all), some of all."""
        acknowledged = [i for i in self.part if self.may_be[i] == [self.number]]
        last = acknowledged[-n // 2:]
        return set(last + self.random.sample(acknowledged, min(len(acknowledged), n // 4)) +
                   self.random.sample(sorted(self.may_be), n // 4))

    def current(self, service, i, number):
        """Whether the keys of a registration are current; None and a loss when they are wrong."""
        seen = service.ask("POST", f"{NAANF}/retrieve-applicationkey",
                           {"afId": SINGLE + UA, "aKId": akid(i, number)})
        if seen.status == 204:
            return False
        if seen.status == 200 and seen.json["kaf"].lower() == kaf(i, number, SINGLE):
            return True
        self.test.lose(f"subscriber {i}, registration {number}: another K_AF, or {seen.status}")
        return None

    def verify(self, service, subscribers):
        for i in subscribers:
            may_be = self.may_be[i]
            found = [n for n in reversed(may_be)
                     if n is not None and self.current(service, i, n) is not False]
            if len(found) > 1 or (not found and may_be[0] is not None):
                self.test.lose(f"subscriber {i}: one registration of {may_be} expected (the first "
                               f"is acknowledged), current: {found}")
            elif found:
                self.may_be[i] = found  # durable: must stay
                if found[0] > 0 and self.current(service, i, found[0] - 1):
                    self.test.lose(f"subscriber {i}: registration {found[0] - 1} is current again")


# ---- The test

class Crash:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.random = random.Random(options.seed)
        self.tools = options.build / "tools"
        self.daemon = Daemon(options.build, folder, options.ues + REGISTERED + 2 * OTHERS)
        self.go, self.lock = threading.Event(), threading.Lock()
        self.losses, self.fleet, self.workers = [], None, []
        self.cycles = self.kills = self.lost_answers = self.delivered = 0

    def lose(self, text):
        with self.lock:
            self.losses.append(text)
            if len(self.losses) <= 20:
                say(f"LOST (cycle {self.cycles}): {text}")

    def begin(self):
        ues, port = self.options.ues, free_port(socket.SOCK_DGRAM)
        self.daemon.spawn()
        self.daemon.wait()
        self.service, self.registrar = Service(self.daemon.port), Registrar(self)
        self.registrar.run("provision", "--count", ues, "--group", GROUP, "--port", port)
        self.registrar.run("register", "--count", ues)
        self.registrar.may_be.update((i, [0]) for i in range(ues))
        self.registrar.run("af", "--af", BULK, "--group", GROUP, "--datagram-rate", ues)
        self.registrar.run("af", "--af", SINGLE)
        command = [self.tools / "akmapush-ue", "--count", ues, "--port", port, "--af", BULK, "--af",
                   SINGLE, "--list", 64, "--lose", 2, "--duplicate", 5, "--random",
                   self.options.seed, "--seconds", self.options.limit, "--buffer", 8 << 20, "--json",
                   "--quiet"]
        self.fleet = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
        if self.fleet.stdout.readline().strip() != "ready":
            raise Failure("akmapush-ue did not start")
        self.provisioner = Provisioner(self)
        self.pushers = [Pusher(self, BULK, 8, 0.3), Pusher(self, SINGLE, 30, 0.02)]
        self.workers = [self.provisioner, *self.pushers]
        for worker in self.workers:
            worker.start()

    def kill(self):
        self.daemon.kill()
        self.kills += 1
        self.daemon.spawn()

    def hold(self):
        """The load comes to a halt, each request answered."""
        self.go.clear()
        for worker in self.workers:
            if not worker.still.acquire(timeout=ANSWER_S + 10):
                raise Failure(f"{worker.name} does not come to a halt")
            worker.still.release()

    def verify(self):
        self.provisioner.verify(self.service)
        for pusher in self.pushers:
            pusher.verify(self.service)
        self.registrar.verify(self.service, self.registrar.sample(SAMPLE))

    def cycle(self):
        self.cycles += 1
        self.go.set()
        if self.cycles == self.options.cycles // 2 + 1:  # all devices authenticate again
            self.fleet.send_signal(signal.SIGUSR1)
            time.sleep(0.1)
            self.registrar.begin(1, 0, self.options.ues)
        else:
            self.registrar.begin(self.cycles)
        time.sleep(self.random.uniform(0.02, self.options.seconds))
        self.kill()
        if self.random.random() < 0.15:  # once more, while it is coming up
            time.sleep(self.random.uniform(0, 0.2))
            self.kill()
        self.daemon.wait()
        self.registrar.end()
        self.hold()
        self.verify()

    def finish(self):
        """No more load: every push comes to its end."""
        if self.losses:
            return
        end = time.monotonic() + 150  # a device that acknowledged four times waits for 60 s
        while any(pusher.open for pusher in self.pushers) and time.monotonic() < end:
            for pusher in self.pushers:
                for push in list(pusher.open):
                    pusher.look(push, self.service)
            time.sleep(0.2)
        for pusher in self.pushers:
            for push in pusher.open:
                seen = self.service.get(f"{pusher.path}/{push.id}")
                self.lose(f"push {push.id} of {pusher.af} does not come to its end: {seen}")
            pusher.verify_results(self.service)
        registered = sorted(self.registrar.may_be)
        self.registrar.verify(self.service, self.random.sample(registered,
                                                               min(len(registered), 10 * SAMPLE)))

    def end_fleet(self):
        self.fleet.terminate()
        seen = json.loads(self.fleet.communicate(timeout=60)[0].splitlines()[-1])
        pushes = [push for pusher in self.pushers for push in pusher.pushes]
        most = sum(push.targets for push in pushes)
        if seen["delivered_again"] or self.fleet.returncode:
            self.lose(f"{seen['delivered_again']} deliveries to an application more than once (exit "
                      f"code {self.fleet.returncode})")
        if self.losses:
            return seen
        # What was stopped may have reached more devices than were counted.
        if not self.delivered <= seen["distinct"] <= most or seen["pushes_seen"] > len(pushes) or \
                (not any(push.is_stopped for push in pushes) and seen["distinct"] != most):
            self.lose(f"{self.delivered} targets are DELIVERED of {most} in {len(pushes)} pushes; "
                      f"the fleet saw {seen['distinct']} in {seen['pushes_seen']}")
        return seen

    def run(self):
        start = time.monotonic()
        self.begin()
        while self.cycles < self.options.cycles and not self.losses:
            self.cycle()
        self.finish()
        fleet = self.end_fleet()
        if self.daemon.stop():
            self.lose(f"akmapushd ended with {self.daemon.process.returncode} on SIGTERM")
        done = sum((worker.done for worker in self.workers), Counter())
        return {"cycles": self.cycles, "kills": self.kills, "seed": self.options.seed,
                "registrations": self.registrar.acknowledged, "afs": done["afs"],
                "groups": done["groups"], "members": done["members"], "ues": done["ues"],
                "pushes": done["pushes"], "recalled": done["recalled"],
                "lost_answers": self.lost_answers, "pushes_repeated": done["repeated"],
                "targets_delivered": self.delivered, "devices_reached": fleet["distinct"],
                "copies": fleet["duplicates"], "delivered_again": fleet["delivered_again"],
                "losses": len(self.losses), "seconds": round(time.monotonic() - start, 1)}

    def end(self):
        for worker in self.workers:
            worker.over = True
        for process in (self.fleet, getattr(getattr(self, "registrar", None), "process", None)):
            if process and process.poll() is None:
                process.kill()
                process.wait(30)
        self.daemon.stop()


def parse():
    parser = argparse.ArgumentParser(description="Kills akmapushd under load, again and again. Exit "
                                     "code 0 only if nothing acknowledged was ever lost.")
    parser.add_argument("--build", type=Path, required=True, help="the build directory")
    parser.add_argument("--cycles", type=int, default=12, help="kills (default 12)")
    parser.add_argument("--seconds-per-cycle", dest="seconds", type=float, default=3,
                        help="a kill comes after a random time up to that (default 3)")
    parser.add_argument("--seed", type=int, help="of everything random (default: the clock)")
    parser.add_argument("--ues", type=int, default=500, help="devices of the fleet (default 500)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    parser.add_argument("--keep", action="store_true", help="keep the folder in any case")
    options = parser.parse_args()
    if options.seed is None:
        options.seed = time.time_ns() % 1_000_000
    options.build = options.build.resolve()
    options.limit = int(300 + options.cycles * (options.seconds + 20))
    return options


def on_signal(number, _):
    raise Failure("out of time" if number == signal.SIGALRM else f"signal {number}")


def main():
    options = parse()
    folder = Path(tempfile.mkdtemp(prefix="akmapush-crash-"))
    test, code = Crash(options, folder), 1
    signal.signal(signal.SIGALRM, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    signal.alarm(options.limit)
    try:
        result = test.run()
        code = 1 if test.losses else 0
        if options.json:
            print(json.dumps(result))
        else:
            for name, n in result.items():
                print(f"{n:>12}  {name.replace('_', ' ')}")
    except Failure as failure:
        say(f"crash.py: {failure}")
    finally:
        signal.alarm(0)
        test.end()
        if code == 0 and not options.keep:
            shutil.rmtree(folder)
        else:
            (folder / "losses").write_text("\n".join(test.losses) + "\n")
            say(f"{'kept' if code == 0 else 'FAILED'}: --seed {options.seed}, folder {folder}")
    sys.exit(code)


if __name__ == "__main__":
    os.umask(0o077)
    main()
