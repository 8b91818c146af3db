"""Frames of every kind at a port while a push runs: each is counted under its reason, as often as it was
sent, and under no other; those that are right are taken."""

import os
import time

from netns import run, there
from port_world import FATES, here, on_tap, on_veth, wait_for
from raw_frames import (ARP, BROADCAST, ICMP, ICMPV6, IPV4, IPV6, SERVICE_VLAN, UDP, US, VLAN, Door, arp,
                        ethernet, icmp, icmpv6, ipv4, ipv6, udp)

COPIES = 10
STRANGER = "10.0.0.99"  # who says that he is the gateway is believed
WATCHED = [name for name in FATES if name not in ("rx_udp", "rx_host")]
WATCHED += ["w_rx_unknown_push", "w_rx_short", "device_rx_errors"]


def acknowledgement():
    """Of a push that nobody knows."""
    push_id = b"\1" * 6 + b"\x70\0\x80" + os.urandom(7)
    return b"\x12\1\0\0" + os.urandom(4) + push_id + os.urandom(4) + b"\1" + os.urandom(19)


ACK = acknowledgement()


def each_length(frame, first=14, last=60):
    return [frame[:n] for n in range(first, last + 1)]


class Kinds:
    """(title, frames, what counts them). What is sent goes to mac."""

    def __init__(self, mac, gathers):
        self.mac, self.all = mac, []
        self.short()
        self.lengths()
        self.sums()
        self.addresses()
        self.others()
        self.good()
        if not gathers:  # else the kernel waits for the other fragments
            self.fragments()
        # more than a buffer has room for: a tap drops it, af_packet cuts it off
        self.same("9000 octets", "rx_lengths" if gathers else "device_rx_errors", ipv4(udp(bytes(8972))))

    def add(self, title, *packets, kind=IPV4, copies=COPIES, **counts):
        frames = [ethernet(self.mac, kind, packet) for packet in packets] * copies
        self.all.append((title, frames, counts or {}, len(frames)))

    def put(self, title, frames, **counts):
        self.all.append((title, list(frames), counts, len(frames)))

    def same(self, title, reason, *packets, kind=IPV4):
        self.add(title, *packets, kind=kind, **{reason: COPIES * len(packets)})

    def short(self):
        v4, v6 = (ethernet(self.mac, IPV4, ipv4(udp(ACK))),
                  ethernet(self.mac, IPV6, ipv6(udp(ACK, "fd00::2", "fd00::1"))))
        self.put("IPv4 cut off", each_length(v4), rx_short=20, rx_lengths=27)
        self.put("IPv6 cut off", each_length(v6), rx_short=40, rx_lengths=7)
        self.put("ARP cut off", each_length(ethernet(self.mac, ARP, arp(True, STRANGER, US)), last=41), rx_short=28)
        self.same("UDP cut off", "rx_short", ipv4(udp(b"")[:7]), ipv4(b""))
        self.same("ICMP cut off", "rx_short", ipv4(icmp(b"")[:7], protocol=ICMP))
        self.same("an IHL beyond the frame", "rx_short", ipv4(udp(b""), ihl=15))

    def lengths(self):
        whole = udp(ACK)
        self.same("total length", "rx_lengths", *(ipv4(whole, total=n) for n in (0, 19, 77, 1500, 65535)))
        self.same("IHL", "rx_lengths", ipv4(whole, ihl=0), ipv4(whole, ihl=4), ipv4(whole, ihl=6))
        self.same("UDP's length", "rx_lengths",
                  *(ipv4(udp(ACK, length=n)) for n in (0, 7, 8, 55, 57, 1500, 65535)))
        self.same("UDP's length, IPv6", "rx_lengths",
                  ipv6(udp(ACK, "fd00::2", "fd00::1", length=0)),
                  ipv6(udp(ACK, "fd00::2", "fd00::1"), length=57), kind=IPV6)

    def sums(self):
        self.same("IPv4's checksum", "rx_ip_checksum", ipv4(udp(ACK), sum_=1), ipv4(udp(ACK), sum_=0x100))
        self.same("UDP's checksum", "rx_checksum", ipv4(udp(ACK, sum_=1)))
        self.same("ICMP's checksum", "rx_checksum", ipv4(icmp(ACK, wrong=1), protocol=ICMP))
        self.same("checksums over IPv6", "rx_checksum", ipv6(udp(ACK, "fd00::2", "fd00::1", sum_=0)),
                  ipv6(udp(ACK, "fd00::2", "fd00::1", sum_=1)),
                  ipv6(icmpv6(ACK, wrong=1), following=ICMPV6), kind=IPV6)

    def addresses(self):
        for ip in ("0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"):
            self.same(f"from {ip}", "rx_address", ipv4(udp(ACK, ip), ip))
        for ip in ("::", "::1", "ff02::1", "::ffff:10.0.0.2"):
            self.same(f"from {ip}", "rx_address", ipv6(udp(ACK, ip, "fd00::1"), ip), kind=IPV6)
        self.same("port 0", "rx_address", ipv4(udp(ACK, ports=(0, 48471))), ipv4(udp(ACK, ports=(48470, 0))))
        self.same("another address", "rx_stranger", ipv4(udp(ACK, to="10.0.0.77"), to="10.0.0.77"),
                  ipv4(udp(ACK, to="255.255.255.255"), to="255.255.255.255"))
        self.same("another port", "rx_stranger", ipv4(udp(ACK, ports=(48470, 48470))),
                  ipv4(udp(ACK, ports=(48470, 48472))), ipv4(udp(ACK, ports=(48470, 53))))

    def others(self):
        self.same("other protocols", "rx_protocol", *(ipv4(ACK, protocol=n) for n in (0, 2, 6, 132, 255)),
                  ipv4(udp(ACK), version=5), ipv4(icmpv6(ACK), protocol=ICMPV6))
        self.same("extension headers", "rx_protocol", ipv6(ACK, following=0), ipv6(ACK, following=60), kind=IPV6)
        for kind in (0x0600, 0x88cc, 0x8847, 0x8863, 0xffff):
            self.same(f"type {kind:04x}", "rx_protocol", ACK, kind=kind)
        self.same("a length, as of 802.3", "rx_protocol", ACK, kind=len(ACK))
        for tags in ([(VLAN, 100)], [(VLAN, 4095)], [(VLAN, 0), (VLAN, 100)], [(VLAN, 7), (VLAN, 8)],
                     [(SERVICE_VLAN, 7), (VLAN, 8)], [(SERVICE_VLAN, 7)]):
            self.put(f"tags {tags}", [ethernet(self.mac, IPV4, ipv4(udp(ACK)), tags=tags)] * COPIES,
                     rx_vlan=COPIES)

    def good(self):
        self.same("a datagram", "w_rx_unknown_push", ipv4(udp(ACK)), ipv4(udp(ACK, sum_=0)))
        self.same("options", "w_rx_unknown_push", ipv4(udp(ACK), options=b"\1\1\1\0"),
                  ipv4(udp(ACK), options=b"\x94\4\0\0" + b"\1" * 36))
        self.same("IPv6", "w_rx_unknown_push", ipv6(udp(ACK, "fd00::2", "fd00::1")), kind=IPV6)
        self.put("padding", [ethernet(self.mac, IPV4, ipv4(udp(ACK)) + bytes(n)) for n in range(1, COPIES + 1)],
                 w_rx_unknown_push=COPIES)
        self.put("VLAN 0", [ethernet(self.mac, IPV4, ipv4(udp(ACK)), tags=[(VLAN, 0)])] * COPIES,
                 w_rx_unknown_push=COPIES)
        self.same("DF", "w_rx_unknown_push", ipv4(udp(ACK), fragment=0x4000))
        self.same("as long as they may be", "w_rx_short", ipv4(udp(bytes(1472))))
        self.add("ping", ipv4(icmp(ACK), protocol=ICMP), ipv4(icmp(ACK, kind=0), protocol=ICMP))
        self.add("ping, IPv6", ipv6(icmpv6(ACK), following=ICMPV6), kind=IPV6)
        self.put("ARP", [ethernet(to, ARP, arp(ask, STRANGER, US)) for to in (self.mac, BROADCAST)
                         for ask in (True, False)])

    def fragments(self):
        parts = (0x2000, 0x2000 | 10, 10)
        self.same("fragments", "rx_fragment", *(ipv4(udp(ACK), fragment=part, id_=part) for part in parts))
        self.same("a fragment header", "rx_fragment", ipv6(bytes([UDP]) + bytes(7) + ACK, following=44), kind=IPV6)


