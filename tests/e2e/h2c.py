"""A small HTTP/2 client (RFC 9113) for tests: cleartext over TCP or a UNIX socket, one connection,
one request at a time, no third-party Python. It sends what it is told, well-formed or not. Header
blocks go out as plain literals; those that come in are read by libnghttp2, which the daemon needs
anyway."""

import ctypes
import json
import socket
import struct

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = \
    0, 1, 3, 4, 6, 7, 8, 9
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 1, 1, 4, 8, 32
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 4, 5
FRAME_MAX = 16384
WINDOW = (1 << 31) - 1


class Pair(ctypes.Structure):
    _fields_ = [("name", ctypes.POINTER(ctypes.c_uint8)),
                ("value", ctypes.POINTER(ctypes.c_uint8)),
                ("name_len", ctypes.c_size_t), ("value_len", ctypes.c_size_t),
                ("flags", ctypes.c_uint8)]


class Inflater:
    """Header blocks (RFC 7541) to lists of pairs."""

    EMIT, FINAL = 2, 1

    def __init__(self):
        self.lib = ctypes.CDLL("libnghttp2.so.14")
        self.lib.nghttp2_hd_inflate_hd2.restype = ctypes.c_ssize_t
        self.state = ctypes.c_void_p()
        assert self.lib.nghttp2_hd_inflate_new(ctypes.byref(self.state)) == 0

    def __del__(self):
        self.lib.nghttp2_hd_inflate_del(self.state)

    def read(self, block):
        octets = (ctypes.c_uint8 * max(len(block), 1)).from_buffer_copy(block or b"\0")
        pairs, at, flags = [], 0, ctypes.c_int()
        while not flags.value & self.FINAL:
            pair = Pair()
            n = self.lib.nghttp2_hd_inflate_hd2(
                self.state, ctypes.byref(pair), ctypes.byref(flags), ctypes.byref(octets, at),
                ctypes.c_size_t(len(block) - at), 1)
            if n < 0:
                raise ConnectionError(f"header block: error {n}")
            at += n
            if flags.value & self.EMIT:
                pairs.append((ctypes.string_at(pair.name, pair.name_len).decode("latin-1"),
                              ctypes.string_at(pair.value, pair.value_len).decode("latin-1")))
        self.lib.nghttp2_hd_inflate_end_headers(self.state)
        return pairs


def integer(n, prefix):
    """RFC 7541 5.1, with zeros in front of the prefix."""
    limit = (1 << prefix) - 1
    if n < limit:
        return bytes([n])
    out, n = [limit], n - limit
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out + [n])


def block_of(pairs):
    text = b""
    for name, value in pairs:
        name = name if isinstance(name, bytes) else name.encode("latin-1")
        value = value if isinstance(value, bytes) else str(value).encode("latin-1")
        text += b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value
    return text


class Answer:
    """status: that of the answer, or the negative error code of a stream that was reset."""

    def __init__(self):
        self.status, self.headers, self.body, self.ended = 0, {}, b"", False

    @property
    def text(self):
        return self.body.decode(errors="replace")

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def media_type(self):
        return self.headers.get("content-type", "").split(";")[0].strip()

    def __repr__(self):
        return f"{self.status} {self.text[:400]}"


