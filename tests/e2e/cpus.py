#!/usr/bin/env python3
"""Workers on CPUs of their own (dataplane.cpus), through the kernel's sockets and through a port of DPDK: each thread
has its CPU and no other before, while and after pushes run, the rest of the daemon has none; what the log says; a CPU
that cannot be had is refused by name; a reload says that it needs a restart. What needs two CPUs is left out, with a
word, where there is one.

usage: cpus.py AKMAPUSHD AKMAPUSH-LOAD AKMAPUSH-UE [--dpdk]"""

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from port_daemon import PortDaemon
from real_daemon import Daemon, check, finish

AF, GROUP, UES = "utility.example", "meters", 2000
EAL = ("--no-huge", "-m", "'128'", "--no-shconf", "--no-telemetry")
NEIGHBOURS = '      neighbours: ["10.0.0.2=02:00:00:00:00:02", "fd00::2=02:00:00:00:00:03"]\n'


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def configure(daemon, workers, cpus=None):
    more = f"workers: {workers}, " + (f'cpus: "{cpus}", ' if cpus is not None else "")
    daemon.config.write_text(re.sub(r"(?<=dataplane: \{)", more, daemon.text))
    return daemon


# ---- Threads

def threads(daemon):
    """{name: [where it may run, where it ran last]}; the process's first one is called main."""
    seen = {}
    for task in Path(f"/proc/{daemon.process.pid}/task").iterdir():
        with contextlib.suppress(OSError):  # one that has ended meanwhile
            name = (task / "comm").read_text().strip()
            allowed = re.search(r"^Cpus_allowed_list:\s*(\S+)", (task / "status").read_text(), re.M)[1]
            last = (task / "stat").read_text().rsplit(")", 1)[1].split()[36]
            seen["main" if int(task.name) == daemon.process.pid else name] = [allowed, last]
    return seen


def are_there(what, daemon, cpus):
    """Worker i on the i-th of these, and control where this program may run."""
    seen = threads(daemon)
    workers = {name: where for name, where in seen.items() if name.startswith("worker-")}
    wanted = {f"worker-{i}": [str(cpu)] * 2 for i, cpu in enumerate(cpus)}
    good = workers == wanted
    own = re.search(r"^Cpus_allowed_list:\s*(\S+)", Path("/proc/self/status").read_text(), re.M)[1]
    check(f"{what}: a CPU for each worker", good, (seen, wanted))
    check(f"{what}: control is not bound", seen["main"][0] == own, seen)
    return good


# ---- Pushes

def load(options, daemon, *arguments):
    done = subprocess.run([options.load, *arguments, "--json", "-q", "--server", f"127.0.0.1:{daemon.port}"],
                          capture_output=True, text=True, check=False, timeout=120)
    check(f"akmapush-load {arguments[0]}", done.returncode == 0, done.stderr)
    return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}


def provision(options, daemon, *network):
    load(options, daemon, "provision", "--count", str(UES), "--group", GROUP, *network)
    load(options, daemon, "register", "--count", str(UES))
    load(options, daemon, "af", "--af", AF, "--group", GROUP)


def watch(what, options, daemon, cpus, *more):
    """A push, and where threads are while it runs; its summary."""
    push = subprocess.Popen([options.load, "push", "--af", AF, "--group", GROUP, "--wait", "--json", "-q", "--server",
                             f"127.0.0.1:{daemon.port}", *more], stdout=subprocess.PIPE, text=True)
    looks = 0
    while push.poll() is None and are_there(what, daemon, cpus):
        looks += 1
        time.sleep(0.01)
    check(f"{what}: looked at", looks, looks)
    return json.loads(push.communicate(timeout=120)[0].splitlines()[-1])


def through_sockets(what, options, daemon, cpus):
    port = str(free_port())
    provision(options, daemon, "--port", port)
    fleet = subprocess.Popen([options.ue, "--count", str(UES), "--port", port, "--af", AF, "--seconds", "120",
                              "--json", "-q"], stdout=subprocess.PIPE, text=True)
    try:
        fleet.stdout.readline()  # "ready"
        for _ in range(3):
            push = watch(what, options, daemon, cpus)
            check(f"{what}: all acknowledged", push.get("succeeded") == UES, push)
    finally:
        fleet.terminate()
        fleet.communicate(timeout=60)


def through_port(what, options, daemon, cpus):
    """Which takes all and answers nothing."""
    provision(options, daemon, "--first", "10.9.0.0")
    for _ in range(3):
        push = watch(what, options, daemon, cpus, "--no-ack")
        check(f"{what}: all sent", push.get("datagrams_sent") == UES, push)


# ---- Daemons

def lines(daemon, text):
    return [line for line in daemon.log.read_text().splitlines() if text in line]


def reload(daemon, workers, cpus, until):
    configure(daemon, workers, cpus)
    daemon.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 10
    while not lines(daemon, until) and time.monotonic() < end:
        time.sleep(0.02)
    check(f"reload: {until}", len(lines(daemon, until)) == 1, daemon.log.read_text()[-600:])


