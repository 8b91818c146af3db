#!/usr/bin/env python3
"""Pushes through the back end dpdk to ordinary sockets: a daemon in one network namespace, its port on a
veth (af_packet) or a tap, the fleet of devices in the other, IPv4 and IPv6, in small pages and, where they
can be had, in huge ones. The port's host answers ARP, neighbour solicitations and ping all the while.
And frames written by the port pcap, as tshark judges them. Needs root; skipped otherwise.

usage: dpdk.py AKMAPUSHD AKMAPUSH-LOAD AKMAPUSH-UE [--ues N]"""

import argparse
import array
import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from real_daemon import Daemon, check, finish

SKIP = 77
AF, GROUP = "utility.example", "meters"
HERE, THERE = f"akma{os.getpid()}a", f"akma{os.getpid()}b"
PORT = 48471
V6_UES = 5000  # a port of the fleet's one address each
CLONE_NEWNET = 0x40000000
HUGE = Path("/proc/sys/vm/nr_hugepages")
PAGES = 320


def run(*command, quiet=True):
    return subprocess.run(command, check=True, text=True, capture_output=quiet).stdout


def there(*command):
    return ("ip", "netns", "exec", THERE, *command)


# ---- Namespaces

def enter(name):
    """This process, and all that it starts from now on, is in the namespace."""
    with open(f"/run/netns/{name}", encoding="ascii") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def namespaces():
    run("ip", "netns", "add", HERE)
    run("ip", "netns", "add", THERE)
    try:
        enter(HERE)
        run("ip", "link", "set", "lo", "up")
        run(*there("ip", "link", "set", "lo", "up"))
        # a socket stands for all devices
        run(*there("ip", "route", "add", "local", "10.8.0.0/13", "dev", "lo"))
        run(*there("ip", "addr", "add", "fd09::2/128", "dev", "lo", "nodad"))
        yield
    finally:
        run("ip", "netns", "del", HERE)
        run("ip", "netns", "del", THERE)


def checksums_in_software(interface):
    """A veth leaves UDP's checksums to a card that is not there."""
    value = array.array("B", struct.pack("II", 0x17, 0))  # ETHTOOL_STXCSUM
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8946, struct.pack("16sP8x", interface.encode(), value.buffer_info()[0]))


def dress(interface, where):
    """The devices' side: addresses, and the kernel as their router."""
    for command in (("ip", "link", "set", interface, "up"),
                    ("ip", "addr", "add", "10.0.0.2/24", "dev", interface),
                    ("ip", "addr", "add", "fd00::2/64", "dev", interface, "nodad"),
                    ("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
                     f"net.ipv4.conf.{interface}.rp_filter=0")):
        run(*where(*command))
    run(*where(sys.executable, __file__, "--checksums", interface))


@contextlib.contextmanager
def veth():
    run("ip", "link", "add", "xa", "type", "veth", "peer", "name", "xb", "netns", THERE)
    try:
        run("ip", "link", "set", "xa", "up")
        dress("xb", there)
        yield
    finally:
        run("ip", "link", "del", "xa")


# ---- Ping

def ping(address):
    """Whether the host there answers an echo request, as it was asked; run in the other namespace."""
    is_v6 = ":" in address
    text = bytes(range(56))
    head = struct.pack("!BBHHH", 128 if is_v6 else 8, 0, 0, 7, 1)
    if not is_v6:
        total = sum(struct.unpack("!32H", head + text))
        total = (total & 0xffff) + (total >> 16)
        head = struct.pack("!BBHHH", 8, 0, ~(total + (total >> 16)) & 0xffff, 7, 1)
    protocol = socket.IPPROTO_ICMPV6 if is_v6 else socket.IPPROTO_ICMP
    with socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_RAW, protocol) as s:
        s.settimeout(3)
        s.sendto(head + text, (address, 0))
        end = time.monotonic() + 3
        while time.monotonic() < end:
            got = s.recv(2048)
            message = got if is_v6 else got[20:]
            if message[0] == (129 if is_v6 else 0):
                return message[4:] == struct.pack("!HH", 7, 1) + text
    return False


def answers(where, address):
    return subprocess.run(where(sys.executable, __file__, "--ping", address),
                          check=False).returncode == 0


# ---- The daemon with a port

class PortDaemon(Daemon):
    def __init__(self, program, folder, ues, device, eal=(), more=""):
        super().__init__(program, folder, ues)
        self.text = (f"listen: {{port: {self.port}}}\nadmin: {{socket: {self.admin_path}}}\n"
                     f"store: {{path: {self.store}, kek: {self.kek}, room_min: 1 MiB}}\n"
                     f"dataplane: {{ues: {ues}, io: dpdk, source: {{port: {PORT}}}}}\n"
                     f"dpdk:\n  eal: [{', '.join(eal)}]\n  ports:\n    - device: \"{device}\"\n"
                     "      addresses: [10.0.0.1/24, fd00::1/64]\n"
                     "      gateways: [10.0.0.2, fd00::2]\n" + more)
        self.config.write_text(self.text)


