"""dev-cluster without any server: ports, trusted pids, files it writes."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import tomllib
import unittest
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
sys.dont_write_bytecode = True
sys.path.insert(0, str(REPO / "deploy"))

from devcluster import configs, ports  # noqa: E402
from devcluster.cluster import Cluster, stop_everything  # noqa: E402
from devcluster.processes import MARKER, Life, Process, processes_of  # noqa: E402
from devcluster.report import ClusterError, set_quiet  # noqa: E402
from devcluster.state import State  # noqa: E402

set_quiet(True)


def reserve_in(folder: str) -> list[int]:
    return list(ports.reserve(Path(folder), {"a": 20000, "b": 20001}, {}, set()).values())


class TemporaryFolderTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="hy-unit-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name).resolve()
        for name in ("pids", "log", "config", "data"):
            (self.folder / name).mkdir()
        self.addCleanup(stop_everything, self.folder, [])


class PortsTest(TemporaryFolderTest):
    def test_default_is_taken_when_free_and_kept_later(self):
        first = ports.reserve(self.folder, {"x": 20500}, {}, set())
        again = ports.reserve(self.folder, {"x": 20500}, first, set())
        self.assertEqual(first, again)

    def test_listening_port_is_passed_over(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
            self.assertFalse(ports.is_free(port))
        self.assertTrue(ports.is_free(port))

    def test_closed_connections_do_not_hold_a_port(self):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as every daemon does
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            port = listener.getsockname()[1]
            client = socket.create_connection(("127.0.0.1", port))
            listener.accept()[0].close()  # this side closes first and keeps TIME_WAIT
            client.close()
        self.assertTrue(ports.is_free(port))

    def test_clusters_that_start_at_the_same_moment_get_different_ports(self):
        folders = []
        for number in range(6):
            folder = self.folder / str(number)
            folder.mkdir()
            self.addCleanup(ports.release, folder)
            folders.append(str(folder))
        with ProcessPoolExecutor(6) as pool:
            chosen = [port for result in pool.map(reserve_in, folders) for port in result]
        self.assertEqual(len(chosen), 12)
        self.assertEqual(len(set(chosen)), 12)

    def test_reservation_of_a_deleted_folder_counts_no_more(self):
        gone = self.folder / "gone"
        gone.mkdir()
        port = ports.reserve(gone, {"x": 20700}, {}, set())["x"]
        gone.rmdir()
        self.assertEqual(ports.reserve(self.folder, {"x": port}, {}, set())["x"], port)


class ProcessTest(TemporaryFolderTest):
    def start(self, name: str, command: str) -> Process:
        process = Process(self.folder, name)
        process.start(["/bin/sh", "-c", command])
        return process

    def test_kill_leaves_nothing(self):
        process = self.start("a", "exec sleep 60")
        pid = process.pid()
        self.assertEqual(process.pid_file.read_text(), f"{pid}\n")
        self.assertEqual(os.getsid(pid), pid)
        self.assertTrue(process.kill())
        self.assertIsNone(process.pid())
        self.assertFalse(process.pid_file.exists())
        self.assertFalse(process.kill())

    def test_foreign_process_under_the_pid_is_not_trusted(self):
        process = Process(self.folder, "a")
        process.pid_file.write_text(f"{os.getpid()}\n")
        self.assertIsNone(process.pid())
        self.assertEqual(process.stop(1), "was not running")

    def test_member_of_another_cluster_is_not_trusted(self):
        environment = dict(os.environ) | {MARKER: "/another/cluster:a"}
        stranger = subprocess.Popen(["sleep", "60"], env=environment)
        self.addCleanup(stranger.wait)
        self.addCleanup(stranger.kill)
        process = Process(self.folder, "a")
        process.pid_file.write_text(f"{stranger.pid}\n")
        self.assertIsNone(process.pid())

    def test_zombie_is_dead(self):
        environment = dict(os.environ) | {MARKER: f"{self.folder}:a"}
        child = subprocess.Popen(["sleep", "60"], env=environment)
        process = Process(self.folder, "a")
        process.pid_file.write_text(f"{child.pid}\n")
        self.assertEqual(process.pid(), child.pid)
        life = Life(child.pid)
        child.send_signal(signal.SIGKILL)
        self.assertTrue(life.wait(5))
        self.assertIn("\nState:\tZ", Path(f"/proc/{child.pid}/status").read_text())
        self.assertIsNone(process.pid())
        child.wait()

    def test_stubborn_process_is_killed_and_a_stopped_one_is_woken(self):
        stubborn = self.start("a", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
        while "ready" not in stubborn.log_file.read_text():
            self.assertIsNotNone(stubborn.pid())
        self.assertIn("was killed", stubborn.stop(0.3))
        stopped = self.start("b", "exec sleep 60")
        os.kill(stopped.pid(), signal.SIGSTOP)
        self.assertEqual(stopped.stop(5), "stopped")

    def test_everything_is_found_without_pid_files(self):
        process = self.start("a", "exec sleep 60")
        pid = process.pid()
        process.pid_file.unlink()
        self.assertEqual(processes_of(self.folder), {pid: "a"})
        self.assertEqual(stop_everything(self.folder, []), 1)
        self.assertEqual(processes_of(self.folder), {})

    def test_failure_names_the_log_and_quotes_only_this_start(self):
        process = Process(self.folder, "a")
        process.log_file.write_text("an older word\n")
        process.start(["/bin/sh", "-c", "echo port 7000 is taken; exit 3"])
        while not (text := process.exit_text()):
            pass
        error = str(process.failure(text))
        self.assertIn("exit status 3", error)
        self.assertIn(str(process.log_file), error)
        self.assertIn("port 7000 is taken", error)
        self.assertNotIn("older", error)


class FilesTest(TemporaryFolderTest):
    def cluster(self, **options) -> Cluster:
        cluster = Cluster(self.folder, State(build_dir="/nowhere", **options))
        for member in cluster.members:
            cluster.state.ports |= member.default_ports()
        return cluster

    def test_env_has_the_documented_keys(self):
        values = self.cluster(gates=2, mysql_servers=2).environment()
        documented = (REPO / "docs" / "operations.md").read_text()
        for key in values:
            self.assertIn(key.rstrip("0123") if key.startswith("HONGYAN_MYSQL_") else key, documented)
        self.assertEqual(values["HONGYAN_GATES"], "127.0.0.1:7000 127.0.0.1:7010")
        self.assertEqual(values["HONGYAN_GATES_WS"], "127.0.0.1:7001 127.0.0.1:7011")
        self.assertEqual(values["HONGYAN_GATES_TLS"], "127.0.0.1:7443 127.0.0.1:7453")
        self.assertEqual(values["HONGYAN_GATES_WSS"], "127.0.0.1:7444 127.0.0.1:7454")
        self.assertEqual(values["HONGYAN_MYSQL_1"], "127.0.0.1:13306")
        self.assertEqual(values["HONGYAN_MYSQL_2"], "127.0.0.1:13316")
        self.assertEqual(values["HONGYAN_MYSQL_DATABASES"].split(), [f"hongyan_{n}" for n in range(4)])

    def test_logic_config_covers_every_slot(self):
        cluster = self.cluster(logics=2, mysql_servers=4)
        text = tomllib.loads(cluster.logics[1].config(cluster))
        self.assertEqual(text["logic"]["node"], 2)
        slots = []
        for shard in text["mysql"]["shards"]:
            first, last = map(int, shard["slots"].split("-"))
            slots += range(first, last + 1)
        self.assertEqual(slots, list(range(configs.SLOTS)))
        self.assertEqual(text["cluster"]["iplists"], ["127.0.0.1:7201"])
        self.assertEqual(text["cluster"]["logic_nodes"], [])

    def test_kafka_is_there_when_asked_for(self):
        without = self.cluster()
        self.assertEqual(without.environment()["HONGYAN_KAFKA"], "")
        self.assertEqual(tomllib.loads(without.logics[0].config(without))["kafka"]["brokers"], [])
        cluster = self.cluster(kafka=True)
        self.assertIn("kafka", [member.name for member in cluster.members])
        self.assertEqual(cluster.environment()["HONGYAN_KAFKA"], "127.0.0.1:19092")
        self.assertEqual(tomllib.loads(cluster.logics[0].config(cluster))["kafka"]["brokers"], ["127.0.0.1:19092"])
        properties = dict(line.split("=", 1) for line in configs.kafka(cluster.kafka.ports(), "/data").splitlines())
        self.assertEqual(properties["log.flush.interval.messages"], "1")
        self.assertEqual(properties["advertised.listeners"], "PLAINTEXT://127.0.0.1:19092")

    def test_relays_stand_before_the_logic_nodes(self):
        without = self.cluster()
        self.assertEqual(tomllib.loads(without.logics[0].config(without))["link"]["advertise"], "")
        cluster = self.cluster(logics=2, link_relays=True)
        link = tomllib.loads(cluster.logics[1].config(cluster))["link"]
        self.assertEqual(link, {"listen": "127.0.0.1:7110", "advertise": "127.0.0.1:7310"})
        self.assertEqual([relay.name for relay in cluster.relays], ["relay-1", "relay-2"])
        fixed = self.cluster(logics=2, iplists=0, link_relays=True)
        self.assertEqual(fixed.shared_config()["logic_nodes"], ["127.0.0.1:7300", "127.0.0.1:7310"])

    def test_large_threshold_is_written_when_told(self):
        without = self.cluster()
        self.assertNotIn("group", tomllib.loads(without.logics[0].config(without)))
        told = self.cluster(large_threshold=5)
        self.assertEqual(tomllib.loads(told.logics[0].config(told))["group"], {"large_threshold": 5})

    def test_users_are_bounded_unless_told(self):
        def app(cluster):
            return tomllib.loads(cluster.logics[0].config(cluster))["apps"][0]

        self.assertNotIn("user_fan_out_per_second", app(self.cluster()))
        self.assertEqual(app(self.cluster(user_limits=False))["user_fan_out_per_second"], 0)

    def test_without_iplist_the_nodes_are_a_fixed_list(self):
        cluster = self.cluster(logics=2, iplists=0)
        text = tomllib.loads(cluster.gates[0].config(cluster))
        self.assertEqual(text["cluster"]["logic_nodes"], ["127.0.0.1:7100", "127.0.0.1:7110"])
        self.assertEqual(cluster.environment()["HONGYAN_IPLIST"], "")

    def test_secrets_are_the_users_own_and_stay(self):
        state = State(build_dir="/nowhere")
        state.save(self.folder)
        self.assertEqual((self.folder / "state.json").stat().st_mode & 0o777, 0o600)
        self.assertEqual(State.load(self.folder), state)
        self.assertNotEqual(State(build_dir="/nowhere").api_key, state.api_key)

    def test_data_does_not_move_between_numbers_of_servers(self):
        State(build_dir="/nowhere").save(self.folder)
        with self.assertRaises(ClusterError):
            Cluster.prepare(self.folder, {"mysql_servers": 2})

    def test_socket_of_a_long_folder_has_a_short_path(self):
        deep = self.folder / ("x" * 100)
        server = Cluster(deep, State(build_dir="/nowhere")).mysqls[0]
        self.assertLessEqual(len(os.fsencode(server.socket_path())), 107)


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # daemons outlive their Popen
