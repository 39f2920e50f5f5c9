"""cmake --install into a folder: all that belongs there, and a program of somebody else's built against the client library."""

import os
import shlex
import subprocess
import tempfile
import unittest
from pathlib import Path

from commands import run

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
COMPILER = "clang++-19"

INSTALLED = [
    "sbin/hongyan-gate", "sbin/hongyan-logic", "sbin/hongyan-iplist", "bin/hongyanctl", "bin/hongyan-chat", "bin/hongyan-bench",
    "share/man/man8/hongyan-gate.8.gz", "share/man/man8/hongyan-logic.8.gz", "share/man/man8/hongyan-iplist.8.gz",
    "share/man/man1/hongyanctl.1.gz", "share/man/man1/hongyan-chat.1.gz", "share/man/man1/hongyan-bench.1.gz",
    "share/bash-completion/completions/hongyan-gate", "share/bash-completion/completions/hongyanctl",
    "lib/systemd/system/hongyan-gate@.service", "lib/systemd/system/hongyan-logic@.service",
    "lib/systemd/system/hongyan-iplist@.service",
    "share/hongyan/config/gate.toml", "share/hongyan/config/logic.toml", "share/hongyan/config/iplist.toml",
    "share/hongyan/sql/0001_base.sql", "share/doc/hongyan/operations.md", "share/doc/hongyan/README.md",
    "include/hongyan/client/cpp/client.h", "include/hongyan/proto/client.pb.h", "lib/libhongyan-client.a",
    "lib/cmake/HongyanClient/HongyanClientConfig.cmake", "lib/pkgconfig/hongyan-client.pc",
]
PAGE = "share/hongyan/page/index.html"

PROJECT = """cmake_minimum_required(VERSION 3.25)
project(theirs CXX)
find_package(HongyanClient 0.2 REQUIRED)
add_executable(theirs chat.cpp)
target_link_libraries(theirs PRIVATE Hongyan::client)
"""


class InstallTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="hy-install-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        cls.prefix = cls.folder / "usr"
        run("cmake", "--install", BUILD_DIR, "--prefix", cls.prefix)

    def test_all_is_there(self):
        expected = INSTALLED + ([PAGE] if (BUILD_DIR / "page").exists() else [])
        self.assertEqual([path for path in expected if not (self.prefix / path).is_file()], [])
        for name in os.listdir(self.prefix):
            self.assertIn(name, ("bin", "include", "lib", "sbin", "share"))

    def test_all_sql_is_there(self):
        self.assertEqual(sorted(os.listdir(self.prefix / "share/hongyan/sql")), sorted(os.listdir(REPO / "deploy/sql")))

    def test_programs_run(self):
        for path in INSTALLED[:6]:
            self.assertIn(Path(path).name, run(self.prefix / path, "--version"))

    def test_units_name_the_installed_programs(self):
        for role in ("gate", "logic", "iplist"):
            text = (self.prefix / f"lib/systemd/system/hongyan-{role}@.service").read_text()
            self.assertIn(f"ExecStart={self.prefix}/sbin/hongyan-{role} --config", text)
            self.assertNotIn("@SBINDIR@", text)

    def test_find_package(self):
        source, build = self.folder / "theirs", self.folder / "theirs-build"
        source.mkdir()
        (source / "CMakeLists.txt").write_text(PROJECT)
        (source / "chat.cpp").write_text((REPO / "examples/chat.cpp").read_text())
        run("cmake", "-S", source, "-B", build, "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={COMPILER}", "-DCMAKE_BUILD_TYPE=Debug",
            f"-DCMAKE_PREFIX_PATH={self.prefix}")
        run("cmake", "--build", build)
        self.usage(build / "theirs")

    def test_pkg_config(self):
        env = dict(os.environ, PKG_CONFIG_PATH=str(self.prefix / "lib/pkgconfig"))
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "hongyan-client", env=env))
        headers = "".join(f'#include "{path.relative_to(self.prefix / "include/hongyan")}"\n'
                          for path in sorted((self.prefix / "include/hongyan").rglob("*.h")))
        source = self.folder / "theirs.cpp"
        # Every header that is installed finds those that it includes.
        source.write_text(headers + (REPO / "examples/echo_bot.cpp").read_text())
        run(COMPILER, "-std=c++23", source, "-o", self.folder / "theirs-bot", *flags)
        self.usage(self.folder / "theirs-bot")

    def usage(self, program: Path) -> None:
        """It runs: without arguments it says how it is called."""
        done = subprocess.run([program], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
                              env={"PATH": os.environ["PATH"]})
        self.assertEqual(done.returncode, 2)
        self.assertIn("usage: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