class Case:
    def __init__(self, options, title, device, eal=(), is_v6=False):
        self.options, self.title, self.device, self.eal = options, title, device, eal
        self.is_v6 = is_v6
        self.ues = min(options.ues, V6_UES) if is_v6 else options.ues
        self.net = (["--first", "fd09::2", "--ipv6"] if is_v6 else ["--first", "10.9.0.0"])

    def load(self, daemon, *arguments):
        done = subprocess.run([self.options.load, *arguments, "--json", "-q", "--server",
                               f"127.0.0.1:{daemon.port}"], capture_output=True, text=True, check=False)
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}

    def provision(self, daemon):
        n = str(self.ues)
        self.load(daemon, "provision", "--count", n, "--group", GROUP, *self.net)
        self.load(daemon, "register", "--count", n)
        self.load(daemon, "af", "--af", AF, "--group", GROUP)

    def fleet(self, where):
        process = subprocess.Popen(
            where(self.options.ue, "--count", str(self.ues), *self.net, "--af", AF, "--push-function",
                  "fd00::1" if self.is_v6 else "10.0.0.1", "--seconds", "240", "--json", "-q"), stdout=subprocess.PIPE, text=True)
        check(f"{self.title}: the fleet is ready", process.stdout.readline().strip() == "ready")
        return process

    def push(self, daemon, where):
        fleet = self.fleet(where)
        push = self.load(daemon, "push", "--af", AF, "--group", GROUP, "--wait")
        fleet.terminate()  # not before: acknowledgements that were lost come again
        summary = json.loads(fleet.communicate(timeout=60)[0].splitlines()[-1])
        check(f"{self.title}: all acknowledged", push.get("succeeded") == self.ues, push)
        check(f"{self.title}: all verified", summary["distinct"] == self.ues, summary)
        check(f"{self.title}: none twice", summary["delivered_again"] == 0, summary)

    def run(self, where, dress_after=None):
        with tempfile.TemporaryDirectory() as folder:
            daemon = PortDaemon(self.options.daemon, folder, self.ues, self.device, self.eal).start()
            try:
                if dress_after:
                    dress_after()
                self.provision(daemon)
                for address in ("10.0.0.1", "fd00::1"):
                    check(f"{self.title}: ping {address}", answers(where, address))
                self.push(daemon, where)
                for address in ("10.0.0.1", "fd00::1"):
                    check(f"{self.title}: ping {address} afterwards", answers(where, address))
                check(f"{self.title}: ends in order", daemon.stop() == 0, daemon.log.read_text())
            finally:
                daemon.kill()


# ---- Huge pages

@contextlib.contextmanager
def huge_pages():
    """Whether there are some now; gives back what it took."""
    before = HUGE.read_text()
    try:
        if int(before) < PAGES:
            HUGE.write_text(str(PAGES))
        yield int(HUGE.read_text()) >= PAGES
    except OSError:
        yield False
    finally:
        HUGE.write_text(before)


# ---- pcap, and tshark

def judge(capture, vlan, n):
    """All frames as tshark sees them."""
    fields = ("frame.protocols", "ip.checksum.status", "udp.checksum.status", "udp.dstport", "vlan.id",
              "ip.flags.df", "_ws.malformed")
    arguments = [f"-e{field}" for field in fields]
    out = run("tshark", "-r", str(capture), "-o", "ip.check_checksum:TRUE", "-o",
              "udp.check_checksum:TRUE", "-Y", "udp", "-T", "fields", *arguments)
    rows = [line.split("\t") for line in out.splitlines()]
    what = f"pcap, VLAN {vlan}"
    check(f"{what}: all frames are there", len(rows) == n, len(rows))
    check(f"{what}: none is malformed", not any(row[6] for row in rows))
    check(f"{what}: IPv4's checksums", all(row[1] in ("1", "") for row in rows), rows[:2])
    check(f"{what}: UDP's checksums", all(row[2] == "1" for row in rows), rows[:2])
    check(f"{what}: tags", all(row[4] == (str(vlan) if vlan else "") for row in rows), rows[:2])
    check(f"{what}: both families", {"ip" in row[0].split(":") for row in rows} == {True, False})
    check(f"{what}: DF", all(row[5] in ("1", "True") for row in rows if "ip" in row[0].split(":")))


