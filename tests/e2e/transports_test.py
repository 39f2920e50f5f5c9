"""The client library by each transport, through hongyan-chat: messages both ways, and gates that it must not trust."""

import os
import socket
import ssl
import subprocess
import sys
import threading
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
DIR = Path(os.environ["HONGYAN_DIR"])
sys.path[:0] = [str(REPO / "deploy")]

from devcluster import certificates  # noqa: E402

WAYS = {"tcp": [], "tls": ["--tls"], "ws": ["--ws"], "wss": ["--tls", "--ws"]}


def chat(*words, wait: int = 60) -> subprocess.CompletedProcess:
    return subprocess.run([BUILD_DIR / "bin" / "hongyan-chat", *map(str, words)], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=wait, check=False)


def gates(way: str) -> list[str]:
    return os.environ["HONGYAN_GATES" + ("" if way == "tcp" else "_" + way.upper())].split()


class Impostor:
    """A TLS server with a certificate that no client may accept. Counts who did."""

    def __init__(self, certificate: Path, key: Path):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "{}:{}".format(*self.listener.getsockname())
        self.taken_in = 0
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            try:
                with self.context.wrap_socket(connection, server_side=True) as secure:
                    self.taken_in += len(secure.recv(1))
            except OSError:
                connection.close()

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()


class TransportsTest(unittest.TestCase):
    def test_messages_by_each(self):
        for way, options in WAYS.items():
            for where in (["--env", DIR / "env"], ["--env", DIR / "env", "--gate", gates(way)[0]]):
                with self.subTest(way=way, where=where[2:]):
                    text = f"by {way} to itself" + "x" * 40_000
                    sent = chat("--user", f"user-{way}", *where, *options, "--send", f"user-{way}", text, "--wait-count", 1)
                    self.assertEqual(sent.returncode, 0, sent.stderr)
                    self.assertIn(text, sent.stdout)

    def test_from_one_to_another(self):
        """What was sent by one transport is pulled by another."""
        ways = list(WAYS)
        for way, other in zip(ways, ways[1:] + ways[:1], strict=True):
            sent = chat("--user", f"from-{way}", "--env", DIR / "env", *WAYS[way], "--send", f"to-{other}", f"hello {other}")
            self.assertEqual(sent.returncode, 0, sent.stderr)
            got = chat("--user", f"to-{other}", "--env", DIR / "env", *WAYS[other], "--wait-count", 1)
            self.assertEqual(got.returncode, 0, got.stderr)
            self.assertIn(f"hello {other}", got.stdout)

    def refused(self, server: str, ca: Path, *options) -> str:
        done = chat("--user", "careful", "--token", "a token that nobody may see", "--gate", server, "--ca", ca, "--tls",
                    *options, "--send", "bob", "hi", "--timeout", 2)
        self.assertEqual(done.returncode, 1)
        return done.stdout + done.stderr

    def test_trusts_no_other_gate(self):
        tls = DIR / "tls"
        certificates.make_authority(tls, "foreign-ca")
        certificates.issue(tls, "foreign-ca", "foreign")
        certificates.issue(tls, "ca", "late", days=-1)
        certificates.issue(tls, "ca", "elsewhere", names="DNS:gate.example.com,IP:192.0.2.1")
        for name, why in (("foreign", "unable to get local issuer certificate"), ("late", "certificate has expired"),
                          ("elsewhere", "IP address mismatch")):
            for options in ([], ["--ws"]):
                with self.subTest(name=name, options=options):
                    server = Impostor(tls / f"{name}.pem", tls / f"{name}.key")
                    try:
                        self.assertIn(why, self.refused(server.address, tls / "ca.pem", *options))
                    finally:
                        server.close()
                    self.assertEqual(server.taken_in, 0, "the client said something to it")
        # The gate itself, but for a client that trusts another authority; by a name that it is not; without TLS.
        self.assertIn("unable to get local issuer", self.refused(gates("tls")[0], tls / "foreign-ca.pem"))
        self.assertIn("TLS: connection lost", self.refused(gates("tcp")[0], tls / "ca.pem"))

    def test_what_is_no_ca(self):
        done = chat("--user", "a", "--token", "t", "--gate", gates("tls")[0], "--tls", "--ca", DIR / "env", "--send", "b", "c")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--ca", done.stderr)

    def test_websocket_to_another_port(self):
        done = chat("--user", "a", "--token", "t", "--gate", os.environ["HONGYAN_IPLIST"].removeprefix("http://"), "--ws",
                    "--send", "b", "c", "--timeout", 2)
        self.assertEqual(done.returncode, 1)
        self.assertIn("HTTP status", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
