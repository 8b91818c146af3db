#!/usr/bin/env python3
"""An acknowledgement comes in on the queue of the worker that owns the UE, where the device steers by UDP
port: a daemon with several workers, its port on a veth, and before it a card that steers (steering_card.c:
the kernel's fanout of packet sockets, filled with the rules that the daemon asks for). With rules nothing is
handed over to another worker; without them, and when the card has no room for all, what is for another one
is, and nothing is lost. A port with fewer receive queues than workers; and a tap, which steers where the
kernel has what its driver wants. Needs root; skipped otherwise.

usage: dpdk_steering.py AKMAPUSHD AKMAPUSH-LOAD AKMAPUSH-UE STEERING-CARD"""

import argparse
import contextlib
import re
import struct
import sys
import tempfile
import time
from pathlib import Path

from netns import namespaces, need_namespaces, run, there, veth
from port_daemon import PORT, PortDaemon
from port_world import SMALL, TAP, VETH, World, dress_tap, here, wait_for
from real_daemon import check, finish

UES, STRANGERS = 600, 50
SCRIPT = """#!/bin/sh
LD_PRELOAD={card} STEERING_CARD_RULES={rules} ASAN_OPTIONS=verify_asan_link_order=0:$ASAN_OPTIONS \\
  exec {program} "$@"
"""


# So many sources, each of whom sends to each worker and was never sent to.
SHOUT = """
import socket, sys
net, to, port, workers, n = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
for i in range(1, n + 1):
    with socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM) as s:
        if ":" in to:
            s.setsockopt(socket.IPPROTO_IPV6, 78, 1)  # IPV6_FREEBIND
        s.bind((f"{net}{i}", 0))
        for worker in range(workers):
            s.sendto(bytes(64), (to, port + worker))
"""


def with_card(daemon, folder, card, rules):
    """The daemon alone has the card, not what else runs here."""
    script = Path(folder) / "with-card"
    script.write_text(SCRIPT.format(card=card, rules=rules, program=daemon.program))
    script.chmod(0o755)
    daemon.program = str(script)


class SteeringWorld(World):
    """rules: that its card has room for; None: no card."""

    def __init__(self, options, title, device, where, rules=None, **more):
        super().__init__(options, title, device, where, ues=UES, **more)
        self.rules, self.last_log = rules, ""

    def configure(self, folder):
        daemon = super().configure(folder)
        if self.rules is not None:
            with_card(daemon, folder, self.options.card, self.rules)
        return daemon

    def log(self):
        self.last_log = super().log()
        return self.last_log

    def steering(self):
        return self.stats()["ports"][0]["steering"]

    def each_worker(self):
        """Datagrams that came to it."""
        return [worker["ports"][0]["counters"]["rx_udp"] for worker in self.stats()["workers"]]

    def shout(self):
        """A tap's kernel sends back to the queue that it was sent to from: it has not seen these."""
        for net, to in (("10.8.0.", "10.0.0.1"), ("fd09::", "fd00::1")):
            run(*self.where(sys.executable, "-c", SHOUT, net, to, *map(str, (PORT, self.workers, STRANGERS))))

    def push_and_count(self):
        """Of the port, after a push that all acknowledged, and datagrams of strangers."""
        self.listen()
        self.complete(self.begin(), 30)
        before = sum(self.each_worker())
        self.shout()
        self.check("no stranger's datagram is lost", wait_for(
            lambda: sum(self.each_worker()) == before + 2 * STRANGERS * self.workers, 5), self.each_worker())
        c = self.check_counts()
        self.check("every worker has acknowledgements", all(self.each_worker()), self.each_worker())
        self.check_ping()
        print(f"{self.title}: steering {self.steering()}, rx_udp {self.each_worker()}, rx_other_worker "
              f"{c['rx_other_worker']}", flush=True)
        return c

    def check_steers(self):
        says = f"the device steers UDP ports {PORT} to {PORT + self.workers - 1}, each to its worker's queue"
        self.check("says that it steers", self.log().count(says) == 1, self.log())
        self.check("steering", self.steering() == "rules", self.steering())
        c = self.push_and_count()
        self.check("nothing is handed over", c["rx_other_worker"] == 0, c)

    def check_hands_over(self, why):
        says = rf"the device cannot steer by UDP port \({why}\): what comes in on another worker's queue is handed"
        self.check("says why it does not steer", len(re.findall(says, self.log())) == 1, self.log())
        self.check("steering", self.steering() == "rss", self.steering())
        c = self.push_and_count()
        self.check("what is for another one is handed over", c["rx_other_worker"] > 0, c)

    def check_card(self, most):
        """It had that many rules, one more at a time, and none at the end, one less at a time: in the log as it
        was read last, which may be when the daemon had ended."""
        seen = [int(n) for n in re.findall(r"^card: (\d+) rules$", self.last_log, re.M)]
        self.check("the card's rules", seen == [*range(1, most + 1), *range(most - 1, -1, -1)], seen)