class Client:
    def __init__(self, address, timeout=20):
        """address: a (host, port), or the path of a UNIX socket."""
        self.address, self.timeout, self.socket, self.going = address, timeout, None, False

    # ---- Connection

    def connect(self):
        is_unix = isinstance(self.address, str)
        self.socket = socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET)
        self.socket.settimeout(self.timeout)
        self.socket.connect(self.address)
        if not is_unix:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.inflater, self.stream, self.received = Inflater(), -1, b""
        self.window, self.initial_window, self.frame_max = 65535, 65535, FRAME_MAX
        self.going = False
        self.socket.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
            + self.frame(SETTINGS, 0, 0, struct.pack(">HIHI", 2, 0, INITIAL_WINDOW_SIZE, WINDOW))
            + self.frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", WINDOW - 65535)))

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    @staticmethod
    def frame(kind, flags, stream, payload):
        return struct.pack(">IBBI", len(payload), kind, flags, stream)[1:] + payload

    def send(self, kind, flags, stream, payload):
        self.socket.sendall(self.frame(kind, flags, stream, payload))

    def take(self, n):
        while len(self.received) < n:
            more = self.socket.recv(1 << 16)
            if not more:
                raise ConnectionError("the peer has closed")
            self.received += more
        taken, self.received = self.received[:n], self.received[n:]
        return taken

    def next_frame(self):
        head = self.take(9)
        kind, flags, stream = struct.unpack(">BBI", head[3:])
        return kind, flags, stream & 0x7fffffff, self.take(int.from_bytes(head[:3], "big"))

    # ---- One request

    def settings(self, payload):
        for i in range(0, len(payload), 6):
            name, value = struct.unpack(">HI", payload[i:i + 6])
            if name == INITIAL_WINDOW_SIZE:
                self.stream_window += value - self.initial_window
                self.initial_window = value
            elif name == MAX_FRAME_SIZE:
                self.frame_max = value
        self.send(SETTINGS, ACK, 0, b"")

    def header_block(self, flags, payload):
        if flags & PADDED:
            payload = payload[1:len(payload) - payload[0]]
        if flags & PRIORITY:
            payload = payload[5:]
        while not flags & END_HEADERS:
            _, flags, _, more = self.next_frame()
            payload += more
        return self.inflater.read(payload)

    def step(self, answer):
        """Takes one frame in."""
        kind, flags, stream, payload = self.next_frame()
        is_ours = stream == self.stream
        if kind == SETTINGS and not flags & ACK:
            self.settings(payload)
        elif kind == PING and not flags & ACK:
            self.send(PING, ACK, 0, payload)
        elif kind == WINDOW_UPDATE:
            n = struct.unpack(">I", payload)[0] & 0x7fffffff
            if stream == 0:
                self.window += n
            elif is_ours:
                self.stream_window += n
        elif kind == GOAWAY:
            self.going = True
            if struct.unpack(">I", payload[4:8])[0]:
                raise ConnectionError(f"the peer ends the connection: {payload[4:]!r}")
        elif kind == HEADERS:
            pairs = self.header_block(flags, payload)
            if is_ours and pairs and pairs[0][0] == ":status":
                answer.status = int(pairs[0][1])
                answer.headers = dict(pairs[1:])
                answer.ended = bool(flags & END_STREAM) and answer.status >= 200
        elif kind == DATA and is_ours:
            if flags & PADDED:
                payload = payload[1:len(payload) - payload[0]]
            answer.body += payload
            answer.ended = bool(flags & END_STREAM)
        elif kind == RST_STREAM and is_ours:
            if not answer.ended:
                answer.status = -struct.unpack(">I", payload)[0]
            answer.ended = True

    def send_headers(self, pairs, end):
        block = block_of(pairs)
        first, rest = block[:self.frame_max], block[self.frame_max:]
        self.send(HEADERS, (END_STREAM if end else 0) | (0 if rest else END_HEADERS), self.stream,
                  first)
        while rest:
            part, rest = rest[:self.frame_max], rest[self.frame_max:]
            self.send(CONTINUATION, 0 if rest else END_HEADERS, self.stream, part)

    def send_body(self, body, answer):
        at = 0
        while not answer.ended:
            room = min(self.window, self.stream_window, self.frame_max, len(body) - at)
            if room <= 0 and at < len(body):
                self.step(answer)
                continue
            self.window -= room
            self.stream_window -= room
            end = at + room == len(body)
            self.send(DATA, END_STREAM if end else 0, self.stream, body[at:at + room])
            at += room
            if end:
                return

    def ask(self, method, path, body=None, headers=()):
        """body: octets, text, or what json.dumps takes; None for none."""
        if body is not None and not isinstance(body, bytes):
            body = (body if isinstance(body, str) else json.dumps(body)).encode()
        return self.ask_raw([(":method", method), (":scheme", "http"),
                             (":authority", "localhost"), (":path", path), *headers], body)

    def ask_raw(self, pairs, body=None):
        """The same with header fields as they stand. ConnectionError when the peer closes."""
        answer = Answer()
        try:
            if self.socket is None or self.going:
                self.close()
                self.connect()
            self.stream += 2
            self.stream_window = self.initial_window
            self.send_headers(pairs, body is None)
            if body is not None:
                self.send_body(body, answer)
            while not answer.ended:
                self.step(answer)
        except OSError:
            self.close()
            raise
        return answer

    def leave(self, pairs, body):
        """Begins a request with part of its body and goes away."""
        self.connect()
        self.stream = 1
        self.send_headers(pairs, False)
        self.send(DATA, 0, self.stream, body)
        self.close()

    def talk(self, octets):
        """Sends octets on a connection of their own; whether the peer ends it."""
        with socket.socket() as s:
            s.settimeout(self.timeout)
            s.connect(self.address)
            try:
                s.sendall(octets)
                while s.recv(1 << 16):
                    pass
            except TimeoutError:
                return False
            except OSError:
                pass
            return True
