"""The audit log: what the daemons write of logins, tokens and calls, and what they do not."""

import json

from api_case import ApiCase

PERMISSION_DENIED = 3
UNAUTHENTICATED = 2


class AuditTest(ApiCase):
    def events(self, member: str, **wanted) -> list[dict]:
        lines = (self.folder / "log" / f"{member}.audit").read_text().splitlines()
        return [event for event in map(json.loads, lines) if wanted.items() <= event.items()]

    def expect(self, member: str, **wanted) -> dict:
        return self.until(lambda: self.events(member, **wanted))[-1]

    def test_logins_and_refused_ones_are_told_by_the_gate(self):
        uid = self.name("alice")
        self.login(uid, 0, 1)
        event = self.expect("gate-1", event="login", uid=uid)
        self.assertEqual((event["app"], event["address"], event["device_type"], event["daemon"]),
                         ("demo", "127.0.0.1", 1, "hongyan-gate"))
        self.good("POST", f"/v1/users/{uid}/ban", {"reason": "a reason that is nobody's business"})
        self.assertEqual(self.refusal(uid)[0], PERMISSION_DENIED)
        self.expect("gate-1", event="login_refused", uid=uid, code="PERMISSION_DENIED")

    def test_calls_that_change_something_are_told_with_their_key(self):
        uid = self.name("bob")
        self.good("POST", f"/v1/users/{uid}/ban", {"reason": "secret reason"})
        banned = self.expect("logic-1", event="api_call", path=f"/v1/users/{uid}/ban", code="OK")
        self.assertEqual((banned["method"], banned["address"], len(banned["key"])), ("POST", "127.0.0.1", 12))
        self.good("POST", "/v1/tokens", {"uid": uid})
        minted = self.expect("logic-1", event="token_minted", uid=uid)
        self.assertEqual(minted["key"], banned["key"])
        self.assertEqual(self.call("POST", f"/v1/users/{uid}/ban", {"surprise": 1})[0], 400)
        self.expect("logic-1", event="api_call", path=f"/v1/users/{uid}/ban", code="BAD_REQUEST")

    def test_bad_keys_are_told_and_never_their_text(self):
        path = f"/v1/users/{self.name('x')}/kick"
        self.assertEqual(self.call("POST", path, key="a key that nobody knows")[0], 401)
        self.expect("logic-1", event="api_refused", path=path, code="UNAUTHENTICATED")

    def test_neither_contents_nor_secrets_are_written(self):
        uid = self.name("carol")
        token = self.good("POST", "/v1/tokens", {"uid": uid})["token"]
        self.login(uid)
        self.send([uid], "the content of a message")
        self.good("POST", f"/v1/users/{uid}/ban", {"reason": "secret reason"})
        self.expect("logic-1", event="api_call", path=f"/v1/users/{uid}/ban")
        for file in (self.folder / "log").glob("*.audit"):
            text = file.read_text()
            for secret in (token, self.env["HONGYAN_API_KEY"], "the content of a message", "secret reason"):
                self.assertNotIn(secret, text, file.name)
            self.assertEqual(self.events(file.stem, path="/v1/messages", code="OK"), [])
