"""The private Kafka of a cluster: one broker that is its own controller (KRaft), from jars of Maven Central."""

import base64
import fcntl
import hashlib
import os
import secrets
import shutil
import socket
import struct
import subprocess
from pathlib import Path

from . import configs
from .members import Member, required_program
from .processes import marked_environment, write_atomically
from .report import ClusterError, say

POM = Path(__file__).resolve().parents[1] / "kafka" / "pom.xml"
PACKAGE = "default-jre-headless"
JAVA_OPTIONS = ["-Xms256m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
METADATA = 3  # of Kafka's protocol
NO_TOPICS = struct.pack(">hhihi", METADATA, 1, 1, -1, 0)


def cache_folder() -> Path:
    """Shared by all clusters of the user; named by the pom, so that another version is fetched anew."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "hongyan" / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"


def fetch_jars() -> Path:
    """The folder with the jars; Maven downloads them the first time."""
    folder = cache_folder()
    if folder.is_dir():
        return folder
    maven = required_program("mvn", "maven", "kafka")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with open(folder.with_suffix(".lock"), "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.is_dir():
            return folder
        say("kafka: fetching the broker's jars (about 46 MB, once)")
        unfinished = folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        done = subprocess.run(
            [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={unfinished}",
             "-DincludeScope=runtime"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode or not unfinished.is_dir():
            raise ClusterError(f"Maven could not fetch Kafka (dev-cluster up --no-kafka does without):\n{done.stdout}")
        unfinished.rename(folder)
    return folder


class KafkaServer(Member):
    """Topics come into being when they are first asked for, with four partitions; every message is flushed to disk."""

    kind = "kafka"
    defaults = {"port": 19092, "controller": 19093}
    stop_seconds = 30.0

    def start(self) -> None:
        java = required_program("java", PACKAGE, "kafka")
        command = [java, *JAVA_OPTIONS, "-cp", f"{fetch_jars()}/*"]
        properties = self.folder / "config" / "kafka.properties"
        write_atomically(properties, configs.kafka(self.ports(), self._data()))
        if not (self._data() / "meta.properties").exists():
            self._format(command, properties)
        self.process.start([*command, "kafka.Kafka", str(properties)])

    def answers(self) -> bool:
        """True when it knows a broker that serves, itself: it leaves out one that is not ready."""
        try:
            with socket.create_connection(("127.0.0.1", self.ports()["port"]), timeout=2) as connection:
                connection.sendall(struct.pack(">i", len(NO_TOPICS)) + NO_TOPICS)
                answer = b""
                while len(answer) < 12:  # size, correlation id, number of brokers
                    chunk = connection.recv(4096)
                    if not chunk:
                        return False
                    answer += chunk
                return struct.unpack_from(">i", answer, 8)[0] > 0
        except OSError:
            return False

    def _data(self) -> Path:
        return self.folder / "data" / "kafka"

    def _format(self, command: list[str], properties: Path) -> None:
        shutil.rmtree(self._data(), ignore_errors=True)  # of a start that was interrupted
        cluster_id = base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")
        done = subprocess.run(
            [*command, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster_id}", "-c", str(properties)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=marked_environment(self.folder, "kafka-format"), check=False)
        if done.returncode:
            self.process.log_file.write_text(done.stdout)
            raise self.process.failure("has no data directory: formatting failed")
