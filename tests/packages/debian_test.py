"""The Debian packages of this build tree, looked into: files, fields, scripts. tests/packages/in-chroot installs them."""

import os
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

from commands import run

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
ROLES = ("gate", "logic", "iplist")
EACH = {"usr/share/doc/{name}/copyright", "usr/share/doc/{name}/changelog.Debian.gz"}
DAEMON = {"usr/sbin/hongyan-{role}", "usr/lib/systemd/system/hongyan-{role}@.service", "usr/share/man/man8/hongyan-{role}.8.gz",
          "usr/share/bash-completion/completions/hongyan-{role}", "usr/share/hongyan/config/{role}.toml", "etc/hongyan/{role}-1.toml"}
# Some of what belongs into each; what a package may hold besides, as a pattern.
FILES = {f"hongyan-{role}": ({path.format(role=role) for path in DAEMON}, "") for role in ROLES} | {
    "hongyan-tools": ({"usr/bin/hongyanctl", "usr/bin/hongyan-chat", "usr/bin/hongyan-bench", "usr/share/man/man1/hongyanctl.1.gz",
                       "usr/share/hongyan/sql/0001_base.sql", "usr/share/doc/hongyan/operations.md"},
                      r"usr/share/(doc/hongyan|hongyan|man/man1|bash-completion/completions)/.*"),
    "libhongyan-client-dev": ({"usr/include/hongyan/client/cpp/client.h", "usr/lib/libhongyan-client.a",
                               "usr/lib/pkgconfig/hongyan-client.pc", "usr/lib/cmake/HongyanClient/HongyanClientConfig.cmake"},
                              r"usr/(include/hongyan|lib/cmake/HongyanClient|share/doc/libhongyan-client-dev/examples)/.*"),
    "hongyan-web": ({"usr/share/hongyan/page/index.html"}, r"usr/share/hongyan/page/.*")}
DEPENDS = {
    "hongyan-gate": {"adduser", "libc6", "libssl3", "libprotobuf32", "libsystemd0"},
    "hongyan-logic": {"adduser", "libc6", "libmariadb3", "librdkafka1", "libsystemd0"},
    "hongyan-iplist": {"adduser", "libc6", "libssl3", "libsystemd0"},
    "hongyan-tools": {"libc6", "libmariadb3"},
    "libhongyan-client-dev": {"libboost-dev", "libprotobuf-dev", "libssl-dev", "libspdlog-dev", "libfmt-dev", "libxxhash-dev"},
    "hongyan-web": set(),
}
# What lintian says that is meant to be so: who makes packages names a maintainer (CPACK_PACKAGE_CONTACT); the library is static and
# for one architecture a package.
LINTIAN_TAGS = ("initial-upload-closes-no-bugs", "bogus-mail-host", "bogus-mail-host-in-debian-changelog",
                "pkg-config-unavailable-for-cross-compilation")


class DebianTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="hy-deb-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        run(REPO / "tests/packages/build", "--build-dir", BUILD_DIR, "--out", cls.folder, "--fast")
        cls.debs = {path.name.split("_")[0]: path for path in cls.folder.glob("*.deb")}
        cls.members, cls.control = {}, {}
        for name, path in cls.debs.items():
            data = cls.folder / f"{name}.tar"
            with open(data, "wb") as out:
                subprocess.run(["dpkg-deb", "--fsys-tarfile", path], stdout=out, check=True, timeout=60)
            with tarfile.open(data) as tar:
                cls.members[name] = {member.name.removeprefix("./"): member for member in tar.getmembers()}
            cls.control[name] = cls.folder / name
            run("dpkg-deb", "--control", path, cls.control[name])

    def field(self, name: str, field: str) -> str:
        return run("dpkg-deb", "--field", self.debs[name], field).strip()

    def files(self, name: str) -> set[str]:
        return {path for path, member in self.members[name].items() if not member.isdir()}

    def test_packages(self):
        expected = set(FILES) - (set() if (BUILD_DIR / "page").exists() else {"hongyan-web"})
        self.assertEqual(set(self.debs), expected)

    def test_files(self):
        for name in self.debs:
            known, besides = FILES[name]
            known = known | {path.format(name=name) for path in EACH}
            files = self.files(name)
            self.assertEqual(known - files, set(), name)
            self.assertEqual([path for path in files - known if not besides or not re.fullmatch(besides, path)], [], name)

    def test_no_file_is_in_two_packages(self):
        for one in self.debs:
            for other in self.debs:
                if one < other:
                    self.assertEqual(self.files(one) & self.files(other), set())

    def test_owners_and_modes(self):
        for name, members in self.members.items():
            for path, member in members.items():
                self.assertEqual((member.uname, member.gname), ("root", "root"), path)
                mode = stat.S_IMODE(member.mode)
                programs = re.fullmatch(r"usr/s?bin/.*", path) or path.endswith(".py")
                self.assertEqual(mode, 0o755 if member.isdir() else mode if programs else 0o644, f"{name}: {path}")
                self.assertEqual(mode & 0o7022, 0, f"{name}: {path}")

    def test_fields(self):
        for name in self.debs:
            self.assertTrue(self.field(name, "Version").endswith("-1"))
            self.assertEqual(self.field(name, "Architecture"), "all" if name == "hongyan-web" else run("dpkg", "--print-architecture").strip())
            depends = {re.split(r"[ (|]", one.strip())[0] for one in self.field(name, "Depends").split(",")}
            self.assertEqual(DEPENDS[name] - depends, set(), name)
            self.assertNotIn("hongyan", " ".join(depends), name)
            first, *rest = self.field(name, "Description").split("\n")
            self.assertLess(len(first), 80)
            self.assertGreater(len(rest), 0)

    def test_version_is_the_project_s(self):
        version = re.search(r"^project\(hongyan VERSION (\S+) ", (REPO / "CMakeLists.txt").read_text(), re.M)[1]
        for name in self.debs:
            self.assertEqual(self.field(name, "Version"), f"{version}-1")

    def test_configuration_is_the_administrator_s(self):
        for name, control in self.control.items():
            role = name.removeprefix("hongyan-")
            expected = f"/etc/hongyan/{role}-1.toml\n" if role in ROLES else ""
            conffiles = control / "conffiles"
            self.assertEqual(conffiles.read_text() if conffiles.exists() else "", expected)
            self.assertEqual({f"/{path}\n" for path in self.files(name) if path.startswith("etc/")}, {expected} - {""})

    def test_maintainer_scripts(self):
        for name, control in self.control.items():
            scripts = {script: control / script for script in ("preinst", "postinst", "prerm", "postrm") if (control / script).exists()}
            self.assertEqual(set(scripts), {"postinst", "prerm", "postrm"} if name.removeprefix("hongyan-") in ROLES else set(), name)
            for path in scripts.values():
                self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o755, path)
                self.assertNotRegex(path.read_text(), r"@[A-Z]+@")
                done = subprocess.run(["shellcheck", "--shell=sh", path], capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(done.stdout, "")

    def test_units_name_the_packaged_program(self):
        for role in ROLES:
            name = f"hongyan-{role}"
            with tarfile.open(self.folder / f"{name}.tar") as tar:
                text = tar.extractfile(self.members[name][f"usr/lib/systemd/system/{name}@.service"]).read().decode()
            self.assertIn(f"\nExecStart=/usr/sbin/{name} --config /etc/hongyan/{role}-%i.toml\n", text)

    def test_programs_are_stripped(self):
        for role in ROLES:
            name = f"hongyan-{role}"
            with tarfile.open(self.folder / f"{name}.tar") as tar:
                tar.extract(self.members[name][f"usr/sbin/{name}"], self.folder / "x")
            sections = run("readelf", "--section-headers", "--wide", self.folder / "x" / f"usr/sbin/{name}")
            self.assertIn(".text", sections)
            self.assertNotIn(".debug_", sections)

    @unittest.skipUnless(shutil.which("lintian"), "needs lintian")
    def test_lintian(self):
        done = subprocess.run(["lintian", "--fail-on", "error,warning", "--suppress-tags", ",".join(LINTIAN_TAGS), *self.debs.values()],
                              capture_output=True, text=True, timeout=250, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
