"""Several logic nodes share the slots: one joins, one is started anew and one is killed while people talk, and nothing is lost."""

import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])


class SharingTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="hy-sharing-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.addCleanup(self.dev_cluster, "down")

    def dev_cluster(self, verb: str, *options: str) -> None:
        done = subprocess.run([REPO / "deploy" / "dev-cluster", verb, "--dir", self.folder, *options], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=150, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def up(self, logics: int) -> None:
        self.dev_cluster("up", "--build-dir", str(BUILD_DIR), "--logics", str(logics), "--gates", "2", "--share-slots")

    def log(self, member: str) -> str:
        return (self.folder / "log" / f"{member}.log").read_text()

    def until(self, holds, seconds: float = 60):
        end = time.monotonic() + seconds
        while not (value := holds()):
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)
        return value

    def test_nodes_join_stop_and_die_under_load(self):
        self.up(2)
        for member in ("logic-1", "logic-2"):
            self.assertIn("slots acquired", self.log(member))
        with open(self.folder / "checker.out", "w", encoding="utf-8") as out:
            self.checker = subprocess.Popen(
                [BUILD_DIR / "tests" / "hongyan-checker", "--env", self.folder / "env", "--seconds", "40", "--users", "60",
                 "--rate", "100", "--groups", "4", "--group-members", "20", "--faults", "none"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.addCleanup(self.checker.kill)
        self.up(3)
        self.until(lambda: "slots acquired" in self.log("logic-3"))
        self.assertIn("slots given up", self.log("logic-1") + self.log("logic-2"))
        self.dev_cluster("restart", "logic-2")
        self.dev_cluster("kill", "logic-1")
        self.until(lambda: "has lost its slots" in self.log("logic-2") + self.log("logic-3"))
        self.dev_cluster("restart", "logic-1")
        status = self.checker.wait(180)
        self.assertEqual(status, 0, (self.folder / "checker.out").read_text())


if __name__ == "__main__":
    unittest.main()
