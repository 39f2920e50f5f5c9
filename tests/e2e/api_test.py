"""The server API against real daemons: messages to users, groups, presence, the online list, kicks, bans; who may call what."""

import http.client
import sys
import unittest

sys.dont_write_bytecode = True
from api_audit import AuditTest  # noqa: E402
from api_case import OPENAPI, ApiCase  # noqa: E402
from api_groups import GroupsTest  # noqa: E402
from api_messages import MessagesTest  # noqa: E402
from api_rights import RightsTest  # noqa: E402
from api_signing import SigningTest  # noqa: E402
from api_users import UsersTest  # noqa: E402
from openapi import routes_of_server  # noqa: E402


class DocumentTest(ApiCase):
    """Comes last: what the others called is looked at."""

    def test_the_document_has_the_servers_calls_and_rights(self):
        documented = {call: operation["x-right"] for call, operation in OPENAPI.operations.items()}
        self.assertEqual(documented, routes_of_server())

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

    @classmethod
    def tearDownClass(cls):
        """Every call was made, and answered well and with each refusal."""
        assert not (missing := OPENAPI.unseen((200, 400, 401, 403))), missing


def load_tests(loader: unittest.TestLoader, _tests, _pattern) -> unittest.TestSuite:
    return unittest.TestSuite(loader.loadTestsFromTestCase(cases)
                              for cases in (MessagesTest, GroupsTest, UsersTest, RightsTest, SigningTest, AuditTest, DocumentTest))


if __name__ == "__main__":
    unittest.main()
