#!/usr/bin/env python3
"""Pushes through a port on an interface that the kernel goes on using: a daemon with net_af_xdp in one network
namespace, the fleet of devices in the other, a veth between them. Beside the push the kernel answers ping and
ARP there, and has its TCP and its UDP. Starts that are refused, and what a daemon that was killed leaves
behind: nothing. Needs root; skipped otherwise.

usage: dpdk_xdp.py AKMAPUSHD AKMAPUSH-LOAD AKMAPUSH-UE [--ues N]"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import netns
from netns import SKIP, THERE, answers, huge_pages, namespaces, need_namespaces, run, there, veth
from port_daemon import AF, GROUP, PORT, Case, PortDaemon
from real_daemon import check, finish

DEVICE = "net_af_xdp0,iface=xa"
ADDRESSES = ("10.0.0.1", "fd00::1")
# The driver leaks what libbpf gave it: under sanitizers its name must be found in stacks (tests/lsan.supp).
os.environ.setdefault("ASAN_OPTIONS", "fast_unwind_on_malloc=0")
IS_SHORT = os.environ.get("AKMAPUSH_SHORT") == "1"  # under sanitizers
SMALL = ["--no-huge", "-m", "512"]
FLUSHES = 10


@contextlib.contextmanager
def shared_veth():
    """A veth whose end here has the port's addresses; the kernel here routes to the devices as the port does."""
    with veth():
        for command in (("ip", "addr", "add", "10.0.0.1/24", "dev", "xa"),
                        ("ip", "addr", "add", "fd00::1/64", "dev", "xa", "nodad"),
                        ("ip", "route", "add", "10.8.0.0/13", "via", "10.0.0.2"),
                        ("ip", "route", "add", "fd09::/64", "via", "fd00::2")):
            run(*command)
        yield


def program_of(interface="xa"):
    """The id of the XDP program on it, or None."""
    link = json.loads(run("ip", "-j", "link", "show", "dev", interface))[0]
    return link.get("xdp", {}).get("prog", {}).get("id")


# ---- What the kernel has on the interface

class Echo:
    """TCP and UDP of the kernel's here; clients in the other namespace."""

    def __init__(self):
        self.tcp = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        self.udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.udp.bind(("::", 0))
        for serve in (self.serve_tcp, self.serve_udp):
            threading.Thread(target=serve, daemon=True).start()

    def serve_tcp(self):
        while True:
            peer = self.tcp.accept()[0]
            with peer:
                while octets := peer.recv(65536):
                    peer.sendall(octets)

    def serve_udp(self):
        while True:
            octets, peer = self.udp.recvfrom(65536)
            self.udp.sendto(octets, peer)

    def ports(self):
        return str(self.tcp.getsockname()[1]), str(self.udp.getsockname()[1])


def talk(address, tcp_port, udp_port):
    """A megabyte there and back over TCP, and a datagram. Run in the other namespace."""
    text = bytes(range(256)) * 256
    with socket.create_connection((address, int(tcp_port)), timeout=20) as s:
        for _ in range(16):
            s.sendall(text)
            back = b""
            while len(back) < len(text):
                back += s.recv(65536)
            if back != text:
                return 1
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(5)
        s.sendto(b"hello", (address, int(udp_port)))
        return 0 if s.recvfrom(100)[0] == b"hello" else 1


def flush(*command):
    """What went wrong, if anything. A try fails where an entry goes by itself between the list and its turn."""
    for _ in range(FLUSHES):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not done.returncode:
            return []
    return [f"{' '.join(command)}: {done.stderr[-300:]}"]


