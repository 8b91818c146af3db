#!/usr/bin/env python3
"""bench/plot: lines become a picture that names what is in them, the same octets every time; what cannot
be drawn is said. Pictures are skipped without gnuplot.

usage: plot.py BENCH_PLOT"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree
from pathlib import Path

PLOT = sys.argv[1]
passed = failed = 0


def check(what, good, seen=""):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print(f"FAILED: {what}: {seen}")


def line(variant, median, bench="chain", **more):
    return json.dumps({"bench": bench, "variant": variant, "payload": 64, "rounds": 5, "ns_median": median,
                       "ns_p10": median, "ns_min": median * 0.9, "reference": "openssl-careful", "rate": 1,
                       **more}) + "\n"


def run(text, *arguments, path=None):
    return subprocess.run([sys.executable, PLOT, *arguments], input=text, capture_output=True, text=True,
                          timeout=60, env={**os.environ, **({} if path is None else {"PATH": path})})


def is_drawn(what, text, names, *arguments):
    """The texts of the picture, among which all names are."""
    a = run(text, *arguments)
    check(f"{what}: ends well", a.returncode == 0 and not a.stderr, a.stderr)
    if a.returncode:
        return set()
    root = xml.etree.ElementTree.fromstring(a.stdout)
    check(f"{what}: is SVG", root.tag == "{http://www.w3.org/2000/svg}svg", root.tag)
    texts = {"".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")}
    check(f"{what}: names", set(names) <= texts, set(names) - texts)
    check(f"{what}: again the same", run(text, *arguments).stdout == a.stdout)
    check(f"{what}: no date", not re.search(r"20\d\d-\d\d|\d\d:\d\d", a.stdout))
    return texts


NARROW = line("openssl-careful", 1100, ues=1000) + line("warm", 157.4, ues=1000)
WIDE = NARROW + line("openssl-plain", 3600, ues=1000)
OTHER = line("aesni", 44.1, bench="seal")


def check_pictures(folder):
    texts = is_drawn("bars", NARROW, {"openssl-careful", "warm", "1100", "157", "median", "least",
                                      "ns per message"})
    check("bars start at 0", "0" in texts, texts)
    texts = is_drawn("bars, far apart", WIDE, {"openssl-plain", "warm", "2000", "200"})
    check("a log axis has no 0", "0" not in texts, texts)
    curves = NARROW + line("openssl-careful", 1150, ues=2_000_000) + line("warm", 160, ues=2_000_000)
    is_drawn("curves", curves, {"openssl-careful", "warm", "1 k", "2 M"})
    is_drawn("over payload", OTHER + line("aesni", 295, bench="seal", payload=1024) +
             line("aesni", 40, bench="seal", payload=0), {"aesni", "0", "64", "1024"})
    is_drawn("one bench of two", NARROW + OTHER, {"aesni"}, "--bench", "seal")
    check("--only", "warm" not in is_drawn("--only", NARROW, {"openssl-careful"}, "--only", "openssl"))
    first, second, svg = folder / "first", folder / "second", folder / "out.svg"
    first.write_text(line("warm", 157))
    second.write_text(line("cold", 196))
    a = run("", str(first), str(second), "-o", str(svg))
    check("files", a.returncode == 0 and not a.stdout and "cold" in svg.read_text(), a)


def is_refused(what, text, words, *arguments, path=None):
    a = run(text, *arguments, path=path)
    check(what, a.returncode == 1 and not a.stdout and a.stderr.startswith("bench/plot: ")
          and a.stderr.count("\n") == 1 and all(word in a.stderr for word in words), a)


def check_refusals(folder):
    is_refused("nothing", "\n", ["no lines"])
    is_refused("no JSON", NARROW + "chain: ues 1000\n", ["standard input:3", "not JSON", "--json"])
    is_refused("no object", "[1]\n", ["standard input:1", "not an object"])
    is_refused("another's line", '{"bench": "sbi", "variant": "static"}\n', ["no ns_median"])
    is_refused("no figure", line("warm", -1), ["ns_median is"])
    is_refused("true is none", line("warm", 1, ns_min=True), ["ns_min is true"])
    is_refused("NaN is none", line("warm", 1, ns_min=float("nan")), ["ns_min is"])
    is_refused("no count", line("warm", 1, ues="many"), ['ues is "many"'])
    is_refused("a name for gnuplot", line("'; system('true", 1), ["variant is"])
    is_refused("two benches", NARROW + OTHER, ["chain, seal", "--bench"])
    is_refused("another bench", NARROW, ["no lines of bench io", "chain"], "--bench", "io")
    is_refused("no such variant", NARROW, ["no variant"], "--only", "ipsec")
    is_refused("twice", NARROW + NARROW, ["openssl-careful is there twice"])
    is_refused("two axes", NARROW + line("warm", 1, ues=5, payload=8), ["ues and payload"])
    is_refused("an axis that some lack", NARROW + line("cold", 1), ["no ues"])
    is_refused("no such file", "", ["/absent", "No such file"], str(folder / "absent"))
    is_refused("no gnuplot", NARROW, ["gnuplot-nox"], path=str(folder))
    out = folder / "kept.svg"
    out.write_text("before")
    is_refused("an old picture stays", "", ["no lines"], "-o", str(out))
    check("it is whole", out.read_text() == "before")
    a = run("", "--help")
    check("--help", a.returncode == 0 and "gnuplot-nox" in a.stdout and "examples:" in a.stdout, a)


def main():
    have = shutil.which("gnuplot")
    with tempfile.TemporaryDirectory(prefix="akmapush-plot-") as name:
        check_refusals(Path(name))
        if have:
            check_pictures(Path(name))
    print(f"{passed} passed, {failed} failed")
    if failed:
        return 1
    if not have:
        print("skipped: no gnuplot (package gnuplot-nox), no picture was drawn")
        return 77
    return 0


if __name__ == "__main__":
    sys.exit(main())
