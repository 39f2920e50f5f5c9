"""Raw connections to a gate, by any of its transports: packets and their fields, TLS, WebSocket frames."""

import base64
import hashlib
import hmac
import json
import os
import socket
import ssl
import struct
import time
import uuid

AUTH, NOOP, PULL = 1, 6, 50
PATIENCE = 20.0


def packet(command: int, seq: int, body: bytes = b"") -> bytes:
    return struct.pack(">5I", 20, 200, command, seq, len(body)) + body


def varint(number: int) -> bytes:
    out = b""
    number &= (1 << 64) - 1
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fields(body: bytes) -> dict[int, list]:
    """A protobuf message's fields by number."""
    def read(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            value |= (body[at] & 127) << shift
            shift += 7
            at += 1
            if body[at - 1] < 128:
                return value, at

    out: dict[int, list] = {}
    at = 0
    while at < len(body):
        key, at = read(at)
        if key & 7 == 0:
            value, at = read(at)
        elif key & 7 == 1:
            value, at = body[at:at + 8], at + 8
        else:
            size, at = read(at)
            value, at = body[at:at + size], at + size
        out.setdefault(key >> 3, []).append(value)
    return out


def connect(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=PATIENCE)


def connect_tls(address: str, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    return context.wrap_socket(connect(address), server_hostname="127.0.0.1", session=session)


def receive(connection: socket.socket, size: int) -> bytes:
    """Exactly so many bytes; less when the peer has closed."""
    got = b""
    while len(got) < size:
        more = connection.recv(size - len(got))
        if not more:
            break
        got += more
    return got


def is_closed(connection: socket.socket) -> bool:
    """Waits for the end of the stream; an answer before it is skipped."""
    try:
        while connection.recv(65536):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


def noop(connection: socket.socket, seq: int = 5) -> bool:
    """Whether the gate answers a packet on this stream of packets."""
    connection.sendall(packet(NOOP, seq))
    return receive(connection, 20) == packet(NOOP, seq)


def token(uid: str) -> str:
    """Signed as the app's own account system would, with what dev-cluster wrote."""
    def part(data: bytes) -> str:
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    claims = {"sub": uid, "aud": os.environ["HONGYAN_APP"], "exp": int(time.time()) + 3600}
    text = part(b'{"alg":"HS256","typ":"JWT"}') + "." + part(json.dumps(claims).encode())
    return text + "." + part(hmac.digest(os.environ["HONGYAN_TOKEN_SECRET"].encode(), text.encode(), hashlib.sha256))


def auth(uid: str) -> bytes:
    """An AUTH packet. Its answer is the first that comes."""
    texts = ((1, token(uid)), (2, uid), (4, os.environ["HONGYAN_APP"]))
    return packet(AUTH, 1, b"".join(field(number, text.encode()) for number, text in texts))


def read_packet(connection: socket.socket) -> tuple[int, bytes]:
    """(command, body) of the next one; (0, b"") at the end of the connection."""
    head = receive(connection, 20)
    if len(head) < 20:
        return 0, b""
    _, _, command, _, size = struct.unpack(">5I", head)
    return command, receive(connection, size)


def log_in(connection: socket.socket, uid: str) -> None:
    connection.sendall(auth(uid))
    assert read_packet(connection)[0] == AUTH


class Refused(Exception):
    """An AUTH was answered with this code and message."""


class Device:
    """A client of the wire protocol, without acknowledgements unless asked."""

    def __init__(self, gate: str, token: str, uid: str, device_type: int = 6):
        self.socket = connect(gate)
        body = (field(1, token.encode()) + field(2, uid.encode()) + field(4, b"demo") + field(5, device_type) +
                field(6, uuid.uuid4().bytes.hex().encode()))
        self.socket.sendall(packet(AUTH, 1, body))
        command, answer = self.read()
        assert command == AUTH, (command, answer)
        if error := fields(answer).get(15):
            self.socket.close()
            raise Refused(fields(error[0])[1][0], fields(error[0])[2][0].decode())

    def read(self, seconds: float = 10) -> tuple[int, bytes]:
        """The next packet; (0, b"") at the end of the connection."""
        self.socket.settimeout(seconds)
        return read_packet(self.socket)

    def pull(self) -> list[dict[int, list]]:
        self.socket.sendall(packet(PULL, 2, field(3, 200)))
        while True:
            command, body = self.read()
            if command == PULL:
                return [fields(message) for message in fields(body).get(1, [])]

    def close(self) -> None:
        self.socket.close()


class WebSocket:
    """A client's side on an open connection, plain or TLS."""

    def __init__(self, connection: socket.socket, fields: str = ""):
        self.connection = connection
        key = base64.b64encode(os.urandom(16)).decode()
        connection.sendall(("GET / HTTP/1.1\r\nHost: gate\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{fields}\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = connection.recv(1)
            if not more:
                break
            head += more
        self.status = int(head.split()[1]) if head else 0

    def send(self, payload: bytes, first: int = 0x82, masked: bool = True) -> None:
        length = len(payload)
        head = bytes([first])
        bit = 0x80 if masked else 0
        if length <= 125:
            head += bytes([bit | length])
        elif length <= 0xFFFF:
            head += bytes([bit | 126]) + struct.pack(">H", length)
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", length)
        if masked:
            key = os.urandom(4)
            head += key
            payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
        self.connection.sendall(head + payload)

    def receive(self) -> tuple[int, bytes]:
        """(first byte, payload) of a frame; (0, b"") at the end."""
        head = receive(self.connection, 2)
        if len(head) < 2:
            return 0, b""
        length = head[1]
        if length >= 126:
            length = int.from_bytes(receive(self.connection, 2 if length == 126 else 8), "big")
        return head[0], receive(self.connection, length)

    def close_code(self) -> int:
        """Of the close frame that ends it; 0 without one."""
        while True:
            first, payload = self.receive()
            if first == 0x88:
                return int.from_bytes(payload[:2], "big")
            if first == 0:
                return 0

    def log_in(self, uid: str) -> None:
        self.send(auth(uid))
        assert struct.unpack(">5I", self.receive()[1][:20])[2] == AUTH

    def noop(self, seq: int = 5) -> bool:
        self.send(packet(NOOP, seq))
        return self.receive() == (0x82, packet(NOOP, seq))
