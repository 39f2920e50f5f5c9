"""What the tests of the server API share: a cluster, its document, and what is done with them."""

import atexit
import functools
import http.client
import json
import os
import subprocess
import tempfile
import time
import unittest
import uuid
from pathlib import Path

from openapi import OpenApi
from wire import Device, Refused

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
OPENAPI = OpenApi()
UNAVAILABLE = 8


def run(*command, seconds: int = 150) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds, check=False)


@functools.cache
def cluster() -> Path:
    """The folder of the one cluster of this program, which goes down with it."""
    holder = tempfile.TemporaryDirectory(prefix="hy-api-")
    atexit.register(holder.cleanup)
    folder = Path(holder.name)
    atexit.register(lambda: run(REPO / "deploy" / "dev-cluster", "down", "--dir", folder))
    up = run(REPO / "deploy" / "dev-cluster", "up", "--dir", folder, "--build-dir", BUILD_DIR, "--gates", "2")
    assert up.returncode == 0, up.stderr
    return folder


class ApiCase(unittest.TestCase):
    """A cluster, and what the tests do with it."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cluster()
        lines = (cls.folder / "env").read_text().splitlines()
        cls.env = {key: value.strip('"') for key, value in (line.split("=", 1) for line in lines if "=" in line)}
        cls.api = cls.env["HONGYAN_API"]
        cls.gates = cls.env["HONGYAN_GATES"].split()
        cls.prefix = uuid.uuid4().hex[:8]

    def call(self, method: str, path: str, body=None, key: str | None = None, api: str | None = None):
        """(status, JSON). body: an object, or bytes as they are. key: "" for none."""
        connection = http.client.HTTPConnection((api or self.api).removeprefix("http://"), timeout=20)
        self.addCleanup(connection.close)
        key = self.env["HONGYAN_API_KEY"] if key is None else key
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        connection.request(method, path, data, {"Authorization": f"Bearer {key}"} if key else {})
        response = connection.getresponse()
        answer = json.loads(response.read())
        OPENAPI.check(method, path, data, response.status, answer)
        return response.status, answer

    def good(self, *args, **named):
        status, answer = self.call(*args, **named)
        self.assertEqual(status, 200, answer)
        return answer

    def name(self, name: str) -> str:
        return f"{self.prefix}-{self._testMethodName}-{name}"

    def login(self, uid: str, gate: int = 0, device_type: int = 6) -> Device:
        token = self.good("POST", "/v1/tokens", {"uid": uid})["token"]

        def attempt():
            try:
                return Device(self.gates[gate % len(self.gates)], token, uid, device_type)
            except Refused as refused:
                if refused.args[0] != UNAVAILABLE:  # the database may be slow under load
                    raise
                return None

        device = self.until(attempt, 30)
        self.addCleanup(device.close)
        return device

    def restart(self, member: str):
        for verb in ("kill", "restart"):
            done = run(REPO / "deploy" / "dev-cluster", verb, member, "--dir", self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)

    def refusal(self, uid: str, gate: int = 0) -> tuple[int, str]:
        """Why the user may not log in; waits while nobody serves the user."""
        with self.assertRaises(Refused) as refused:
            self.login(uid, gate)
        return refused.exception.args

    def send(self, to: list[str], content: str = "hi", **more):
        return self.good("POST", "/v1/messages", {"from": "hr", "to": to, "content": content} | more)

    def until(self, holds, seconds: float = 10):
        end = time.monotonic() + seconds
        while not (value := holds()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        return value
