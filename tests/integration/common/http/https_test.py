"""HTTPS of iplist and of the server API: the same server by TLS, and certificates that change while it runs."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
sys.dont_write_bytecode = True
sys.path[:0] = [str(REPO / "deploy"), str(REPO / "tests" / "support")]

from devcluster import certificates  # noqa: E402
from lone_daemon import LoneDaemon  # noqa: E402

# Where the two files are named, a path that is answered without any other server, and how.
DAEMONS = {"hongyan-iplist": ("[listen]\n", "[tls]\n{files}[listen]\n", "/v1/gates?app_id=demo", 503),
           "hongyan-logic": ("[api]\n", "[api]\n{files}", "/v1/online", 401)}


class HttpsTest(unittest.TestCase):
    def start(self, program: str):
        section, with_files, self.path, self.status = DAEMONS[program]
        self.daemon = LoneDaemon(program)  # for its folder and ports; begun anew with a certificate
        self.addCleanup(self.daemon.__exit__)
        self.tls = self.daemon.folder / "tls"
        self.tls.mkdir()
        certificates.make_authority(self.tls, "ca")
        certificates.issue(self.tls, "ca", "server")
        files = f'certificate_file = "{self.tls}/server.pem"\nkey_file = "{self.tls}/server.key"\n'
        self.config = self.daemon.folder / "daemon.toml"
        self.config.write_text(self.config.read_text().replace(section, with_files.format(files=files), 1))
        self.daemon.process.kill()
        self.daemon.process.wait()
        with open(self.daemon.folder / "log", "ab") as log:
            self.daemon.process = subprocess.Popen([BUILD_DIR / "bin" / program, "--config", self.config],
                                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.until(self.listens)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.daemon.port)) == 0

    def until(self, holds, seconds: float = 20):
        end = time.monotonic() + seconds
        while not (value := holds()):
            self.assertLess(time.monotonic(), end, self.daemon.log())
            self.assertIsNone(self.daemon.process.poll(), self.daemon.log())
            time.sleep(0.02)
        return value

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.tls / "ca.pem")

    def connect(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        plain = socket.create_connection(("127.0.0.1", self.daemon.port), timeout=10)
        self.addCleanup(plain.close)
        return (context or self.context()).wrap_socket(plain, server_hostname="127.0.0.1")

    def serial(self) -> str:
        with self.connect() as connection:
            return connection.getpeercert()["serialNumber"]

    def requests(self, count: int) -> list[int]:
        """The statuses of so many requests that are sent at once."""
        with self.connect() as connection:
            connection.sendall(f"GET {self.path} HTTP/1.1\r\nHost: h\r\n\r\n".encode() * count)
            statuses = []
            for _ in range(count):
                response = http.client.HTTPResponse(connection)
                response.begin()
                response.read()
                statuses.append(response.status)
            return statuses

    def test_answers_by_tls_and_by_nothing_else(self):
        for program in DAEMONS:
            with self.subTest(program):
                self.start(program)
                asked = http.client.HTTPSConnection("127.0.0.1", self.daemon.port, context=self.context(), timeout=10)
                self.addCleanup(asked.close)
                for _ in range(3):
                    asked.request("GET", self.path)
                    answer = asked.getresponse()
                    self.assertEqual((answer.status, answer.headers["Content-Type"]), (self.status, "application/json"))
                    answer.read()
                asked.request("POST", "/nowhere", b"x" * 3000)
                self.assertEqual(asked.getresponse().status, 404)
                with socket.create_connection(("127.0.0.1", self.daemon.port), timeout=10) as plain:
                    plain.sendall(f"GET {self.path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
                    try:
                        self.assertNotIn(b"HTTP/", plain.recv(4096))
                    except ConnectionResetError:
                        pass
                old = self.context()
                old.set_ciphers("ALL:@SECLEVEL=0")
                old.minimum_version, old.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, ssl.TLSVersion.TLSv1_1
                with self.assertRaises((ssl.SSLError, ConnectionResetError)):
                    self.connect(old)

    def test_requests_of_one_record_are_answered_in_turn(self):
        self.start("hongyan-iplist")
        self.assertEqual(self.requests(50), [self.status] * 50)

    def test_a_new_certificate_is_served_after_sighup_and_a_bad_one_never(self):
        for program in DAEMONS:
            with self.subTest(program):
                self.start(program)
                before = self.serial()
                with self.connect() as kept:
                    certificates.issue(self.tls, "ca", "server")
                    self.assertEqual(self.serial(), before)
                    self.daemon.process.send_signal(signal.SIGHUP)
                    self.until(lambda: self.serial() != before)
                    kept.sendall(f"GET {self.path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
                    self.assertIn(str(self.status).encode(), kept.recv(4096))
                present = self.serial()
                certificates.issue(self.tls, "ca", "server", days=-1)
                self.daemon.process.send_signal(signal.SIGHUP)
                self.until(lambda: "has expired" in self.daemon.log())
                (self.tls / "server.key").write_text("no key")
                self.daemon.process.send_signal(signal.SIGHUP)
                self.until(lambda: self.daemon.log().count("the present certificate stays") == 2)
                self.assertEqual(self.serial(), present)

    def test_what_cannot_be_served_is_told_before_a_start(self):
        for program in DAEMONS:
            with self.subTest(program):
                self.start(program)
                (self.tls / "server.key").write_text("no key")
                check = subprocess.run([BUILD_DIR / "bin" / program, "--check-config", "--config", self.config],
                                       capture_output=True, text=True, timeout=20, check=False)
                self.assertEqual(check.returncode, 1)
                self.assertIn("server.key", check.stderr)


if __name__ == "__main__":
    unittest.main()
