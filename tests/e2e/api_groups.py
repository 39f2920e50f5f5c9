"""The server API: groups."""

import uuid

from api_case import ApiCase


class GroupsTest(ApiCase):
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
