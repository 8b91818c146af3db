#!/usr/bin/env python3
"""What may happen to a port of the back end dpdk while a push runs: junk, a storm of ARP, next hops that do
not answer or change, links that go, rings that are full, a kill. Each time a real daemon, real frames from
another network namespace, counters read from it; at the end the push completes: nothing lost, nothing
delivered twice, every frame counted. Needs root; skipped otherwise.

usage: dpdk_faults.py AKMAPUSHD AKMAPUSH-LOAD AKMAPUSH-UE [--only NAME]"""

import argparse
import os
import sys
import time

import dpdk_junk
import dpdk_links
import dpdk_next_hops
from netns import namespaces, need_namespaces
from real_daemon import finish


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("daemon")
    parser.add_argument("load")
    parser.add_argument("ue")
    parser.add_argument("--only", default="", help="scenarios whose names begin so, separated by commas")
    return parser.parse_args()


# Under sanitizers (AKMAPUSH_SHORT=1): those that take little time and read most octets.
SHORT = ("junk-tap", "storm", "late-hop", "no-route", "link-down", "ring-full-hops", "pool-empty")
SCENARIOS = {**dpdk_junk.SCENARIOS, **dpdk_next_hops.SCENARIOS, **dpdk_links.SCENARIOS}


def main():
    options = parse()
    need_namespaces()
    is_short = os.environ.get("AKMAPUSH_SHORT") == "1" and not options.only
    if is_short:
        print("not run with AKMAPUSH_SHORT: " + ", ".join(name for name in SCENARIOS if name not in SHORT))
    with namespaces():
        for name, scenario in SCENARIOS.items():
            if not name.startswith(tuple(options.only.split(","))) or (is_short and name not in SHORT):
                continue
            begin = time.monotonic()
            scenario(options)
            print(f"{name}: {time.monotonic() - begin:.1f} s", flush=True)
    sys.exit(finish())


if __name__ == "__main__":
    main()
