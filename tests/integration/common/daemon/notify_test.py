"""What the daemons tell systemd, heard by a notify socket of the test's own. A single thread is made to stand still by ptrace."""

import contextlib
import os
import select
import signal
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(os.environ["HONGYAN_REPO"]) / "tests" / "support"))

from lone_daemon import CONFIGS, LoneDaemon  # noqa: E402
from stopped_thread import StoppedThread, threads  # noqa: E402

WATCHDOG = 0.4  # seconds
LONG = 30  # for what must come

LOOPS = {  # threads that run an event loop, by the names that the system shows
    "hongyan-gate": {"gate-main", "gate-0", "gate-1", "admin"},
    "hongyan-iplist": {"iplist", "link-accept", "admin"},
    "hongyan-logic": {"slots-0", "slots-1", "control", "link-accept", "admin"},
}


class Daemon(LoneDaemon):
    """Told where to notify. MySQL and Redis are away: a daemon that waits for them is ready all the same."""

    def __init__(self, program: str, watchdog: bool = True):
        self._notify = tempfile.TemporaryDirectory(prefix="hy-notify-")
        path = str(Path(self._notify.name) / "socket")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        super().__init__(program, {"NOTIFY_SOCKET": path} | ({"WATCHDOG_USEC": str(int(WATCHDOG * 1e6))} if watchdog else {}))

    def __exit__(self, *_):
        super().__exit__()
        self.socket.close()
        self._notify.cleanup()

    def hear(self, seconds: float) -> dict[str, str] | None:
        """The next datagram; None when none comes in time."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        return dict(line.split("=", 1) for line in self.socket.recv(65536).decode().split("\n"))

    def hear_until(self, holds) -> list[dict[str, str]]:
        heard = []
        end = time.monotonic() + LONG
        while not heard or not holds(heard[-1]):
            said = self.hear(max(0.0, end - time.monotonic()))
            assert said is not None, f"not said; the last of {len(heard)}: {heard[-3:]}; log:\n{self.log()}"
            heard.append(said)
        return heard

    def ready(self) -> dict[str, str]:
        return self.hear_until(lambda said: "READY" in said)[-1]


class NotifyTest(unittest.TestCase):
    @contextlib.contextmanager
    def stopped(self, thread: int):
        with contextlib.ExitStack() as held:
            try:
                held.enter_context(StoppedThread(thread))
            except PermissionError as error:
                self.skipTest(str(error))
            yield

    def test_ready_once_it_listens(self):
        for program in CONFIGS:
            with self.subTest(program), Daemon(program, watchdog=False) as daemon:
                said = daemon.ready()
                self.assertRegex(said["STATUS"], "^(ok|degraded|failing)")
                for port in (daemon.port, daemon.metrics):
                    socket.create_connection(("127.0.0.1", port), timeout=LONG).close()

    def test_stopping_at_sigterm(self):
        for program in CONFIGS:
            with self.subTest(program), Daemon(program) as daemon:
                daemon.ready()
                daemon.process.send_signal(signal.SIGTERM)
                said = daemon.hear_until(lambda said: "STOPPING" in said)[-1]
                self.assertEqual(said["STATUS"], "stopping: SIGTERM")
                self.assertEqual(daemon.process.wait(LONG), 0, daemon.log())

    def test_status_tells_what_is_missing(self):
        with Daemon("hongyan-logic") as daemon:
            said = daemon.ready()
            if "mysql_shard_0" not in said["STATUS"]:
                said = daemon.hear_until(lambda said: "mysql_shard_0" in said.get("STATUS", ""))[-1]
            self.assertRegex(said["STATUS"], "^(degraded|failing): .*mysql_shard_0: ")

    def test_no_watchdog_unless_it_is_asked_for(self):
        with Daemon("hongyan-iplist", watchdog=False) as daemon:
            daemon.ready()
            self.assertIsNone(daemon.hear(2 * WATCHDOG))

    def test_watchdog_is_fed(self):
        for program in CONFIGS:
            with self.subTest(program), Daemon(program) as daemon:
                daemon.ready()
                for _ in range(5):
                    daemon.hear_until(lambda said: "WATCHDOG" in said)

    def test_watchdog_is_not_fed_while_any_loop_stands_still(self):
        for program, loops in LOOPS.items():
            with Daemon(program) as daemon:
                daemon.ready()
                daemon.hear_until(lambda said: "WATCHDOG" in said)
                found = threads(daemon.process.pid)
                self.assertEqual(loops - set(found), set())
                for name in sorted(loops) + ["main"]:
                    with self.subTest(f"{program}: {name}"):
                        still = f"event loops stand still: {name}"
                        with self.stopped(daemon.process.pid if name == "main" else found[name]):
                            daemon.hear_until(lambda said: said.get("STATUS") == still)
                            said = daemon.hear(WATCHDOG)
                            self.assertNotIn("WATCHDOG", said or {})
                        daemon.hear_until(lambda said: "WATCHDOG" in said)
                        self.assertIsNone(daemon.process.poll())
                daemon.process.send_signal(signal.SIGTERM)
                self.assertEqual(daemon.process.wait(LONG), 0)
                self.assertIn("event loops stand still loops=", daemon.log())
                self.assertIn("all event loops run again", daemon.log())


if __name__ == "__main__":
    unittest.main()
