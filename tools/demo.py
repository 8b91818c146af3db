#!/usr/bin/env python3
"""The demo behind tools/demo: a daemon, its subscribers, their devices, two pushes, one SIGKILL."""

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

AF = "utility.example"
GROUP = "meters"
PAYLOAD = 64
SLOW_BELOW = 50_000  # UEs: a smaller second push is paced, or it would be over before the kill

CONFIG = """\
listen: {{address: 127.0.0.1, port: {port}}}
admin: {{socket: {folder}/admin.sock}}
store: {{path: {folder}/store, kek: {folder}/kek}}
dataplane:
  ues: {ues}
  source: {{ipv4: 127.0.0.1, port: {source}}}
push: {{checkpoint_interval: 500}}
"""

# Past the kernel: the two ends of a memif, each a process of DPDK in small pages, which takes no privilege. The
# fleet's end listens, since the daemon comes back after its kill.
DEVICE = "net_memif0,role={role},socket={folder}/memif,socket-abstract=no,rsize=12"
EAL = ["--no-huge", "-m", "64", "--no-shconf", "--no-telemetry"]
NEXT_HOP_S = 1  # by when a port that has just started knows its gateway

CONFIG_DPDK = """\
listen: {{address: 127.0.0.1, port: {port}}}
admin: {{socket: {folder}/admin.sock}}
store: {{path: {folder}/store, kek: {folder}/kek}}
dataplane: {{ues: {ues}, io: dpdk, source: {{port: {source}}}}}
push: {{checkpoint_interval: 500}}
dpdk:
  eal: [{eal}]
  ports:
    - device: "{device}"
      addresses: [10.0.0.1/24]
      gateways: [10.0.0.2]
"""


def say(text):
    print(text, file=sys.stderr, flush=True)


def free_port(kind):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Failure(Exception):
    """Something did not come out as it should; the text says what."""


