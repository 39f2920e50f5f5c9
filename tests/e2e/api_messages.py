"""The server API: messages to users."""

import base64
import json
import time
import uuid

from api_case import ApiCase
from wire import fields

S2C = 20


class MessagesTest(ApiCase):
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
