"""A real akmapushd with its store in a temporary folder, and the counting of checks."""

import signal
import socket
import subprocess
import time
from pathlib import Path

import h2c

passed, failures = 0, []


def check(what, good, seen=""):
    global passed
    if good:
        passed += 1
        return True
    failures.append(what)
    if len(failures) <= 60:
        print(f"FAILED {what}: {str(seen)[:700]}", flush=True)
    return False


def finish():
    """The exit code."""
    print(f"{passed} passed, {len(failures)} failed", flush=True)
    return 1 if failures else 0


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Daemon:
    def __init__(self, program, folder, ues=10000, room_min="1 MiB", more=""):
        """more: sections of the configuration, `dataplane` and those below apart."""
        self.program, self.folder = program, Path(folder)
        self.port, self.admin_path = free_port(), f"{folder}/admin.sock"
        self.store, self.kek = self.folder / "store", self.folder / "kek"
        self.config, self.log = self.folder / "akmapush.yaml", self.folder / "log"
        self.text = (f"listen: {{port: {self.port}}}\nadmin: {{socket: {self.admin_path}}}\n"
                     f"store: {{path: {self.store}, kek: {self.kek}, room_min: {room_min}}}\n"
                     f"dataplane: {{ues: {ues}, source: {{ipv4: 127.0.0.1, port: 0}}}}\n" + more)
        self.config.write_text(self.text)
        self.client = h2c.Client(("127.0.0.1", self.port))
        self.admin = h2c.Client(self.admin_path)
        self.process = None

    def start(self, *more):
        """more: of the command line."""
        with open(self.log, "a") as log:
            self.process = subprocess.Popen([self.program, "-c", str(self.config), *more], stderr=log)
        end = time.monotonic() + 60
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.client.ask("GET", "/health").status in (200, 503):
                    return self
            except OSError:
                time.sleep(0.02)
        self.kill()
        raise SystemExit("akmapushd does not come up: " + self.log.read_text()[-3000:])

    def refuse_to_start(self, *more):
        """Runs it in the expectation that it ends at once: exit code and what it said."""
        done = subprocess.run([self.program, "-c", str(self.config), *more], capture_output=True,
                              text=True, errors="replace", timeout=60)
        return done.returncode, done.stderr

    def stop(self, how=signal.SIGTERM):
        self.client.close()
        self.admin.close()
        self.process.send_signal(how)
        return self.process.wait(60)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(60)

    def metrics(self):
        """Name (with labels) to value."""
        lines = self.client.ask("GET", "/metrics").text.splitlines()
        return {name: float(value) for name, _, value in
                (line.rpartition(" ") for line in lines if not line.startswith("#"))}
