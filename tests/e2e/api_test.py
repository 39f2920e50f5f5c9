"""The server API against real daemons: messages to users, presence, the online list, kicks, bans; who may call what."""

import base64
import hashlib
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import tempfile
import time
import unittest
import uuid
from pathlib import Path
from urllib.parse import quote

from openapi import OpenApi, routes_of_server

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
OPENAPI = OpenApi()
AUTH, KICKOUT, S2C, PULL = 1, 3, 20, 50
KICK_ADMIN = 1
PERMISSION_DENIED, UNAVAILABLE = 3, 8


def run(*command, seconds: int = 150) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds, check=False)


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


class Refused(Exception):
    """An AUTH was answered with this code and message."""


class Device:
    """A client of the wire protocol, without acknowledgements unless asked."""

    def __init__(self, gate: str, token: str, uid: str, device_type: int = 6):
        host, _, port = gate.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=10)
        self.buffer = b""
        body = (field(1, token.encode()) + field(2, uid.encode()) + field(4, b"demo") + field(5, device_type) +
                field(6, uuid.uuid4().bytes.hex().encode()))
        self.send(AUTH, 1, body)
        command, answer = self.read()
        assert command == AUTH, (command, answer)
        if error := fields(answer).get(15):
            self.socket.close()
            raise Refused(fields(error[0])[1][0], fields(error[0])[2][0].decode())

    def send(self, command: int, seq: int, body: bytes) -> None:
        self.socket.sendall(struct.pack(">5I", 20, 200, command, seq, len(body)) + body)

    def read(self, seconds: float = 10) -> tuple[int, bytes]:
        """The next packet; (0, b"") at the end of the connection."""
        self.socket.settimeout(seconds)
        while True:
            if len(self.buffer) >= 20:
                size = struct.unpack(">5I", self.buffer[:20])[4]
                if len(self.buffer) >= 20 + size:
                    command, body = struct.unpack(">5I", self.buffer[:20])[2], self.buffer[20:20 + size]
                    self.buffer = self.buffer[20 + size:]
                    return command, body
            more = self.socket.recv(65536)
            if not more:
                return 0, b""
            self.buffer += more

    def pull(self) -> list[dict[int, list]]:
        self.send(PULL, 2, field(3, 200))
        while True:
            command, body = self.read()
            if command == PULL:
                return [fields(message) for message in fields(body).get(1, [])]

    def close(self) -> None:
        self.socket.close()


