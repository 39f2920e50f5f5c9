"""Each bench of hongyan-bench, short, against a real cluster: what its JSON says and how it exits."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

REPO = Path(os.environ["HONGYAN_REPO"])
BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
ENV_FILE = Path(os.environ["HONGYAN_DIR"]) / "env"


def bench(*words, env: Path = ENV_FILE) -> subprocess.CompletedProcess:
    return subprocess.run([BUILD_DIR / "bin" / "hongyan-bench", *map(str, words), "--env", env], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)


def scratch_databases() -> str:
    host, _, port = os.environ["HONGYAN_MYSQL_0"].rpartition(":")
    return subprocess.run(["mariadb", "--no-defaults", "-N", "-B", "-h", host, "-P", port, "-u", "root", "-e",
                           "SHOW DATABASES LIKE 'hongyan\\_bench%'"], capture_output=True, text=True, check=True,
                          env=dict(os.environ, MYSQL_PWD=os.environ["HONGYAN_MYSQL_PASSWORD"])).stdout


class BenchTest(unittest.TestCase):
    def result(self, *words) -> dict:
        done = bench(*words, "--json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(done.stderr, "")
        report = json.loads(done.stdout)
        self.assertEqual(report["bench"], words[0])
        self.assertTrue(report["clean"])
        names = {process["name"].partition("-")[0] for process in report["processes"]}
        self.assertLessEqual({"gate", "logic", "iplist", "mysql", "redis"}, names)
        for process in report["processes"]:
            self.assertGreater(process["memory_mib"], 0, process)
        self.assertGreater(report["generator"]["cores"], 0)
        return report

    def check_times(self, report: dict, *names: str) -> None:
        for name in names:
            times = report[name]
            self.assertGreater(times["count"], 0, name)
            self.assertGreater(times["p50"], 0, name)
            self.assertLessEqual(times["p50"], times["p99"], name)
            self.assertLessEqual(times["p99"], times["max"], name)

    def check_messages(self, report: dict) -> None:
        self.assertGreater(report["msgs_per_s"], 0)
        self.assertGreater(report["server_us_per_msg"], 0)
        self.assertGreater(report["generator_us_per_msg"], 0)
        for fault in ("lost", "unanswered", "duplicates", "changed", "out_of_order", "holes"):
            self.assertEqual(report[fault], 0, fault)

    def test_c2c(self):
        report = self.result("c2c", "--pairs", 4, "--seconds", 1, "--warmup", 0.2, "--loops", 2)
        self.check_messages(report)
        self.check_times(report, "ack_ms", "delivery_ms")
        self.assertEqual(report["sent"], report["delivered"])
        self.assertIn("gate", report["us_per_msg"])

    def test_c2c_beside_a_heavy_sender(self):
        report = self.result("c2c", "--pairs", 4, "--seconds", 1, "--warmup", 0.2, "--rate", 100, "--heavy-senders", 1,
                             "--heavy-window", 4)
        self.assertGreater(report["heavy_acknowledged"], 100)
        self.check_times(report, "ack_ms", "delivery_ms", "ack_alone_ms", "delivery_alone_ms")

    def test_c2c_at_a_rate(self):
        report = self.result("c2c", "--pairs", 4, "--seconds", 1.5, "--warmup", 0.2, "--rate", 100)
        self.check_messages(report)
        self.assertEqual(report["missed"], 0)
        # Every message that was meant for the measured time is in the figures, whatever the machine was doing.
        self.assertAlmostEqual(report["ack_ms"]["count"], 100 * report["measured_seconds"], delta=15)
        self.assertEqual(report["ack_ms"]["count"], report["delivery_ms"]["count"])

    def test_c2s(self):
        report = self.result("c2s", "--users", 4, "--seconds", 1, "--warmup", 0.2)
        self.assertGreater(report["msgs_per_s"], 0)
        self.check_times(report, "ack_ms")
        self.assertEqual(report["unanswered"], 0)
        self.assertEqual(report["sent"], report["acknowledged"])
        self.assertIn("kafka", report["us_per_msg"])

    def test_c2s_to_nowhere(self):
        done = bench("c2s", "--destination", "nowhere", "--seconds", 1)
        self.assertEqual(done.returncode, 1)
        self.assertIn("NOT_FOUND", done.stderr)

    def test_s2c(self):
        report = self.result("s2c", "--services", 3, "--targets", 2, "--seconds", 1, "--warmup", 0.2)
        self.check_messages(report)
        self.check_times(report, "ack_ms", "delivery_ms")
        self.assertEqual(report["sent"], report["delivered"])
        self.assertEqual(report["sent"] % 2, 0)

    def test_s2c_at_a_rate(self):
        report = self.result("s2c", "--services", 3, "--targets", 2, "--seconds", 1.5, "--warmup", 0.2, "--rate", 100)
        self.check_messages(report)
        self.assertEqual(report["missed"], 0)
        self.assertAlmostEqual(report["ack_ms"]["count"], 50 * report["measured_seconds"], delta=15)  # calls

    def check_group(self, report: dict, members: int, large: int) -> None:
        self.check_messages(report)
        self.check_times(report, "ack_ms", "delivery_ms", "all_delivered_ms")
        self.assertEqual(report["large"], large)
        self.assertEqual(report["delivered"], report["sent"] * members)
        self.assertAlmostEqual(report["deliveries_per_s"], report["msgs_per_s"] * members, delta=1)
        for name in ("server", "gate", "logic", "mysql", "redis"):
            self.assertIn(f"{name}_us_per_delivery", report)
        self.assertGreater(report["server_us_per_delivery"], 0)

    def test_group(self):
        report = self.result("group", "--groups", 2, "--members", 6, "--senders", 3, "--loops", 2, "--seconds", 1,
                             "--warmup", 0.2)
        self.check_group(report, 6, 0)

    def test_large_group(self):
        self.check_group(self.result("group", "--members", 30, "--seconds", 1, "--warmup", 0.2), 30, 1)

    def test_group_at_a_rate(self):
        report = self.result("group", "--members", 30, "--senders", 5, "--seconds", 1.5, "--warmup", 0.2, "--rate", 40)
        self.check_group(report, 30, 1)
        self.assertEqual(report["missed"], 0)

    def test_group_with_bad_numbers(self):
        for words in (("--members", 3, "--senders", 4), ("--groups", 3, "--loops", 2)):
            done = bench("group", *words)
            self.assertEqual(done.returncode, 1)
            self.assertIn("BAD_REQUEST", done.stderr)

    def test_login(self):
        report = self.result("login", "--connections", 4, "--users", 10, "--seconds", 1, "--warmup", 0.2)
        self.assertGreater(report["logins_per_s"], 0)
        self.check_times(report, "login_ms", "logout_ms")

    def test_idle(self):
        report = self.result("idle", "--connections", 30, "--seconds", 1.5, "--heartbeat", 0.5)
        self.assertEqual(report["connections"], 30)
        self.assertGreater(report["heartbeats"], 30)
        self.assertEqual(report["heartbeats_unanswered"], 0)
        self.assertEqual(report["lost_connections"], 0)
        self.assertIn("gate_bytes_per_connection", report)

    def test_pull(self):
        report = self.result("pull", "--messages", 500, "--devices", 2, "--page", 50)
        self.check_messages(report)
        self.check_times(report, "page_ms")
        self.assertEqual(report["msgs"], 1000)
        again = self.result("pull", "--messages", 500, "--reuse", report["run"])
        self.assertEqual(again["msgs"], 500)
        self.assertEqual(again["fill_msgs_per_s"], 0)
        other = bench("pull", "--messages", 400, "--reuse", report["run"])
        self.assertEqual(other.returncode, 1)
        self.assertIn("holds 500 messages, not 400", other.stderr)

    def test_pull_sees_what_is_wrong(self):
        """The inbox holds contents of another size than asked for: all of them count as changed."""
        report = self.result("pull", "--messages", 50)
        done = bench("pull", "--messages", 50, "--reuse", report["run"], "--size", 99, "--json")
        self.assertEqual(done.returncode, 1)
        wrong = json.loads(done.stdout)
        self.assertFalse(wrong["clean"])
        self.assertEqual(wrong["changed"], 50)

    def test_rows(self):
        report = self.result("rows", "--seconds", 0.2)
        for rows in (1, 16, 64, 256):
            self.assertGreater(report[f"rows_per_s_{rows}"], 0)
        self.assertEqual(scratch_databases(), "")

    def test_table_and_progress(self):
        done = bench("c2c", "--pairs", 1, "--seconds", 1.2, "--warmup", 0, "--progress")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("measure", done.stderr)
        self.assertIn("us per msg", done.stdout)
        self.assertIn("checked: lost 0", done.stdout)

    def test_bad_usage(self):
        self.assertEqual(bench("c2c", "--pairs", 0).returncode, 2)
        self.assertEqual(bench("c2c", env=Path("/nonexistent")).returncode, 2)
        with tempfile.NamedTemporaryFile("w", suffix=".env") as file:
            file.write("HONGYAN_GATES=nowhere\n")
            file.flush()
            done = bench("c2c", env=Path(file.name))
        self.assertEqual(done.returncode, 2)
        self.assertIn("HONGYAN_GATES", done.stderr)


if __name__ == "__main__":
    unittest.main()
