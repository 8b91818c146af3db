"""A daemon whose data plane is a port of DPDK, and a push through it to a fleet of devices."""

import json
import subprocess
import tempfile

from netns import answers
from real_daemon import Daemon, check

AF, GROUP = "utility.example", "meters"
PORT = 48471


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
        self.ues = options.ues
        self.net = (["--first", "fd09::1:0", "--ipv6"] if is_v6 else ["--first", "10.9.0.0"])

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
                  "fd00::1" if self.is_v6 else "10.0.0.1", "--threads", "2", "--seconds", "240", "--json", "-q"),
            stdout=subprocess.PIPE, text=True)
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