def send_once(world, door, kind, before):
    """The counters, and what those watched rose by since before."""
    _, frames, expected, n = kind
    came = before["device_rx"] + before["device_rx_errors"]

    def all_in():
        now = world.counts()
        is_in = now["device_rx"] + now["device_rx_errors"] - came >= n
        return is_in and all(now[name] - before[name] >= k for name, k in expected.items()) and now
    door.send(*frames)
    now = wait_for(all_in, 3, 0.002) or world.counts()
    return now, {name: now[name] - before[name] for name in WATCHED if now[name] != before[name]}


def send(world, door, kind, before):
    """Sends them; what the counters rose by is what was to be. Once more where the other end's kernel sent
    a packet of its own meanwhile. The counters."""
    for _ in range(3):
        before, rose = send_once(world, door, kind, before)
        more = {name: rose.get(name, 0) - kind[2].get(name, 0) for name in {*rose, *kind[2]}}
        if not more.pop("rx_protocol", 0) > 0 or any(more.values()):
            break
    world.check(kind[0], rose == kind[2], (rose, kind[2]))
    return before


def wait_until_still(world):
    """A new interface tells which groups it is in, twice, in IPv6 packets with options."""
    def still():
        before = world.counts()["rx_protocol"]
        time.sleep(1.2)
        return world.counts()["rx_protocol"] == before
    wait_for(still, 10)