@contextlib.contextmanager
def on_veth(options, title, workers, **more):
    with veth(), SteeringWorld(options, title, VETH.format(workers), there, workers=workers,
                               **more).running() as world:
        yield world


# ---- A card

def steers(options):
    for workers, is_v6 in ((2, True), (4, False)):
        title = f"{workers} workers, {'IPv6' if is_v6 else 'IPv4'}"
        with on_veth(options, title, workers, rules=128, is_v6=is_v6) as world:
            world.check_steers()
        world.check_card(2 * workers)


def is_full(options):
    """Room for one family's rules and one more: none is left, and before the first datagram."""
    with on_veth(options, "no room", 2, rules=3) as world:
        world.check_hands_over("the card's table is full")
        world.check_card(3)


def no_rules(options):
    with on_veth(options, "af_packet", 4) as world:
        world.check_hands_over("Function not implemented")


# ---- Fewer queues than workers

def start_on_captures(options, workers, queues):
    """A port that reads from files, one a queue, and writes to one a worker: its status and the log."""
    device = ",".join(("net_pcap0", *["rx_pcap=none"] * queues, *[f"tx_pcap=out{w}" for w in range(workers)]))
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        Path("none").write_bytes(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        daemon = PortDaemon(options.daemon, folder, 100, device, SMALL)
        daemon.config.write_text(daemon.text.replace("io: dpdk,", f"io: dpdk, workers: {workers},"))
        with_card(daemon, folder, options.card, 128)
        try:
            steering = daemon.start().admin.ask("GET", "/admin/v1/stats").json["ports"][0]["steering"]
            check(f"{queues} of {workers} queues: ends in order", daemon.stop() == 0, daemon.log.read_text())
        finally:
            daemon.kill()
        return steering, daemon.log.read_text()


def few_queues(options):
    steering, log = start_on_captures(options, 3, 2)
    check("2 of 3 queues: steering", steering == "rules", (steering, log))
    check("2 of 3 queues: the workers that have one", f"UDP ports {PORT} to {PORT + 1}," in log, log)
    check("2 of 3 queues: both families", "card: 4 rules" in log and "card: 5 rules" not in log, log)
    for workers, queues in ((2, 1), (1, 1)):
        title = f"{queues} of {workers} queues"
        steering, log = start_on_captures(options, workers, queues)
        check(f"{title}: steering", steering == "none", (steering, log))
        check(f"{title}: no rules", "card: " not in log and " steer" not in log, log)


# ---- A tap

def tap(options, workers):
    """Whether it steers."""
    with SteeringWorld(options, f"tap, {workers} workers", TAP, here, workers=workers).running(dress_tap) as world:
        why = re.search(r"cannot steer by UDP port \((.*)\)", world.log())
        if why:
            world.check_hands_over(re.escape(why.group(1)))
            print(f"not run: a tap that steers; its driver: {why.group(1)} (the kernel needs sch_multiq, "
                  "cls_flower and act_skbedit)")
        else:
            world.check_steers()
    return not why


def taps(options):
    if tap(options, 2):
        tap(options, 4)


def parse():
    parser = argparse.ArgumentParser()
    for name in ("daemon", "load", "ue", "card"):
        parser.add_argument(name, type=lambda path: str(Path(path).resolve()))
    return parser.parse_args()


def main():
    options = parse()
    need_namespaces()
    with namespaces():
        for part in (steers, is_full, no_rules, few_queues, taps):
            begin = time.monotonic()
            part(options)
            print(f"{part.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
    sys.exit(finish())


if __name__ == "__main__":
    main()
