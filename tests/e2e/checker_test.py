"""hongyan-checker on a whole cluster: random faults leave nothing to count, and planted errors are counted.

HONGYAN_CHECKER_OPTIONS: more options of the run under faults, for longer or other ones.
"""

import json
import os
import shlex
import subprocess
import time
import unittest
from pathlib import Path

CHECKER = Path(os.environ["HONGYAN_BUILD_DIR"]) / "tests" / "hongyan-checker"


def check(*options: str) -> tuple[int, dict]:
    done = subprocess.run([CHECKER, "--json", *options], stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def sql(shard: int, statement: str) -> str:
    """The shell command that runs it on a shard's database."""
    host, port = os.environ[f"HONGYAN_MYSQL_{shard}"].split(":")
    database = os.environ["HONGYAN_MYSQL_DATABASES"].split()[shard]
    command = ["mariadb", "--no-defaults", "-h", host, "-P", port, "-u", os.environ["HONGYAN_MYSQL_USER"],
               database, "-e", statement]
    return f"MYSQL_PWD={shlex.quote(os.environ['HONGYAN_MYSQL_PASSWORD'])} {shlex.join(command)}"


def stopped_gates() -> list[str]:
    """Names of the gates that are in the state of SIGSTOP."""
    out = []
    for name in ("gate-1", "gate-2"):
        pid = (Path(os.environ["HONGYAN_PIDS"]) / f"{name}.pid").read_text().strip()
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        if state == "T":
            out.append(name)
    return out


def eventually(holds, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class CheckerTest(unittest.TestCase):
    def test_nothing_is_lost_under_faults(self):
        options = ["--users", "100", "--rate", "150", "--seconds", "25", "--sleepers", "5", "--newcomers", "5",
                   "--faults", "all"]
        status, result = check(*options, *shlex.split(os.environ.get("HONGYAN_CHECKER_OPTIONS", "")))
        print(json.dumps(result))
        self.assertEqual({name: count for name, count in result["counts"].items() if count}, {}, result)
        self.assertTrue(result["clean"])
        self.assertEqual(status, 0)
        self.assertGreater(result["figures"]["acknowledged"], 500)
        for name in ("cut", "half_open", "newcomer_logins", "calm"):
            self.assertGreater(result["figures"][name], 0, name)

    def test_login_races_have_one_survivor(self):
        status, result = check("--users", "20", "--rate", "50", "--seconds", "5", "--faults", "kick-race")
        self.assertEqual({name: count for name, count in result["counts"].items() if count}, {}, result)
        self.assertEqual(status, 0)
        for name in ("races", "races_together"):
            self.assertGreater(result["figures"][name], 100, name)

    def test_those_who_come_again_miss_nothing(self):
        status, result = check("--users", "40", "--rate", "200", "--seconds", "8", "--newcomers", "20", "--receivers", "20",
                               "--onlookers", "0", "--faults", "reconnect,cut-clients")
        self.assertEqual({name: count for name, count in result["counts"].items() if count}, {}, result)
        self.assertEqual(status, 0)
        for name in ("newcomer_logins", "newcomer_pushes"):
            self.assertGreater(result["figures"][name], 20, name)

    def test_groups_have_one_order_under_faults(self):
        status, result = check("--users", "40", "--devices", "1", "--rate", "40", "--seconds", "15", "--groups", "4",
                               "--group-members", "15", "--faults", "kill-logic,kill-gate,kill-mysql,flush-redis")
        self.assertEqual({name: count for name, count in result["counts"].items() if count}, {}, result)
        self.assertEqual(status, 0)
        self.assertEqual(result["figures"]["groups"], 4)
        for name in ("group_messages", "group_changes"):
            self.assertGreater(result["figures"][name], 15, name)

    def test_a_cut_link_is_survived(self):
        status, result = check("--users", "40", "--rate", "100", "--seconds", "15", "--stop-seconds", "5",
                               "--faults", "cut-link")
        self.assertEqual({name: count for name, count in result["counts"].items() if count}, {}, result)
        self.assertEqual(status, 0)
        self.assertGreater(result["figures"]["longest_stall_ms"], 4000)  # it was cut

    def test_planted_errors_are_counted(self):
        """Row 3 of somebody's inbox goes, the content of row 5 is another, and logic has not seen it before."""
        logic = [os.environ["HONGYAN_DEV_CLUSTER"], "restart", "logic-1", "--dir", os.environ["HONGYAN_DIR"]]
        plant = "; ".join([
            "set -e",
            sql(0, "DELETE FROM im_message_receive WHERE msg_seq = 3 ORDER BY msg_id DESC LIMIT 1"),
            sql(0, "UPDATE im_message_receive SET msg_content = 'other' WHERE msg_seq = 5 ORDER BY msg_id DESC LIMIT 1"),
            shlex.join(logic)])
        status, result = check("--users", "20", "--onlookers", "0", "--devices", "1", "--rate", "200", "--seconds", "3",
                               "--faults", "none", "--before-pull", plant)
        # Twice: the auditor and the device itself. What was pushed is no longer what is stored.
        counts = {name: count for name, count in result["counts"].items() if count}
        self.assertEqual(counts, {"lost": 2, "gap": 2, "changed": 2, "regress": 1}, result)
        self.assertEqual(status, 1)

    def test_what_is_stopped_wakes_when_the_checker_dies(self):
        with subprocess.Popen([CHECKER, "--users", "2", "--rate", "10", "--seconds", "60", "--faults", "stop-gate",
                               "--stop-seconds", "60"], stdout=subprocess.DEVNULL) as checker:
            try:
                self.assertTrue(eventually(stopped_gates, 40))
            finally:
                checker.kill()
        self.assertTrue(eventually(lambda: not stopped_gates(), 10))

    def test_bad_options_are_refused(self):
        for options in (["--faults", "kill-moon"], ["--users", "1"], ["--env", "/nonexistent"]):
            done = subprocess.run([CHECKER, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 2, options)
            self.assertTrue(done.stderr, options)


if __name__ == "__main__":
    unittest.main()
