#!/usr/bin/env python3
"""akmapushctl doctor on machines made of files: each check both ways, for people and with --json, exit codes.
No daemon, no privilege.

usage: doctor.py AKMAPUSHCTL"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from real_daemon import check, finish

CTL = os.path.abspath(sys.argv[1])
CARD = "0000:01:00.0"
PCI = f"sys/bus/pci/devices/{CARD}"
NODE = "sys/devices/system/node"
PAGES, CPU = "hugepages/hugepages-2048kB", "sys/devices/system/cpu"
X86 = "fpu ssse3 sse4_1 aes avx2 pclmulqdq"
# What a machine has that lacks nothing. A value that begins with -> is a link; None: it is not there.
GOOD = {
    "sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages": "600",
    "sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "512",
    f"{NODE}/node0/{PAGES}/nr_hugepages": "600",
    f"{NODE}/node0/{PAGES}/free_hugepages": "512",
    f"{NODE}/node0/cpulist": "0-7",
    "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
    "proc/self/limits": "Limit   Soft Limit  Hard Limit  Units\n"
                        "Max locked memory         unlimited            unlimited            bytes",
    "proc/self/status": "Name:\tdoctor\nCapEff:\t000001ffffffffff\nCpus_allowed_list:\t0-7",
    "proc/cmdline": "quiet intel_iommu=on iommu=pt",
    "sys/kernel/iommu_groups/0/type": "DMA",
    "sys/kernel/iommu_groups/1/type": "DMA",
    "sys/module/vfio_pci/version": "1",
    f"{PCI}/numa_node": "0",
    f"{PCI}/driver": "->../../../bus/pci/drivers/vfio-pci",
    "sys/class/net/eth1/flags": "0x1003",
    "sys/class/net/eth1/mtu": "1500",
    "dev/net/tun": "",
    f"{CPU}/online": "0-7",
    f"{CPU}/isolated": "6-7",
    f"{CPU}/nohz_full": "6-7",
    **{f"{CPU}/cpu{i}/cpufreq/scaling_governor": "performance" for i in range(8)},
    f"{CPU}/intel_pstate/no_turbo": "1",
    "proc/cpuinfo": f"processor\t: 0\nflags\t\t: {X86} sha_ni avx512f avx512bw vaes vpclmulqdq",
    "proc/sys/net/core/rmem_max": "16777216",
    "proc/sys/net/core/wmem_max": "16777216",
}
PORTS = (CARD, "net_af_packet0,iface=eth1", "net_tap0,iface=akma0", "net_null0")
LIMITS = "Max locked memory         {}            {}            bytes"
STATUS = "CapEff:\t{:016x}\nCpus_allowed_list:\t{}"
NOTHING = 0


def bits(*numbers):
    return sum(1 << n for n in numbers)


def make(root, files):
    for name, value in {**GOOD, **files}.items():
        path = Path(root, name)
        if value is None:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if value.startswith("->"):
            path.symlink_to(value[2:])
        else:
            path.write_text(value + "\n")


def configuration(ports, workers=2, ues=1000, eal=(), cpus=None):
    """cpus: "" for none; those of GOOD if nothing is said and they are enough."""
    cpus = {1: "7", 2: "6-7"}.get(workers) if cpus is None else cpus
    sizes = f"workers: {workers}, ues: {ues}" + (f', cpus: "{cpus}"' if cpus else "")
    if not ports:
        return f"dataplane: {{{sizes}}}\n"
    text = f"dataplane: {{io: dpdk, {sizes}}}\ndpdk:\n  eal: [{', '.join(eal)}]\n  ports:\n"
    return text + "".join(f"    - {{device: \"{device}\", addresses: [10.0.{i}.1/24]}}\n"
                          for i, device in enumerate(ports))


def doctor(files, ports=PORTS, words=("--json",), **more):
    with tempfile.TemporaryDirectory() as root:
        make(root, files)
        config = Path(root, "akmapush.yaml")
        config.write_text(configuration(ports, **more))
        return subprocess.run([CTL, "doctor", "--root", root, "--config", str(config), *words],
                              capture_output=True, text=True, timeout=30)


# Check, what differs from GOOD, what differs of the configuration; state, what is found, what mends it.
CASES = (
    ("pages of 2 MiB", {}, {}, "ok", "600 reserved, 512 free; node0: 600, 512 free", None),
    ("huge pages", {f: None for f in GOOD if f.startswith("sys/kernel/mm/hugepages")}, {}, "ok", "none", None),
    ("pages for contexts", {}, {}, "ok", "reserved ones: 1 of 2 MiB for 1000 UEs", None),
    ("pages for contexts", {}, {"ues": 50_000_000}, "ok", "transparent", None),
    ("pages for contexts", {"sys/kernel/mm/transparent_hugepage/enabled": "always madvise [never]"},
     {"ues": 50_000_000}, "warn", "512 of 2 MiB are free where 3052", "echo madvise >/sys/kernel/mm/tr"),
    ("pages for DPDK", {}, {}, "ok", "1022 MiB beside contexts, about 128 are wanted", None),
    ("pages for DPDK", {"sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "0"}, {}, "warn",
     "none is free", "echo 65 >/proc/sys/vm/nr_hugepages"),
    ("pages for DPDK", {"sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "30"}, {}, "fail",
     "58 MiB beside contexts", "echo 65 >/proc/sys/vm/nr_hugepages"),
    ("pages for DPDK", {"sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages": "0"},
     {"eal": ("--no-huge",)}, "ok", "none wanted", None),
    ("locked memory", {}, {}, "ok", "as much as there is", None),
    ("locked memory", {"proc/self/limits": LIMITS.format(65536, 65536)}, {}, "ok", "as much", None),
    ("locked memory", {"proc/self/limits": LIMITS.format(8388608, 8388608),
                       "proc/self/status": STATUS.format(NOTHING, "0-7")}, {}, "warn", "8192 KiB",
     "LimitMEMLOCK=infinity"),
    ("locked memory", {"proc/self/limits": LIMITS.format(8388608, "unlimited"),
                       "proc/self/status": STATUS.format(NOTHING, "0-7")}, {"ues": 1_000_000}, "fail",
     "8192 KiB for who asks; the contexts of 1000000 UEs take 125000", "LimitMEMLOCK=infinity"),
    ("locked memory", {"proc/self/limits": None}, {}, "warn", "can't be read", "LimitMEMLOCK"),
    ("capabilities", {}, {}, "ok", "the ports want NET_ADMIN NET_RAW IPC_LOCK", None),
    ("capabilities", {"proc/self/status": STATUS.format(bits(12, 14), "0-7")}, {}, "fail", "lacks NET_RAW,",
     "AmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW CAP_IPC_LOCK"),
    ("capabilities", {"proc/self/status": STATUS.format(NOTHING, "0-7")}, {"ports": ()}, "ok", "want none", None),
    ("capabilities", {"proc/self/status": STATUS.format(NOTHING, "0-7")}, {"ports": ("net_null0",)}, "ok",
     "none of them; the ports want none", None),
    ("capabilities", {"proc/self/status": STATUS.format(bits(13), "0-7")}, {"ports": ("net_tap0",)}, "fail",
     "lacks NET_ADMIN", "CapabilityBoundingSet=CAP_NET_ADMIN"),
    ("capabilities", {"proc/self/status": STATUS.format(bits(12, 13, 14), "0-7")},
     {"ports": ("net_af_xdp0,iface=eth1",)}, "fail", "lacks BPF", "CAP_BPF"),
    ("capabilities", {"proc/self/status": STATUS.format(bits(12, 13, 14, 21), "0-7")},
     {"ports": ("net_af_xdp0,iface=eth1",)}, "ok", "NET_ADMIN NET_RAW IPC_LOCK BPF", None),
    ("IOMMU", {}, {}, "ok", "2 groups, intel_iommu=on, iommu=pt", None),
    ("IOMMU", {"sys/kernel/iommu_groups/0/type": None, "sys/kernel/iommu_groups/1/type": None,
               "proc/cmdline": "quiet"}, {}, "fail", "none: turn it on", "intel_iommu=on iommu=pt"),
    ("IOMMU", {"sys/kernel/iommu_groups/0/type": None, "sys/kernel/iommu_groups/1/type": None,
               "sys/module/vfio/parameters/enable_unsafe_noiommu_mode": "Y"}, {}, "warn", "vfio does without", None),
    ("IOMMU", {"sys/kernel/iommu_groups/0/type": None, "sys/kernel/iommu_groups/1/type": None},
     {"ports": ("net_tap0",)}, "ok", "no port wants it", None),
    ("IOMMU", {"sys/kernel/iommu_groups/0/type": None, "sys/kernel/iommu_groups/1/type": None,
               f"{PCI}/driver": "->../drivers/mlx5_core"}, {}, "ok", "no port wants it", None),
    ("vfio", {}, {}, "ok", "vfio-pci is there", None),
    ("vfio", {"sys/module/vfio_pci/version": None}, {}, "fail", "not loaded", "modprobe vfio-pci"),
    ("vfio", {"sys/module/vfio_pci/version": None}, {"ports": ("net_tap0",)}, "ok", "no port wants it", None),
    (f"port {CARD}", {}, {}, "ok", "vfio-pci, on node 0, CPUs 0-7", None),
    ("port 01:00.0", {}, {"ports": ("01:00.0,a=1",)}, "ok", "vfio-pci, on node 0", None),
    (f"port {CARD}", {f"{PCI}/driver": "->../drivers/mlx5_core"}, {}, "ok", "mlx5_core, on node 0", None),
    (f"port {CARD}", {f"{PCI}/numa_node": "-1"}, {}, "ok", "vfio-pci, on no node of its own", None),
    (f"port {CARD}", {f"{PCI}/driver": "->../drivers/ixgbe"}, {}, "fail", "the kernel has it, with ixgbe",
     f"dpdk-devbind.py --bind=vfio-pci {CARD}"),
    (f"port {CARD}", {f"{PCI}/driver": None}, {}, "fail", "no driver has it",
     f"dpdk-devbind.py --bind=vfio-pci {CARD}"),
    ("port 0000:02:00.0", {}, {"ports": ("0000:02:00.0",)}, "fail", "no such card", "lspci -D"),
    (f"port {CARD}", {f"{PCI}/numa_node": "1", f"{NODE}/node1/{PAGES}/free_hugepages": "512",
                      f"{NODE}/node1/cpulist": "8-15"}, {"cpus": ""}, "warn",
     "may not run on its CPUs (8-15), only on 0-7", "CPUAffinity=8-15"),
    (f"port {CARD}", {f"{PCI}/numa_node": "1", f"{NODE}/node1/{PAGES}/free_hugepages": "512",
                      f"{NODE}/node1/cpulist": "4-15"}, {"cpus": ""}, "ok", "on node 1, CPUs 4-15", None),
    (f"port {CARD}", {f"{PCI}/numa_node": "1", f"{NODE}/node1/{PAGES}/free_hugepages": "512",
                      f"{NODE}/node1/cpulist": "0-4,7"}, {}, "warn",
     "on node 1, CPUs 0-4,7; of the workers' these are not: 6", 'dataplane: {cpus: "4,7"}'),
    (f"port {CARD}", {f"{PCI}/numa_node": "1", f"{NODE}/node1/{PAGES}/free_hugepages": "512",
                      f"{NODE}/node1/cpulist": "7-15"}, {}, "warn", "of the workers' these are not: 6", None),
    (f"port {CARD}", {f"{PCI}/numa_node": "1", f"{NODE}/node1/{PAGES}/free_hugepages": "512",
                      f"{NODE}/node1/cpulist": "6-7"}, {}, "ok", "on node 1, CPUs 6-7", None),
    (f"port {CARD}", {f"{PCI}/numa_node": "1", f"{NODE}/node1/{PAGES}/free_hugepages": "0",
                      f"{NODE}/node1/cpulist": "4-15"}, {}, "warn", "on node 1, which has no free page",
     f"echo 512 >/{NODE}/node1/{PAGES}/nr_hugepages"),
    (f"port {CARD}", {f"{PCI}/numa_node": "1", f"{NODE}/node1/{PAGES}/free_hugepages": "0",
                      f"{NODE}/node1/cpulist": "4-15"}, {"eal": ("--no-huge",)}, "ok", "on node 1", None),
    ("port net_af_packet0", {}, {}, "ok", "interface eth1 is up, with an MTU of 1500", None),
    ("port net_af_packet0", {"sys/class/net/eth1/mtu": "1280"}, {}, "ok", "an MTU of 1280", None),
    ("port net_af_packet0", {"sys/class/net/eth1/mtu": "1279"}, {}, "warn", "less than 1280",
     "ip link set eth1 mtu 1500"),
    ("port net_af_packet0", {"sys/class/net/eth1/flags": "0x1002"}, {}, "fail", "eth1 is down",
     "ip link set eth1 up"),
    ("port net_af_packet0", {"sys/class/net/eth1/flags": None, "sys/class/net/eth1/mtu": None}, {}, "fail",
     "no interface eth1", "ip -br link"),
    ("port net_af_xdp0", {}, {"ports": ("net_af_xdp0,queue_count=1,iface=../eth1",)}, "fail", "no interface", "ip "),
    ("port net_af_xdp0", {}, {"ports": ("net_af_xdp0,queue_count=1,iface=eth1,x=1",)}, "ok", "eth1 is up", None),
    ("port net_tap0", {}, {}, "ok", "made when the daemon starts", None),
    ("port net_tap0", {"dev/net/tun": None}, {}, "fail", "no /dev/net/tun", "modprobe tun"),
    ("port net_null0", {}, {}, "ok", "without an interface", None),
    ("CPUs", {}, {}, "ok", "8 (0-7), for control and 2 workers", None),
    ("CPUs", {}, {"workers": 7}, "ok", "8 (0-7)", None),
    ("CPUs", {}, {"workers": 8}, "warn", "fewer than control and 8 workers want", "workers: 7"),
    ("CPUs", {"proc/self/status": STATUS.format(bits(*range(40)), "3"), f"{CPU}/isolated": ""}, {}, "warn", "1 (3)",
     None),
    ("CPUs", {"proc/self/status": STATUS.format(bits(*range(40)), "0-5")}, {}, "ok", "8 (0-7)", None),
    ("CPUs", {f"{CPU}/online": "0-1,3"}, {}, "ok", "3 (0-1,3)", None),
    ("CPUs", {f"{CPU}/online": "6-7"}, {}, "warn", "2 (6-7), fewer than control and 2 workers want", "workers: 1"),
    ("CPUs", {f"{CPU}/online": None}, {}, "ok", "8 (0-7)", None),
    ("CPUs", {f"{CPU}/online": None, "proc/self/status": None}, {}, "warn", "0 ()", "workers: 1"),
    ("CPUs of workers", {}, {}, "ok", "6-7, one for each of 2", None),
    ("CPUs of workers", {}, {"cpus": "0,7"}, "ok", "0,7, one for each of 2", None),
    ("CPUs of workers", {}, {"cpus": "7-8"}, "fail", "7-8; not there, or off line: 8; on line: 0-7",
     'dataplane: {cpus: "6-7"}'),
    ("CPUs of workers", {f"{CPU}/online": "0-5"}, {}, "fail", "off line: 6-7", 'dataplane: {cpus: "4-5"}'),
    ("CPUs of workers", {f"{CPU}/online": "6"}, {}, "fail", "off line: 7", None),
    ("CPUs of workers", {"proc/self/status": STATUS.format(bits(*range(40)), "0-5")}, {}, "ok", "6-7, one for", None),
    ("CPUs of workers", {"proc/self/status": STATUS.format(bits(*range(40)), "0-5"), f"{CPU}/isolated": "7"}, {},
     "warn", "6-7; who asks may not run on 6", "taskset -c 6 true"),
    ("CPUs of workers", {}, {"cpus": ""}, "warn", "gives none", 'dataplane: {cpus: "6-7"}'),
    ("CPUs of workers", {f"{CPU}/isolated": "2-4"}, {"cpus": ""}, "warn", "gives none", 'dataplane: {cpus: "3-4"}'),
    ("CPUs of workers", {f"{CPU}/isolated": "2"}, {"cpus": ""}, "warn", "gives none", 'dataplane: {cpus: "2,7"}'),
    ("CPUs of workers", {f"{CPU}/isolated": "2-3,9"}, {"workers": 4, "cpus": ""}, "warn", "gives none",
     'dataplane: {cpus: "2-3,6-7"}'),
    ("CPUs of workers", {f"{CPU}/isolated": "", "proc/self/status": STATUS.format(bits(*range(40)), "1,3-5")},
     {"cpus": ""}, "warn", "gives none", 'dataplane: {cpus: "4-5"}'),
    ("CPUs of workers", {}, {"workers": 8}, "warn", "gives none", 'dataplane: {cpus: "0-7"}'),
    ("CPUs of workers", {}, {"workers": 9}, "warn", "gives none", None),
    ("CPUs of workers", {}, {"workers": 1, "cpus": ""}, "ok", "the system decides", None),
    ("CPUs of workers", {}, {"ports": (), "cpus": ""}, "ok", "the system decides", None),
    ("isolated CPUs", {}, {}, "ok", "isolcpus 6-7, nohz_full 6-7", None),
    ("isolated CPUs", {}, {"cpus": "7,4"}, "warn", "nohz_full 6-7; of the workers' not in both: 4",
     "isolcpus=4,7 nohz_full=4,7 rcu_nocbs=4,7 /"),
    ("isolated CPUs", {f"{CPU}/nohz_full": "5,7"}, {}, "warn", "of the workers' not in both: 6", "isolcpus=6-7"),
    ("isolated CPUs", {f"{CPU}/isolated": ""}, {"cpus": "3-4"}, "warn", "not in both: 3-4", "isolcpus=3-4 "),
    ("isolated CPUs", {f"{CPU}/isolated": "4-7", f"{CPU}/nohz_full": "(null)"}, {"cpus": ""}, "warn",
     "nohz_full none; one for each", "isolcpus=6-7 nohz"),
    ("isolated CPUs", {f"{CPU}/isolated": "", f"{CPU}/online": "0-1"}, {"cpus": ""}, "warn", "isolcpus none",
     "isolcpus=1 nohz"),
    ("isolated CPUs", {f"{CPU}/isolated": "", f"{CPU}/online": None, "proc/self/status": None}, {"cpus": ""}, "warn",
     "isolcpus none", None),
    ("isolated CPUs", {f"{CPU}/isolated": "", f"{CPU}/nohz_full": "", f"{CPU}/online": "0-255",
                       "proc/self/status": STATUS.format(bits(*range(40)), "0-255")},
     {"workers": 64, "cpus": ",".join(str(i) for i in range(128, 256, 2))}, "warn", "isolcpus none",
     f"rcu_nocbs={','.join(str(i) for i in range(128, 256, 2))} /' /etc/default/grub; update-grub; reboot"),
    ("isolated CPUs", {}, {"workers": 3}, "warn", "isolcpus 6-7", "isolcpus=5-7 nohz_full=5-7 rcu_nocbs=5-7"),
    ("isolated CPUs", {f"{CPU}/nohz_full": None}, {"workers": 1, "cpus": ""}, "warn", "nohz_full none",
     "isolcpus=7 nohz_full=7"),
    ("isolated CPUs", {f"{CPU}/isolated": ""}, {}, "warn", "isolcpus none", "isolcpus=6-7"),
    ("isolated CPUs", {f"{CPU}/isolated": ""}, {"ports": ()}, "ok", "isolcpus none", None),
    ("CPU governor", {}, {}, "ok", "performance on 2 CPUs of workers", None),
    ("CPU governor", {}, {"cpus": ""}, "ok", "performance on 8 CPUs", None),
    ("CPU governor", {f"{CPU}/cpu1/cpufreq/scaling_governor": "powersave"}, {"cpus": ""}, "warn", "powersave on 1 of 8",
     "cpupower frequency-set -g performance"),
    ("CPU governor", {f"{CPU}/cpu1/cpufreq/scaling_governor": "powersave"}, {}, "ok", "performance on 2", None),
    ("CPU governor", {f"{CPU}/cpu6/cpufreq/scaling_governor": "powersave"}, {"cpus": "6,5"}, "warn",
     "powersave on 1 of 2 CPUs of workers", "cpupower -c 5-6 frequency-set -g performance"),
    ("CPU governor", {f"{CPU}/cpu{i}/cpufreq/scaling_governor": None for i in range(8)}, {}, "ok", "none to be seen",
     None),
    ("CPU governor", {f"{CPU}/cpu{i}/cpufreq/scaling_governor": None for i in range(8)}, {"cpus": ""}, "ok",
     "none to be seen", None),
    ("turbo", {}, {}, "ok", "off", None),
    ("turbo", {f"{CPU}/intel_pstate/no_turbo": "0"}, {}, "ok", "on:", None),
    ("turbo", {f"{CPU}/intel_pstate/no_turbo": None, f"{CPU}/cpufreq/boost": "1"}, {}, "ok", "on:", None),
    ("CPU features", {}, {}, "ok", "AVX-512 yes, SHA-NI yes, VAES yes: SHA-256 runs as avx512, AES-GCM as vaes512",
     None),
    ("CPU features", {"proc/cpuinfo": f"flags\t: {X86} sha_ni vaes vpclmulqdq"}, {}, "ok",
     "SHA-256 runs as shani, AES-GCM as vaes", None),
    ("CPU features", {"proc/cpuinfo": f"flags\t: {X86}"}, {}, "ok", "SHA-256 runs as avx2, AES-GCM as aesni", None),
    ("CPU features", {"proc/cpuinfo": "flags\t: fpu sse4_1 sha_nix"}, {}, "warn",
     "SHA-256 runs as scalar, AES-GCM as openssl", "-cpu host"),
    ("CPU features", {"proc/cpuinfo": "Features\t: fp asimd aes pmull sha1 sha2"}, {}, "ok",
     "SHA-256 runs as armv8, AES-GCM as armv8", None),
    ("CPU features", {"proc/cpuinfo": None}, {}, "warn", "tells none", None),
    ("clock", {}, {}, "ok", "not looked at", None),
    ("net.core.rmem_max", {}, {"ports": ()}, "ok", "16777216", None),
    ("net.core.rmem_max", {"proc/sys/net/core/rmem_max": "212992",
                           "proc/self/status": STATUS.format(NOTHING, "0-7")}, {"ports": ()}, "warn",
     "212992, less than 16777216", "sysctl -w net.core.rmem_max=16777216"),
    ("net.core.wmem_max", {"proc/sys/net/core/wmem_max": "212992",
                           "proc/self/status": STATUS.format(NOTHING, "0-7")}, {"ports": ()}, "warn",
     "212992, less than 4194304", "sysctl -w net.core.wmem_max=4194304"),
    ("net.core.wmem_max", {"proc/sys/net/core/wmem_max": "212992"}, {"ports": ()}, "ok", "NET_ADMIN", None),
    ("net.core.rmem_max", {"proc/sys/net/core/rmem_max": "1"}, {}, "ok", "the ports have no sockets", None),
)


def checks():
    seen = {}
    for name, files, config, state, found, mend in CASES:
        done = doctor(files, **config)
        what = f"{name}, {files or 'good'}, {config}"
        try:
            said = json.loads(done.stdout)
        except ValueError:
            check(what, False, done)
            continue
        lines = [line for line in said["checks"] if line["check"] == name]
        check(f"{what}: is there once", len(lines) == 1, said)
        line = lines[0] if lines else {}
        seen.setdefault(name, set()).add(line.get("state"))
        check(f"{what}: {state}", line.get("state") == state and found in line.get("found", ""), line)
        check(f"{what}: what mends it", ("mend" in line) == bool(mend) and (mend or "") in line.get("mend", ""),
              line)
        states = [line["state"] for line in said["checks"]]
        check(f"{what}: counts", all(said[s] == states.count(s) for s in ("ok", "warn", "fail")), said)
        check(f"{what}: exit code", done.returncode == (1 if "fail" in states else 0) and not done.stderr, done)
    good = json.loads(doctor({}).stdout)
    check("a machine that lacks nothing", good["warn"] == good["fail"] == 0, good)
    names = {line["check"] for line in good["checks"]}
    check("every check has a case", names <= seen.keys(), names - seen.keys())


def people():
    done = doctor({f"{PCI}/driver": None}, words=())
    lines = done.stdout.splitlines()
    check("for people: exit code", done.returncode == 1, done)
    check("for people: a table", lines[0].split() == ["CHECK", "STATE", "FOUND"], done.stdout)
    check("for people: the state", any(line.split()[:3] == ["port", CARD, "fail"] for line in lines), done.stdout)
    check("for people: the command", f"port {CARD}:" in lines and
          lines[lines.index(f"port {CARD}:") + 1] == f"  dpdk-devbind.py --bind=vfio-pci {CARD}", done.stdout)
    done = doctor({}, words=())
    check("for people: nothing to mend", done.returncode == 0 and "\n\n" not in done.stdout, done)


def usage():
    for what, words, code, said in (
            ("no such file", ("--config", "/nowhere.yaml"), 2, "/nowhere.yaml"),
            ("too many words", ("x",), 2, "too many words"),
            ("an unknown option", ("--rot", "x"), 2, "did you mean --root?"),
            ("help", ("--help",), 0, "Exit code 1 when something fails")):
        done = subprocess.run([CTL, "doctor", *words], capture_output=True, text=True, timeout=30)
        check(what, done.returncode == code and said in done.stdout + done.stderr, done)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "wrong.yaml")
        path.write_text("dataplane: {io: pigeon}\n")
        done = subprocess.run([CTL, "doctor", "--config", str(path)], capture_output=True, text=True, timeout=30)
        check("a configuration that is not good", done.returncode == 2 and "dataplane.io" in done.stderr and
              not done.stdout, done)
        done = subprocess.run([CTL, "doctor", "--root", folder, "--json"], capture_output=True, text=True,
                              timeout=30)
        check("an empty machine", done.returncode in (0, 1) and json.loads(done.stdout)["checks"], done)
    done = subprocess.run([CTL, "doctor", "--json"], capture_output=True, text=True, timeout=30)
    check("this machine", done.returncode in (0, 1) and not done.stderr and
          len(json.loads(done.stdout)["checks"]) > 10, done)
    done = subprocess.run([CTL, "completion", "words", "--", "doctor", "--r"], capture_output=True, text=True,
                          timeout=30)
    check("completion", done.stdout.split() == ["--root"], done)


if __name__ == "__main__":
    checks()
    people()
    usage()
    sys.exit(finish())
