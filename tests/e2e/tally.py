#!/usr/bin/env python3
"""tools/tally on logs as meson writes them: what counts, what was not run and why, each once.

usage: tally.py TALLY"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from real_daemon import check, finish

CRITERION = ("[RUN ] io_host::a\n[SKIP] io_host::a: no network of our own: Operation not permitted\n"
             "[RUN ] io_host::b\n\x1b[0;34m[SKIP] io_host::b: no network of our own: Operation not permitted\n"
             "[SKIP] io_host::c: built without uring\n[====] Synthesis: Tested: 3\n")
LOG = (
    {"name": "good", "result": "OK", "stdout": "12 passed, 0 failed\nit was not run: never\n"},
    {"name": "wrong on purpose", "result": "EXPECTEDFAIL"},
    {"name": "bad", "result": "FAIL", "stdout": "FAILED this: that\nnot run: nobody minds\n"},
    {"name": "slow", "result": "TIMEOUT", "stderr": "still at it"},
    {"name": "stopped", "result": "INTERRUPT"},
    {"name": "dpdk", "result": "OK", "stdout": "not run: ports in huge pages: none can be had here\n7 passed\n"},
    {"name": "akmapush:e2e / fleet", "result": "SKIP", "stdout": "trying\nskipped: no namespaces here\n\n"},
    {"name": "sudo", "result": "SKIP", "stderr": "only root may\n"},
    {"name": "silent", "result": "SKIP"},
    {"name": "kernels", "result": "OK", "stdout": "aead vaes: not run, this CPU does not have it\n"},
    {"name": "io_host", "result": "OK", "stderr": CRITERION},
)
REPORT = """==== not run
     dpdk (plain, asan), a part: ports in huge pages: none can be had here
     fleet (plain, asan), all of it: no namespaces here
     sudo (plain, asan), all of it: only root may
     silent (plain, asan), all of it: no reason given
     kernels (plain, asan), aead vaes: this CPU does not have it
     io_host (plain, asan), 2 parts: no network of our own: Operation not permitted
     io_host (plain, asan), io_host::c: built without uring
     arm64 (arm64), all of it: no qemu
"""


class Tally:
    def __init__(self, program, folder):
        self.program, self.log, self.notes = program, Path(folder) / "log", Path(folder) / "notes"

    def run(self, *arguments):
        return subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, check=False)

    def count(self, stage, tests):
        self.log.write_text("".join(json.dumps(test) + "\n" for test in tests))
        return self.run("count", stage, self.log, self.notes)


def a_check(tally):
    """As tools/check goes about it."""
    check("nothing yet", tally.run("report", tally.notes).stdout == "")
    for stage in ("plain", "asan"):
        done = tally.count(stage, LOG)
        check(f"{stage}: counts", (done.returncode, done.stdout) == (0, "5 3 3\n"), done)
        check(f"{stage}: what failed is told", done.stderr.count("---- ") == 3 and
              "---- bad: FAIL\nFAILED this: that" in done.stderr and "still at it" in done.stderr, done.stderr)
    check("a stage", tally.run("note", "arm64", "arm64", "no qemu", tally.notes).returncode == 0)
    done = tally.run("report", tally.notes)
    check("report", (done.returncode, done.stdout) == (0, REPORT), done.stdout)


def all_ran(tally):
    done = tally.count("plain", LOG[:1])
    check("all ran: counts", done.stdout == "1 0 0\n", done)
    check("all ran: nothing to report", tally.run("report", tally.notes).stdout == "")


def wrong(tally):
    for arguments in ((), ("count",), ("report",), ("nothing", "x"), ("note", "a", "b")):
        done = tally.run(*arguments)
        check(f"{arguments}: usage", done.returncode == 1 and "usage: tally" in done.stderr, done)
    check("no log", tally.run("count", "plain", "/nowhere", tally.notes).returncode != 0)
    tally.log.write_text("{")
    check("no JSON", tally.run("count", "plain", tally.log, tally.notes).returncode != 0)


def main():
    for case in (a_check, all_ran, wrong):
        with tempfile.TemporaryDirectory() as folder:
            case(Tally(sys.argv[1], folder))
    sys.exit(finish())


if __name__ == "__main__":
    main()
