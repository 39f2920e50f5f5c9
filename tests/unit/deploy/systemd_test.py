"""The units: systemd understands them, they are shut off well, and they fit what the daemons do."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
ROLES = ("gate", "logic", "iplist")
MOST_EXPOSED = 20  # tenths, as systemd-analyze counts


def unit(role: str) -> str:
    return (REPO / "deploy" / "systemd" / f"hongyan-{role}@.service").read_text()


def values(role: str, key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", unit(role), re.M)


def config(role: str) -> str:
    """Every key with its help, its default, its range."""
    return subprocess.run([BUILD_DIR / "bin" / f"hongyan-{role}", "--print-config"], capture_output=True, text=True,
                          timeout=30, check=True).stdout


class UnitTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="hy-units-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        for role in ROLES:
            text = unit(role).replace("@SBINDIR@", str(BUILD_DIR / "bin"))
            (cls.folder / f"hongyan-{role}@1.service").write_text(text)

    def analyze(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(["systemd-analyze", "--no-pager", *words], capture_output=True, text=True, timeout=60, check=False)

    def test_systemd_understands_them(self):
        for role in ROLES:
            done = self.analyze("verify", "--man=no", str(self.folder / f"hongyan-{role}@1.service"))
            self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""), role)

    def test_a_mistake_would_be_seen(self):
        bad = self.folder / "hongyan-bad@1.service"
        bad.write_text(unit("gate").replace("@SBINDIR@", str(BUILD_DIR / "bin")).replace("WatchdogSec", "WatchDogSeconds"))
        self.assertIn("WatchDogSeconds", self.analyze("verify", "--man=no", str(bad)).stderr)

    def test_they_are_shut_off(self):
        for role in ROLES:
            done = self.analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}",
                                str(self.folder / f"hongyan-{role}@1.service"))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_a_daemon_that_ends_with_an_error_comes_back_however_often(self):
        for role in ROLES:
            self.assertEqual(values(role, "Restart"), ["on-failure"], role)
            self.assertEqual(values(role, "StartLimitIntervalSec"), ["0"], role)
            for prevents in ("RestartPreventExitStatus", "SuccessExitStatus", "StartLimitBurst"):
                self.assertEqual(values(role, prevents), [], role)

    def test_each_reads_its_instance_and_checks_it_first(self):
        for role in ROLES:
            start, = values(role, "ExecStart")
            self.assertEqual(start, f"@SBINDIR@/hongyan-{role} --config /etc/hongyan/{role}-%i.toml")
            self.assertEqual(values(role, "ExecStartPre"),
                             [start.replace(f"hongyan-{role} ", f"hongyan-{role} --check-config ", 1)])

    def test_watchdog_and_notify(self):
        for role in ROLES:
            self.assertEqual(values(role, "Type"), ["notify"])
            self.assertEqual(len(values(role, "WatchdogSec")), 1)

    def test_reload_is_for_the_one_that_reads_files_anew(self):
        self.assertEqual([role for role in ROLES if values(role, "ExecReload")], ["gate"])

    def test_the_gate_may_drain_as_long_as_it_can_be_told(self):
        most = re.search(r"^# default: \"[^\"]+\", from \S+ to (\d+)m$\ndrain_deadline", config("gate"), re.M)
        self.assertGreaterEqual(int(values("gate", "TimeoutStopSec")[0].removesuffix("s")), 60 * int(most[1]) + 10)

    def test_the_gate_has_descriptors_for_its_clients(self):
        most = int(re.search(r"^max_connections = (\d+)", config("gate"), re.M)[1])
        workers = int(re.search(r"^workers = (\d+)", config("gate"), re.M)[1])
        self.assertGreaterEqual(int(values("gate", "LimitNOFILE")[0]), most + 128 + 64 * workers)


class SampleTest(unittest.TestCase):
    """deploy/config, which the packages put into /etc/hongyan."""

    SECRETS = {"cluster.secret": "0123456789abcdef", "mysql.password": "x", "token.secret": "0123456789abcdef"}

    def check(self, role: str, secrets: bool) -> subprocess.CompletedProcess:
        with tempfile.TemporaryDirectory(prefix="hy-sample-") as folder:
            sample = Path(folder) / f"{role}-1.toml"
            sample.write_text((REPO / "deploy" / "config" / f"{role}.toml").read_text())
            for name, text in self.SECRETS.items() if secrets else ():
                (Path(folder) / name).write_text(text + "\n")
                (Path(folder) / name).chmod(0o640)
            return subprocess.run([BUILD_DIR / "bin" / f"hongyan-{role}", "--check-config", "--config", sample],
                                  capture_output=True, text=True, timeout=30, check=False)

    def test_with_its_secrets_it_is_good(self):
        for role in ROLES:
            self.assertEqual(self.check(role, True).stdout, "ok\n", role)

    def test_without_them_it_is_refused_by_name(self):
        for role in ROLES:
            done = self.check(role, False)
            self.assertEqual(done.returncode, 1, role)
            self.assertIn("cluster.secret", done.stderr, role)




if __name__ == "__main__":
    unittest.main()
