"""tools/arrows refuses what it says it refuses."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])


class ArrowsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "tools").mkdir()
        shutil.copy(REPO / "tools/arrows", self.root / "tools/arrows")

    def check(self, **files: str) -> subprocess.CompletedProcess:
        for name, target in files.items():
            path = self.root / (name.replace("__", "/") + ".h")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'#pragma once\n#include "{target}"\n', encoding="utf-8")
        return subprocess.run(["/usr/bin/python3", self.root / "tools/arrows", "--check"],
                              capture_output=True, text=True, check=False)

    def test_downward_is_allowed(self):
        result = self.check(logic__group__a="logic/store/b.h", logic__store__b="common/base/c.h")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("arrows: 2 between 3 folders, 0 refused", result.stdout)

    def test_backward_is_refused(self):
        result = self.check(logic__user__a="logic/message/b.h")
        self.assertEqual(result.returncode, 1)
        self.assertIn('logic/user/a.h: #include "logic/message/b.h": logic/message is not below logic/user', result.stderr)

    def test_rooms_of_one_floor_do_not_see_each_other(self):
        self.assertEqual(self.check(gate__app__a="logic/app/b.h").returncode, 1)
        self.assertEqual(self.check(logic__kafka__a="logic/login/b.h").returncode, 1)

    def test_a_folder_inside_a_room_is_a_room(self):
        self.assertEqual(self.check(logic__store__mysql__sql__a="logic/store/mysql/connection/b.h").returncode, 0)
        self.assertEqual(self.check(logic__store__mysql__connection__b="logic/store/mysql/sql/a.h").returncode, 1)

    def test_a_new_folder_must_be_given_its_floor(self):
        for name in ("common/new", "common/base/new", "logic/store/mysql/new", "tools/bench/new", "client"):
            with self.subTest(name):
                result = self.check(**{name.replace("/", "__") + "__a": "common/base/b.h"})
                self.assertEqual(result.returncode, 1)
                self.assertIn(f"arrows: {name}: holds sources and stands on no floor", result.stderr)
                shutil.rmtree(self.root / name)

    def test_a_new_folder_needs_its_floor_without_includes_too(self):
        self.check(common__new__a="proto")
        (self.root / "common/new/a.h").write_text("#pragma once\n", encoding="utf-8")
        self.assertIn("common/new: holds sources", self.check().stderr)

    def test_what_is_included_stands_on_a_floor(self):
        result = self.check(logic__user__a="common/new/b.h")
        self.assertEqual(result.returncode, 1)
        self.assertIn('logic/user/a.h: #include "common/new/b.h": on no floor', result.stderr)

    def test_tests_are_one_room(self):
        self.assertEqual(self.check(tests__unit__new__a="tests/support/b.h").returncode, 0)
        self.assertEqual(self.check(tests__support__b="tests/unit/new/a.h").returncode, 0)

    def test_the_project_itself_has_no_backward_arrow(self):
        result = subprocess.run(["/usr/bin/python3", REPO / "tools/arrows", "--check"], capture_output=True, text=True,
                                check=False)
        self.assertEqual(result.returncode, 0, result.stderr)


if __name__ == "__main__":
    unittest.main()
