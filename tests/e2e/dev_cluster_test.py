"""deploy/dev-cluster and the quickstart's scene with the real daemons."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])


def dev_cluster(verb: str, folder: str, *options: str, seconds: int = 150) -> subprocess.CompletedProcess:
    return subprocess.run([REPO / "deploy" / "dev-cluster", verb, "--dir", folder, *options], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=seconds, check=False)


class DevClusterTest(unittest.TestCase):
    def new_folder(self) -> str:
        holder = tempfile.TemporaryDirectory(prefix="hy-e2e-")
        self.addCleanup(holder.cleanup)
        self.addCleanup(dev_cluster, "down", holder.name)
        return holder.name

    def up(self, folder: str, *options: str) -> None:
        done = dev_cluster("up", folder, "--build-dir", str(BUILD_DIR), *options)
        self.assertEqual(done.returncode, 0, done.stderr)

    def members(self, folder: str) -> dict[str, dict]:
        shown = json.loads(dev_cluster("status", folder, "--json").stdout)
        return {member["name"]: member for member in shown["members"]}

    def scene(self, folder: str) -> None:
        played = subprocess.run(
            [REPO / "deploy" / "scene", "--env", f"{folder}/env", "--chat", BUILD_DIR / "bin" / "hongyan-chat"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(played.returncode, 0, played.stdout + played.stderr)

    def test_a_message_goes_through_again_after_every_kill(self):
        folder = self.new_folder()
        self.up(folder, "--kafka")
        before = self.members(folder)
        self.assertEqual({name: member["health"] for name, member in before.items()}, dict.fromkeys(before, "ok"))
        self.assertEqual(set(before), {"mysql-1", "redis", "kafka", "iplist-1", "logic-1", "gate-1"})
        self.scene(folder)

        self.up(folder)
        again = self.members(folder)
        for key in ("pid", "ports", "log"):
            self.assertEqual({name: member[key] for name, member in again.items()},
                             {name: member[key] for name, member in before.items()}, "a second up must change nothing")

        for name in before:
            self.assertEqual(dev_cluster("kill", folder, name).returncode, 0)
            self.assertFalse(self.members(folder)[name]["running"])
        self.assertEqual(dev_cluster("status", folder).returncode, 3)
        self.up(folder)
        after = self.members(folder)
        self.assertTrue(all(member["running"] for member in after.values()))
        self.assertEqual({name: m["ports"] for name, m in after.items()}, {name: m["ports"] for name, m in before.items()})

        restarted = dev_cluster("restart", folder, "gate-1", "logic-1", "kafka")
        self.assertEqual(restarted.returncode, 0, restarted.stderr)
        self.scene(folder)
        self.assertEqual(dev_cluster("down", folder).returncode, 0)
        self.assertFalse(any(member["running"] for member in self.members(folder).values()))

    def test_two_clusters_start_at_once(self):
        folders = [self.new_folder(), self.new_folder()]
        starting = [subprocess.Popen(
            [REPO / "deploy" / "dev-cluster", "up", "--dir", folder, "--build-dir", BUILD_DIR, "--gates", "2",
             "--mysql-servers", "2"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True) for folder in folders]
        for one in starting:
            _, said = one.communicate(timeout=200)
            self.assertEqual(one.returncode, 0, said)
        ports = [port for folder in folders for member in self.members(folder).values()
                 for port in member["ports"].values()]
        self.assertEqual(len(ports), len(set(ports)))


if __name__ == "__main__":
    unittest.main()
