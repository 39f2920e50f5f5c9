"""Documentation names what is there: relative links with their headings, and paths in code spans. And its lines, but for
tables and samples, are not longer than people read."""

import os
import re
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
MOST = 160  # characters a line
ENDINGS = (".h", ".cpp", ".py", ".js", ".json", ".md", ".proto", ".sql", ".txt", ".yaml", ".cmake", ".sh")
MADE = ("build/", ".dev-cluster/", "node_modules/", "client/js/generated/", "client/js/types/")  # by a build


def documents() -> list[Path]:
    found = []
    for folder, folders, names in os.walk(REPO):
        folders[:] = [name for name in folders if name not in ("build", "node_modules") and not name.startswith(".")]
        # What a changelog says of the past stays as it was.
        found += [Path(folder) / name for name in names if name.endswith(".md") and name != "CHANGELOG.md"]
    return sorted(found)


def without_samples(text: str) -> str:
    return re.sub(r"^(```|~~~).*?^\1", lambda match: "\n" * match[0].count("\n"), text, flags=re.M | re.S)


def links(text: str) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", without_samples(text)) if "://" not in link]


def headings(path: Path) -> set[str]:
    """As anchors: lower case, no punctuation, dashes for spaces."""
    found = re.findall(r"^#+ (.+)$", without_samples(path.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


TOPS = {path.name for path in REPO.iterdir()}


def paths(text: str) -> list[str]:
    """Code spans that read like paths of ours; NAME and DIR stand for something else."""
    found = []
    for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", without_samples(text)):
        if not re.fullmatch(r"\.?[\w\-.*]+(/[\w\-.*]+)+/?|[\w\-.]+/", span) or span.startswith(MADE):
            continue
        if re.search(r"(^|[/.])[A-Z_]{2,}([/.]|$)", span) and not span.endswith((".md", ".txt")):
            continue
        if span.partition("/")[0] in TOPS or span.endswith(ENDINGS):
            found.append(span)
    return found


def exists(path: str, document: Path) -> bool:
    """From the root, or from where the document lies."""
    return any(any(True for _ in folder.glob(path.rstrip("/"))) for folder in (REPO, document.parent))


class LinksTest(unittest.TestCase):
    def test_links_lead_somewhere(self):
        count = 0
        for document in documents():
            for link in links(document.read_text(encoding="utf-8")):
                count += 1
                with self.subTest(f"{document.relative_to(REPO)}: {link}"):
                    file, _, heading = link.partition("#")
                    target = (document.parent / file).resolve() if file else document
                    self.assertTrue(target.exists(), "no such file")
                    if heading:
                        self.assertIn(heading, headings(target))
        self.assertGreater(count, 40)

    def test_paths_exist(self):
        count = 0
        for document in documents():
            for path in paths(document.read_text(encoding="utf-8")):
                count += 1
                with self.subTest(f"{document.relative_to(REPO)}: {path}"):
                    self.assertTrue(exists(path, document), "no such path")
        self.assertGreater(count, 100)

    def test_lines_are_short(self):
        for document in documents():
            for number, line in enumerate(without_samples(document.read_text(encoding="utf-8")).split("\n"), 1):
                if len(line) > MOST and not line.startswith("|"):
                    self.fail(f"{document.relative_to(REPO)}:{number}: {len(line)} characters, at most {MOST}")


class ReadingTest(unittest.TestCase):
    """What the tests above look for."""

    def test_links(self):
        self.assertEqual(links("[a](b.md#c) [d](https://e.f/g) ![h](i.png)\n```\n[j](k)\n```\n"), ["b.md#c", "i.png"])

    def test_paths(self):
        text = "`gate/none.h` `docs/` `none/x.h` `CTRL_SEND` `/v1/gates` `config/NAME.toml` `a b` `build/dev` `tests/*.py`"
        self.assertEqual(paths(text), ["gate/none.h", "docs/", "none/x.h", "tests/*.py"])
        self.assertTrue(exists("gate/*.txt", REPO / "README.md"))
        self.assertFalse(exists("gate/none.h", REPO / "README.md"))


if __name__ == "__main__":
    unittest.main()
