"""Signed calls of the server API: the key is not sent, and nobody can change a call or play it again."""

import hashlib
import hmac
import http.client
import json
import secrets
import time

from api_case import ApiCase


class SigningTest(ApiCase):
    def signature(self, method: str, target: str, body: bytes, seconds: int = 0, nonce: str = "", key: str = "") -> str:
        """The Authorization header; as docs/protocol.md says it."""
        digest = hashlib.sha256((key or self.env["HONGYAN_API_KEY"]).encode()).hexdigest()
        at, nonce = int(time.time()) + seconds, nonce or secrets.token_hex(16)
        text = f"{method}\n{target}\n{at}\n{nonce}\n{hashlib.sha256(body).hexdigest()}"
        signed = hmac.new(digest.encode(), text.encode(), hashlib.sha256).hexdigest()
        return f"HMAC-SHA256 key={digest[:12]},time={at},nonce={nonce},signature={signed}"

    def signed(self, method: str, target: str, body: bytes, authorization: str) -> tuple[int, dict]:
        connection = http.client.HTTPConnection(self.api.removeprefix("http://"), timeout=20)
        self.addCleanup(connection.close)
        connection.request(method, target, body, {"Authorization": authorization})
        response = connection.getresponse()
        return response.status, json.loads(response.read())

    def test_a_signed_call_is_answered(self):
        uid = self.name("bob")
        target, body = "/v1/messages", json.dumps({"from": "hr", "to": [uid], "content": "signed"}).encode()
        status, answer = self.signed("POST", target, body, self.signature("POST", target, body))
        self.assertEqual((status, [one["to"] for one in answer["results"]]), (200, [uid]), answer)
        target = f"/v1/users/{uid}/presence?x=%20"
        self.assertEqual(self.signed("GET", target, b"", self.signature("GET", target, b""))[0], 200)

    def test_a_changed_or_late_one_is_not(self):
        uid = self.name("bob")
        target, body = f"/v1/users/{uid}/kick", b'{"reason": "x"}'
        good = self.signature("POST", target, body)
        for case, (to, sent, authorization) in {
                "body": (target, b'{"reason": "y"}', good),
                "path": (f"/v1/users/{uid}x/kick", body, good),
                "early": (target, body, self.signature("POST", target, body, seconds=400)),
                "late": (target, body, self.signature("POST", target, body, seconds=-400)),
                "key": (target, body, self.signature("POST", target, body, key="another key")),
                "method": (target, body, self.signature("PUT", target, body)),
                "scheme": (target, body, good.replace("nonce=", "once="))}.items():
            with self.subTest(case):
                status, answer = self.signed("POST", to, sent, authorization)
                self.assertEqual((status, answer["error"]["code"]), (401, "UNAUTHENTICATED"))

    def test_it_is_not_taken_twice(self):
        target = f"/v1/users/{self.name('bob')}/presence"
        authorization = self.signature("GET", target, b"")
        self.assertEqual(self.signed("GET", target, b"", authorization)[0], 200)
        status, answer = self.signed("GET", target, b"", authorization)
        self.assertEqual((status, answer["error"]["message"]), (401, "the nonce was used before"))
