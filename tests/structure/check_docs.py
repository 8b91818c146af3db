#!/usr/bin/env python3
"""The documents, checked against each other and against the code: links, files named, OpenAPI
files, man pages against --help, configuration options, metrics, public functions, the worked
examples of the specification. Prints every breach and exits 1. What can't be looked at (a program
that is not built, mandoc not installed) is said in a line that starts with "skipped".

usage: check_docs.py [BUILD FOLDER]"""

import functools
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
import docs_openapi

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
MAN = DOCS / "man"
BREACHES = []
PROGRAMS = {  # name: its place in the build folder, its page
    "akmapushd": ("control", "akmapushd.8"),
    "akmapushctl": ("tools", "akmapushctl.1"),
    "akmapush-load": ("tools", "akmapush-load.1"),
    "akmapush-ue": ("tools", "akmapush-ue.1"),
    "akmapush-vectors": ("tools", "akmapush-vectors.1"),
    "akmapush-bench": ("bench", "akmapush-bench.1"),
}


def breach(where, text):
    BREACHES.append(f"{where}: {text}")


def skipped(text):
    print(f"skipped {text}")


def read(path):
    if not (ROOT / path).exists():
        breach(path, "is not there")
        return ""
    return (ROOT / path).read_text(encoding="utf-8")


# ---- Links

def without_code(text):
    text = re.sub(r"^(```|~~~).*?^\1\s*$", "", text, flags=re.M | re.S)
    return re.sub(r"`[^`\n]*`", lambda m: "x" * len(m.group()), text)


def anchors(text):
    """The anchors of a page's headings, as GitHub makes them."""
    found = set()
    for line in re.sub(r"^(```|~~~).*?^\1\s*$", "", text, flags=re.M | re.S).splitlines():
        heading = re.match(r"#{1,6}\s+(.*?)\s*$", line)
        if heading:
            name = re.sub(r"[`*\\]", "", heading[1]).lower()
            found.add(re.sub(r"[^\w\- ]", "", name).replace(" ", "-"))
    return found


def check_links():
    pages = sorted(DOCS.glob("**/*.md")) + [ROOT / "README.md"]
    for page in pages:
        name = page.relative_to(ROOT).as_posix()
        text = page.read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(text)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            to = (page.parent / path).resolve() if path else page
            if not to.is_relative_to(ROOT):
                breach(name, f"{target} leads out of the tree")
            elif not to.exists():
                breach(name, f"{target} is not there")
            elif anchor and to.suffix == ".md" and anchor not in anchors(
                    to.read_text(encoding="utf-8")):
                breach(name, f"{target}: no such heading")
        check_files_named(name, text)


def check_files_named(name, text):
    folders = "base|bench|control|crypto|dataplane|dist|docs|tests|tools|ue"
    for path in sorted(set(re.findall(
            rf"(?<![\w./-])(?:{folders})/[\w./-]*\w\.(?:c|h|json|md|py|service|sh|yaml)\b", text))):
        if not (ROOT / path).exists():
            breach(name, f"{path} is not there")


# ---- Man pages

def rendered(page):
    """The page as plain text in one line per paragraph break, hyphenation undone."""
    done = subprocess.run(["mandoc", "-T", "ascii", "-O", "width=1000", str(page)],
                          capture_output=True, text=True, check=True)
    return re.sub(r".\x08", "", done.stdout)


def check_lint():
    for page in sorted(MAN.glob("*.[0-9]")):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(page)],
                              capture_output=True, text=True)
        for line in done.stdout.splitlines():
            if "referenced manual not found" not in line:
                breach(page.name, line.split(": ", 1)[-1])


@functools.lru_cache(maxsize=None)
def help_of(program, *words):
    """Text of --help, or None when the program ends otherwise than by helping."""
    done = subprocess.run([program, *words, "--help"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=20,
                          env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})
    return done.stdout if done.returncode == 0 else None


def commands_in(text):
    """Words of the commands that a help lists: a line is "  object verb   what it does"."""
    return re.findall(r"^ {2,4}([a-z][a-z-]*(?: [a-z][a-z-]*)?) {2,}\S", text, flags=re.M)


def all_help(program):
    """The program's help and that of each of its commands."""
    text = help_of(program)
    if text is None:
        return None
    more = [help_of(program, *command.split()) for command in commands_in(text)]
    return "\n".join([text, *(page for page in more if page and page != text)])


OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]*)")


def options_in(text):
    return set(OPTION.findall(text))


