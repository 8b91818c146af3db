#!/usr/bin/env python3
"""Pushes through the back end dpdk to ordinary sockets: a daemon in one network namespace, its port on a
veth (af_packet) or a tap, the fleet of devices in the other, IPv4 and IPv6, in small pages and, where they
can be had, in huge ones. The port's host answers ARP, neighbour solicitations and ping all the while.
And frames written by the port pcap, as tshark judges them. Needs root; skipped otherwise.

usage: dpdk.py AKMAPUSHD AKMAPUSH-LOAD AKMAPUSH-UE [--ues N]"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from netns import dress, huge_pages, namespaces, need_namespaces, run, there, veth
from port_daemon import AF, GROUP, Case, PortDaemon
from real_daemon import check, finish


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
        case.net = ["--first", "fd09::1:0", "--ipv6"]
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
        print("not run: captures are not judged, tshark is missing")
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


# ---- Arguments of EAL behind --

def told(daemon, text):
    """Whether its log has the text within five seconds."""
    end = time.monotonic() + 5
    while text not in daemon.log.read_text() and time.monotonic() < end:
        time.sleep(0.02)
    return text in daemon.log.read_text()


def arguments(options):
    """The same daemon without them, with them, and with ones that EAL can't do with."""
    with tempfile.TemporaryDirectory() as folder:
        daemon = PortDaemon(options.daemon, folder, 10, "net_null0")
        try:
            daemon.start("--", "--no-huge", "-m", "256")
            said = daemon.log.read_text()
            check("behind --: it runs", "ready: " in said, said)
            check("behind --: nothing else about memory", "memory in huge pages" not in said and
                  "no huge page is free" not in said, said)
            mapped = [line for line in Path(f"/proc/{daemon.process.pid}/smaps").read_text().splitlines()
                      if line.split() == ["Size:", str(256 << 10), "kB"]]
            check("behind --: 256 MiB", mapped, mapped)
            daemon.process.send_signal(signal.SIGHUP)
            check("behind --: a reload finds no difference", told(daemon, "read again, 0 changes"),
                  daemon.log.read_text())
            check("behind --: ends in order", daemon.stop() == 0, daemon.log.read_text())
        finally:
            daemon.kill()
        code, said = daemon.refuse_to_start("--", "--no-huge", "-m", "1")
        check("behind --, too little memory: exit code", code == 1, code)
        check("behind --, too little memory: told", "no memory for" in said, said)
        code, said = daemon.refuse_to_start("--", "--no-such-argument")
        check("behind --, unknown to EAL: exit code", code == 1, code)
        check("behind --, unknown to EAL: told", "DPDK does not start" in said, said)


# ---- All of it

def cases(options, eal, pages):
    device = "net_af_packet0,iface=xa,blocksz=65536,framesz=2048,framecnt=1024,qpairs=1,qdisc_bypass=1"
    for is_v6 in (False, True):
        family = "IPv6" if is_v6 else "IPv4"
        with veth():
            Case(options, f"af_packet, {family}, {pages}", device, eal, is_v6).run(there)
    # The kernel's end of a tap is beside it, in one namespace.
    here = lambda *command: command
    for is_v6 in (False, True):
        tap = Case(options, f"tap, {'IPv6' if is_v6 else 'IPv4'}, {pages}", "net_tap0,iface=akmatap", eal, is_v6)
        tap.run(here, lambda: (run("ip", "route", "replace", "local", "10.8.0.0/13", "dev", "lo"),
                               run("ip", "-6", "route", "replace", "local", "fd09::/64", "dev", "lo"),
                               dress("akmatap", here)))


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("daemon")
    parser.add_argument("load")
    parser.add_argument("ue")
    parser.add_argument("--ues", type=int, default=5000 if os.environ.get("AKMAPUSH_SHORT") == "1" else 20000)
    return parser.parse_args()


def main():
    options = parse()
    need_namespaces()
    with namespaces():
        refused(options)
        arguments(options)
        captures(options)
        cases(options, ["--no-huge", "-m", "512"], "small pages")
        with huge_pages() as there_are:
            if there_are:
                cases(options, [], "huge pages")
            else:
                print("not run: ports in huge pages: none can be had here")
    sys.exit(finish())


if __name__ == "__main__":
    main()
