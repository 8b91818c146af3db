#!/usr/bin/env python3
"""Our commands on DPDK's telemetry socket: a daemon with two workers and two ports that take all (net_null),
in small pages; what it says is what its metrics say. Wrong parameters, a daemon that ends while it is asked,
and one without telemetry; several at a time.

usage: dpdk_telemetry.py AKMAPUSHD AKMAPUSH-LOAD"""

import argparse
import json
import os
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from port_daemon import AF, GROUP, Case, PortDaemon
from real_daemon import check, finish

UES, ON_LINK, WORKERS = 500, 250, 2
EAL = ["--no-huge", "-m", "'128'", "--no-shconf"]
NEIGHBOURS = {"10.0.0.2": "02:00:00:00:00:02", "fd00::2": "02:00:00:00:ab:02"}
MORE = ("      neighbours: [" + ", ".join(f"\"{ip}={mac}\"" for ip, mac in NEIGHBOURS.items()) + "]\n"
        "    - device: \"net_null1,no-rx=1\"\n"
        "      addresses: [\"fd01::1/64\"]\n"
        "      gateways: [\"fd01::2\"]\n")


class Telemetry:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)
        self.socket.connect(str(path))
        self.info = json.loads(self.socket.recv(1024))

    def ask(self, command):
        self.socket.send(command.encode())
        answer = json.loads(self.socket.recv(self.info["max_output_len"]))
        return answer[command.split(",")[0]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def path_of(folder, more=""):
    return Path(folder) / f"dpdk/rte/dpdk_telemetry.v2{more}"


def make_daemon(options, folder, eal):
    """DPDK's files are in the folder too, as the unit has it."""
    os.environ["RUNTIME_DIRECTORY"] = folder
    daemon = PortDaemon(options.daemon, folder, UES + ON_LINK, "net_null0,no-rx=1", eal, MORE)
    daemon.config.write_text(daemon.text.replace("io: dpdk,", f"io: dpdk, workers: {WORKERS},"))
    return daemon


# ---- What it says

def ports(t):
    check("the commands are listed", {"/akmapush/ports", "/akmapush/port", "/akmapush/neighbours"} <=
          set(t.ask("/")))
    check("help", "worker" in str(t.ask("/help,/akmapush/port")))
    names = t.ask("/akmapush/ports")
    check("ports", names == ["net_null0", "net_null1"], names)


def counters(t, daemon, case):
    push = case.load(daemon, "push", "--af", AF, "--group", GROUP, "--no-ack", "--wait")
    check("all sent", push.get("datagrams_sent") == UES, push)
    port = t.ask("/akmapush/port,0")
    check("name", port["name"] == "net_null0", port)
    check("link", port["link"] == "up", port)
    check("MTU", port["mtu"] == 1500, port)
    check("steering", port["steering"] == "rss", port)
    check("MAC", len(port["mac"].split(":")) == 6, port)
    check("frames sent", port["tx"] == UES, port)
    each = [t.ask(f"/akmapush/port,0,{w}") for w in range(WORKERS)]
    check("by worker", all(0 < one["tx"] < UES for one in each), each)
    check("workers add up", sum(one["tx"] for one in each) == UES, each)
    check("a worker has no device", not any(key.startswith("device_") for key in each[0]), each[0])
    check("the device's count", port["device_tx"] >= UES, port)
    check("the other port has nothing to do", t.ask("/akmapush/port,1")["tx"] == 0)


def entries(t, number):
    """{address: (state, MAC …)}"""
    return {ip: rest for ip, *rest in (e.split() for e in t.ask(f"/akmapush/neighbours,{number}")["entries"])}


def neighbours(t):
    found = entries(t, 0)
    check("static neighbours", found == {ip: ["known", mac] for ip, mac in NEIGHBOURS.items()}, found)
    check("no more of them", "next" not in t.ask("/akmapush/neighbours,0"))
    check("the end of the table", len(t.ask("/akmapush/neighbours,0,4095")["entries"]) <= 1)
    for place in (4096, 999999999):
        answer = t.ask(f"/akmapush/neighbours,0,{place}")
        check("beyond the table", answer == {"entries": []}, answer)
    end = time.monotonic() + 15
    while entries(t, 1).get("fd01::2") != ["gone"] and time.monotonic() < end:
        time.sleep(0.2)
    found = entries(t, 1)
    check("a gateway that does not answer", found == {"fd01::2": ["gone"]}, found)


def pages_of(t, number):
    """The lengths of the pages, and all of their addresses."""
    lengths, found, place = [], [], 0
    while place is not None:
        answer = t.ask(f"/akmapush/neighbours,{number},{place}")
        lengths.append(len(answer["entries"]))
        found += [entry.split()[0] for entry in answer["entries"]]
        place = answer.get("next")
    return lengths, found


def pages(t, daemon, case):
    """Devices on the second port's own network, none of whom answers."""
    net = ("--first", "fd01::1:0", "--ipv6")
    case.load(daemon, "provision", "--from", str(UES), "--count", str(ON_LINK), "--group", "near", *net)
    case.load(daemon, "register", "--from", str(UES), "--count", str(ON_LINK))
    case.load(daemon, "af", "--af", AF, "--group", "near")
    case.load(daemon, "push", "--af", AF, "--group", "near", "--no-ack")
    end = time.monotonic() + 10
    while len(pages_of(t, 1)[1]) <= ON_LINK and time.monotonic() < end:
        time.sleep(0.1)
    lengths, found = pages_of(t, 1)
    check("all are in the table", len(found) == len(set(found)) == ON_LINK + 1, len(found))
    check("a hundred on a page", lengths[:2] == [100, 100] and max(lengths) == 100, lengths)


WRONG = {
    "/akmapush/ports": ("0", "x"),
    "/akmapush/port": ("2", "999999999", "9999999999", "-1", "x", "0x", "0,", ",0", "0,2", "0,x", "0,0,0", " 0",
                       "0 ", "4294967296", "18446744073709551616", "", "\n", "0" * 200, "%s%n"),
    "/akmapush/neighbours": ("2", "x", "0,", "0,-1", "0,0,0", "0,99999999999999999999", "0" * 900),
}


def wrong(t):
    for command, parameters in WRONG.items():
        for text in parameters:
            answer = t.ask(f"{command},{text}")
            # nothing behind the comma is no parameter to DPDK
            good = "error" in answer or (not text and command == "/akmapush/ports")
            check(f"{command},{text[:20]}: an error", good, answer)
    for command in ("/akmapush/port", "/akmapush/neighbours"):
        check(f"{command}: wants a parameter", "error" in t.ask(command))
    check("an unknown command", t.ask("/akmapush/nothing") is None)


# ---- While it ends

def ask_on(path, stop, asked):
    """Until the daemon is gone."""
    try:
        with Telemetry(path) as t:
            while not stop.is_set():
                for command in ("/akmapush/port,0", "/akmapush/neighbours,1", "/akmapush/ports"):
                    t.ask(command)
                    asked.append(command)
    except (OSError, ValueError):
        pass


def ends(daemon, folder):
    stop, asked = threading.Event(), []
    threads = [threading.Thread(target=ask_on, args=(path_of(folder), stop, asked)) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    check("ends in order while it is asked", daemon.stop() == 0, daemon.log.read_text())
    stop.set()
    for thread in threads:
        thread.join()
    check("it was asked", len(asked) > 100, len(asked))


def without(options):
    with tempfile.TemporaryDirectory() as folder:
        daemon = make_daemon(options, folder, EAL + ["--no-telemetry"])
        try:
            daemon.start()
            check("--no-telemetry: no socket", not path_of(folder).exists())
            check("--no-telemetry: ends in order", daemon.stop() == 0, daemon.log.read_text())
        finally:
            daemon.kill()


def several(options):
    """One folder, two daemons: the second one's socket has a number."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as other:
        daemons = [make_daemon(options, other, EAL), make_daemon(options, folder, EAL)]
        daemons[0].config.write_text(daemons[0].config.read_text().replace("port: 48471", "port: 48481"))
        try:
            for daemon, more in zip(daemons, ("", ":1")):
                daemon.start()
                with Telemetry(path_of(folder, more)) as t:
                    check(f"several, socket '{more}'", t.info["pid"] == daemon.process.pid, t.info)
            for daemon in daemons:
                check("several: ends in order", daemon.stop() == 0, daemon.log.read_text())
        finally:
            for daemon in daemons:
                daemon.kill()


def with_telemetry(options):
    case = Case(options, "telemetry", "")
    with tempfile.TemporaryDirectory() as folder:
        daemon = make_daemon(options, folder, EAL)
        try:
            daemon.start()
            case.provision(daemon)
            with Telemetry(path_of(folder)) as t:
                ports(t)
                counters(t, daemon, case)
                neighbours(t)
                pages(t, daemon, case)
                wrong(t)
            ends(daemon, folder)
        finally:
            daemon.kill()


def main():
    parser = argparse.ArgumentParser()
    for name in ("daemon", "load"):
        parser.add_argument(name)
    parser.set_defaults(ues=UES)
    options = parser.parse_args()
    with_telemetry(options)
    without(options)
    several(options)
    sys.exit(finish())


if __name__ == "__main__":
    main()