class Neighbourly:
    """The kernel's traffic through the interface, again and again until it is told to stop."""

    def __init__(self, title, echo):
        self.title, self.echo, self.rounds, self.is_over = title, echo, 0, False
        self.failed = []
        self.thread = threading.Thread(target=self.run)

    def round(self):
        for address in ADDRESSES:
            if not answers(there, address):
                self.failed.append(f"ping {address}")
            done = subprocess.run(there(sys.executable, __file__, "--talk", address, *self.echo.ports()),
                                  capture_output=True, text=True, check=False)
            if done.returncode:
                self.failed.append(f"talk {address}: {done.stderr[-300:]}")
        # both sides have to find each other again, the port's next hops among them
        self.failed += flush(*there("ip", "neigh", "flush", "dev", "xb"))
        self.failed += flush("ip", "neigh", "flush", "dev", "xa")
        self.rounds += 1

    def run(self):
        while not self.is_over:
            self.round()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()
        check(f"{self.title}: the kernel's traffic meanwhile", self.rounds and not self.failed,
              (self.rounds, self.failed[:3]))


class SharedCase(Case):
    def __init__(self, options, title, eal, is_v6, echo):
        super().__init__(options, title, DEVICE, eal, is_v6)
        self.echo = echo

    def push(self, daemon, where):
        check(f"{self.title}: our program is there", program_of())
        with Neighbourly(f"{self.title}, idle", self.echo):
            time.sleep(1)
        with Neighbourly(f"{self.title}, during the push", self.echo):
            super().push(daemon, where)
        with Neighbourly(f"{self.title}, after it", self.echo):
            pass
        self.move(daemon, where)

    def move(self, daemon, where):
        """The next hop has another MAC from now on, which the kernel learns: so the port sends there."""
        mac = json.loads(run(*there("ip", "-j", "link", "show", "dev", "xb")))[0]["address"]
        run(*there("ip", "link", "set", "xb", "address", "02:00:00:00:00:%02x" % (int(mac[-2:], 16) ^ 1)))
        for address in ADDRESSES:
            check(f"{self.title}: ping {address} from another MAC", answers(there, address))
        super().push(daemon, where)

    def run(self, where, dress_after=None):
        super().run(where, dress_after)
        check(f"{self.title}: no program afterwards", program_of() is None)


# ---- Starts that are refused

def refused(options):
    def start(title, device, told, text=lambda t: t, command=()):
        with tempfile.TemporaryDirectory() as folder:
            daemon = PortDaemon(options.daemon, folder, 10, device, SMALL)
            daemon.config.write_text(text(daemon.text))
            done = subprocess.run([*command, options.daemon, "-c", str(daemon.config)], capture_output=True,
                                  text=True, errors="replace", timeout=60, check=False)
            check(f"refused, {title}: exit code", done.returncode == 1, done.returncode)
            check(f"refused, {title}: told", told in done.stderr, done.stderr)

    start("no such interface", "net_af_xdp0,iface=nosuch", "there is no interface 'nosuch'")
    start("no interface", "net_af_xdp0", "there is no interface ''")
    for mine, other in (("10.0.0.1/24", "10.0.0.7/24"), ("fd00::1/64", "fd00::7/64")):
        start(f"{other} is not there", DEVICE, f"{other.split('/')[0]} is not an address of xa",
              lambda t, mine=mine, other=other: t.replace(mine, other))
    start("an address of another interface", "net_af_xdp0,iface=lo", "10.0.0.1 is not an address of lo")
    start("a VLAN that the kernel has not", DEVICE, "no interface for VLAN 100 over xa", lambda t: t + "      vlan: 100\n")
    start("no rights", DEVICE, "CAP_BPF", command=("setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-all"))
    start("no rights for sockets", DEVICE, "CAP_NET_RAW",
          command=("setpriv", "--bounding-set=-net_raw", "--inh-caps=-all"))
    start("a gateway that is not on the link", DEVICE, "the gateway of IPv4",
          lambda t: t.replace("gateways: [10.0.0.2", "gateways: [10.9.0.1"))
    start("fewer queues than workers", DEVICE, "fewer than workers or threads (2)",
          lambda t: t.replace("io: dpdk,", "io: dpdk, workers: 2,"))
    for family, address in ((socket.AF_INET, "10.0.0.1"), (socket.AF_INET6, "fd00::1")):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.bind((address, PORT))
            start(f"a UDP port in use, {address}", DEVICE, "Address already in use")
    check("refused: no program is left", program_of() is None, program_of())


