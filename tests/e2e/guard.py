#!/usr/bin/env python3
"""bench/guard: what it says of given figures. akmapush-bench is played by a script that answers with
figures of our choice, other ones in each try; nothing is timed.

usage: guard.py BENCH_GUARD"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

GUARD = sys.argv[1]
CPUINFO = ("processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: {model}\nmodel name\t: AMD\n"
           "stepping\t: 1\nflags\t\t: {flags}\n\nprocessor\t: 1\nvendor_id\t: other\n")
PLAYER = """#!/bin/sh
cd "$(dirname "$0")" || exit 1
n=$(cat "$1.calls" 2>/dev/null || echo 0)
echo $((n + 1)) >"$1.calls"
while [ "$n" -gt 0 ] && [ ! -d "try$n" ]; do n=$((n - 1)); done
cat "try$n/$1"
"""
GOOD = {
    "kaf": {"openssl-careful": 300, "warm-avx512": 25, "cold-avx512": 50, "floor-warm-avx512": 12,
            "floor-cold-avx512": 25},
    "seal": {"openssl-careful": 370, "aesni": 40, "floor-aesni": 27},
    "open": {"openssl-careful": 370, "aesni": 41, "floor-aesni": 27},
    "chain": {"openssl-careful": 1000, "warm": 130, "cold": 160, "hot": 80, "floor": 46},
    "ack": {"send": 130, "verify": 132},
}

passed = failed = 0


def check(what, good, seen=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED: {what}: {seen}")


def but(bench, **times):
    """GOOD with some times multiplied; _ is for -. None: the variant is not there."""
    changed = {name: dict(variants) for name, variants in GOOD.items()}
    for name, by in times.items():
        variant = name.replace("_", "-")
        if by is None:
            del changed[bench][variant]
        else:
            changed[bench][variant] *= by
    return changed


class World:
    def __init__(self, folder):
        self.folder, self.bench, self.file = folder, folder / "bench", folder / "guard.json"
        self.bench.mkdir()
        (self.bench / "akmapush-bench").write_text(PLAYER)
        (self.bench / "akmapush-bench").chmod(0o755)
        self.is_on(2)

    def is_on(self, model, flags="fpu aes avx512bw"):
        (self.folder / "cpuinfo").write_text(CPUINFO.format(model=model, flags=flags))

    def guard(self, tries, *arguments):
        """Runs it with the figures of each try; the last stay."""
        for calls in self.bench.glob("*.calls"):
            calls.unlink()
        for old in self.bench.glob("try*"):
            shutil.rmtree(old)
        for n, benches in enumerate(tries):
            (self.bench / f"try{n}").mkdir()
            for bench, times in benches.items():
                lines = [json.dumps({"variant": variant, "ns_min": ns}) for variant, ns in times.items()]
                (self.bench / f"try{n}" / bench).write_text("\n".join(lines))
        return subprocess.run([GUARD, "--build", self.folder, "--record-file", self.file, "--cpuinfo",
                               self.folder / "cpuinfo", *arguments], capture_output=True, text=True, timeout=60)

    def calls(self, bench):
        calls = self.bench / f"{bench}.calls"
        return int(calls.read_text()) if calls.exists() else 0


def row(answer, path):
    return next((line for line in answer.stdout.splitlines() if line.startswith(path + " ")), "")


def check_recording(world):
    a = world.guard([GOOD])
    check("no record: skipped, with a way out", a.returncode == 77 and "--record" in a.stdout, a)
    check("nothing is run then", world.calls("kaf") == 0)
    a = world.guard([GOOD], "--record")
    check("recorded", a.returncode == 0 and "new" in row(a, "kaf warm-avx512"), a)
    entry = json.loads(world.file.read_text())["cpus"][0]
    check("its CPU", entry["family"] == 26 and entry["model"] == 2 and entry["vendor"] == "AuthenticAMD", entry)
    check("its ratios", entry["ratios"]["ack verify"] == {"send": 1.0154}, entry)
    check("kernels of other CPUs are not in it", "kaf warm-armv8" not in entry["ratios"], entry)
    world.is_on(3)
    check("another model is unknown", world.guard([GOOD]).returncode == 77)
    world.guard([but("kaf", warm_avx512=2)], "--record")
    check("and gets a record of its own", len(json.loads(world.file.read_text())["cpus"]) == 2)
    world.is_on(2, "fpu aes")
    check("nor is a guest that hides instructions", world.guard([GOOD]).returncode == 77)
    world.is_on(2, "avx512bw aes sse")
    check("which is nobody else's", world.guard([GOOD]).returncode == 0)
    disturbed = but("kaf", warm_avx512=3)
    a = world.guard([disturbed, GOOD, GOOD], "--record")
    check("medians are recorded", a.returncode == 0 and "+0.0%" in row(a, "kaf warm-avx512"), a)


def check_guarding(world):
    a = world.guard([GOOD])
    check("as recorded", a.returncode == 0 and world.calls("kaf") == 1 and "no path is worse" in a.stdout, a)
    worse = but("kaf", warm_avx512=1.13)
    a = world.guard([worse])
    check("13 % worse in all tries", a.returncode == 1 and "WORSE" in row(a, "kaf warm-avx512")
          and "+13.0%" in row(a, "kaf warm-avx512") and "WORSE" not in row(a, "kaf cold-avx512"), a)
    check("only its bench is run again", world.calls("kaf") == 3 and world.calls("seal") == 1)
    a = world.guard([worse, worse, GOOD])
    check("13 % worse in two of three", a.returncode == 0 and world.calls("kaf") == 3, a)
    check("--tries", world.guard([worse, worse, GOOD], "--tries", "2").returncode == 1)
    a = world.guard([worse, but("seal", aesni=2), worse])
    check("of each path one good try is enough", a.returncode == 0 and world.calls("seal") == 1, a)
    a = world.guard([but("kaf", warm_avx512=1.11)])
    check("11 % worse is noise", a.returncode == 0 and world.calls("kaf") == 1, a)
    a = world.guard([but("kaf", warm_avx512=1.3, openssl_careful=1.3)])
    check("slower as the library is: a neighbour", a.returncode == 0 and world.calls("kaf") == 1, a)
    a = world.guard([but("seal", aesni=0.8)])
    check("better is said", a.returncode == 0 and "better" in row(a, "seal aesni"), a)
    a = world.guard([but("kaf", warm_avx512=None)])
    check("a path that is gone", a.returncode == 1 and "gone" in row(a, "kaf warm-avx512"), a)
    a = world.guard([but("chain", floor=None, warm=1.2)])
    check("what is left of the references counts", a.returncode == 1 and "WORSE" in row(a, "chain warm"), a)
    both = but("seal", floor_aesni=None, openssl_careful=None)
    a = world.guard([both])
    check("no reference is left", a.returncode == 1 and "gone" in row(a, "seal aesni"), a)
    grown = but("kaf")
    grown["kaf"]["warm-shani"] = 45
    a = world.guard([grown])
    check("a path that is new", a.returncode == 0 and "record it" in row(a, "kaf warm-shani"), a)


def check_refusals(world):
    a = world.guard([])
    check("a bench that fails", a.returncode == 2 and "kaf ends with 1" in a.stderr, a)
    a = world.guard([but("ack", send=0)])
    check("a time of 0", a.returncode == 2 and "ack" in a.stderr, a)
    good = world.file.read_text()
    entry = {"vendor": "AuthenticAMD", "family": 26, "model": 2, "stepping": 1, "name": "",
             "instructions": "aes avx512bw"}
    for what, text in (("no JSON", good[:-9]), ("a list", "[]"), ("no list of CPUs", '{"cpus": {}}'),
                       ("a CPU without ratios", {**entry}), ("no ratios at all", {**entry, "ratios": {}}),
                       ("a ratio of 0", {**entry, "ratios": {"kaf warm-avx512": {"floor": 0}}}),
                       ("a ratio that is text", {**entry, "ratios": {"kaf warm-avx512": {"floor": "2"}}}),
                       ("a path without references", {**entry, "ratios": {"kaf warm-avx512": {}}})):
        world.file.write_text(text if isinstance(text, str) else json.dumps({"cpus": [text]}))
        for arguments in ((), ("--record",)):
            a = world.guard([GOOD], *arguments)
            check(f"{what}: refused", a.returncode == 2 and "guard.json" in a.stderr
                  and "Traceback" not in a.stderr and world.calls("kaf") == 0, a)
    world.file.write_text(good)
    info = world.folder / "meson-info"
    info.mkdir()
    for name, value in (("optimization", "0"), ("b_sanitize", "address")):
        (info / "intro-buildoptions.json").write_text(json.dumps([{"name": name, "value": value}]))
        a = world.guard([GOOD])
        check(f"{name}: refused", a.returncode == 2 and "optimisation" in a.stderr, a)
    (info / "intro-buildoptions.json").write_text(json.dumps([{"name": "optimization", "value": "2"}]))
    check("optimised", world.guard([GOOD]).returncode == 0)
    (world.bench / "akmapush-bench").unlink()
    a = world.guard([GOOD])
    check("no akmapush-bench", a.returncode == 2 and "akmapush-bench" in a.stderr and "Traceback" not in a.stderr, a)


def main():
    with tempfile.TemporaryDirectory(prefix="akmapush-guard-") as name:
        world = World(Path(name))
        check_recording(world)
        check_guarding(world)
        check_refusals(world)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