def send_all(world, interface, is_there, gathers):
    mac = bytes.fromhex(world.stats()["ports"][0]["mac"].replace(":", ""))
    door = Door(interface, is_there)
    world.listen()
    wait_until_still(world)
    world.tune(rate=1000)
    push = world.begin()
    world.wait_delivered(push, 1)
    kinds, rounds = Kinds(mac, gathers).all, 0
    before = world.counts()
    while rounds < 200 and world.states(push).get("DELIVERED", 0) < world.ues * 2 // 3:
        for kind in kinds:
            before = send(world, door, kind, before)
        rounds += 1
    world.check("the push was running all the while", world.see(push)["state"] == "RUNNING")
    world.complete(push)
    c = world.check_counts()
    world.check("some rounds", rounds > 2, rounds)
    print(f"{world.title}: {rounds} x {sum(kind[3] for kind in kinds)} frames of {len(kinds)} kinds; "
          f"{ {name: n for name, n in c.items() if name.startswith(('rx', 'device_rx'))} }", flush=True)
    world.check_ping()
    door.close()


def allow_long(interface, where):
    run(*where("ip", "link", "set", interface, "mtu", "9000"))


def over_tap(programs):
    with on_tap(programs, "junk, tap") as world:
        allow_long("akmatap", here)
        send_all(world, "akmatap", False, False)


def over_veth(programs):
    with on_veth(programs, "junk, af_packet") as world:
        allow_long("xa", here)
        allow_long("xb", there)
        send_all(world, "xb", True, True)


SCENARIOS = {"junk-tap": over_tap, "junk-veth": over_veth}
