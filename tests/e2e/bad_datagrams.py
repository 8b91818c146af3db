"""Datagrams at the daemon's UDP port, as a UE and as a stranger: every length, noise, valid
acknowledgements with bits flipped, of unknown pushes, with other refs, replayed. Each is counted by
its reason and none is answered. The acknowledgements are made here, by docs/specification.md, with
AES-GCM of libcrypto."""

import ctypes
import hmac
import random
import select
import socket
import time

from real_daemon import check

AF, SUPI = "udp.example.com", "imsi-001010000000777"
API = "/akma-push/v1/"
KEY = bytes(range(32))
LENGTH_MIN, LENGTH_MAX = 48, 1232
AT_ONCE = 100  # datagrams, so that the socket's buffer takes them


def aes_128_gcm(key, nonce, aad, text):
    lib = ctypes.CDLL("libcrypto.so.3")
    for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_gcm"):
        getattr(lib, name).restype = ctypes.c_void_p
    ctx = ctypes.c_void_p(lib.EVP_CIPHER_CTX_new())
    out, tag, n = ctypes.create_string_buffer(len(text) + 16), ctypes.create_string_buffer(16), \
        ctypes.c_int()
    good = lib.EVP_EncryptInit_ex(ctx, ctypes.c_void_p(lib.EVP_aes_128_gcm()), None, key, nonce)
    good &= lib.EVP_EncryptUpdate(ctx, None, ctypes.byref(n), aad, len(aad))
    good &= lib.EVP_EncryptUpdate(ctx, out, ctypes.byref(n), text, len(text))
    good &= lib.EVP_EncryptFinal_ex(ctx, out, ctypes.byref(n))
    good &= lib.EVP_CIPHER_CTX_ctrl(ctx, 0x10, 16, tag)
    lib.EVP_CIPHER_CTX_free(ctx)
    assert good == 1
    return out.raw[:len(text)] + tag.raw


def sha(key, text):
    return hmac.digest(key, text, "sha256")


def acknowledgement(push, status=1, reply=b""):
    """A valid ACK of a PUSH datagram with suite 1 (sections 3 and 4)."""
    af_id = AF.encode() + bytes.fromhex("ff414b5001")
    kaf = sha(KEY, b"\x82" + af_id + len(af_id).to_bytes(2, "big"))
    push_id, ref = push[8:24], push[24:28]
    okm = sha(kaf, b"akma push 1" + bytes([1, 2]) + push_id + b"\x01")
    head = bytes([0x12, 1, 0, 0])
    salt = sha(kaf, b"akma push ack" + head + push_id + ref + bytes([status]) + reply)[:7]
    aad = head + salt[:4] + push_id + ref + bytes([status]) + salt[4:]
    nonce = bytes(a ^ b for a, b in zip(okm[16:28], salt + bytes(5)))
    return aad + aes_128_gcm(okm[:16], nonce, aad, reply)


class Line:
    """A UE's socket, a stranger's, and the daemon's counters."""

    def __init__(self, w):
        self.daemon = w.daemon
        port = w.ask("GET", "/admin/v1/status", door=w.daemon.admin).json["dataplane"]["ports"][0]
        self.ue, self.stranger = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                                  for _ in range(2))
        self.ue.bind(("127.0.0.1", 0))
        self.ue.settimeout(10)
        self.stranger.connect(("127.0.0.1", port))
        self.ue_port, self.to = self.ue.getsockname()[1], ("127.0.0.1", port)

    def counts(self):
        end = '_total{worker="0"}'
        return {name[len("akmapush_"):-len(end)]: int(n)
                for name, n in self.daemon.metrics().items() if name.endswith(end)}

    def send(self, what, sent, expected, sender=None):
        """Sends them; what the counters rose by is `expected`, by reason."""
        before = self.counts()
        sent = list(sent)
        for n in range(0, len(sent), AT_ONCE):
            for datagram in sent[n:n + AT_ONCE]:
                (sender or self.stranger).sendto(datagram, self.to)
            self.wait(before, min(n + AT_ONCE, len(sent)))
        rose = {name: n - before[name] for name, n in self.counts().items()
                if n != before[name] and name.startswith(("rx", "ack"))}
        check(what, rose == {"rx": len(sent), **expected}, (rose, expected))

    def wait(self, before, n):
        end = time.monotonic() + 5
        while self.counts()["rx"] - before["rx"] < n and time.monotonic() < end:
            time.sleep(0.005)

    def nothing_comes(self, sock):
        return not select.select([sock], [], [], 0.3)[0]


