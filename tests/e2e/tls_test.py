"""TLS and WebSocket over TLS: versions, resumption, wrong protocols, and certificates that change while clients are connected."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
DIR = Path(os.environ["HONGYAN_DIR"])
sys.path[:0] = [str(REPO / "deploy"), str(REPO / "tests" / "e2e")]

from devcluster import certificates  # noqa: E402
from wire import WebSocket, connect, connect_tls, is_closed, log_in, noop, packet  # noqa: E402

TCP, TLS, WS, WSS = (os.environ[f"HONGYAN_GATES{kind}"].split()[0] for kind in ("", "_TLS", "_WS", "_WSS"))
CA = os.environ["HONGYAN_CA"]


def context(**settings) -> ssl.SSLContext:
    made = ssl.create_default_context(cafile=CA)
    for name, value in settings.items():
        setattr(made, name, value)
    return made


def serial(address: str) -> str:
    """Of the certificate that a new client sees."""
    with connect_tls(address, context()) as connection:
        return connection.getpeercert()["serialNumber"]


class TlsTest(unittest.TestCase):
    def setUp(self):
        self.bystander = connect(TCP)
        log_in(self.bystander, "bystander")
        self.addCleanup(self.bystander.close)

    def tearDown(self):
        self.assertTrue(noop(self.bystander), "a client beside was disturbed")

    def test_iplist_names_every_transport(self):
        for transport, address in (("tcp", TCP), ("tls", TLS), ("ws", WS), ("wss", WSS)):
            url = f"{os.environ['HONGYAN_IPLIST']}/v1/gates?app_id=demo&transport={transport}"
            with urllib.request.urlopen(url, timeout=10) as answer:
                gates = json.load(answer)["gates"]
            self.assertEqual([f"{gate['host']}:{gate['port']}" for gate in gates], [address])

    def test_carries_packets(self):
        with connect_tls(TLS, context()) as connection:
            for seq in range(1, 50):
                self.assertTrue(noop(connection, seq))
        with connect_tls(WSS, context()) as connection:
            web = WebSocket(connection)
            self.assertEqual(web.status, 101)
            for seq in range(1, 50):
                self.assertTrue(web.noop(seq))
            web.send(b"text", first=0x81)
            self.assertEqual(web.close_code(), 1003)
            self.assertTrue(is_closed(connection))

    def test_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with connect_tls(TLS, context(minimum_version=version, maximum_version=version)) as connection:
                self.assertTrue(noop(connection))
        old = context()
        old.set_ciphers("ALL:@SECLEVEL=0")
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises(ssl.SSLError):
            connect_tls(TLS, old)

    def test_resumes_sessions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            shared = context(maximum_version=version)
            with connect_tls(TLS, shared) as first:
                self.assertTrue(noop(first))
                session = first.session
            with connect_tls(WSS, shared, session) as second:
                self.assertTrue(second.session_reused)
                self.assertTrue(WebSocket(second).noop())

    def test_wrong_protocols(self):
        for address in (TLS, WSS):
            for beginning in (packet(6, 1), b"GET / HTTP/1.1\r\nHost: gate\r\n\r\n", os.urandom(4000), b"\x16\x03\x01\x40\x00" + bytes(20000)):
                with connect(address) as connection:
                    connection.sendall(beginning)
                    self.assertTrue(is_closed(connection), beginning[:10])
        for address in (TCP, WS):
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                connect_tls(address, context())
        with connect_tls(WSS, context()) as connection:
            connection.sendall(packet(6, 1))
            self.assertTrue(is_closed(connection))

    def test_handshakes_that_never_end(self):
        begun = time.monotonic()
        hello = ssl.MemoryBIO()
        half = context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="127.0.0.1")
        with self.assertRaises(ssl.SSLWantReadError):
            half.do_handshake()
        silent, slow, answered = connect(TLS), connect(TLS), connect(WSS)
        client_hello = hello.read()
        slow.sendall(client_hello[:50])
        answered.sendall(client_hello)
        with connect_tls(WSS, context()) as inner:
            inner.sendall(b"GET / HTTP/1.1\r\n")
            for connection in (silent, slow, answered, inner):
                self.assertTrue(is_closed(connection))
        for connection in (silent, slow, answered):
            connection.close()
        self.assertGreater(time.monotonic() - begun, 5)


class ReloadTest(unittest.TestCase):
    """SIGHUP. Each test leaves a good certificate behind."""

    def setUp(self):
        self.tls = DIR / "tls"
        self.log = DIR / "log" / "gate-1.log"
        self.connections = [connect_tls(TLS, context()) for _ in range(3)]
        for number, connection in enumerate(self.connections):
            log_in(connection, f"user-{number}")
        self.web = WebSocket(connect_tls(WSS, context()))
        self.web.log_in("web-user")
        self.before = serial(TLS)

    def tearDown(self):
        self.assertTrue(all(noop(connection) for connection in self.connections), "a client was dropped")
        self.assertTrue(self.web.noop(), "a client was dropped")
        for connection in [*self.connections, self.web.connection]:
            connection.close()

    def hang_up(self, expected: str) -> None:
        """Sends SIGHUP and waits for the line that tells the outcome."""
        size = self.log.stat().st_size
        os.kill(int((DIR / "pids" / "gate-1.pid").read_text()), signal.SIGHUP)
        deadline = time.monotonic() + 30
        while True:
            with open(self.log, "rb") as log:
                log.seek(size)
                said = log.read().decode()
            if expected in said:
                return
            self.assertLess(time.monotonic(), deadline, said)
            time.sleep(0.02)

    def test_new_certificate(self):
        session = self.connections[0].session
        certificates.issue(self.tls, "ca", "gate")
        self.hang_up("certificate reloaded")
        for address in (TLS, WSS):
            self.assertNotEqual(serial(address), self.before)
        with connect_tls(TLS, self.connections[0].context, session) as resumed:
            self.assertTrue(noop(resumed))
            self.assertTrue(resumed.session_reused, "sessions of before are resumed after a reload")

    def refused(self, reason: str) -> None:
        self.hang_up(reason)
        for address in (TLS, WSS):
            self.assertEqual(serial(address), self.before)

    def test_what_cannot_be_used_is_refused(self):
        certificate, key = self.tls / "gate.pem", self.tls / "gate.key"
        good = certificate.read_bytes(), key.read_bytes()
        certificates.make_authority(self.tls, "other-ca")
        certificates.issue(self.tls, "other-ca", "other")
        certificates.issue(self.tls, "ca", "expired", days=-1)
        try:
            with self.subTest("the key of another certificate"):
                key.write_bytes((self.tls / "other.key").read_bytes())
                self.refused("key values mismatch")
            with self.subTest("a certificate that has expired"):
                certificate.write_bytes((self.tls / "expired.pem").read_bytes())
                key.write_bytes((self.tls / "expired.key").read_bytes())
                self.refused("has expired")
            with self.subTest("no certificate"):
                certificate.write_text("nonsense")
                self.refused("no start line")
            with self.subTest("no file"):
                certificate.unlink()
                self.refused("No such file")
        finally:
            certificate.write_bytes(good[0])
            key.write_bytes(good[1])
        self.hang_up("certificate reloaded")

    def test_a_gate_does_not_start_with_the_wrong_key(self):
        certificates.make_authority(self.tls, "other-ca")
        certificates.issue(self.tls, "other-ca", "other")
        text = (DIR / "config" / "gate-1.toml").read_text().replace("gate.key", "other.key")
        config = DIR / "config" / "wrong.toml"
        config.write_text(text)
        done = subprocess.run([BUILD_DIR / "bin" / "hongyan-gate", "--config", config], capture_output=True, text=True,
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("other.key: key values mismatch", done.stderr)


if __name__ == "__main__":
    unittest.main()