def check_programs(build):
    for name, (folder, page) in PROGRAMS.items():
        path = MAN / page
        program = build / folder / name if build else None
        if not path.exists():
            breach(page, "no such page")
            continue
        if not program or not program.exists():
            skipped(f"{name}: not built, its options are not compared with {page}")
            continue
        text = all_help(str(program))
        if text is None:
            breach(name, "--help fails")
            continue
        # A line like "  akmapush-ue --count 100k" shows another program, one with curl as well.
        foreign = "|".join(["curl", *(other for other in PROGRAMS if other != name)])
        own = "\n".join(line for line in text.splitlines()
                        if not re.match(rf"\s*({foreign})\b", line))
        text_page = rendered(path)
        own_page = "\n".join(line for line in text_page.splitlines()
                             if not re.match(rf"\s*(\$ )?({foreign})\b", line))
        told = re.sub(r"^EXAMPLES$.*?(?=^[A-Z])", "", text_page, flags=re.M | re.S)
        for option in sorted(options_in(own) - options_in(told) - {"help"}):
            breach(page, f"--{option} of the program is missing")
        for option in sorted(options_in(own_page) - options_in(text) - {"help", "version"}):
            breach(page, f"--{option} is not an option of the program")
        for command in commands_in(text):
            if not re.search(rf"(?<![\w-]){command}(?![\w-])", re.sub(r" +", " ", text_page)):
                breach(page, f"command {command} is missing")


# ---- Configuration, reasons, functions

def config_options():
    """[(name, default or None, live)] from the table in control/config/config_schema.c."""
    table = re.search(r"options\[\] = \{(.*?)\n\};", read("control/config/config_schema.c"), re.S)[1]
    found = []
    for entry in re.findall(r'\{((?:"[^"]*"|[^{}"])*)\}', table):
        entry = re.sub(r"\s+", " ", entry)
        if not entry.startswith('"'):
            continue
        match = re.match(r'"([a-z]+)", "([a-z0-9_.]+)", .*?(NULL|ios|levels), (NULL|"[^"]*"),? '
                         r"(true|false),", entry)
        if not match:
            breach("control/config/config_schema.c", f"not understood: {entry[:60]}")
            continue
        default = None if match[4] == "NULL" else match[4].strip('"')
        found.append((f"{match[1]}.{match[2]}", default, match[5] == "true"))
    return found


def example_options():
    """{name: value} of dist/akmapush.yaml with the comments taken for what they stand for."""
    import yaml
    lines = []
    for line in read("dist/akmapush.yaml").splitlines():
        if line.startswith("#") and not line.startswith("# "):
            lines.append(line[1:])
        elif line.startswith("#  "):
            lines.append(line[1:])
    document = yaml.safe_load("\n".join(lines))
    found = {}
    for section, options in document.items():
        for name, value in options.items():
            if isinstance(value, dict):
                found.update({f"{section}.{name}.{k}": v for k, v in value.items()})
            else:
                found[f"{section}.{name}"] = value
    return found


def check_configuration():
    page, example, manual = read("docs/configuration.md"), example_options(), None
    if shutil.which("mandoc") and (MAN / "akmapush.yaml.5").exists():
        manual = rendered(MAN / "akmapush.yaml.5")
    options = config_options()
    rows = dict(re.findall(r"^\| `([a-z0-9_.]+)` (\|.*)$", page, flags=re.M))
    for name, default, live in options:
        row = rows.pop(name, None)
        if row is None:
            breach("docs/configuration.md", f"{name} is missing")
        elif f"`{default}`" not in row.split("|")[2] and not (default is None and "none" in row):
            breach("docs/configuration.md", f"{name}: the default is {default}")
        elif row.rstrip().endswith("| yes |") != live:
            breach("docs/configuration.md", f"{name}: reload is {'yes' if live else 'no'}")
        if name not in example:
            breach("dist/akmapush.yaml", f"{name} is missing")
        elif default is not None and str(example[name]).lower() != default.lower():
            breach("dist/akmapush.yaml", f"{name}: the default is {default}")
        if manual and not re.search(rf"^\s+{re.escape(name)}(?![\w.])", manual, flags=re.M):
            breach("akmapush.yaml.5", f"{name} is missing")
    for name in rows:
        breach("docs/configuration.md", f"{name} is no option")
    for name in set(example) - {name for name, _, _ in options}:
        breach("dist/akmapush.yaml", f"{name} is no option")


def check_metrics():
    page = read("docs/operations.md")
    for metric in re.findall(r'X\([A-Z_]+, "([a-z_]+)"', read("dataplane/reason.h")):
        if f"`akmapush_{metric}_total`" not in page:
            breach("docs/operations.md", f"akmapush_{metric}_total is missing")
    for kind, metric, family in re.findall(
            r'\b(counter|gauge|family)\(out, "([a-z_]+)"(?:, "(counter|gauge)")?',
            read("control/operations/metrics.c")):
        end = "" if "gauge" in (kind, family) else "_total"
        if f"`akmapush_{metric}{end}`" not in page:
            breach("docs/operations.md", f"akmapush_{metric}{end} is missing")