def others_program(options, folder):
    """A daemon's program stands for somebody else's: it is left alone."""
    with tempfile.TemporaryDirectory() as second:
        living = PortDaemon(options.daemon, folder, 10, DEVICE, SMALL).start()
        try:
            was = program_of()
            daemon = PortDaemon(options.daemon, second, 10, DEVICE, SMALL)
            code, said = daemon.refuse_to_start()
            check("another program: exit code", code == 1, code)
            check("another program: told", "an XDP program is on xa already" in said, said)
            check("another program: it is still there", was and program_of() == was, (was, program_of()))
            living.stop()
        finally:
            living.kill()


def rights(options, folder):
    """Those that the manual names are enough."""
    wrapper = Path(folder) / "akmapushd"
    wrapper.write_text("#!/bin/sh\nexec setpriv --inh-caps=-all --bounding-set="
                       f"-all,+bpf,+net_admin,+net_raw,+ipc_lock {options.daemon} \"$@\"\n")
    wrapper.chmod(0o755)
    daemon = PortDaemon(str(wrapper), folder, 10, DEVICE, SMALL).start()
    try:
        check("rights: there is a program", program_of())
        check("rights: ends in order", daemon.stop() == 0, daemon.log.read_text())
        check("rights: no program afterwards", program_of() is None)
    finally:
        daemon.kill()


def received(daemon):
    return sum(value for name, value in daemon.metrics().items() if name.startswith("akmapush_rx_total"))


def two_interfaces(options, folder):
    """Each has its own program, which diverts to its own addresses."""
    run("ip", "link", "add", "ya", "type", "veth", "peer", "name", "yb", "netns", THERE)
    run("ip", "link", "set", "ya", "up")
    run("ip", "addr", "add", "10.1.0.1/24", "dev", "ya")
    run(*there("ip", "link", "set", "yb", "up"))
    run(*there("ip", "addr", "add", "10.1.0.2/24", "dev", "yb"))
    run(*there(sys.executable, netns.__file__, "--checksums", "yb"))
    more = '    - device: "net_af_xdp1,iface=ya"\n      addresses: [10.1.0.1/24]\n'
    daemon = PortDaemon(options.daemon, folder, 10, DEVICE, SMALL, more).start()
    send = ("import socket, sys; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hello', "
            f"(sys.argv[1], {PORT}))")
    try:
        check("two interfaces: two programs", program_of("xa") and program_of("ya")
              and program_of("xa") != program_of("ya"))
        for address, wanted in (("10.0.0.1", 1), ("10.1.0.1", 2)):
            run(*there(sys.executable, "-c", send, address))
            end = time.monotonic() + 5
            while received(daemon) < wanted and time.monotonic() < end:
                time.sleep(0.05)
            check(f"two interfaces: what is sent to {address} arrives", received(daemon) == wanted, received(daemon))
        check("two interfaces: ends in order", daemon.stop() == 0, daemon.log.read_text())
        check("two interfaces: no programs afterwards", not program_of("xa") and not program_of("ya"))
    finally:
        daemon.kill()
        run("ip", "link", "del", "ya")