class Daemon:
    def __init__(self, build, folder, ues, config):
        self.program = build / "control/akmapushd"
        self.folder = folder
        self.port = free_port(socket.SOCK_STREAM)
        self.config = folder / "akmapush.yaml"
        self.config.write_text(config.format(port=self.port, folder=folder, ues=ues,
                                             source=free_port(socket.SOCK_DGRAM),
                                             device=DEVICE.format(role="client", folder=folder),
                                             eal=", ".join(f'"{argument}"' for argument in EAL)))
        self.process = None

    def start(self):
        with open(self.folder / "akmapushd.log", "ab") as log:
            self.process = subprocess.Popen([self.program, "--config", self.config], stderr=log)
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise Failure(f"akmapushd ended with {self.process.returncode}; its log: "
                              f"{self.folder}/akmapushd.log")
            if self.get("/health"):
                return
            time.sleep(0.05)
        raise Failure("akmapushd does not answer")

    def get(self, path):
        """The JSON at a path, or None while the daemon does not answer."""
        got = subprocess.run(["curl", "-s", "--fail", "--max-time", "10", "--http2-prior-knowledge",
                              f"http://127.0.0.1:{self.port}{path}"], capture_output=True, check=False)
        return json.loads(got.stdout) if got.returncode == 0 else None

    def resident(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()


class Demo:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.tools = options.build / "tools"
        self.is_dpdk = options.io == "dpdk"
        self.daemon = Daemon(options.build, folder, options.ues, CONFIG_DPDK if self.is_dpdk else CONFIG)
        self.fleet = None
        self.port = str(free_port(socket.SOCK_DGRAM))  # of the devices
        self.first_address = ["--first", "10.8.0.0"] if self.is_dpdk else []

    def load(self, *arguments):
        """Runs akmapush-load; its summary."""
        command = [self.tools / "akmapush-load", *arguments, "--json", "--server",
                   f"127.0.0.1:{self.daemon.port}"]
        got = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if got.returncode:
            raise Failure(f"akmapush-load {arguments[0]}: exit code {got.returncode}\n"
                          f"{got.stdout.decode()}")
        return json.loads(got.stdout.splitlines()[-1]) if got.stdout.strip() else {}

    def register(self):
        n = str(self.options.ues)
        self.load("provision", "--count", n, "--group", GROUP, "--port", self.port,
                  *self.first_address)
        registered = self.load("register", "--count", n)
        self.load("af", "--af", AF, "--group", GROUP)
        return registered

    def network(self):
        """Where the fleet is, as its options say."""
        if not self.is_dpdk:
            return []
        return [*self.first_address, "--push-function", "10.0.0.1", "--address", "10.0.0.2/24", "--dpdk",
                DEVICE.format(role="server", folder=self.folder), "--eal", " ".join(EAL)]

    def start_fleet(self):
        self.fleet = subprocess.Popen(
            [self.tools / "akmapush-ue", "--count", str(self.options.ues), "--port", self.port,
             "--af", AF, "--expect", str(self.options.ues), "--linger", "3600", "--warm", "--json",
             "--quiet", *self.network()],
            stdout=subprocess.PIPE, text=True)
        if self.fleet.stdout.readline().strip() != "ready":
            raise Failure("akmapush-ue did not start")

    def stop_fleet(self):
        self.fleet.terminate()
        summary = self.fleet.communicate(timeout=120)[0]
        return json.loads(summary.splitlines()[-1])

    def submit(self, key):
        """Pushes to the group; the push's path."""
        ids = self.folder / f"{key}.txt"
        self.load("push", "--af", AF, "--group", GROUP, "--payload", str(PAYLOAD), "--validity",
                  "600", "--acknowledged", ids, "--quiet")
        push_id = ids.read_text().split()[1]  # "push ID key"
        return f"/akma-push/v1/{AF}/pushes/{push_id}"

    def follow(self, path, until, kill=None):
        """Shows the push's progress until it is over; calls kill(share delivered) on the way."""
        end = time.monotonic() + until
        while time.monotonic() < end:
            push = self.daemon.get(path)
            if push:
                self.bar(push)
                delivered = push["states"].get("DELIVERED", 0)
                if kill and kill(delivered / push["targets"]):
                    kill = None
                if push["state"] == "FINISHED":
                    return push
            time.sleep(0.02 if kill else 0.1)
        raise Failure(f"the push was not over after {until} s: {push}")

    def bar(self, push):
        if not sys.stderr.isatty():
            return
        share = push["states"].get("DELIVERED", 0) / push["targets"]
        done = int(40 * share)
        sys.stderr.write(f"\r  [{'#' * done}{' ' * (40 - done)}] {100 * share:5.1f} % acknowledged ")
        if push["state"] == "FINISHED":
            sys.stderr.write("\n")
        sys.stderr.flush()

    def start_daemon(self):
        """The end of a memif that listens has to be there first."""
        if self.is_dpdk:
            self.daemon.stop()
            self.start_fleet()
        self.daemon.start()

    def start_devices(self):
        if not self.is_dpdk:
            self.start_fleet()
        elif not self.fleet or self.fleet.poll() is not None:
            self.start_daemon()
            time.sleep(NEXT_HOP_S)

    def first(self):
        self.start_devices()
        start = time.monotonic()
        push = self.follow(self.submit("first"), 600)
        return self.figures(push, time.monotonic() - start)

    def second(self):
        if self.options.ues < SLOW_BELOW:
            self.load("af", "--af", AF, "--group", GROUP, "--datagram-rate",
                      str(max(self.options.ues, 2) // 2))
        self.start_devices()
        start = time.monotonic()
        path = self.submit("second")

        def kill(share):
            if share < 0.3:
                return False
            self.daemon.kill()
            say(f"\n  akmapushd killed (SIGKILL) with {100 * share:.0f} % acknowledged; started again")
            self.daemon.start()
            return True

        push = self.follow(path, 600, kill)
        return self.figures(push, time.monotonic() - start)

    def figures(self, push, seconds):
        fleet = self.stop_fleet()
        seen = [p for p in fleet["pushes"] if p["push_id"] == push["pushId"]]
        verified = seen[0]["ues"] if seen else 0
        return {
            "targets": push["targets"],
            "sent": push["datagramsSent"],
            "verified": verified,
            "acknowledged": push["states"].get("DELIVERED", 0),
            "duplicates": sum(p["again"] for p in fleet["pushes"]),
            "per_second": round(verified / seconds),
            "p50_ms": fleet["p50_ms"],
            "p99_ms": fleet["p99_ms"],
        }

    def run(self):
        say("starting akmapushd")
        self.start_daemon()
        say(f"registering {self.options.ues:,} subscribers over HTTP/2")
        registered = self.register()
        resident = self.daemon.resident()
        say(f"  {registered['done']:,} registered, {registered['per_second']:,.0f} per second, "
            f"p50 {registered['p50_ms']:.1f} ms, p99 {registered['p99_ms']:.1f} ms")
        say(f"pushing {PAYLOAD} octets to the group")
        first = self.first()
        say("pushing again; akmapushd is killed half-way")
        second = self.second()
        return {"ues": self.options.ues, "registered": registered["done"], "first": first,
                "second": second, "bytes_per_ue": round(resident / self.options.ues)}

    def end(self):
        if self.fleet and self.fleet.poll() is None:
            self.fleet.terminate()
            self.fleet.wait()
        if not self.options.keep:
            self.daemon.stop()


def table(result):
    rows = [("targets", "targets"), ("sent", "datagrams sent"), ("verified", "verified by the fleet"),
            ("acknowledged", "acknowledged"), ("duplicates", "delivered twice to an application"),
            ("per_second", "devices reached per second"), ("p50_ms", "latency p50, ms"),
            ("p99_ms", "latency p99, ms")]
    print(f"\n{'registered':36}{result['registered']:>12,}")
    print(f"{'memory of akmapushd per UE, octets':36}{result['bytes_per_ue']:>12,}")
    print(f"\n{'':36}{'first push':>12}{'second, with a SIGKILL':>26}")
    for key, name in rows:
        print(f"{name:36}{result['first'][key]:>12,}{result['second'][key]:>26,}")


def reached_all(result):
    return result["registered"] == result["ues"] and all(
        push["verified"] == push["acknowledged"] == result["ues"] and push["duplicates"] == 0
        for push in (result["first"], result["second"]))


def parse():
    parser = argparse.ArgumentParser(
        prog="tools/demo", description="Builds akmapush, registers subscribers over HTTP/2, pushes to "
        "all of them, and again while the daemon is killed. Exit code 0 only if every device was "
        "reached, once.")
    parser.add_argument("--ues", type=int, default=100_000, help="subscribers (default 100000)")
    parser.add_argument("--io", choices=("kernel", "dpdk"), default="kernel",
                        help="sockets on loopback (default), or past the kernel, over a memif of DPDK between "
                        "the daemon and the devices")
    parser.add_argument("--keep", action="store_true",
                        help="leave the daemon running and its folder in place, and say where")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--build", type=Path, default=Path("build"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not 1 <= options.ues <= 10_000_000:
        parser.error("--ues: 1 to 10000000")
    options.build = options.build.resolve()
    return options


def main():
    options = parse()
    folder = Path(tempfile.mkdtemp(prefix="akmapush-demo-"))
    demo = Demo(options, folder)
    code = 1
    try:
        result = demo.run()
        code = 0 if reached_all(result) else 1
        print(json.dumps(result)) if options.json else table(result)
    except Failure as failure:
        say(f"\ntools/demo: {failure}")
    except KeyboardInterrupt:
        code = 130
    finally:
        demo.end()
        if options.keep:
            say(f"\nkept: {folder} (akmapushd is process {demo.daemon.process.pid}, "
                f"http://127.0.0.1:{demo.daemon.port}, akmapushctl --socket {folder}/admin.sock)")
        elif code == 0:
            shutil.rmtree(folder)
        else:
            say(f"the daemon's folder is left for a look: {folder}")
    sys.exit(code)


if __name__ == "__main__":
    os.umask(0o077)
    main()