def reloads(what, daemon, cpus, text):
    turned = ",".join(str(cpu) for cpu in reversed(cpus))
    reload(daemon, 2, turned, f"dataplane.cpus: {text} would become {turned}, which needs a restart")
    reload(daemon, 2, "7-6", "expected a list of CPUs, as 6-7,12")
    reload(daemon, 2, "8190", "dataplane.cpus: found 1 for workers, 2")
    reload(daemon, 2, None, f"dataplane.cpus: {turned} would become (none), which needs a restart")
    are_there(f"{what}, after reloads", daemon, cpus)


def pinned(what, options, daemon, cpus, text, push):
    configure(daemon, len(cpus), text)
    try:
        daemon.start()
        push(what, options, daemon, cpus)
        are_there(f"{what}, afterwards", daemon, cpus)
        said = f"workers 0 to {len(cpus) - 1} on CPUs {text}" if len(cpus) > 1 else f"worker 0 on CPU {text}"
        check(f"{what}: the log", len(lines(daemon, said)) == 1, daemon.log.read_text())
        check(f"{what}: no warning", not lines(daemon, "dataplane.cpus"), daemon.log.read_text())
        if len(cpus) > 1:
            reloads(what, daemon, cpus, text)
        check(f"{what}: ends in order", daemon.stop() == 0, daemon.log.read_text())
    finally:
        daemon.kill()


def refused(what, daemon):
    """CPUs that there are not, each told by its number and its worker's."""
    cpu = min(os.sched_getaffinity(0))
    for workers, cpus, said in ((1, "8191", "worker 0 cannot run on CPU 8191"), (1, "1023", "CPU 1023"),
                                (2, f"{cpu},8191", "worker 1 cannot run on CPU 8191"),
                                (2, f"8191,{cpu}", "worker 0 cannot run on CPU 8191")):
        code, text = configure(daemon, workers, cpus).refuse_to_start()
        check(f"{what}: {cpus}", code == 1 and said in text, (code, text))


def unpinned(what, daemon, workers, n_warnings):
    configure(daemon, workers)
    try:
        daemon.start()
        warnings = lines(daemon, "dataplane.cpus")
        check(f"{what}, {workers} workers, no cpus: {n_warnings} warnings", len(warnings) == n_warnings and
              all("warn" in line.lower() and f"{workers} workers" in line for line in warnings), daemon.log.read_text())
        check(f"{what}: ends in order", daemon.stop() == 0, daemon.log.read_text())
    finally:
        daemon.kill()


def beyond_affinity(options, make, cpus):
    """A process that may run elsewhere only puts its workers there all the same, as onto CPUs that are isolated."""
    before = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as folder:
        os.sched_setaffinity(0, {cpus[0]})
        try:
            pinned("beyond affinity", options, make(folder), [cpus[1]], str(cpus[1]), through_sockets)
        finally:
            os.sched_setaffinity(0, before)


def world(what, options, make, push, cpus, is_warned):
    with tempfile.TemporaryDirectory() as folder:
        refused(what, make(folder))
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            unpinned(what, make(folder), workers, int(is_warned and workers > 1))
    with tempfile.TemporaryDirectory() as folder:
        pinned(f"{what}, one", options, make(folder), cpus[-1:], str(cpus[-1]), push)
    if len(cpus) < 2:
        return
    text = f"{cpus[0]}-{cpus[1]}" if cpus[1] == cpus[0] + 1 else f"{cpus[0]},{cpus[1]}"
    with tempfile.TemporaryDirectory() as folder:
        pinned(f"{what}, two", options, make(folder), cpus, text, push)
    with tempfile.TemporaryDirectory() as folder:
        pinned(f"{what}, two, turned", options, make(folder), cpus[::-1], f"{cpus[1]},{cpus[0]}", push)


def main():
    parser = argparse.ArgumentParser()
    for name in ("daemon", "load", "ue"):
        parser.add_argument(name)
    parser.add_argument("--dpdk", action="store_true")
    options = parser.parse_args()
    cpus = sorted(os.sched_getaffinity(0))[:2]

    def sockets(folder):
        return Daemon(options.daemon, folder, UES)

    def port(folder):
        os.environ["RUNTIME_DIRECTORY"] = folder
        return PortDaemon(options.daemon, folder, UES, "net_null0,no-rx=1", EAL, NEIGHBOURS)

    world("kernel", options, sockets, through_sockets, cpus, False)
    if options.dpdk:
        world("dpdk", options, port, through_port, cpus, True)
    else:
        print("not run: workers of ports: built without DPDK")
    if len(cpus) > 1:
        beyond_affinity(options, sockets, cpus)
    else:
        print("not run: two workers on CPUs of their own: there is one CPU")
    sys.exit(finish())


if __name__ == "__main__":
    main()
