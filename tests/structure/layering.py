#!/usr/bin/env python3
"""The structure of the tree, checked: who may include whom, that rooms have no circles of files,
where libraries are known, how long functions and files are. Prints every breach and exits 1; run
from anywhere."""

import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("base", "crypto", "dataplane", "control", "ue", "tools", "bench")

# folder: what of other folders it may include (a folder, or single headers).
MAY_INCLUDE = {
    "base": (),
    "crypto": ("base/",),
    "dataplane": ("base/", "crypto/"),
    "control": ("base/", "crypto/", "dataplane/dp.h", "dataplane/reason.h",
                "dataplane/io/io_dpdk.h", "dataplane/io/port.h"),
    "ue": (),
    "tools": ("base/", "crypto/", "ue/", "dataplane/frame.h", "dataplane/reason.h",
              "dataplane/io/io.h", "dataplane/io/io_dpdk.h", "dataplane/io/io_link.h", "dataplane/io/port.h",
              "dataplane/net/packet_stamp.h", "control/config/config.h", "control/json/json.h",
              "control/json/problem.h", "control/loop.h"),
    "bench": ("base/", "crypto/", "dataplane/"),
}

# Rooms of dataplane/ that know nothing of what they carry: base/, themselves, and what stands here.
DATAPLANE = {"net": (), "io": ("net",), "dpdk": ("io", "net")}

# Rooms of control/, from the ground up: what of control/ each may include beside itself. Files that
# stand in control/ itself put everything together.
CONTROL = {
    "json": (),
    "http": ("json/", "loop.h"),
    "config": (),
    "store": (),
    "registry": ("json/", "config/", "store/", "app.h"),
    "push": ("config/", "store/", "registry/", "app.h", "loop.h"),
    "api": ("json/", "http/", "config/", "store/", "registry/", "push/", "app.h", "apply.h"),
    "operations": ("json/", "http/", "config/", "store/store.h", "registry/", "push/push.h",
                   "api/", "app.h", "apply.h"),
}

# Rooms where data flows one way: no file includes its way back to itself. What a face declares for
# those outside is for the files behind it too.
ONE_WAY = ("base", "crypto", "dataplane", "dataplane/io", "dataplane/io/dpdk", "dataplane/net", "ue", "bench",
           "control/json", "control/http", "control/config", "control/store", "control/registry",
           "control/push", "control/api", "control/operations", "tools", "tools/ctl", "tools/ctl/doctor", "tools/fleet",
           "tools/load", "tools/vectors")
FACES = ("bench/floor", "bench/peers", "crypto/aead", "crypto/sha256", "dataplane/dp", "io/io", "io/io_mem", "net/host",
         "http/http", "http/http_server", "config/config", "store/store",
         "registry/af", "registry/group", "registry/ue")

# header of a library: the files (stems of paths) that may know it.
LIBRARIES = {
    "openssl/": ("crypto/aead_openssl", "control/http/http_tls", "control/store/store_seal",
                 "control/store/store_kek", "ue/crypto_openssl", "bench/peer_openssl"),
    "intel-ipsec-mb.h": ("bench/peer_ipsecmb",),
    "nghttp2/": ("control/http/", "tools/h2client"),
    "event2/": ("control/http/", "control/loop", "tools/h2client"),
    "jansson.h": ("control/json/",),
    "yaml.h": ("control/config/config_yaml",),
    "rocksdb/": ("control/store/store_rocksdb",),
    "liburing.h": ("dataplane/io/io_uring",),
    "rte_": ("dataplane/io/dpdk/",),
    "bpf/": ("dataplane/io/dpdk/xdp",),
    "xxhash.h": ("base/hash",),
    "histedit.h": ("tools/ctl/",),
}
# Standard and kernel headers are anything else in <>.

FUNCTION_MEDIAN_MAX = 20  # lines
FILE_MAX = 600            # lines; 100 to 400 is the aim


def sources():
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).glob("**/*.[ch]"))


def allowed(name, folder, include):
    room = Path(name).parent.name
    if folder == "dataplane" and room in DATAPLANE:
        rooms = tuple(f"dataplane/{other}/" for other in (room, *DATAPLANE[room]))
        return include.startswith(("base/", *rooms))
    return include.startswith(folder + "/") or any(
        include == entry or (entry.endswith("/") and include.startswith(entry))
        for entry in MAY_INCLUDE[folder])


def allowed_in_control(name, include):
    room = name.split("/")[1]
    if room not in CONTROL or not include.startswith("control/"):
        return True
    inside = include.removeprefix("control/")
    return inside.startswith(room + "/") or any(
        inside == entry or (entry.endswith("/") and inside.startswith(entry))
        for entry in CONTROL[room])


def check_includes(path, text):
    name = path.relative_to(ROOT).as_posix()
    folder = name.split("/")[0]
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not match:
            continue
        where, include = f"{name}:{number}", match.group(2)
        if match.group(1) == '"' and not allowed(name, folder, include):
            yield f"{where}: {folder}/ may not include {include}"
        if folder == "control" and match.group(1) == '"' and not allowed_in_control(name, include):
            yield f"{where}: {Path(name).parent}/ may not include {include}"
        for library, files in LIBRARIES.items():
            if match.group(1) != "<" or not include.startswith(library):
                continue
            if path.suffix == ".h":
                yield f"{where}: a header shows a library: {include}"
            elif not name.startswith(tuple(files)):
                yield f"{where}: {include} is known to {', '.join(files)} only"


def includes_of(room):
    """{stem: stems of the same room that its header or source includes}."""
    graph = {}
    for path in sorted((ROOT / room).glob("*.[ch]")):
        found = re.findall(rf'^#include "{room}/(\w+)\.h"', path.read_text(encoding="utf-8"), re.M)
        faces = {stem for stem in found if f"{Path(room).name}/{stem}" in FACES}
        graph.setdefault(path.stem, set()).update(set(found) - {path.stem} - faces)
    return graph


def check_circle(room):
    graph = includes_of(room)
    while True:
        last = {stem for stem, wants in graph.items() if not wants & graph.keys()}
        if not last:
            break
        graph = {stem: wants for stem, wants in graph.items() if stem not in last}
    if graph:
        yield f"{room}/: a circle goes through or leads to {', '.join(sorted(graph))}"


def function_lengths(text):
    """Lines of each function body: from a '{' to a '}' in the first column, after a ')' line."""
    start = None
    previous = ""
    for number, line in enumerate(text.splitlines()):
        if line == "{" and not previous.endswith(("=", ";")):
            start = number
        elif line == "}" and start is not None:
            yield number - start - 1
            start = None
        previous = line


def main():
    breaches, lengths = [], []
    for path in sources():
        text = path.read_text(encoding="utf-8")
        breaches += check_includes(path, text)
        lengths += function_lengths(text)
        if text.count("\n") > FILE_MAX:
            breaches.append(f"{path.relative_to(ROOT)}: {text.count(chr(10))} lines, at most {FILE_MAX}")
    for room in ONE_WAY:
        breaches += check_circle(room)
    median = statistics.median(lengths)
    ninth = statistics.quantiles(lengths, n=10)[8]
    print(f"{len(lengths)} functions: median {median:g} lines, nine in ten below {ninth:g}")
    if median >= FUNCTION_MEDIAN_MAX:
        breaches.append(f"the median function has {median:g} lines, {FUNCTION_MEDIAN_MAX} are too many")
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
