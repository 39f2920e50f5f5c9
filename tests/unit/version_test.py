"""There is one version, that of project() in CMakeLists.txt. What cannot take it from there says the same."""

import json
import os
import re
import subprocess
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
PROGRAMS = ("hongyan-gate", "hongyan-logic", "hongyan-iplist", "hongyan-chat", "hongyan-bench", "hongyanctl")
PACKAGES = ("client/js", "web", "tests/browser")


def only(pattern: str, file: str) -> str:
    """What stands there in the file, once."""
    [found] = re.findall(pattern, (REPO / file).read_text(encoding="utf-8"), re.M)
    return found


VERSION = only(r"^project\(hongyan VERSION (\d+\.\d+\.\d+) ", "CMakeLists.txt")


class VersionTest(unittest.TestCase):
    def test_programs(self):
        for program in PROGRAMS:
            with self.subTest(program):
                said = subprocess.run([BUILD_DIR / "bin" / program, "--version"], capture_output=True, text=True,
                                      timeout=30, check=True)
                self.assertEqual(said.stdout, f"{program} {VERSION}\n")

    def test_npm_packages_and_what_they_ask_of_each_other(self):
        locked = json.loads((REPO / "package-lock.json").read_text())["packages"]
        for folder in PACKAGES:
            package = json.loads((REPO / folder / "package.json").read_text())
            for stated in (package, locked[folder]):
                with self.subTest(folder):
                    self.assertEqual(stated["version"], VERSION)
                    asked = stated.get("dependencies", {}) | stated.get("devDependencies", {})
                    self.assertEqual(asked.get("hongyan-client", VERSION), VERSION)

    def test_javascript_client_tells_it_at_login(self):
        self.assertEqual(only(r"\bsdk: '([^']+)'", "client/js/src/options.js"), f"hongyan-js/{VERSION}")

    def test_changelog_begins_with_it_or_with_what_comes_next(self):
        sections = re.findall(r"^## \[([^\]]+)\]", (REPO / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
        self.assertEqual([section for section in sections if section != "Unreleased"][0], VERSION)


if __name__ == "__main__":
    unittest.main()
