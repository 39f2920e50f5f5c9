"""dev-cluster's MariaDB and Redis, started for real, without the daemons."""

import os
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPO / "deploy"))

from devcluster import ports  # noqa: E402
from devcluster.cluster import Cluster, stop_everything  # noqa: E402
from devcluster.processes import find_program, processes_of  # noqa: E402
from devcluster.report import set_quiet  # noqa: E402

set_quiet(True)


class StoresTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="hy-stores-")
        cls.addClassCleanup(holder.cleanup)
        folder = Path(holder.name).resolve() / ("long-" * 25)  # too long for a socket address
        folder.mkdir()
        cls.cluster = Cluster.prepare(folder, {"build_dir": "/nowhere", "mysql_servers": 2})
        cls.addClassCleanup(stop_everything, folder, cls.cluster.members)
        defaults = {key: port for member in [*cls.cluster.mysqls, cls.cluster.redis]
                    for key, port in member.default_ports().items()}
        cls.cluster.state.ports = ports.reserve(folder, defaults, {}, set())
        for member in [*cls.cluster.mysqls, cls.cluster.redis]:
            cls.cluster.start(member)

    def query(self, server, sql: str, user: str = "hongyan", password: bool = True, tcp: bool = False):
        where = ["-h127.0.0.1", f"-P{server.ports()['port']}"] if tcp else [f"--socket={server.socket_path()}"]
        environment = dict(os.environ)
        if password:
            environment["MYSQL_PWD"] = self.cluster.state.mysql_password
        return subprocess.run([find_program("mariadb"), "--no-defaults", f"-u{user}", *where, "-BNe", sql],
                              env=environment, capture_output=True, text=True, check=False)

    def redis(self, *words: str) -> bytes:
        request = f"*{len(words)}\r\n" + "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
        with socket.create_connection(("127.0.0.1", self.cluster.redis.ports()["port"]), timeout=5) as connection:
            connection.sendall(request.encode())
            return connection.recv(4096)

    def test_shards_are_spread_and_reachable_by_socket_and_port(self):
        for server, expected in zip(self.cluster.mysqls, (["hongyan_0", "hongyan_1"], ["hongyan_2", "hongyan_3"])):
            for tcp in (False, True):
                shown = self.query(server, "SHOW DATABASES LIKE 'hongyan%'", tcp=tcp)
                self.assertEqual(shown.stdout.split(), expected, shown.stderr)

    def test_nobody_enters_without_the_password(self):
        server = self.cluster.mysqls[0]
        for user in ("root", "hongyan", "mysql", ""):
            for tcp in (False, True):
                self.assertNotEqual(self.query(server, "SELECT 1", user, password=False, tcp=tcp).returncode, 0)
        self.assertEqual(self.query(server, "SELECT 1", "root").returncode, 0)

    def test_every_commit_is_flushed(self):
        shown = self.query(self.cluster.mysqls[0], "SELECT @@innodb_flush_log_at_trx_commit, @@log_bin")
        self.assertEqual(shown.stdout.split(), ["1", "0"])

    def test_rows_outlive_kill_and_the_port_stays(self):
        server = self.cluster.mysqls[1]
        port = server.ports()["port"]
        made = self.query(server, "CREATE TABLE hongyan_2.t (n INT) ENGINE=InnoDB; INSERT INTO hongyan_2.t VALUES (7)")
        self.assertEqual(made.returncode, 0, made.stderr)
        self.assertTrue(server.process.kill())
        self.assertFalse(server.answers())
        self.cluster.start(server)
        self.assertEqual(server.ports()["port"], port)
        self.assertEqual(self.query(server, "SELECT n FROM hongyan_2.t").stdout.split(), ["7"])

    def test_redis_is_empty_after_kill(self):
        redis = self.cluster.redis
        self.assertEqual(self.redis("SET", "k", "v"), b"+OK\r\n")
        self.assertTrue(redis.process.kill())
        self.cluster.start(redis)
        self.assertEqual(self.redis("GET", "k"), b"$-1\r\n")
        self.assertEqual(set(processes_of(self.cluster.folder).values()), {"mysql-1", "mysql-2", "redis"})


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # daemons outlive their Popen
