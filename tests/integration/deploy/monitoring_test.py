"""deploy/monitoring: every metric that alerts and dashboard name is one that the daemons export, with those labels."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request
from pathlib import Path

import yaml

REPO = Path(os.environ["HONGYAN_REPO"])
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPO / "tests" / "support"))

from lone_daemon import LoneDaemon  # noqa: E402

FOLDER = REPO / "deploy" / "monitoring"
ALERTS = yaml.safe_load((FOLDER / "alerts.yaml").read_text())
DASHBOARD = json.loads((FOLDER / "dashboard.json").read_text())
PROMETHEUS = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
KAFKA = '[kafka]\nbrokers = ["127.0.0.1:1"]\n'
OURS = {"job", "instance"}  # labels that Prometheus adds
METRIC = re.compile(r"\b((?:hongyan|process)_[a-z_]+)(?:\{([^}]*)\})?")


def expressions() -> list[str]:
    rules = [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]
    return rules + [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", [])]


def exported(folder: Path) -> dict[str, set[str]]:
    """Names and labels of what the three daemons export."""
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=gate",
                           "-keyout", folder / "key", "-out", folder / "certificate"], capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    tls = f'[tls]\ncertificate_file = "{folder}/certificate"\nkey_file = "{folder}/key"\n'
    found: dict[str, set[str]] = {}
    no_change = ("", "")
    for program, change, more in (("hongyan-gate", ('ws = ""', 'ws = ""\nwss = "127.0.0.1:0"'), tls), ("hongyan-logic", no_change, KAFKA),
                                  ("hongyan-iplist", no_change, "")):
        with LoneDaemon(program, change=change, more=more) as daemon:
            for line in scrape(daemon).splitlines():
                if match := re.match(r"([a-z_]+)(?:\{([^}]*)\})? ", line):
                    found.setdefault(match[1], set()).update(re.findall(r'(\w+)="', match[2] or ""))
    return found


def scrape(daemon: LoneDaemon) -> str:
    end = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{daemon.metrics}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            if time.monotonic() > end or daemon.process.poll() is not None:
                raise AssertionError(daemon.log()) from None
            time.sleep(0.05)


class MonitoringTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix="hy-monitoring-") as folder:
            cls.exported = exported(Path(folder))

    def test_names_and_labels_are_exported(self):
        names = set()
        for expression in expressions():
            for name, labels in METRIC.findall(expression):
                names.add(name)
                self.assertIn(name, self.exported, expression)
                used = set(re.findall(r"(\w+)=", labels))
                self.assertLessEqual(used, self.exported[name] | OURS, expression)
            grouped = re.findall(r"by \((\w+)\)", expression)
            some = [self.exported[name] for name, _ in METRIC.findall(expression)]
            for label in grouped:
                self.assertTrue(label in OURS or any(label in labels for labels in some), expression)
        self.assertGreater(len(names), 30)

    def test_an_unknown_name_would_be_seen(self):
        self.assertNotIn("hongyan_gate_seldom_total", self.exported)

    def test_reasons_and_codes_that_alerts_name_exist(self):
        with LoneDaemon("hongyan-gate") as daemon:
            reasons = set(re.findall(r'hongyan_gate_refusals_total\{reason="(\w+)"\}', scrape(daemon)))
        for expression in expressions():
            for alternatives in re.findall(r'reason=~"([^"]+)"', expression):
                self.assertLessEqual(set(alternatives.split("|")), reasons)

    def test_alerts_say_what_to_do(self):
        rules = [rule for group in ALERTS["groups"] for rule in group["rules"]]
        self.assertEqual(len({rule["alert"] for rule in rules}), len(rules))
        for rule in rules:
            self.assertIn(rule["labels"]["severity"], ("page", "warn"))
            self.assertEqual(set(rule["annotations"]), {"summary", "description"})

    def test_jobs_are_those_of_the_sample(self):
        jobs = {job["job_name"] for job in PROMETHEUS["scrape_configs"]}
        self.assertEqual(jobs, {"hongyan-gate", "hongyan-logic", "hongyan-iplist"})
        for expression in expressions():
            for pattern in re.findall(r'job=~"([^"]+)"', expression):
                self.assertTrue(all(re.fullmatch(pattern, job) for job in jobs))

    def test_panels_do_not_overlap(self):
        taken = set()
        for panel in DASHBOARD["panels"]:
            grid = panel["gridPos"]
            cells = {(x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])}
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells
        self.assertEqual(len({panel["id"] for panel in DASHBOARD["panels"]}), len(DASHBOARD["panels"]))

    @unittest.skipUnless(shutil.which("promtool"), "needs promtool")
    def test_prometheus_understands_them(self):
        for words in (["check", "rules", FOLDER / "alerts.yaml"], ["check", "config", "--syntax-only", FOLDER / "prometheus.yaml"]):
            done = subprocess.run(["promtool", *words], capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
