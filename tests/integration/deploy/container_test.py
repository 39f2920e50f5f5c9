"""deploy/container: what the files name is there, and the daemons take the configurations."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import yaml

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
FOLDER = REPO / "deploy" / "container"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "hongyan"}


class ComposeTest(unittest.TestCase):
    def test_services_and_secrets_are_defined(self):
        for name, service in SERVICES.items():
            self.assertLessEqual(set(service.get("depends_on", {})), set(SERVICES), name)
            self.assertLessEqual(set(service.get("secrets", [])), set(COMPOSE["secrets"]), name)
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                known = (FOLDER / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]
                self.assertTrue(known, f"{name}: {volume}")

    def test_commands_exist(self):
        self.assertEqual(set(OURS), {"schema", "iplist", "logic", "gate"})
        for name, service in OURS.items():
            program = BUILD_DIR / "bin" / service["command"][0]
            self.assertTrue(os.access(program, os.X_OK), f"{name}: {program}")

    def test_the_schema_command_is_understood(self):
        program, *words = OURS["schema"]["command"]
        words[words.index("--host") + 1] = "127.0.0.1"
        words[words.index("--password-file") + 1] = "/dev/null"
        done = subprocess.run([BUILD_DIR / "bin" / program, *words, "--port", "1"], capture_output=True, text=True,
                              timeout=30, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)  # nobody is there
        self.assertTrue(done.stderr.startswith("hongyanctl: "), done.stderr)

    def test_the_daemons_take_their_configurations(self):
        for name in ("iplist", "logic", "gate"):
            service = OURS[name]
            program, option, path = service["command"]
            self.assertEqual(option, "--config")
            [source] = [volume.split(":")[0] for volume in service["volumes"] if volume.split(":")[1] == path]
            with tempfile.TemporaryDirectory(prefix="hy-compose-") as folder:
                for secret in service["secrets"]:
                    (Path(folder) / secret).write_text("0123456789abcdef\n")
                    (Path(folder) / secret).chmod(0o640)
                config = Path(folder) / "config.toml"
                config.write_text((FOLDER / source).read_text().replace("/run/secrets/", folder + "/"))
                done = subprocess.run([BUILD_DIR / "bin" / program, "--check-config", "--config", config],
                                      capture_output=True, text=True, timeout=30, check=False)
                self.assertEqual((done.stdout, done.stderr), ("ok\n", ""), name)

    def test_hosts_of_the_configurations_are_services(self):
        redis = SERVICES["redis"]["networks"]["default"]["ipv4_address"]
        for name in ("iplist", "logic", "gate"):
            text = (FOLDER / f"{name}.toml").read_text()
            for host in re.findall(r'"([\w.\-]+):\d+"', text):
                self.assertIn(host, [*SERVICES, redis], name)

    def test_what_is_published_is_listened_on(self):
        for name in ("iplist", "logic", "gate"):
            text = (FOLDER / f"{name}.toml").read_text()
            for published in OURS[name]["ports"]:
                self.assertIn(f'":{published.split(":")[-1]}"', text, name)


class ContainerfileTest(unittest.TestCase):
    TEXT = (FOLDER / "Containerfile").read_text()

    def test_packages_are_those_that_are_built(self):
        made = set(re.findall(r"NAME (\S+)", (REPO / "cmake" / "packages.cmake").read_text())) | {
            f"hongyan-{role}" for role in ("gate", "logic", "iplist")}
        named = re.findall(r"(\S+)_\*\.deb", self.TEXT)
        self.assertEqual(len(named), 5)
        self.assertLessEqual(set(named), made)

    def test_its_program_is_installed(self):
        program = re.search(r'^CMD \["([^"]+)"', self.TEXT, re.M)[1]
        self.assertTrue(os.access(BUILD_DIR / "bin" / program, os.X_OK))


if __name__ == "__main__":
    unittest.main()
