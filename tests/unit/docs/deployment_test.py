"""docs/deployment.md: the daemons take its configurations, and what it names is there."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
TEXT = (REPO / "docs" / "deployment.md").read_text(encoding="utf-8")
CONFIGS = dict(re.findall(r"^`/etc/hongyan/(\w+)-1\.toml`, on a:\n\n```toml\n(.*?)^```", TEXT, re.M | re.S))


class DeploymentTest(unittest.TestCase):
    def test_the_daemons_take_its_configurations(self):
        self.assertEqual(set(CONFIGS), {"gate", "logic", "iplist"})
        with tempfile.TemporaryDirectory(prefix="hy-docs-") as folder:
            for secret in ("cluster.secret", "token.secret", "mysql.password", "redis.password"):
                (Path(folder) / secret).write_text("0123456789abcdef\n")
                (Path(folder) / secret).chmod(0o640)
            made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                                   "/CN=gate", "-keyout", f"{folder}/gate.key", "-out", f"{folder}/gate.pem"],
                                  capture_output=True, text=True, timeout=30, check=False)
            self.assertEqual(made.returncode, 0, made.stderr)
            for role, text in CONFIGS.items():
                config = Path(folder) / f"{role}-1.toml"
                config.write_text(text.replace("/etc/hongyan/", f"{folder}/"))
                done = subprocess.run([BUILD_DIR / "bin" / f"hongyan-{role}", "--check-config", "--config", config],
                                      capture_output=True, text=True, timeout=30, check=False)
                self.assertEqual((done.stdout, done.stderr), ("ok\n", ""), role)

    def test_ports_are_those_that_are_listened_on(self):
        listened = {port for text in CONFIGS.values() for port in re.findall(r'^\w+ = "[\d.]*:(\d+)"', text, re.M)}
        nginx = re.search(r"^```nginx\n(.*?)^```", TEXT, re.M | re.S)[1]
        haproxy = re.search(r"^```haproxy\n(.*?)^```", TEXT, re.M | re.S)[1]
        behind = re.findall(r"server \S+:(\d+) max_fails|127\.0\.0\.1:(\d+);", nginx) + re.findall(r"10\.0\.0\.\d:(\d+) .* port (\d+)", haproxy)
        named = {port for pair in behind for port in pair if port}
        self.assertEqual(named, {"7180", "7200", "7444", "9100"})
        self.assertLessEqual(named, listened)

    def test_options_of_its_commands_exist(self):
        for words, options in (("hongyanctl schema apply", r"hongyanctl schema apply (.*)"), ("hongyan-chat", r"hongyan-chat (--.*)")):
            program, *below = words.split()
            help_text = subprocess.run([BUILD_DIR / "bin" / program, *below, "--help"], capture_output=True, text=True, timeout=30,
                                       check=True).stdout
            used = re.findall(r"--[\w-]+", " ".join(re.findall(options, TEXT)))
            self.assertGreater(len(used), 3)
            for option in used:
                self.assertIn(f"{option} ", help_text)


if __name__ == "__main__":
    unittest.main()
