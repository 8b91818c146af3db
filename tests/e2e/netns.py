"""Network namespaces for the tests of ports: this process and the daemons that it starts are in one, devices
in the other; a veth or a tap between them, ping from there, huge pages for a while. As a program it does
what has to be done in a namespace:

usage: netns.py --ping ADDRESS | --checksums INTERFACE"""

import array
import contextlib
import ctypes
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

SKIP = 77
HERE, THERE = f"akma{os.getpid()}a", f"akma{os.getpid()}b"
CLONE_NEWNET = 0x40000000
HUGE = Path("/proc/sys/vm/nr_hugepages")
PAGES = 320


def run(*command, quiet=True):
    return subprocess.run(command, check=True, text=True, capture_output=quiet).stdout


def there(*command):
    return ("ip", "netns", "exec", THERE, *command)


# ---- Namespaces

def enter(name):
    """This process, and all that it starts from now on, is in the namespace."""
    with open(f"/run/netns/{name}", encoding="ascii") as file:
        if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def namespaces():
    run("ip", "netns", "add", HERE)
    run("ip", "netns", "add", THERE)
    try:
        enter(HERE)
        run("ip", "link", "set", "lo", "up")
        run(*there("ip", "link", "set", "lo", "up"))
        # a socket stands for all devices
        run(*there("ip", "route", "add", "local", "10.8.0.0/13", "dev", "lo"))
        run(*there("ip", "-6", "route", "add", "local", "fd09::/64", "dev", "lo"))
        yield
    finally:
        run("ip", "netns", "del", HERE)
        run("ip", "netns", "del", THERE)


def checksums_in_software(interface):
    """A veth leaves UDP's checksums to a card that is not there."""
    value = array.array("B", struct.pack("II", 0x17, 0))  # ETHTOOL_STXCSUM
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8946, struct.pack("16sP8x", interface.encode(), value.buffer_info()[0]))


def dress(interface, where):
    """The devices' side: addresses, and the kernel as their router."""
    for command in (("ip", "link", "set", interface, "up"),
                    ("ip", "addr", "add", "10.0.0.2/24", "dev", interface),
                    ("ip", "addr", "add", "fd00::2/64", "dev", interface, "nodad"),
                    ("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0",
                     f"net.ipv4.conf.{interface}.rp_filter=0")):
        run(*where(*command))
    run(*where(sys.executable, __file__, "--checksums", interface))


@contextlib.contextmanager
def veth(mtu=1500):
    """mtu: of the port's end."""
    run("ip", "link", "add", "xa", "type", "veth", "peer", "name", "xb", "netns", THERE)
    try:
        run("ip", "link", "set", "xa", "mtu", str(mtu))
        run("ip", "link", "set", "xa", "up")
        dress("xb", there)
        yield
    finally:
        run("ip", "link", "del", "xa")


# ---- Ping

def ping(address):
    """Whether the host there answers an echo request, as it was asked; run in the other namespace."""
    is_v6 = ":" in address
    text = bytes(range(56))
    head = struct.pack("!BBHHH", 128 if is_v6 else 8, 0, 0, 7, 1)
    if not is_v6:
        total = sum(struct.unpack("!32H", head + text))
        total = (total & 0xffff) + (total >> 16)
        head = struct.pack("!BBHHH", 8, 0, ~(total + (total >> 16)) & 0xffff, 7, 1)
    protocol = socket.IPPROTO_ICMPV6 if is_v6 else socket.IPPROTO_ICMP
    with socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_RAW, protocol) as s:
        s.settimeout(3)
        s.sendto(head + text, (address, 0))
        end = time.monotonic() + 3
        while time.monotonic() < end:
            got = s.recv(2048)
            message = got if is_v6 else got[20:]
            if message[0] == (129 if is_v6 else 0):
                return message[4:] == struct.pack("!HH", 7, 1) + text
    return False


def answers(where, address):
    return subprocess.run(where(sys.executable, __file__, "--ping", address),
                          check=False).returncode == 0


# ---- Huge pages

@contextlib.contextmanager
def huge_pages():
    """Whether there are some now; gives back what it took. AKMAPUSH_TEST_HUGE=0: there are none."""
    if os.environ.get("AKMAPUSH_TEST_HUGE") == "0":
        yield False
        return
    before = HUGE.read_text()
    try:
        if int(before) < PAGES:
            HUGE.write_text(str(PAGES))
        yield int(HUGE.read_text()) >= PAGES
    except OSError:
        yield False
    finally:
        HUGE.write_text(before)


# ---- Whether it can be done here

def are_there_namespaces():
    """ip netns exec wants mount namespaces too, which a chroot does not give.
    AKMAPUSH_TEST_NAMESPACES=0: there are none."""
    if os.environ.get("AKMAPUSH_TEST_NAMESPACES") == "0" or os.geteuid() or not shutil.which("ip"):
        return False
    added = subprocess.run(("ip", "netns", "add", HERE), check=False).returncode == 0
    usable = added and subprocess.run(("ip", "netns", "exec", HERE, "true"), check=False,
                                      capture_output=True).returncode == 0
    if added:
        run("ip", "netns", "del", HERE)
    return usable


def need_namespaces():
    if not are_there_namespaces():
        print("no network namespaces here: they need root, iproute2 and mount namespaces")
        sys.exit(SKIP)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--ping"]:
        sys.exit(0 if ping(sys.argv[2]) else 1)
    if sys.argv[1:2] == ["--checksums"]:
        sys.exit(checksums_in_software(sys.argv[2]))
    sys.exit(__doc__)
