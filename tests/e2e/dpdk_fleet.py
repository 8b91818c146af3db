#!/usr/bin/env python3
"""A daemon and the fleet of devices behind the two ends of a memif, past the kernel, IPv4 and IPv6: all are
reached and acknowledge, none is given a push twice. A flood of acknowledgements over it. Needs neither root nor
namespaces nor huge pages. Likewise over virtio with two queues, as in a virtual machine, which needs huge
pages: left out without. And starts of the fleet that are refused.

usage: dpdk_fleet.py AKMAPUSHD AKMAPUSH-LOAD AKMAPUSH-UE [--ues N] [--only IPv4|IPv6]"""

import argparse
import json
import subprocess
import sys
import tempfile
import time

from netns import huge_pages
from port_daemon import AF, GROUP, PORT as PORT_OF_DAEMON, PortDaemon
from real_daemon import check, finish

MEMORY = ["--no-huge", "-m", "256", "--no-shconf"]
NETS = {"IPv4": (["--first", "10.8.0.0"], "10.0.0.1"), "IPv6": (["--first", "fd09::1:0", "--ipv6"], "fd00::1")}


def memif(folder, role):
    return f"net_memif0,role={role},socket={folder}/memif.sock,socket-abstract=no,rsize=12"


def virtio(folder, role):
    return (f"net_vhost0,iface={folder}/vhost.sock,queues=2" if role == "server"
            else f"net_virtio_user0,path={folder}/vhost.sock,queues=2")


class Case:
    def __init__(self, options, title, family, behaviour=(), device=memif, memory=MEMORY, threads=1):
        self.options, self.title, self.behaviour = options, title, behaviour
        self.device, self.memory, self.threads = device, memory, threads
        self.net, self.push_function = NETS[family]
        self.ues = str(options.ues)

    def load(self, daemon, *arguments):
        done = subprocess.run([self.options.load, *arguments, "--json", "-q", "--server",
                               f"127.0.0.1:{daemon.port}"], capture_output=True, text=True, check=False)
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}

    def provision(self, daemon):
        self.load(daemon, "provision", "--count", self.ues, "--group", GROUP, *self.net)
        self.load(daemon, "register", "--count", self.ues)
        self.load(daemon, "af", "--af", AF, "--group", GROUP)

    def fleet(self, folder):
        process = subprocess.Popen(
            [self.options.ue, "--dpdk", self.device(folder, "client"), "--eal", " ".join(self.memory), "--threads",
             str(self.threads), "--address", "10.0.0.2/24", "--address", "fd00::2/64", *self.net, "--count", self.ues, "--af", AF,
             "--push-function", self.push_function, "--list", "4", "--expect", self.ues, "--pushes", "2", "--linger", "600",
             "--json", "-q", *self.behaviour],
            stdout=subprocess.PIPE, text=True)
        check(f"{self.title}: the fleet is ready", process.stdout.readline().strip() == "ready")
        return process

    def push(self, daemon):
        """How long it took."""
        start = time.monotonic()
        push = self.load(daemon, "push", "--af", AF, "--group", GROUP, "--wait")
        check(f"{self.title}: all acknowledged", push.get("succeeded") == self.options.ues, push)
        return time.monotonic() - start

    def judge(self, summary, seconds):
        check(f"{self.title}: all verified", summary["complete"] == 2, summary)
        check(f"{self.title}: none twice", summary["delivered_again"] == 0, summary)
        check(f"{self.title}: none for strangers", summary["strangers"] == 0, summary)
        print(f"{self.title}: {self.ues} devices in {seconds:.2f} s, {self.options.ues / seconds:,.0f} a second, "
              f"{summary['datagrams']} datagrams, {summary['acks']} acknowledgements, p50 {summary['p50_ms']} ms, "
              f"p99 {summary['p99_ms']} ms", flush=True)

    def run(self):
        with tempfile.TemporaryDirectory() as folder:
            daemon = PortDaemon(self.options.daemon, folder, self.options.ues, self.device(folder, "server"),
                                self.memory)
            daemon.config.write_text(daemon.text.replace("io: dpdk,", f"io: dpdk, workers: {self.threads},"))
            daemon.start()
            fleet = None
            try:
                self.provision(daemon)
                fleet = self.fleet(folder)
                self.push(daemon)  # it may begin before the next hop is known
                seconds = self.push(daemon)
                # A server that polls while its client leaves may crash: it ends first.
                check(f"{self.title}: the daemon ends in order", daemon.stop() == 0, daemon.log.read_text())
                fleet.terminate()
                summary = json.loads(fleet.communicate(timeout=60)[0].splitlines()[-1])
                check(f"{self.title}: the fleet ends in order", fleet.returncode == 0, fleet.returncode)
                self.judge(summary, seconds)
            finally:
                daemon.kill()
                if fleet and fleet.poll() is None:
                    fleet.kill()


