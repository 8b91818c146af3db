#!/usr/bin/env python3
"""akmapush-bench: every bench runs, every line is JSON with its members, every variant that this CPU
and build have is there. No figure is judged.

usage: bench.py AKMAPUSH_BENCH"""

import json
import subprocess
import sys

BENCH = sys.argv[1]
FIGURES = ("ns_median", "ns_p10", "ns_min", "rate")
BENCHES = {  # its own members, and variants that are there on any CPU
    "chain": (("ues", "payload"), {"openssl-careful", "openssl-plain", "warm", "cold", "hot",
                                   "warm-random", "hot-random"}),
    "kaf": (("payload",), {"openssl-careful", "openssl-plain", "warm-scalar", "cold-scalar"}),
    "seal": (("payload",), {"openssl-careful", "openssl-plain", "openssl"}),
    "open": (("payload",), {"openssl-careful", "openssl-plain", "openssl"}),
    "ack": (("ues", "payload"), {"send", "verify", "send-random", "verify-random"}),
    "table": (("ues", "payload"), {"array", "array-dependent", "context", "context-no-prefetch",
                                   "context-in-order", "directory", "directory-akid"}),
    "io": (("payload", "destinations"), {"plain-sendmmsg", "sendmmsg", "protected-sendmmsg"}),
}
OF_BUILD = {  # where --help has it
    "dpdk": (("payload", "destinations"), {"chain", "port", "protected"}),
    "workers": (("payload", "destinations"), {"1-worker", "1-chain"}),
}
OF_FLAGS = {  # what flags of the CPU, all of them, bring
    ("sha_ni",): {"kaf": {"warm-shani", "cold-shani", "floor-warm-shani", "floor-cold-shani"}},
    ("avx2",): {"kaf": {"warm-avx2", "cold-avx2"}},
    ("avx512bw",): {"kaf": {"warm-avx512", "cold-avx512", "floor-warm-avx512", "floor-cold-avx512"}},
    ("pclmulqdq",): {"seal": {"aesni"}, "open": {"aesni"}},
    ("pclmulqdq", "avx"): {"seal": {"floor-aesni"}, "open": {"floor-aesni"}},
    ("pclmulqdq", "avx", "sha_ni"): {"chain": {"floor", "floor-random"}},
    ("vpclmulqdq",): {"seal": {"vaes"}, "open": {"vaes"}},
    ("vpclmulqdq", "avx512bw"): {"seal": {"vaes512", "floor-vaes512"}, "open": {"vaes512", "floor-vaes512"}},
}

passed = failed = 0


def check(what, good, seen=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED: {what}: {seen}")


def run(*arguments):
    return subprocess.run([BENCH, *arguments], capture_output=True, text=True, timeout=300)


def cpu_flags():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("flags"):
                return set(line.split(":")[1].split())
    return set()


def lines_of(name):
    a = run(name, "--rounds", "3", "--json", "--ues", "20000", "--destinations", "256")
    check(f"{name} ends well", a.returncode == 0, a.stderr)
    return [json.loads(line) for line in a.stdout.splitlines()]


def main():
    flags = cpu_flags()
    known = run("--help").stdout
    benches = BENCHES | {name: bench for name, bench in OF_BUILD.items() if f"\n  {name} " in known}
    for name, (members, variants) in benches.items():
        lines = lines_of(name)
        expected = set(variants)
        for wanted, of_bench in OF_FLAGS.items():
            expected |= of_bench.get(name, set()) if flags.issuperset(wanted) else set()
        seen = {line["variant"] for line in lines}
        check(f"{name}: variants", expected <= seen, expected - seen)
        for line in lines:
            check(f"{name}: members", line["bench"] == name and line["rounds"] == 3
                  and all(m in line for m in members) and all(line[f] > 0 for f in FIGURES)
                  and line["ns_min"] <= line["ns_p10"] <= line["ns_median"], line)
    only = run("chain", "--rounds", "3", "--ues", "20000", "--only", "hot").stdout.split()
    check("--only", "hot" in only and "openssl-careful" in only and "warm" not in only, only)
    if "dpdk" in benches:
        a = run("dpdk", "--rounds", "3", "--destinations", "256", "--only", "port", "--device", "net_null7,no-rx=1")
        check("--device, --only: dpdk", a.returncode == 0 and "port" in a.stdout.split()
              and "protected" not in a.stdout.split(), a)
        a = run("workers", "--rounds", "3", "--destinations", "4096", "--cpus", "0", "--json")
        check("--cpus: one", [json.loads(line)["variant"] for line in a.stdout.splitlines()]
              == ["1-worker", "1-chain"], a)
        for cpus, why in (("0-", "is not a list of 1 to 64 CPUs"), ("0,0", "is not a list"),
                          ("0,8191", "worker 1 cannot run on CPU 8191")):
            a = run("workers", "--cpus", cpus)
            check(f"--cpus {cpus}", a.returncode == 1 and why in a.stderr and not a.stdout, a)
        a = run("dpdk", "--device", "net_nosuch0")
        check("--device that is none", a.returncode == 1 and "DPDK does not start: No such device" in a.stderr, a)
    for what, arguments in (("no bench", ()), ("unknown bench", ("speed",)),
                            ("too few UEs", ("chain", "--ues", "999")),
                            ("no number", ("chain", "--ues", "many")),
                            ("payload too long", ("seal", "--payload", "1185"))):
        a = run(*arguments)
        check(what, a.returncode == 2 and "usage" in a.stderr and not a.stdout, a)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