def submit(w, line, **more):
    """A push to the UE: its id and its PUSH datagram."""
    a = w.want("push", 201, "POST", f"{API}{AF}/pushes",
               {"target": {"supi": SUPI}, "payload": "aGVsbG8=", "validityPeriod": 600, **more})
    while True:
        datagram = line.ue.recv(2000)
        if datagram[8:24].hex() == a.json["pushId"].replace("-", ""):
            return a.json["pushId"], datagram


def set_up(w):
    w.want("AF", 201, "PUT", API + "afs/" + AF, {"allowedUes": {"all": True}, "trusted": True})
    w.want("key", 200, "POST", "/naanf-akma/v1/register-anchorkey",
           {"supi": SUPI, "aKId": "udp@x", "kAkma": KEY.hex()})
    line = Line(w)
    w.lines(API + "ues", {"supi": SUPI, "address": "127.0.0.1", "port": line.ue_port})
    return line


def lengths(line, rng):
    short = [rng.randbytes(n) for n in range(LENGTH_MIN)]
    long = [rng.randbytes(n) for n in range(LENGTH_MAX + 1, 1301)]
    line.send("too short", short, {"rx_short": len(short)})
    line.send("too long", long, {"rx_short": len(long)})
    every = range(LENGTH_MIN, LENGTH_MAX + 1)
    # Version 2, so that none is an acknowledgement by chance.
    line.send("every length", (b"\x22" + rng.randbytes(n - 1) for n in every),
              {"rx_header": len(every)})
    line.send("zeros", (bytes(n) for n in every), {"rx_header": len(every)})
    huge = [rng.randbytes(n) for n in (1301, 1500, 9000, 65507)]
    line.send("huge", huge, {"rx_short": len(huge)})


def noise(line, rng):
    """Random datagrams of random lengths, half of them with the first octets of an ACK."""
    before = line.counts()
    sent = 0
    for _ in range(20):
        for _ in range(AT_ONCE):
            text = rng.randbytes(rng.randrange(1301))
            line.stranger.send(rng.choice((b"", b"\x12\x01\0\0")) + text)
            sent += 1
        line.wait(before, sent)
    after = line.counts()
    rose = {name: after[name] - before[name] for name in after if name.startswith(("rx", "ack"))}
    total = rose.pop("rx")
    check("noise is counted, each once", total == sent == sum(rose.values()), rose)
    check("noise acknowledges nothing", not any(rose[n] for n in rose if n.startswith("ack")), rose)


def changed(datagram, at, octets):
    return datagram[:at] + octets + datagram[at + len(octets):]


def when_finished(w, push_id):
    """The push and its results, once the last reply is in the store (10 s at most)."""
    path, end = f"{API}{AF}/pushes/{push_id}", time.monotonic() + 10
    while w.get(path).json["state"] == "RUNNING" and time.monotonic() < end:
        time.sleep(0.01)
    return w.get(path).json, w.get(path + "/results").text


