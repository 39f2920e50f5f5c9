"""tools/manual: pages and completions tell what --help tells."""

import gzip
import importlib.machinery
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
PROGRAMS = {"hongyan-gate": 8, "hongyan-logic": 8, "hongyan-iplist": 8, "hongyanctl": 1, "hongyan-chat": 1, "hongyan-bench": 1}

sys.dont_write_bytecode = True
LOADER = importlib.machinery.SourceFileLoader("manual", str(REPO / "tools" / "manual"))
SPEC = importlib.util.spec_from_loader("manual", LOADER)
manual = importlib.util.module_from_spec(SPEC)
sys.modules["manual"] = manual
LOADER.exec_module(manual)

HELP = """Does things.
Usage: thing [OPTIONS] SUBCOMMAND

Options:
  -h,--help                   Print this help message and exit
  --color TEXT:{red,green}    Of it
  --a-long-name-of-an-option FILE REQUIRED
                              What it reads;
                              two lines


Subcommands:
  go                          Goes

Exit status: 0.
"""


class ParseTest(unittest.TestCase):
    def test_options_commands_and_footer(self):
        command = manual.parse_help(["thing"], HELP)
        self.assertEqual(command.about, "Does things.")
        self.assertEqual([(entry.names, entry.value, entry.text) for entry in command.options()],
                         [(["-h", "--help"], "", "Print this help message and exit"),
                          (["--color"], "TEXT:{red,green}", "Of it"),
                          (["--a-long-name-of-an-option"], "FILE REQUIRED", "What it reads; two lines")])
        self.assertEqual(command.options()[1].choices(), ["red", "green"])
        self.assertEqual([entry.names for entry in command.subcommands()], [["go"]])
        self.assertEqual(command.footer, ["Exit status: 0."])

    def test_text_is_no_roff(self):
        self.assertEqual(manual.roff(".TH a-b \\ 'c' …"), "\\&.TH a\\-b \\e \\(aqc\\(aq \\[u2026]")


class ProgramsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="hy-manual-")
        cls.addClassCleanup(holder.cleanup)
        cls.out = Path(holder.name)
        for program, section in PROGRAMS.items():
            subprocess.run([REPO / "tools" / "manual", "--program", BUILD_DIR / "bin" / program, "--section", str(section),
                            "--out", cls.out], timeout=120, check=True)

    def page(self, program: str) -> str:
        return gzip.decompress((self.out / f"{program}.{PROGRAMS[program]}.gz").read_bytes()).decode()

    def say(self, program: str, *words: str) -> str:
        return subprocess.run([BUILD_DIR / "bin" / program, *words], capture_output=True, text=True, timeout=30, check=True).stdout

    def test_every_option_stands_in_page_and_completion(self):
        for program in PROGRAMS:
            commands = manual.read(BUILD_DIR / "bin" / program).all()
            page, completion = self.page(program), (self.out / program).read_text()
            for command in commands:
                told = re.findall(r"^  (?:-\w,)?(--[\w-]+)", self.say(program, *command.path[1:], "--help"), re.M)
                self.assertGreater(len(told), 0)
                for option in told:
                    self.assertIn(manual.roff(option), page, program)
                    self.assertIn(option, completion, program)

    def test_every_key_stands_in_the_pages_of_daemons(self):
        for program in ("hongyan-gate", "hongyan-logic", "hongyan-iplist"):
            page = self.page(program)
            for line in self.say(program, "--print-config").split("\n"):
                self.assertIn(manual.roff(line), page)

    @unittest.skipUnless(shutil.which("groff"), "needs groff")
    def test_pages_are_good_roff(self):
        for program in PROGRAMS:
            done = subprocess.run(["groff", "-man", "-ww", "-z", "-Tutf8"], input=self.page(program), capture_output=True,
                                  text=True, timeout=30, check=False)
            self.assertEqual(done.stderr, "", program)

    def complete(self, *words: str) -> list[str]:
        """What bash would offer for the last word."""
        script = f"""set -u; source "{self.out}/{words[0]}"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            $(complete -p "$1" | sed -n 's/.*-F \\([^ ]*\\) .*/\\1/p'); printf '%s\\n' "${{COMPREPLY[@]}}" """
        done = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()

    def test_completion(self):
        self.assertEqual(self.complete("hongyan-gate", "--ch"), ["--check-config"])
        self.assertEqual(self.complete("hongyan-gate", "--log-level", "w"), ["warn"])
        self.assertEqual(self.complete("hongyanctl", "s"), ["schema"])
        self.assertEqual(self.complete("hongyanctl", "schema", ""), ["apply", "status", "--help"])
        self.assertEqual(self.complete("hongyanctl", "schema", "apply", "--cr"), ["--create-database"])
        self.assertEqual(self.complete("hongyanctl", "schema", "status", "--cr"), [])
        self.assertEqual(self.complete("hongyanctl", "schema", "apply", "--user", ""), [])
        self.assertEqual(self.complete("hongyan-gate", "--config", f"{self.out}/hongyan-i"),
                         [f"{self.out}/hongyan-iplist", f"{self.out}/hongyan-iplist.8.gz"])
        self.assertEqual(self.complete("hongyan-bench", "c2c", "--transport", "ws"), ["ws", "wss"])


if __name__ == "__main__":
    unittest.main()