def over_virtio(options):
    with huge_pages() as there_are:
        if not there_are:
            print("not run: a fleet over virtio, for which huge pages cannot be had here")
            return
        memory = ["--in-memory", "--single-file-segments", "-m", "128"]
        Case(options, "virtio, two queues", "IPv4", device=virtio, memory=memory, threads=2).run()


# ---- A flood of acknowledgements

def flood(options):
    """akmapush-load acks at the other end: what leaves is counted by the daemon."""
    with tempfile.TemporaryDirectory() as folder:
        daemon = PortDaemon(options.daemon, folder, 10, memif(folder, "server"), MEMORY).start()
        try:
            done = subprocess.run(
                [options.load, "acks", "--to", f"10.0.0.1:{PORT_OF_DAEMON}", "--count", "50k", "--rate", "50k",
                 "--address", "10.0.0.2/24", "--dpdk", memif(folder, "client"), "--eal", " ".join(MEMORY),
                 "--json", "-q"], capture_output=True, text=True, check=False)
            check("flood: exit code", done.returncode == 0, (done.returncode, done.stderr))
            summary = json.loads(done.stdout.splitlines()[-1])
            time.sleep(0.5)
            counted = daemon.metrics()['akmapush_rx_unknown_push_total{worker="0"}']
            check("flood: sent", summary["sent"] == 50000, summary)
            check("flood: counted", counted == 50000, counted)
            check("flood: the daemon ends in order", daemon.stop() == 0, daemon.log.read_text())
        finally:
            daemon.kill()


# ---- Starts that are refused

PORT = ("--address", "10.0.0.2/24", "--first", "10.8.0.0", "--eal", " ".join(MEMORY))

REFUSED = (
    (2, "--address is needed", ("--dpdk", "net_null0", "--first", "10.8.0.0")),
    (2, "--first is needed", ("--dpdk", "net_null0", "--address", "10.0.0.2/24")),
    (2, "a device is needed", ("--address", "10.0.0.2/24")),
    (2, "no address with its prefix", ("--dpdk", "net_null0", "--first", "10.8.0.0", "--address", "10.0.0.2")),
    (2, "too many", ("--dpdk", "net_null0", "--first", "10.8.0.0", *(("--address", "10.0.0.2/24") * 5))),
    (1, "No such device", ("--dpdk", "net_nosuch0", *PORT)),
    (1, "it did not come up", ("--dpdk", "net_af_packet0,iface=nosuch", *PORT)),
    (1, "bind it to vfio-pci", ("--dpdk", "0000:ff:1f.7", *PORT)),
    (1, "transmit queues", ("--dpdk", "net_pcap0,tx_pcap=/dev/null", "--threads", "2", *PORT)),
    (1, "not one of a host", ("--dpdk", "net_null0", *PORT, "--address", "224.0.0.1/24")),
    (1, "no memory for", ("--dpdk", "net_null0", *PORT[:4], "--eal", "--no-huge -m 1 --no-shconf")),
)


def refused(options):
    for code, told, arguments in REFUSED:
        done = subprocess.run([options.ue, *arguments, "--seconds", "0.1"], capture_output=True, text=True,
                              check=False)
        check(f"refused, {told}: exit code", done.returncode == code, (done.returncode, done.stderr))
        check(f"refused, {told}: told", told in done.stderr, done.stderr)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("daemon")
    parser.add_argument("load")
    parser.add_argument("ue")
    parser.add_argument("--ues", type=int, default=20000)
    parser.add_argument("--only", choices=NETS)
    return parser.parse_args()


def main():
    options = parse()
    for family in [options.only] if options.only else NETS:
        Case(options, family, family).run()
    if not options.only:
        Case(options, "IPv4, acknowledged twice", "IPv4", ("--duplicate", "50")).run()
        over_virtio(options)
        flood(options)
        refused(options)
    sys.exit(finish())


if __name__ == "__main__":
    main()
