"""The server API: presence, the online list, kicks, bans, registration."""

import json
import subprocess
import time
from urllib.parse import quote

from api_case import BUILD_DIR, ApiCase
from wire import Refused, fields

KICKOUT = 3
KICK_ADMIN = 1
PERMISSION_DENIED = 3


class UsersTest(ApiCase):
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