def away(options, folder):
    """The next hop does not answer the kernel for a while: what is sent then fails, and leaves afterwards."""
    case = Case(options, "away", DEVICE)
    case.ues = 500
    daemon = PortDaemon(options.daemon, folder, 1000, DEVICE, SMALL).start()
    failed = lambda: sum(value for name, value in daemon.metrics().items()
                         if name.startswith("akmapush_tx_failed_total"))
    try:
        case.provision(daemon)
        fleet = case.fleet(there)
        run(*there("ip", "link", "set", "xb", "arp", "off"))
        wrong = flush("ip", "neigh", "flush", "dev", "xa")
        check("away: the kernel forgets its next hops", not wrong, wrong)
        with subprocess.Popen([options.load, "push", "--af", AF, "--group", GROUP, "--wait", "--json", "-q",
                               "--server", f"127.0.0.1:{daemon.port}"], stdout=subprocess.PIPE, text=True) as push:
            end = time.monotonic() + 20
            while failed() < case.ues and time.monotonic() < end:
                time.sleep(0.1)
            check("away: it fails", failed() >= case.ues, failed())
            time.sleep(4)  # until the port has given the next hop up
            run(*there("ip", "link", "set", "xb", "arp", "on"))
            answer = json.loads(push.communicate(timeout=90)[0].splitlines()[-1])
            check("away: all acknowledged when it is back", answer.get("succeeded") == case.ues, answer)
        fleet.terminate()
        fleet.communicate(timeout=60)
        check("away: ends in order", daemon.stop() == 0, daemon.log.read_text())
    finally:
        daemon.kill()


def without_driver(options, folder):
    """An interface whose driver knows nothing of XDP: the kernel runs the program itself."""
    try:
        run("ip", "link", "add", "xm", "link", "xa", "type", "macvlan", "mode", "bridge")
    except subprocess.CalledProcessError:
        print("not run: this kernel has no macvlan")
        return
    case = Case(options, "macvlan", "net_af_xdp0,iface=xm", SMALL)
    try:
        for address in ("10.0.0.1/24", "fd00::1/64"):
            run("ip", "addr", "del", address, "dev", "xa")
        run("ip", "link", "set", "xm", "up")
        run("ip", "addr", "add", "10.0.0.1/24", "dev", "xm")
        run("ip", "addr", "add", "fd00::1/64", "dev", "xm", "nodad")
        case.ues = 2000
        case.run(there)
        check("macvlan: no program afterwards", program_of("xm") is None)
    finally:
        run("ip", "link", "del", "xm")


def killed(options, folder):
    daemon = PortDaemon(options.daemon, folder, 10, DEVICE, SMALL).start()
    try:
        check("killed: there is a program", program_of())
        daemon.stop(signal.SIGKILL)
        check("killed: no program is left", program_of() is None, program_of())
        daemon.start()
        check("killed: the next start has one", program_of())
        check("killed: and ends in order", daemon.stop() == 0)
        check("killed: no program after that", program_of() is None)
    finally:
        daemon.kill()


# ---- All of it

def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("daemon")
    parser.add_argument("load")
    parser.add_argument("ue")
    parser.add_argument("--ues", type=int, default=1000 if IS_SHORT else 10000)
    return parser.parse_args()


def is_there_xdp():
    try:
        socket.socket(44, socket.SOCK_RAW).close()  # AF_XDP
        return True
    except OSError:
        return False


def cases(options, eal, pages, echo):
    for is_v6 in (False, True):
        SharedCase(options, f"af_xdp, {'IPv6' if is_v6 else 'IPv4'}, {pages}", eal, is_v6, echo).run(there)


def main():
    options = parse()
    need_namespaces()
    if not is_there_xdp():
        print("this kernel has no AF_XDP")
        sys.exit(SKIP)
    with namespaces(), shared_veth():
        echo = Echo()
        refused(options)
        for test in (rights, others_program, killed, two_interfaces, away):
            with tempfile.TemporaryDirectory() as folder:
                test(options, folder)
        cases(options, SMALL, "small pages", echo)
        with huge_pages() as there_are:
            if IS_SHORT:
                print("not run with AKMAPUSH_SHORT: huge pages")
            elif there_are:
                cases(options, [], "huge pages", echo)
            else:
                print("not run: ports in huge pages: none can be had here")
    with namespaces(), shared_veth(), tempfile.TemporaryDirectory() as folder:
        without_driver(options, folder)
    sys.exit(finish())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--talk"]:
        sys.exit(talk(*sys.argv[2:5]))
    main()
