"""What a daemon refuses to start with: one clear line, status 1. And what health says about a missing shard."""

import os
import re
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])


def run(*command, seconds: int = 150) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=seconds, check=False)


class StartTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory(prefix="hy-start-")
        cls.addClassCleanup(cls.holder.cleanup)
        cls.folder = Path(cls.holder.name)
        cls.addClassCleanup(lambda: run(REPO / "deploy" / "dev-cluster", "down", "--dir", cls.folder))
        up = run(REPO / "deploy" / "dev-cluster", "up", "--dir", cls.folder, "--build-dir", BUILD_DIR)
        assert up.returncode == 0, up.stderr
        lines = (cls.folder / "env").read_text().splitlines()
        cls.env = {key: value.strip('"') for key, value in (line.split("=", 1) for line in lines if "=" in line)}

    def cluster(self, verb: str, name: str) -> None:
        done = run(REPO / "deploy" / "dev-cluster", verb, name, "--dir", self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)

    def pid(self, name: str) -> int:
        """Of a member that runs."""
        pid = int((self.folder / "pids" / f"{name}.pid").read_text())
        os.kill(pid, 0)
        return pid

    def sql(self, statement: str, database: str = "") -> str:
        host, _, port = self.env["HONGYAN_MYSQL_0"].rpartition(":")
        where = ["-h", host, "-P", port] if port.isdigit() else ["-S", self.env["HONGYAN_MYSQL_0"]]
        done = subprocess.run(["mariadb", "--no-defaults", "-N", "-B", *where, "-u", "root", "-e", statement, database],
                              env=dict(os.environ, MYSQL_PWD=self.env["HONGYAN_MYSQL_PASSWORD"]), capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def config(self, name: str, *changes: tuple[str, str]) -> Path:
        text = (self.folder / "config" / f"{name}.toml").read_text()
        for pattern, value in changes:
            text, count = re.subn(pattern, value, text, flags=re.MULTILINE)
            self.assertGreater(count, 0, pattern)
        handle, path = tempfile.mkstemp(suffix=".toml", dir=self.folder)
        os.write(handle, text.encode())
        os.close(handle)
        return Path(path)

    def refusal(self, program: str, config: Path) -> str:
        """Starts it; its one line about why not."""
        done = run(BUILD_DIR / "bin" / program, "--config", config, seconds=30)
        self.assertEqual(done.returncode, 1, done.stderr)
        said = [line for line in done.stderr.splitlines() if line.startswith(program)]
        self.assertEqual(len(said), 1, done.stderr)
        return said[0]

    # Another node on free ports.
    OTHER = ((r"^node = .*", "node = 9"), (r"^name = \"logic-1\"", 'name = "logic-9"'),
             (r"^listen = .*", 'listen = "127.0.0.1:0"'))

    def test_port_in_use(self):
        for program, name in (("hongyan-gate", "gate-1"), ("hongyan-logic", "logic-1"), ("hongyan-iplist", "iplist-1")):
            self.assertIn("in use", self.refusal(program, self.config(name)), program)

    def test_unsafe_flush_setting(self):
        self.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        try:
            self.assertIn("innodb_flush_log_at_trx_commit", self.refusal("hongyan-logic", self.config("logic-1", *self.OTHER)))
        finally:
            self.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 1")

    def test_old_schema(self):
        database = self.env["HONGYAN_MYSQL_DATABASES"].split()[2]
        kept = self.sql("SELECT MAX(version) FROM im_schema", database).strip()
        self.sql("UPDATE im_schema SET version = 0 ORDER BY version DESC LIMIT 1", database)
        try:
            said = self.refusal("hongyan-logic", self.config("logic-1", *self.OTHER))
            self.assertIn("schema", said)
            self.assertIn("shard 2", said)
        finally:
            self.sql(f"UPDATE im_schema SET version = {kept} WHERE version = 0", database)

    def test_newer_schema(self):
        database = self.env["HONGYAN_MYSQL_DATABASES"].split()[2]
        newest = int(self.sql("SELECT MAX(version) FROM im_schema", database))
        change = "INSERT INTO im_schema (version, name, checksum, applied_at) SELECT {}, 'later', checksum, applied_at FROM im_schema LIMIT 1"
        try:
            self.sql(change.format(newest + 1), database)
            config = self.config("logic-1", *self.OTHER)
            self.cluster("restart", "logic-1")  # ready: it serves
            self.sql(change.format(newest + 2), database)
            said = self.refusal("hongyan-logic", config)
            self.assertIn("too old", said)
            self.assertIn("shard 2", said)
        finally:
            self.sql(f"DELETE FROM im_schema WHERE version > {newest}", database)

    def test_second_process_with_the_number_of_a_living_one(self):
        pid = self.pid("logic-1")
        done = run(BUILD_DIR / "bin" / "hongyan-logic", "--config", self.config("logic-1", *self.OTHER[1:]), seconds=30)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("another process runs as this node", done.stderr)
        self.assertEqual(self.pid("logic-1"), pid)

    def test_unknown_key(self):
        done = run(BUILD_DIR / "bin" / "hongyan-logic", "--check-config", "--config",
                   self.config("logic-1", (r"^threads = ", "treads = ")))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\.toml:\d+:\d+: logic\.treads: unknown key, did you mean logic\.threads\?")

    def rights(self, user: str) -> str:
        """What docs/deployment.md grants to that user."""
        text = (REPO / "docs" / "deployment.md").read_text(encoding="utf-8")
        return re.search(rf"^GRANT (.*) ON hongyan_0\.\* TO '{user}'@", text, re.M)[1]

    def give(self, rights: str) -> None:
        for host in ("localhost", "127.0.0.1"):
            self.sql(f"REVOKE ALL PRIVILEGES, GRANT OPTION FROM 'hongyan'@'{host}'")
            self.sql(f"GRANT {rights} ON `hongyan\\_%`.* TO 'hongyan'@'{host}'")

    def test_rights_that_the_documentation_gives_suffice(self):
        try:
            self.give(self.rights("hongyan_schema"))
            self.sql("CREATE DATABASE hongyan_another")
            host, _, port = self.env["HONGYAN_MYSQL_0"].rpartition(":")
            done = subprocess.run([BUILD_DIR / "bin" / "hongyanctl", "schema", "apply", "--host", host, "--port", port, "--user", "hongyan",
                                   "--database", "hongyan_another", "--slots", "0-4095"], capture_output=True, text=True, timeout=60,
                                  env=dict(os.environ, HONGYAN_MYSQL_PASSWORD=self.env["HONGYAN_MYSQL_PASSWORD"]), check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.give(self.rights("hongyan"))
            self.cluster("restart", "logic-1")
            done = run(BUILD_DIR / "bin" / "hongyan-chat", "--env", self.folder / "env", "--user", "rights-alice", "--send", "rights-bob", "hello")
            self.assertEqual(done.returncode, 0, done.stderr)
            done = run(BUILD_DIR / "bin" / "hongyan-chat", "--env", self.folder / "env", "--user", "rights-bob", "--pull", "--wait-count", "1")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("hello", done.stdout)
        finally:
            self.give("ALL PRIVILEGES")
            self.sql("DROP DATABASE IF EXISTS hongyan_another")
            self.cluster("restart", "logic-1")

    def test_health_names_the_shard(self):
        metrics = re.search(r"\[metrics\]\s+listen = \"([^\"]+)\"", (self.folder / "config" / "logic-1.toml").read_text())

        def health() -> str:
            try:
                with urllib.request.urlopen(f"http://{metrics.group(1)}/healthz", timeout=5) as answer:
                    return answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.read().decode()

        def wait(holds) -> str:
            end = time.monotonic() + 20
            while not holds(said := health()):
                self.assertLess(time.monotonic(), end, said)
                time.sleep(0.05)
            return said

        wait(lambda said: '"status":"ok"' in said.split('"checks"')[0])
        self.cluster("kill", "mysql-1")
        wait(lambda said: re.search(r'"mysql_shard_3":\{"status":"(degraded|failing)"', said))
        self.cluster("restart", "mysql-1")
        wait(lambda said: '"mysql_shard_3":{"status":"ok"' in said)


if __name__ == "__main__":
    unittest.main()
