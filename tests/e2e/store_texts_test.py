"""Whatever a table of the database does to a request, no answer carries words of the server, of a table or of a statement."""

import http.client
import json
import os
import subprocess
import time
import unittest
import uuid

from wire import AUTH, PATIENCE, PULL, auth, connect, field, fields, packet, read_packet

C2C_SEND, C2G_SEND, CTRL_SEND = 30, 40, 60
CREATE_GROUP, LIST_MY_GROUPS = 0, 10
TELLTALE = "telltale"
WORDS = (TELLTALE, "im_", "table", "column", "trigger", "sqlstate", "45000", "1146", "1054", "select ", "insert ", "update ",
         "mariadb", "mysql", "errno", os.environ["HONGYAN_MYSQL_DATABASES"].split()[0])


def sql(statement: str) -> str:
    address = os.environ["HONGYAN_MYSQL_0"]
    host, _, port = address.rpartition(":")
    where = ["-h", host, "-P", port] if port.isdigit() else ["-S", address]
    done = subprocess.run(["mariadb", "--no-defaults", *where, "-u", "root", "-N", "-e", statement,
                           os.environ["HONGYAN_MYSQL_DATABASES"].split()[0]],
                          env=dict(os.environ, MYSQL_PWD=os.environ["HONGYAN_MYSQL_PASSWORD"]), capture_output=True,
                          text=True, check=True, timeout=30)
    return done.stdout


class Client:
    """A connection that asks and keeps what came, as bytes."""

    def __init__(self, uid: str):
        self.connection = connect(os.environ["HONGYAN_GATES"].split()[0])
        self.connection.settimeout(PATIENCE)
        self.seq = 1
        self.connection.sendall(auth(uid))
        self.answer = self.next(AUTH)

    def next(self, command: int) -> bytes:
        while True:
            got, body = read_packet(self.connection)
            if got in (command, 0):
                return body

    def ask(self, command: int, body: bytes) -> bytes:
        self.seq += 1
        self.connection.sendall(packet(command, self.seq, body))
        return self.next(command)

    def close(self) -> None:
        self.connection.close()


def error_of(body: bytes) -> int:
    """The code in an answer's error; 0 without one."""
    error = fields(body).get(15)
    return fields(error[0]).get(1, [0])[0] if error else 0


class StoreTextsTest(unittest.TestCase):
    def setUp(self):
        self.prefix = uuid.uuid4().hex[:8]
        self.failures = 0
        self.member = Client(self.prefix)
        self.addCleanup(self.member.close)
        self.assertEqual(error_of(self.member.answer), 0)
        # What was refused in a former test makes a writer rest for a moment.
        end = time.monotonic() + PATIENCE
        while error_of(created := self.member.ask(CTRL_SEND, field(2, CREATE_GROUP) + field(5, b"create") +
                                                  field(4, field(1, b"name") + field(2, b"somebody")))):
            self.assertLess(time.monotonic(), end, created)
        groups = self.good_api("POST", "/v1/groups", {"owner": self.prefix, "name": "g", "members": ["somebody"]})
        self.group = int(groups["group"]["group_id"])

    def api(self, method: str, path: str, body=None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(os.environ["HONGYAN_API"].removeprefix("http://"), timeout=20)
        try:
            connection.request(method, path, None if body is None else json.dumps(body),
                               {"Authorization": f"Bearer {os.environ['HONGYAN_API_KEY']}"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def good_api(self, *request):
        status, body = self.api(*request)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def look(self, what: str, answer: bytes, failed: bool) -> None:
        """Words of the store in it are a fault, whether it is an error or not."""
        text = answer.decode("latin-1").lower()
        self.assertEqual([word for word in WORDS if word in text], [], (what, answer))
        self.failures += failed

    def ask_everything(self, table: str) -> None:
        stranger = Client(f"{self.prefix}-{uuid.uuid4().hex[:8]}")
        self.addCleanup(stranger.close)
        self.look(f"AUTH {table}", stranger.answer, error_of(stranger.answer) != 0)
        unique = uuid.uuid4().hex.encode()
        for name, command, body in (
                ("PULL", PULL, field(3, 10)),
                ("PULL of a group", PULL, field(3, 10) + field(5, field(1, self.group))),
                ("C2C_SEND", C2C_SEND, field(2, b"somebody") + field(3, b"x") + field(4, unique)),
                ("C2G_SEND", C2G_SEND, field(2, self.group) + field(3, b"x") + field(4, b"g" + unique)),
                ("CTRL_SEND", CTRL_SEND, field(2, CREATE_GROUP) + field(5, b"c" + unique) +
                 field(4, field(1, b"name") + field(2, b"somebody"))),
                ("LIST_MY_GROUPS", CTRL_SEND, field(2, LIST_MY_GROUPS) + field(5, b"l" + unique))):
            answer = self.member.ask(command, body)
            self.look(f"{name} {table}", answer, error_of(answer) != 0)
        uid = f"{self.prefix}-{uuid.uuid4().hex[:8]}"
        for method, path, body in (
                ("POST", "/v1/messages", {"from": "hr", "to": [self.prefix, "somebody"], "content": "x"}),
                ("GET", f"/v1/users/{uid}/presence", None),
                ("POST", f"/v1/users/{uid}/ban", {"seconds": 60}),
                ("GET", f"/v1/users/{uid}", None),
                ("POST", "/v1/groups", {"owner": uid, "name": "g", "members": ["somebody"]}),
                ("GET", f"/v1/groups/{self.group}", None),
                ("POST", f"/v1/groups/{self.group}/members", {"add": [uid]}),
                ("GET", f"/v1/groups/{self.group}/members", None)):
            status, answer = self.api(method, path, body)
            self.look(f"{method} {path} {table}", answer, status >= 500)

    def test_of_tables_that_refuse_what_is_written(self):
        for table in ("im_message_send", "im_message_receive", "im_group_message", "im_group_msgs", "im_group_users",
                      "im_user_group", "im_user", "im_ctrl_outcome"):
            for moment in ("INSERT", "UPDATE"):
                sql(f"CREATE TRIGGER {TELLTALE}_{moment} BEFORE {moment} ON {table} FOR EACH ROW "
                    f"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '{TELLTALE} of {table}'")
            self.addCleanup(sql, f"DROP TRIGGER IF EXISTS {TELLTALE}_INSERT; DROP TRIGGER IF EXISTS {TELLTALE}_UPDATE")
            with self.subTest(table):
                self.ask_everything(table)
            sql(f"DROP TRIGGER {TELLTALE}_INSERT; DROP TRIGGER {TELLTALE}_UPDATE")
        self.assertGreater(self.failures, 8, "the triggers refuse nothing")

    def test_of_tables_that_are_gone(self):
        for table in ("im_message_send", "im_message_receive", "im_group_message", "im_group_msgs", "im_group_users",
                      "im_user_group", "im_user", "im_ctrl_outcome"):
            back = f"RENAME TABLE IF EXISTS {TELLTALE}_{table} TO {table}"
            self.addCleanup(sql, back)
            sql(f"RENAME TABLE {table} TO {TELLTALE}_{table}")
            with self.subTest(table):
                self.ask_everything(table)
            sql(back)
        self.assertGreater(self.failures, 8, "nobody misses the tables")


if __name__ == "__main__":
    unittest.main()