def write_capture(options, folder, vlan):
    """A push to two families of devices; its frames end in a file."""
    capture = Path(folder) / "out.pcap"
    more = ("      neighbours: [\"10.0.0.2=02:00:00:00:00:02\", \"fd00::2=02:00:00:00:00:02\"]\n"
            + (f"      vlan: {vlan}\n" if vlan else ""))
    daemon = PortDaemon(options.daemon, folder, 1000, f"net_pcap0,tx_pcap={capture}", ["--no-huge"],
                        more).start()
    case = Case(options, "pcap", "")
    case.ues = 200
    try:
        case.provision(daemon)
        case.net = ["--first", "fd09::2", "--ipv6"]
        case.load(daemon, "provision", "--from", "200", "--count", "200", "--group", GROUP, *case.net)
        case.load(daemon, "register", "--from", "200", "--count", "200")
        push = case.load(daemon, "push", "--af", AF, "--group", GROUP, "--no-ack", "--wait")
        check("pcap: all sent", push.get("datagrams_sent") == 400, push)
        check("pcap: ends in order", daemon.stop() == 0, daemon.log.read_text())
    finally:
        daemon.kill()
    return capture


def captures(options):
    if not shutil.which("tshark"):
        print("not judged: tshark is missing")
        return
    for vlan in (0, 100):
        with tempfile.TemporaryDirectory() as folder:
            judge(write_capture(options, folder, vlan), vlan, 400)


# ---- Starts that are refused

REFUSED = (
    ("no such driver", "net_nosuch0", "", "DPDK does not start: No such device"),
    ("no such interface", "net_af_packet0,iface=nosuch", "", "it did not come up"),
    ("no such card", "0000:ff:1f.7", "", "bind it to vfio-pci"),
    ("a gateway that is not on the link", "net_null0", "      gateways: [10.9.0.1]\n",
     "the gateway of IPv4 is no other host on an address's network"),
    ("an address of no host", "net_null0", "", "address 1 is not one of a host"),
    ("too little memory", "net_null0", "", "no memory for"),
)


def refused(options):
    for title, device, more, told in REFUSED:
        with tempfile.TemporaryDirectory() as folder:
            memory = "1" if "memory" in title else "64"
            daemon = PortDaemon(options.daemon, folder, 10, device, ["--no-huge", "-m", f"'{memory}'"])
            text = daemon.text
            if more:
                text = text.replace("      gateways: [10.0.0.2, fd00::2]\n", more)
            if "of no host" in title:
                text = text.replace("10.0.0.1/24", "224.0.0.1/24")
            daemon.config.write_text(text)
            code, said = daemon.refuse_to_start()
            check(f"refused, {title}: exit code", code == 1, code)
            check(f"refused, {title}: told", told in said, said)


# ---- All of it

def cases(options, eal, pages):
    device = "net_af_packet0,iface=xa,blocksz=65536,framesz=2048,framecnt=1024,qpairs=1,qdisc_bypass=1"
    for is_v6 in (False, True):
        family = "IPv6" if is_v6 else "IPv4"
        with veth():
            Case(options, f"af_packet, {family}, {pages}", device, eal, is_v6).run(there)
    # The kernel's end of a tap is beside it, in one namespace.
    here = lambda *command: command
    tap = Case(options, f"tap, {pages}", "net_tap0,iface=akmatap", eal)
    tap.run(here, lambda: (run("ip", "route", "replace", "local", "10.8.0.0/13", "dev", "lo"),
                           dress("akmatap", here)))


def parse():
    if sys.argv[1:2] == ["--ping"]:
        sys.exit(0 if ping(sys.argv[2]) else 1)
    if sys.argv[1:2] == ["--checksums"]:
        sys.exit(checksums_in_software(sys.argv[2]))
    parser = argparse.ArgumentParser()
    parser.add_argument("daemon")
    parser.add_argument("load")
    parser.add_argument("ue")
    parser.add_argument("--ues", type=int, default=20000)
    return parser.parse_args()


def are_there_namespaces():
    """ip netns exec wants mount namespaces too, which a chroot does not give."""
    if os.geteuid() or not shutil.which("ip"):
        return False
    added = subprocess.run(("ip", "netns", "add", HERE), check=False).returncode == 0
    usable = added and subprocess.run(("ip", "netns", "exec", HERE, "true"), check=False,
                                      capture_output=True).returncode == 0
    if added:
        run("ip", "netns", "del", HERE)
    return usable


def main():
    options = parse()
    if not are_there_namespaces():
        print("no network namespaces here: they need root, iproute2 and mount namespaces")
        sys.exit(SKIP)
    with namespaces():
        refused(options)
        captures(options)
        cases(options, ["--no-huge", "-m", "512"], "small pages")
        with huge_pages() as there_are:
            if there_are:
                cases(options, [], "huge pages")
            else:
                print("not run: no huge pages can be had here")
    sys.exit(finish())


if __name__ == "__main__":
    main()