class ApiCase(unittest.TestCase):
    """A cluster, and what the tests do with it."""

    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="hy-api-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        cls.addClassCleanup(lambda: run(REPO / "deploy" / "dev-cluster", "down", "--dir", cls.folder))
        up = run(REPO / "deploy" / "dev-cluster", "up", "--dir", cls.folder, "--build-dir", BUILD_DIR, "--gates", "2")
        assert up.returncode == 0, up.stderr
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

    def send(self, to: list[str], content: str = "hi", **more):
        return self.good("POST", "/v1/messages", {"from": "hr", "to": to, "content": content} | more)

    def until(self, holds, seconds: float = 10):
        end = time.monotonic() + seconds
        while not (value := holds()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        return value


class ApiTest(ApiCase):
    def test_stored_reaches_who_is_online_and_who_comes_later(self):
        online, offline = self.name("online"), self.name("offline")
        device = self.login(online)
        content = base64.b64encode(bytes(range(256))).decode()
        sent = self.good("POST", "/v1/messages", {"from": "hr", "to": [online, offline], "content_base64": content,
                                                  "msg_type": 7})
        first, second = sent["results"]
        self.assertEqual((first["to"], first["status"], second["status"]), (online, "stored", "stored"))
        command, body = device.read()
        push = fields(body)
        self.assertEqual(command, S2C)
        self.assertEqual((push[1][0], push[2][0], push[3][0], push[5][0], push[6][0]),
                         (b"hr", bytes(range(256)), first["msg_id"], 1, 7))
        [message] = self.login(offline).pull()
        self.assertEqual((message[3][0], message[4][0], message[5][0]), (bytes(range(256)), second["msg_id"], S2C))

    def test_the_same_call_twice_is_one_message(self):
        users = [self.name(str(i)) for i in range(50)]
        mine = uuid.uuid4().hex
        first = self.send(users, client_msg_id=mine)
        second = self.send(users, client_msg_id=mine)
        self.assertEqual(first, second)
        self.assertEqual(len({result["msg_id"] for result in first["results"]}), 50)
        self.assertEqual(len(self.login(users[7]).pull()), 1)

    def test_not_stored_reaches_only_who_is_online(self):
        online, offline = self.name("online"), self.name("offline")
        device = self.login(online)
        results = self.send([online, offline], "now", persist=False)["results"]
        self.assertEqual([result["status"] for result in results], ["online", "offline"])
        command, body = device.read()
        self.assertEqual((command, fields(body)[2][0], fields(body).get(5)), (S2C, b"now", None))
        for uid in (online, offline):
            self.assertEqual(self.login(uid).pull(), [])

    def test_one_bad_target_does_not_spoil_the_rest(self):
        good = self.name("good")
        results = self.send(["", good, "x" * 129, "a\0b"])["results"]
        self.assertEqual([result.get("error", {}).get("code") for result in results],
                         ["BAD_REQUEST", None, "BAD_REQUEST", "BAD_REQUEST"])
        self.assertEqual(results[1]["status"], "stored")

    def test_presence_follows_logins(self):
        uid = self.name("é 👋")
        path = f"/v1/users/{quote(uid, safe='')}/presence"
        self.assertEqual(self.good("GET", path), {"uid": uid, "online": False, "devices": []})
        phone, desk = self.login(uid, 0, 1), self.login(uid, 1, 6)
        before = int(time.time() * 1000)
        seen = self.good("GET", path)
        self.assertTrue(seen["online"])
        self.assertEqual(sorted(seen["devices"]), ["IOS", "LINUX"])
        self.assertLess(abs(seen["last_active"] - before), 10_000)
        desk.close()
        self.until(lambda: self.good("GET", path)["devices"] == ["IOS"])
        phone.close()
        self.until(lambda: not self.good("GET", path)["online"])
        many = self.good("POST", "/v1/presence", {"uids": [uid, "", self.name("nobody")]})["users"]
        self.assertEqual([("error" in one, one["uid"]) for one in many],
                         [(False, uid), (True, ""), (False, self.name("nobody"))])

    def test_kick_closes_within_a_second(self):
        uid = self.name("kicked")
        phone, desk = self.login(uid, 0, 1), self.login(uid, 1, 6)
        begin = time.monotonic()
        self.assertEqual(self.good("POST", f"/v1/users/{uid}/kick", {"device_type": "IOS", "reason": "maintenance"}),
                         {"kicked": 1})
        command, body = phone.read(1)
        self.assertEqual((command, fields(body)[1][0], fields(body)[2][0]), (KICKOUT, KICK_ADMIN, b"maintenance"))
        self.assertEqual(phone.read(1), (0, b""))
        self.assertLess(time.monotonic() - begin, 1)
        self.until(lambda: self.good("GET", f"/v1/users/{uid}/presence")["devices"] == ["LINUX"])
        self.assertEqual(self.good("POST", f"/v1/users/{uid}/kick"), {"kicked": 1})
        self.assertEqual(desk.read(1)[0], KICKOUT)
        self.until(lambda: self.good("POST", f"/v1/users/{uid}/kick") == {"kicked": 0})

    def restart(self, member: str):
        for verb in ("kill", "restart"):
            done = run(REPO / "deploy" / "dev-cluster", verb, member, "--dir", self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)

    def refusal(self, uid: str, gate: int = 0) -> tuple[int, str]:
        """Why the user may not log in; waits while nobody serves the user."""
        with self.assertRaises(Refused) as refused:
            self.login(uid, gate)
        return refused.exception.args

    def test_who_is_banned_is_closed_within_a_second_and_refused(self):
        uid = self.name("spammer")
        phone, desk = self.login(uid, 0, 1), self.login(uid, 1, 6)
        path = f"/v1/users/{uid}/ban"
        self.assertEqual(self.good("GET", path), {"banned": False})
        begin = time.monotonic()
        self.assertEqual(self.good("POST", path, {"reason": "spam"}), {"banned": True, "reason": "spam", "kicked": 2})
        for device in (phone, desk):
            command, body = device.read(1)
            self.assertEqual((command, fields(body)[1][0], fields(body)[2][0]), (KICKOUT, KICK_ADMIN, b"banned: spam"))
            self.assertEqual(device.read(1), (0, b""))
        self.assertLess(time.monotonic() - begin, 1)
        self.assertEqual(self.good("GET", path), {"banned": True, "reason": "spam"})
        self.assertEqual(self.good("GET", f"/v1/users/{uid}"), {"uid": uid, "registered": False, "ban": {"reason": "spam"}})
        for gate in (0, 1):
            self.assertEqual(self.refusal(uid, gate), (PERMISSION_DENIED, "banned: spam"))
        self.restart("logic-1")
        self.assertEqual(self.refusal(uid), (PERMISSION_DENIED, "banned: spam"))
        self.assertEqual(self.good("DELETE", path), {"banned": False})
        self.assertEqual(self.good("DELETE", path), {"banned": False})
        self.assertEqual(self.call("GET", f"/v1/users/{uid}")[0], 404)
        self.login(uid)

    def test_a_ban_ends(self):
        uid = self.name("rude")
        path = f"/v1/users/{uid}/ban"
        until = int(time.time() * 1000) + 3_600_000
        self.assertEqual(self.good("POST", path, {"until_ms": until}),
                         {"banned": True, "until_ms": until, "reason": "", "kicked": 0})
        self.assertEqual(self.refusal(uid), (PERMISSION_DENIED, "banned"))
        begin = time.time()
        ban = self.good("POST", path, {"seconds": 4, "reason": "calm down"})
        self.assertLess(abs(ban["until_ms"] / 1000 - begin - 4), 2)
        self.assertEqual(self.refusal(uid), (PERMISSION_DENIED, "banned: calm down"))

        def attempt():
            try:
                return self.login(uid)
            except Refused:
                return None

        self.until(attempt)
        self.assertGreaterEqual(time.time() - begin, 3.9)
        self.assertEqual(self.good("GET", path), {"banned": False})

    def test_a_user_is_registered_once(self):
        uid = self.name("é")
        path = f"/v1/users/{quote(uid, safe='')}"
        self.assertEqual(self.call("GET", path)[0], 404)
        before = int(time.time() * 1000)
        user = self.good("POST", "/v1/users", {"uid": uid, "password_hash": "$2b$12$secret"})
        self.assertLess(abs(user["created_at"] - before), 10_000)
        status, answer = self.call("POST", "/v1/users", {"uid": uid, "password_hash": "other"})
        self.assertEqual((status, answer["error"]["code"]), (409, "ALREADY_EXISTS"))
        self.assertEqual(self.good("GET", path), {"uid": uid, "registered": True, "created_at": user["created_at"]})
        self.good("POST", path + "/ban", {"seconds": 100})
        self.assertEqual(self.good("GET", path)["ban"]["reason"], "")
        banned = self.name("banned")
        self.good("POST", f"/v1/users/{banned}/ban")
        self.assertEqual(self.good("POST", "/v1/users", {"uid": banned})["uid"], banned)
        self.assertTrue(self.good("GET", f"/v1/users/{banned}/ban")["banned"])

    def pages(self, limit: int) -> list[list[str]]:
        out, after = [], ""
        while True:
            page = self.good("GET", f"/v1/online?limit={limit}" + (f"&after={after}" if after else ""))
            out.append([user["uid"] for user in page["users"]])
            if not (after := page.get("next", "")):
                return out

    def test_online_list_has_everyone_once(self):
        users = {self.name(str(i)) for i in range(500)}
        devices = [self.login(uid, i) for i, uid in enumerate(sorted(users))]
        for limit in (7, 100, 1000):
            pages = self.pages(limit)
            listed = [uid for page in pages for uid in page if uid in users]
            self.assertEqual(len(listed), 500)
            self.assertEqual(set(listed), users)
            self.assertLessEqual(max(map(len, pages)), limit)
        for device in devices:
            device.close()
        self.until(lambda: not users & {uid for page in self.pages(1000) for uid in page})

    def test_chat_lists_who_is_online(self):
        uid = self.name("é")
        self.login(uid)
        me = self.name("me")
        for style in ("--quiet", "--json"):
            done = subprocess.run([BUILD_DIR / "bin" / "hongyan-chat", "--env", self.folder / "env", "--user", me, style],
                                  input=":olu\n", capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(uid if style == "--quiet" else json.dumps({"uid": uid}, ensure_ascii=False, separators=(",", ":")),
                          done.stdout)
        token = self.good("POST", "/v1/tokens", {"uid": me})["token"]
        done = subprocess.run([BUILD_DIR / "bin" / "hongyan-chat", "--gate", self.gates[0], "--app", "demo", "--user", me,
                               "--token", token], input=":olu\n", capture_output=True, text=True, timeout=60, check=False)
        self.assertIn("--api-key", done.stderr)

    def test_hostile_bodies(self):
        to = self.name("to")
        whole = {"from": "hr", "to": [to], "content": "x"}
        bad = [b"", b"{", b"[]", b"null", b'"text"', b"[" * 10_000, b'{"a":' * 10_000, b"\xff\xfe",
               b'{"from":"\xff","to":["a"],"content":"x"}',
               *(json.dumps(whole | change).encode() for change in (
                   {"from": 1}, {"from": ""}, {"from": "x" * 129}, {"from": "x" * 65536}, {"from": "a\0"}, {"to": to},
                   {"to": []}, {"to": [1]}, {"to": [to] * 1001}, {"content": 1}, {"content_base64": "eA=="},
                   {"persist": "yes"}, {"msg_type": 1.5}, {"msg_type": 1 << 31}, {"msg_type": 1 << 63},
                   {"msg_type": 1 << 200}, {"client_msg_id": ""}, {"client_msg_id": "x" * 65}, {"client_msg_id": 5},
                   {"group_id": 5}, {"mentions": ["a"]}, {"broadcast": True}, {"persits": False})),
               *(json.dumps({"from": "hr", "content": "x"} | change).encode() for change in (
                   {"group_id": 0}, {"group_id": "x"}, {"group_id": 5, "persist": False}, {"group_id": 5, "mentions": [""]})),
               json.dumps({"from": "hr", "to": [to], "content_base64": "e"}).encode()]
        for body in bad:
            status, answer = self.call("POST", "/v1/messages", body)
            self.assertEqual((status, answer["error"]["code"]), (400, "BAD_REQUEST"), body[:100])
        for content, expected in (("x" * (63 << 10), 200), ("x" * ((63 << 10) + 1), 413), ("x" * (2 << 20), 413)):
            self.assertEqual(self.call("POST", "/v1/messages", whole | {"content": content})[0], expected)
        for path in ("/v1/online?limit=0", "/v1/online?limit=1001", "/v1/online?limit=x", "/v1/online?after=zz",
                     "/v1/online?after=1000", "/v1/online?after=00001", f"/v1/users/{'x' * 129}/presence",
                     "/v1/users/a%00b/presence", "/v1/users/%zz/presence", f"/v1/users/{'x' * 129}", "/v1/users/a%00b",
                     f"/v1/users/{'x' * 129}/ban"):
            self.assertEqual(self.call("GET", path)[0], 400, path)
        self.assertEqual(self.call("DELETE", f"/v1/users/{'x' * 129}/ban")[0], 400)
        now = int(time.time() * 1000)
        for body in ({"until_ms": now - 10_000}, {"until_ms": "x"}, {"until_ms": 1 << 63}, {"seconds": 0}, {"seconds": -1},
                     {"seconds": 1 << 40}, {"seconds": 5, "until_ms": now + 10_000}, {"reason": 5},
                     {"reason": "x" * 1025}):
            self.assertEqual(self.call("POST", f"/v1/users/{to}/ban", body)[0], 400, body)
        for body in ({}, {"uid": ""}, {"uid": "x" * 129}, {"uid": "a", "password_hash": ""}, {"uid": "a", "password_hash": 5},
                     {"uid": "a", "password_hash": "x" * 256}):
            self.assertEqual(self.call("POST", "/v1/users", body)[0], 400, body)
        self.assertEqual(self.good("GET", f"/v1/users/{to}/ban"), {"banned": False})

    def test_a_group_and_its_messages(self):
        owner, mike, nina = (self.name(name) for name in ("owner", "mike", "nina"))
        made = self.good("POST", "/v1/groups", {"owner": owner, "name": "Grüße 😀", "members": [mike]})
        path = "/v1/groups/" + made["group"]["group_id"]
        again = self.good("POST", "/v1/groups", {"owner": owner, "name": "Grüße 😀", "members": [mike],
                                                 "client_msg_id": made["client_msg_id"]})
        self.assertEqual(again["group"], made["group"])
        self.assertEqual(self.good("GET", path)["group"]["name"], "Grüße 😀")
        as_hr = {"operator": "hr"}
        self.good("POST", path + "/members", as_hr | {"members": [nina, mike]})
        self.assertEqual(self.call("POST", path + "/members", as_hr | {"members": [nina]})[0], 409)
        page = self.good("GET", path + "/members?limit=2")
        self.assertEqual((page["member_count"], len(page["members"])), (3, 2))
        self.good("PATCH", path, as_hr | {"announcement": "read this"})
        self.assertEqual(self.good("PATCH", path, as_hr | {"owner": mike})["group"]["owner"], mike)
        message = {"from": "hr", "group_id": made["group"]["group_id"], "content": "to all", "mentions": [nina],
                   "client_msg_id": uuid.uuid4().hex}
        [first] = self.good("POST", "/v1/messages", message)["results"]
        [second] = self.good("POST", "/v1/messages", message)["results"]
        self.assertEqual(first, second)
        self.good("DELETE", path + "/members", as_hr | {"members": [nina]})
        self.assertEqual(self.call("DELETE", path + "/members", as_hr | {"members": [nina]})[0], 404)
        self.good("DELETE", path, as_hr)
        self.assertEqual(self.call("GET", path)[0], 409)
        self.assertEqual(self.call("PATCH", path, as_hr | {"name": "gone"})[0], 409)
        self.assertEqual(self.call("POST", "/v1/messages", {"from": "hr", "group_id": 5, "content": "x"})[0], 404)

        def seen(uid, expected):
            device = self.login(uid)
            return self.until(lambda: (pulled := device.pull()) and len(pulled) >= expected and pulled)

        texts = [message[3][0] for message in seen(nina, 5) if message[5][0] == 40]
        self.assertEqual(texts, [b"to all"])
        self.assertEqual([message[12] for message in seen(nina, 5) if message[5][0] == 40], [[nina.encode()]])
        self.assertEqual([message[11][0] for message in seen(owner, 7)], [1, 2, 3, 4, 5, 6, 7])
        self.assertEqual(len(seen(nina, 5)), 5)

    def test_every_call_refuses_what_it_does_not_know(self):
        for method, path in OPENAPI.operations:
            if method != "GET":
                path = path.replace("{uid}", "x").replace("{id}", "5")
                self.assertEqual(self.call(method, path, {"surprise": 1})[0], 400, path)
        for path in ("/v1/groups/0", "/v1/groups/x", "/v1/groups/5/members?limit=0"):
            self.assertEqual(self.call("GET", path)[0], 400, path)
        for method, path in (("GET", "/v1/messages"), ("DELETE", "/v1/online")):
            connection = http.client.HTTPConnection(self.api.removeprefix("http://"), timeout=20)
            connection.request(method, path)
            self.assertEqual(connection.getresponse().status, 405)
            connection.close()

    def test_strange_ids_are_kept_exactly(self):
        for sender in ('a"b', "a\r\nb", "a'; DROP TABLE x; --", "👋🏽", "x" * 128, "\\", "\u202e"):
            uid = self.name("to") + sender[:20]
            self.good("POST", "/v1/messages", {"from": sender, "to": [uid], "content": sender})
            [message] = self.login(uid).pull()
            self.assertEqual((message[1][0], message[3][0], message[8][0]),
                             (sender.encode(), sender.encode(), uid.encode()))

    def test_nothing_acknowledged_is_lost_when_logic_is_killed(self):
        uid = self.name("to")
        stored = {}
        for i in range(60):
            if i == 20:
                self.restart("logic-1")
            mine = f"{self.prefix}-{i}"

            def attempt():
                try:
                    status, answer = self.call("POST", "/v1/messages", {"from": "hr", "to": [uid], "content": mine,
                                                                        "client_msg_id": mine})
                except OSError:
                    return None
                return answer["results"][0].get("msg_id") if status == 200 else None

            stored[mine.encode()] = self.until(attempt, 30)
        device = self.login(uid)
        pulled = self.until(lambda: len(found := device.pull()) == 60 and found)
        self.assertEqual({message[3][0]: message[4][0] for message in pulled}, stored)


class RightsTest(ApiCase):
    """A second node, which owns nothing, with keys of its own: it answers by asking the owner."""

    RIGHTS = ("messages", "tokens", "presence", "kick", "groups", "users", "ban")

    def setUp(self):
        keys = {"all": ("demo", list(self.RIGHTS)), "shop": ("shop", list(self.RIGHTS))}
        keys["poll"] = ("demo", ["presence"])
        for right in self.RIGHTS:
            keys[right] = ("demo", [right])
        self.keys = {name: uuid.uuid4().hex for name in keys}
        text = (self.folder / "config" / "logic-1.toml").read_text()
        for pattern, value in ((r"^node = .*", "node = 9"), (r'^name = "logic-1"', 'name = "logic-9"'),
                               (r"^listen = .*", 'listen = "127.0.0.1:0"'),
                               (r"^\[api\]$", "[api]\ncalls_per_second = 20")):
            text = re.sub(pattern, value, text, flags=re.MULTILINE)
        secret = re.search(r"^token_secret = .*$", text, re.MULTILINE).group(0)
        text = text[:text.index("[[apps.api_keys]]")] + "".join(
            f'[[apps.api_keys]]\nsha256 = "{hashlib.sha256(self.keys[name].encode()).hexdigest()}"\n'
            f"rights = {json.dumps(rights)}\n" for name, (app, rights) in keys.items() if app == "demo") + (
            f'[[apps]]\nid = "shop"\n{secret}\n[[apps.api_keys]]\n'
            f'sha256 = "{hashlib.sha256(self.keys["shop"].encode()).hexdigest()}"\n'
            f"rights = {json.dumps(keys['shop'][1])}\n") + text[text.index("[cluster]"):]
        config = self.folder / "other.toml"
        config.write_text(text)
        self.log = open(self.folder / "other.log", "w+", encoding="utf-8")
        self.addCleanup(self.log.close)
        process = subprocess.Popen([BUILD_DIR / "bin" / "hongyan-logic", "--config", config], stderr=self.log)
        self.addCleanup(lambda: self.assertEqual(process.wait(20), 0, "ends well"))
        self.addCleanup(process.terminate)

        def port():
            self.assertIsNone(process.poll(), Path(self.log.name).read_text())
            return re.search(r"listening .*api=(\d+)", Path(self.log.name).read_text())

        self.other = f"http://127.0.0.1:{self.until(port).group(1)}"
        self.until(lambda: self.call("GET", "/v1/users/x/presence", key=self.keys["poll"], api=self.other)[0] == 200)

    def test_every_call_and_key(self):
        uid = self.name("bob")
        self.login(uid)
        for key in ("all", "shop"):
            self.good("POST", "/v1/users", {"uid": uid}, key=self.keys[key], api=self.other)
        bodies = {"/v1/messages": {"from": "hr", "to": [uid], "content": "x"}, "/v1/tokens": {"uid": uid},
                  "/v1/presence": {"uids": [uid]}, "/v1/users/{uid}/kick": {"device_type": "WEB"}}
        groups = {key: self.good("POST", "/v1/groups", {"owner": uid, "name": "g"}, key=self.keys[key],
                                 api=self.other)["group"]["group_id"] for key in ("all", "shop")}
        fresh = iter(range(10 ** 6))
        for (method, template), operation in OPENAPI.operations.items():
            right = operation["x-right"]
            if right == "groups":
                self.check_group_call(method, template, groups, uid, fresh)
                continue
            path, body = template.replace("{uid}", uid), bodies.get(template)
            for key, status in [("", 401), ("unknown", 401), (self.keys["shop"], 200), (self.keys["all"], 200)] + [
                    (self.keys[name], 200 if name == right else 403) for name in self.RIGHTS]:
                if path == "/v1/users":
                    body = {"uid": self.name(uuid.uuid4().hex)}
                got, answer = self.call(method, path, body, key=key, api=self.other)
                self.assertEqual(got, status, (path, key, answer))
        shop = self.good("GET", f"/v1/users/{uid}/presence", key=self.keys["shop"], api=self.other)
        self.assertFalse(shop["online"], "an app's key sees nothing of another app")
        self.assertFalse(self.good("GET", f"/v1/users/{uid}/ban", key=self.keys["all"], api=self.other)["banned"])
        self.login(uid)
        self.assertTrue(self.good("GET", f"/v1/users/{uid}/presence", key=self.keys["all"], api=self.other)["online"])
        self.good("POST", f"/v1/users/{uid}/ban", {}, key=self.keys["shop"], api=self.other)
        self.login(uid)
        self.good("POST", f"/v1/users/{uid}/ban", {}, key=self.keys["ban"], api=self.other)
        with self.assertRaises(Refused):
            self.login(uid)

    def check_group_call(self, method, template, groups, uid, fresh):
        """Each key, on a group of its own app; what is done once is done to a new group or member."""
        for name, status in [("", 401), ("unknown", 401), ("shop", 200), ("all", 200)] + [
                (name, 200 if name == "groups" else 403) for name in self.RIGHTS]:
            key = self.keys.get(name, name)
            # Not by a key that may run out of calls.
            prepare = {"key": self.keys["shop"], "api": self.other} if name == "shop" else {}
            group, member = groups.get(name, groups["all"]), f"m{next(fresh)}"
            if method == "DELETE" and template.endswith("members"):
                self.good("POST", f"/v1/groups/{group}/members", {"operator": uid, "members": [member]}, **prepare)
            elif method == "DELETE":
                group = self.good("POST", "/v1/groups", {"owner": uid, "name": "g"}, **prepare)["group"]["group_id"]
            body = {"/v1/groups": {"owner": uid, "name": "g"}}.get(template, {"operator": uid})
            if template.endswith("members"):
                body = body | {"members": [member]}
            if method == "PATCH":
                body = body | {"name": member}
            got, answer = self.call(method, template.replace("{id}", group), None if method == "GET" else body, key=key,
                                    api=self.other)
            self.assertEqual(got, status, (method, template, name, answer))
        if method == "GET":
            other = groups["shop"] if template == "/v1/groups/{id}" else groups["all"]
            key = self.keys["all"] if other == groups["shop"] else self.keys["shop"]
            got, _ = self.call("GET", template.replace("{id}", other), key=key, api=self.other)
            self.assertEqual(got, 404, "an app's key sees no group of another app")

    def test_too_many_calls(self):
        answers = [self.call("GET", "/v1/users/x/presence", key=self.keys["presence"], api=self.other) for _ in range(150)]
        refused = [answer for status, answer in answers if status == 429]
        self.assertGreater(len(refused), 0)
        self.assertEqual(refused[0]["error"]["code"], "RATE_LIMITED")
        self.assertGreater(refused[0]["error"]["retry_after_ms"], 0)


class DocumentTest(unittest.TestCase):
    def test_the_document_has_the_servers_calls_and_rights(self):
        documented = {call: operation["x-right"] for call, operation in OPENAPI.operations.items()}
        self.assertEqual(documented, routes_of_server())


def tearDownModule():
    """Every call was made, and answered well and with each refusal."""
    assert not (missing := OPENAPI.unseen((200, 400, 401, 403))), missing


if __name__ == "__main__":
    unittest.main()
