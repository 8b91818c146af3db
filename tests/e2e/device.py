#!/usr/bin/env python3
"""The device of ue/example.c against a real akmapushd: it is killed, starts again, and loses its state.

usage: device.py AKMAPUSHD AKMAPUSH_UE_EXAMPLE"""

import base64
import socket
import subprocess
import sys
import tempfile
import time

from real_daemon import Daemon, check, finish

EXAMPLE = sys.argv[2]
AF, PUSH_API = "meter.example.com", "/akma-push/v1"
SUPI, GPSI = "imsi-001019000000001", "msisdn-15551234567"
KAKMA = "176cdc89b8bc8634d912bf84cb7ed7b85afe1b8802afa110d1100a881df659a3"
WAIT_S = 30


def free_udp_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def onboard(daemon, port):
    for method, path, body in (
            ("POST", "/naanf-akma/v1/register-anchorkey",
             {"supi": SUPI, "kAkma": KAKMA,
              "aKId": "0000.pHY_9qVCfFj6UfYuA2wqozyINDzdpfF9uGzxq3tWYbY"
                      "@akma.5gc.mnc001.mcc001.3gppnetwork.org"}),
            ("POST", f"{PUSH_API}/ues",
             {"supi": SUPI, "gpsi": GPSI, "address": "127.0.0.1", "port": port}),
            ("PUT", f"{PUSH_API}/afs/{AF}", {"allowedUes": {"all": True}})):
        form = "application/x-ndjson" if path.endswith("/ues") else "application/json"
        seen = daemon.client.ask(method, path, body, [("content-type", form)])
        check(f"{method} {path}", 200 <= seen.status < 300, seen)


class Device:
    def __init__(self, state, port, *more):
        self.process = subprocess.Popen([EXAMPLE, state, str(port), KAKMA, *more],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def kill(self):
        self.process.kill()
        return self.process.communicate(timeout=WAIT_S)[0].splitlines()


def push(daemon, text):
    seen = daemon.client.ask("POST", f"{PUSH_API}/{AF}/pushes",
                             {"target": {"gpsi": GPSI}, "validityPeriod": 60,
                              "payload": base64.b64encode(text.encode()).decode()},
                             [("content-type", "application/json")])
    check(f"push of {text}", seen.status == 201, seen)
    path = f"{PUSH_API}/{AF}/pushes/{seen.json['pushId']}/results"
    end, result = time.monotonic() + WAIT_S, ""
    while time.monotonic() < end and "DELIVERED" not in result:
        time.sleep(0.1)
        result = daemon.client.ask("GET", path).text
    check(f"{text} is delivered", "DELIVERED" in result, result)


def run(daemon, folder):
    port, state = free_udp_port(), f"{folder}/device"
    onboard(daemon, port)
    device = Device(state, port, "new")
    push(daemon, "open valve 7")
    push(daemon, "close valve 7")
    seen = device.kill()
    check("each push once, in order", seen == ["open valve 7", "close valve 7"], seen)

    device = Device(state, port)
    push(daemon, "open valve 8")
    seen = device.kill()
    check("what was before the restart does not come again", seen == ["open valve 8"], seen)

    with open(state, "r+b") as file:
        file.truncate(50)
    device = Device(state, port)
    _, error = device.process.communicate(timeout=WAIT_S)
    check("a lost state is refused", device.process.returncode == 1 and "-3" in error, error)


with tempfile.TemporaryDirectory() as folder:
    daemon = Daemon(sys.argv[1], folder)
    daemon.start()
    try:
        run(daemon, folder)
    finally:
        daemon.kill()
sys.exit(finish())