def acknowledgements(w, line, rng):
    push_id, push = submit(w, line)
    ack = acknowledgement(push, reply=b"reply")
    stranger = line.stranger
    line.send("an unknown push", [changed(ack, 16, b"\x80" + rng.randbytes(7)) for _ in range(50)],
              {"rx_unknown_push": 50})
    line.send("no UUIDv7", [changed(ack, 14, b"\x40"), changed(ack, 16, b"\x40")],
              {"rx_header": 2})
    line.send("a ref beyond the list", [changed(ack, 24, rng.randbytes(4)) for _ in range(50)],
              {"rx_ref": 50})
    line.send("another suite", [changed(ack, 1, b"\x02")], {"rx_suite": 1})
    line.send("another tag", [ack[:-16] + rng.randbytes(16) for _ in range(50)], {"rx_tag": 50})
    line.send("cut", [ack[:n] for n in range(LENGTH_MIN, len(ack))],
              {"rx_tag": len(ack) - LENGTH_MIN})
    line.send("longer", [ack + rng.randbytes(n) for n in range(1, 20)], {"rx_tag": 19})
    line.send("a PUSH sent back", [push], {"rx_header": 1}, sender=stranger)
    line.send("other types", [changed(ack, 0, bytes([n])) for n in range(256) if n != 0x12],
              {"rx_header": 255})
    line.send("other statuses", [changed(ack, 28, bytes([n])) for n in range(4, 256)],
              {"rx_header": 252})
    flips(line, ack)
    state = w.get(f"{API}{AF}/pushes/{push_id}").json
    check("none of it acknowledged", state["states"] == {"SENT": 1}, state)
    line.send("the true one, from elsewhere", [ack], {"ack_delivered": 1})
    line.send("replayed", [ack] * 20, {"rx_unknown_push": 20})
    state, results = when_finished(w, push_id)
    check("delivered", state["state"] == "FINISHED" and state["states"] == {"DELIVERED": 1}, state)
    check("its reply once", results.count('"reply":"cmVwbHk="') == 1, results)


def flips(line, ack):
    """Every bit of a valid ACK, one after the other: dropped by one of the reasons."""
    before = line.counts()
    flipped = [changed(ack, bit // 8, bytes([ack[bit // 8] ^ 1 << bit % 8]))
               for bit in range(8 * len(ack))]
    for n in range(0, len(flipped), AT_ONCE):
        for datagram in flipped[n:n + AT_ONCE]:
            line.stranger.send(datagram)
        line.wait(before, min(n + AT_ONCE, len(flipped)))
    after = line.counts()
    rose = {name: after[name] - before[name] for name in after
            if after[name] != before[name] and name.startswith(("rx", "ack"))}
    total = rose.pop("rx", 0)
    check("bit flips", total == len(flipped) == sum(rose.values()) and set(rose) ==
          {"rx_header", "rx_suite", "rx_unknown_push", "rx_ref", "rx_tag"} -
          ({"rx_suite"} if "rx_suite" not in rose else set()), rose)


def received_is_not_final(w, line):
    """Replays of an ACK that leaves the push running: nothing moves back, nothing is answered."""
    push_id, push = submit(w, line)
    received, done = acknowledgement(push, 0), acknowledgement(push, 2, b"no")
    line.send("received", [received], {"ack_received": 1})
    line.send("received again", [received] * 10, {"ack_received": 10})
    state = w.get(f"{API}{AF}/pushes/{push_id}").json
    check("received", state["states"] == {"RECEIVED": 1}, state)
    line.send("a reply with status 0", [acknowledgement(push, 0, b"x")], {"rx_header": 1})
    line.send("refused", [done], {"ack_refused": 1})
    line.send("late", [received, done, acknowledgement(push, 1)], {"rx_unknown_push": 3})
    state = w.get(f"{API}{AF}/pushes/{push_id}").json
    check("refused stays", state["states"] == {"REFUSED": 1}, state)


def datagrams(w):
    rng = random.Random(20)
    line = set_up(w)
    lengths(line, rng)
    noise(line, rng)
    acknowledgements(w, line, rng)
    received_is_not_final(w, line)
    check("a stranger gets no answer", line.nothing_comes(line.stranger))
    while not line.nothing_comes(line.ue):
        datagram = line.ue.recv(2000)
        check("a UE gets pushes only", datagram[0] == 0x11, datagram.hex())
