"""Ethernet frames made octet by octet, right ones and wrong ones, and a door to send them through: a raw
socket on an interface of either namespace."""

import ctypes
import socket
import struct

import netns

IPV4, ARP, IPV6, VLAN, SERVICE_VLAN = 0x0800, 0x0806, 0x86dd, 0x8100, 0x88a8
UDP, ICMP, ICMPV6 = 17, 1, 58
US, THEM = "10.0.0.1", "10.0.0.2"
US6, THEM6 = "fd00::1", "fd00::2"
THEIR_MAC = bytes.fromhex("020000000002")
BROADCAST = b"\xff" * 6


def checksum(octets, start=0):
    """RFC 1071."""
    if len(octets) % 2:
        octets += b"\0"
    total = start + sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def ethernet(to, kind, rest, source=THEIR_MAC, tags=()):
    """tags: (type, VLAN), the outer one first."""
    head = to + source
    for tag, vlan in tags:
        head += struct.pack("!HH", tag, vlan)
    return head + struct.pack("!H", kind) + rest


def pseudo(source, to, protocol, n):
    pad = b"\0\0\0" if ":" in source else b"\0"
    return address(source) + address(to) + (
        struct.pack("!I", n) + pad + bytes([protocol]) if ":" in source
        else pad + bytes([protocol]) + struct.pack("!H", n))


def udp(text, source=THEM, to=US, ports=(48470, 48471), length=None, sum_=None):
    """What IP carries. sum_: 0 for none, or what is added to the right one."""
    n = 8 + len(text)
    head = struct.pack("!HHH", *ports, n if length is None else length)
    right = checksum(pseudo(source, to, UDP, n) + head + b"\0\0" + text) or 0xffff
    told = right if sum_ is None else 0 if sum_ == 0 else (right + sum_) & 0xffff
    return head + struct.pack("!H", told) + text


def icmp(text, kind=8, wrong=0):
    head = struct.pack("!BBHHH", kind, 0, 0, 7, 1)
    return head[:2] + struct.pack("!H", checksum(head + text) ^ wrong) + head[4:] + text


def icmpv6(text, kind=128, wrong=0, source=THEM6, to=US6):
    head = struct.pack("!BBHHH", kind, 0, 0, 7, 1)
    right = checksum(pseudo(source, to, ICMPV6, 8 + len(text)) + head + text)
    return head[:2] + struct.pack("!H", right ^ wrong) + head[4:] + text


def ipv4(body, source=THEM, to=US, protocol=UDP, options=b"", fragment=0, id_=0, **lies):
    """lies: version, ihl (words), total (octets), sum_ (added to the right one)."""
    n = 20 + len(options) + len(body)
    head = struct.pack("!BBHHHBBH", lies.get("version", 4) << 4 | lies.get("ihl", 5 + len(options) // 4), 0,
                       lies.get("total", n), id_, fragment, 64, protocol, 0)
    head += address(source) + address(to) + options
    covered = 4 * (head[0] & 15)
    told = (checksum((head + body)[:covered]) + lies.get("sum_", 0)) & 0xffff
    return head[:10] + struct.pack("!H", told) + head[12:] + body


def ipv6(body, source=THEM6, to=US6, following=UDP, length=None, version=6):
    return struct.pack("!IHBB", version << 28, len(body) if length is None else length, following,
                       64) + address(source) + address(to) + body


def arp(is_request, sender, target, mac=THEIR_MAC, target_mac=bytes(6)):
    return struct.pack("!HHBBH", 1, IPV4, 6, 4, 1 if is_request else 2) + mac + address(sender) + \
        target_mac + address(target)


def advertisement(ip, mac):
    """Unsolicited, with the flag that replaces what is known (RFC 4861 4.4, 7.2.6)."""
    to = "ff02::1"
    message = struct.pack("!BBHI", 136, 0, 0, 0x20 << 24) + address(ip) + b"\2\1" + mac
    right = checksum(pseudo(ip, to, ICMPV6, len(message)) + message)
    message = message[:2] + struct.pack("!H", right) + message[4:]
    packet = ipv6(message, ip, to, ICMPV6)
    return packet[:7] + b"\xff" + packet[8:]  # hop limit 255


# ---- Sending

class MessageHeader(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("name_len", ctypes.c_uint32), ("iov", ctypes.c_void_p),
                ("iov_len", ctypes.c_size_t), ("control", ctypes.c_void_p),
                ("control_len", ctypes.c_size_t), ("flags", ctypes.c_int)]


class Message(ctypes.Structure):
    _fields_ = [("header", MessageHeader), ("len", ctypes.c_uint)]


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("len", ctypes.c_size_t)]


class Door:
    """Frames leave through an interface of that namespace."""

    def __init__(self, interface, is_there=True):
        if is_there:
            netns.enter(netns.THERE)
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        finally:
            netns.enter(netns.HERE)
        self.socket.bind((interface, 0))

    def send(self, *frames):
        for frame in frames:
            self.socket.send(frame)

    def send_fast(self, frames):
        """By sendmmsg, whatever becomes of them; frames of one length. How many the kernel took."""
        n, size = len(frames), len(frames[0])
        octets = ctypes.create_string_buffer(b"".join(frames), n * size)
        vectors, messages = (Vector * n)(), (Message * n)()
        for i in range(n):
            vectors[i] = Vector(ctypes.addressof(octets) + i * size, size)
            messages[i].header.iov = ctypes.addressof(vectors[i])
            messages[i].header.iov_len = 1
        sendmmsg = ctypes.CDLL(None, use_errno=True).sendmmsg
        taken = 0
        while taken < n:
            done = sendmmsg(self.socket.fileno(), ctypes.byref(messages, taken * ctypes.sizeof(Message)),
                            min(n - taken, 1024), 0)
            if done < 1:
                break
            taken += done
        return taken

    def close(self):
        self.socket.close()