def check_functions():
    header = re.sub(r"//.*", "", read("ue/akmapush_ue.h"))
    page = read("docs/man/libakmapush-ue.3")
    for name in sorted(set(re.findall(r"\b(akmapush_ue_[a-z_]+)\(", header))):
        if not re.search(rf"^\.Fo {name}$|^\.Fn {name}\b", page, flags=re.M):
            breach("libakmapush-ue.3", f"{name} is missing")


# ---- The specification's examples

def table_after(marker, text):
    part = text.split(marker, 1)[1].split("\n\n", 2)[1]
    return [[cell.strip() for cell in line.strip("|").split("|")]
            for line in part.splitlines()[2:]]


def check_vector_example(text):
    vectors = json.loads(read("tests/vectors/protocol1.json"))
    for index in re.findall(r"<!-- vector (\d+):", text):
        entry = {**vectors["keys"][int(index)], **vectors["messages"][int(index)]}
        rows = {row[0].strip("`"): row[1].strip("`")
                for row in table_after(f"<!-- vector {index}:", text)}
        for name in sorted(entry.keys() | rows.keys()):
            if str(entry.get(name)) != rows.get(name):
                breach("docs/specification.md", f"vector {index}: {name} differs")


def sha(key, *parts):
    return hmac.new(key, b"".join(parts), "sha256").digest()


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def check_worked_example(text):
    """All but the AEAD is derived again; that is for akmapush-vectors."""
    rows = [(row[1], bytes.fromhex(row[2].strip("`")))
            for row in table_after("<!-- example:", text)]
    values = iter(rows)

    def expect(start, octets=None):
        name, value = next(values)
        if not name.strip("`").startswith(start):
            breach("docs/specification.md", f"example: '{name}' stands where {start} is expected")
        if octets is not None and octets != value:
            breach("docs/specification.md", f"example: {name} should be {octets.hex()}")
        return value

    def message(kind, push_id):
        return sha(kaf, b"akma push 1", bytes([1, kind]), push_id, b"\1")

    kausf = expect("K_AUSF")
    kakma = expect("K_AKMA", sha(kausf, expect("S for K_AKMA")))
    expect("A-TID", sha(kausf, b"\x81A-TID\0\5", b"001010000000001\0\x0f"))
    af_id = expect("AF_ID", b"meter.example.com" + bytes.fromhex("ff414b5001"))
    kaf = sha(kakma, expect("S for K_AF", b"\x82" + af_id + len(af_id).to_bytes(2, "big")))
    expect("K_AF", kaf)
    push_id = expect("push_id")
    expect("info", b"akma push 1\1\1" + push_id + b"\1")
    okm = expect("OKM", message(1, push_id))
    expect("key", okm[:16])
    iv = expect("iv", okm[16:28])
    selector, ref, expiry = expect("selector", okm[28:]), expect("ref"), expect("expiry")
    header = expect("octets 0..31", b"\x11\1\1\0" + selector + push_id + ref + expiry)
    expect("nonce", xor(iv, bytes(7) + ref + b"\0"))
    expect("payload", b"open valve 7")
    push = header + expect("ciphertext") + expect("tag")
    okm = expect("OKM", message(2, push_id))
    expect("key", okm[:16])
    iv, reply = expect("iv", okm[16:28]), expect("reply", b"7 open")
    salt = expect("salt", sha(kaf, b"akma push ack\x12\1\0\0", push_id, ref, b"\1", reply)[:7])
    header = expect("octets 0..31", b"\x12\1\0\0" + salt[:4] + push_id + ref + b"\1" + salt[4:])
    expect("nonce", xor(iv, salt + bytes(5)))
    ack = header + expect("ciphertext") + expect("tag")
    blocks = [bytes.fromhex(block) for block in
              re.findall(r"^```\n((?:[0-9a-f]{2}[ \n]+)+)```$", text, flags=re.M)]
    if blocks != [push, ack]:
        breach("docs/specification.md", "example: the datagrams are not those of the table")


def main():
    build = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    specification = read("docs/specification.md")

    check_links()
    for path in sorted((DOCS / "openapi").glob("*.yaml")):
        for text in docs_openapi.breaches(path):
            breach(path.relative_to(ROOT).as_posix(), text)
    if shutil.which("mandoc"):
        check_lint()
        check_programs(build)
    else:
        skipped("man pages: mandoc is not installed")
    check_configuration()
    check_metrics()
    check_functions()
    check_vector_example(specification)
    check_worked_example(specification)
    for line in BREACHES:
        print(line)
    print(f"{len(BREACHES)} breaches")
    sys.exit(1 if BREACHES else 0)


if __name__ == "__main__":
    main()
