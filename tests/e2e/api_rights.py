"""The server API: who may call what."""

import hashlib
import json
import re
import subprocess
import uuid
from pathlib import Path

from api_case import BUILD_DIR, OPENAPI, ApiCase
from wire import Refused


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
