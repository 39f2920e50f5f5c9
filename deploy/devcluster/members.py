"""The servers of a cluster, one class a kind: where they listen, how they start, when they are ready.

A member is cheap and holds no state of its own: it is made anew by every call of dev-cluster.
"""

import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from . import configs, ports
from .processes import Process, find_program, marked_environment, write_atomically
from .report import ClusterError, say
from .state import State

READY_SECONDS = 60
UNWELL_SECONDS = 10
NO_ANSWER = "no answer"
LONGEST_SOCKET_PATH = 107  # sockaddr_un
RELAY = Path(__file__).with_name("relay.py")


class Member:
    """Base of all. `defaults` are the ports of the first of its kind; the others lie 10 further each."""

    kind = ""
    defaults: dict[str, int] = {}
    stop_seconds = 10.0

    def __init__(self, folder: Path, state: State, number: int = 1):
        self.folder = folder
        self.state = state
        self.number = number
        self.name = self.kind if self.kind in ("redis", "kafka") else f"{self.kind}-{number}"
        self.process = Process(folder, self.name)

    def default_ports(self) -> dict[str, int]:
        return {f"{self.name}.{key}": port + ports.STEP * (self.number - 1) for key, port in self.defaults.items()}

    def ports(self) -> dict[str, int]:
        return {key: self.state.ports[f"{self.name}.{key}"] for key in self.defaults}

    def address(self, key: str) -> str:
        return f"127.0.0.1:{self.ports()[key]}"

    def outdated(self) -> str | None:
        """Why the running process must be replaced; None when it may stay."""
        return None

    def start(self) -> None:
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it takes work; asked again and again until it does."""
        raise NotImplementedError

    def health(self) -> str:
        return "ok" if self.answers() else NO_ANSWER

    def wait_ready(self) -> None:
        started = time.monotonic()
        said = started
        while True:
            ended = self.process.exit_text()
            if ended:
                raise self.process.failure(ended)
            if self.answers():
                break
            now = time.monotonic()
            if now - started > READY_SECONDS:
                raise self.process.failure(f"is not ready after {READY_SECONDS} s")
            if now - said > 5:
                said = now
                say(f"{self.name}: not ready yet ({self.health()})")
            time.sleep(0.02)
        say(f"{self.name}: ready at {', '.join(self.address(key) for key in self.defaults)}")


class MySqlServer(Member):
    """A private MariaDB that keeps its data in DIR/data; flushes at every commit, as logic demands."""

    kind = "mysql"
    defaults = {"port": 13306}
    stop_seconds = 30.0

    def socket_path(self) -> Path:
        """In DIR, or in this user's short folder when DIR is too long for a socket address."""
        path = self.folder / "data" / f"{self.name}.sock"
        if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
            return path
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        return ports.private_folder() / f"{digest}-{self.name}.sock"

    def databases(self) -> list[tuple[int, str]]:
        """(shard, database) of the shards that live on this server."""
        servers = self.state.mysql_servers
        return [(shard, f"hongyan_{shard}") for shard in range(self.state.shards)
                if shard * servers // self.state.shards == self.number - 1]

    def start(self) -> None:
        program = required_program("mariadbd", "mariadb-server-core")
        data = self.folder / "data" / self.name
        if not data.is_dir():
            _copy_folder(self._template(), data)
        # Read by the server at every start, so everything in it can be repeated.
        init_file = self.folder / "data" / f"{self.name}.init.sql"
        write_atomically(init_file, self._init_sql())
        socket_path = self.socket_path()
        socket_path.unlink(missing_ok=True)
        self.process.start([
            program, "--no-defaults", *_as_root(), f"--datadir={data}", f"--socket={socket_path}",
            f"--tmpdir={self._temporary()}",
            "--bind-address=127.0.0.1", f"--port={self.ports()['port']}", "--skip-name-resolve",
            f"--init-file={init_file}", "--innodb-flush-log-at-trx-commit=1", "--skip-log-bin",
            "--innodb-buffer-pool-size=256M", "--innodb-log-file-size=256M", "--max-connections=500",
            "--max-allowed-packet=16M", "--character-set-server=utf8mb4", "--skip-symbolic-links",
            f"--pid-file={self.folder / 'data' / self.name}.server-pid"])

    def answers(self) -> bool:
        """True when the server greets, at its own socket: at the port it may be another's. It opens both only after
        recovery and the init file."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2)
                connection.connect(str(self.socket_path()))
                greeting = connection.recv(5)
                return len(greeting) == 5 and greeting[4] == 10  # protocol version; 255 is an error
        except OSError:
            return False

    def _temporary(self) -> Path:
        """Of its own: a starting MariaDB deletes the temporary tables of all others in the same folder."""
        folder = self.folder / "data" / f"{self.name}.tmp"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _template(self) -> Path:
        """An empty data directory, made once a DIR and copied for each server."""
        template = self.folder / "data" / "mysql-template"
        if template.is_dir():
            return template
        say("mysql: creating an empty data directory")
        program = required_program("mariadb-install-db", "mariadb-server-core")
        unfinished = template.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        done = subprocess.run(
            [program, "--no-defaults", f"--datadir={unfinished}", f"--tmpdir={self._temporary()}", *_as_root(),
             "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--force",
             "--innodb-log-file-size=8M"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            cwd=self.folder, env=marked_environment(self.folder, "mariadb-install-db"), check=False)
        self.process.log_file.write_text(done.stdout)
        if done.returncode:
            raise self.process.failure("has no data directory: mariadb-install-db failed")
        unfinished.rename(template)
        return template

    def _init_sql(self) -> str:
        """Root gets the same password: mariadb-install-db leaves it without one."""
        password = self.state.mysql_password
        lines = []
        for host in ("localhost", "127.0.0.1"):
            for user in ("root", "hongyan"):
                lines.append(f"CREATE USER IF NOT EXISTS '{user}'@'{host}';")
                lines.append(f"ALTER USER '{user}'@'{host}' IDENTIFIED BY '{password}';")
            lines.append(f"GRANT ALL PRIVILEGES ON *.* TO 'root'@'{host}' WITH GRANT OPTION;")
            lines.append(f"GRANT PROCESS ON *.* TO 'hongyan'@'{host}';")
            lines.append(f"GRANT ALL PRIVILEGES ON `hongyan\\_%`.* TO 'hongyan'@'{host}';")
        lines.append("DELETE FROM mysql.global_priv WHERE Host NOT IN ('localhost', '127.0.0.1');")
        lines.append("FLUSH PRIVILEGES;")
        lines += [f"CREATE DATABASE IF NOT EXISTS `{name}`;" for _, name in self.databases()]
        return "\n".join(lines) + "\n"


class RedisServer(Member):
    """A private Redis without persistence: what it holds can always be rebuilt."""

    kind = "redis"
    defaults = {"port": 16379}

    def start(self) -> None:
        # Debian's redis-tools carries the server's program under this name; it goes by argv[0].
        program = find_program("redis-server") or required_program("redis-check-rdb", "redis-tools")
        self.process.start(
            ["redis-server", "--port", str(self.ports()["port"]), "--bind", "127.0.0.1", "--save", "",
             "--appendonly", "no", "--dir", str(self.folder / "data"), "--set-proc-title", "no"],
            executable=program)

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.ports()["port"]), timeout=2) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG"
        except OSError:
            return False


class Daemon(Member):
    """gate, logic, iplist: a program of ours with a configuration file in DIR/config."""

    def config(self, cluster: "object") -> str:
        raise NotImplementedError

    @property
    def config_file(self) -> Path:
        return self.folder / "config" / f"{self.name}.toml"

    @property
    def audit_file(self) -> Path:
        return self.folder / "log" / f"{self.name}.audit"

    def program(self) -> Path:
        return Path(self.state.build_dir) / "bin" / f"hongyan-{self.kind}"

    def answers(self) -> bool:
        """Its health is asked and not its ports, where a connection that says nothing would be an incident.

        One that stays unwell lives, and need not recover by itself: a store may be away.
        """
        health = self.health()
        if health == "failing" and time.monotonic() - self.process.started < UNWELL_SECONDS:
            return False
        return health != NO_ANSWER

    def write_config(self, cluster) -> bool:
        """True when it differs from what was there."""
        text = self.config(cluster)
        if self.config_file.exists() and self.config_file.read_text() == text:
            return False
        write_atomically(self.config_file, text)
        return True

    def outdated(self) -> str | None:
        running = self.process.executable()
        return None if running == str(self.program().resolve()) else "was built anew"

    def start(self) -> None:
        self.process.start([str(self.program()), "--config", str(self.config_file)])

    def health(self) -> str:
        """The status word of the daemon's own /healthz."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports()["metrics"], timeout=2)
        try:
            connection.request("GET", "/healthz")
            return str(json.loads(connection.getresponse().read()).get("status", "unknown"))
        except (OSError, http.client.HTTPException):
            return NO_ANSWER
        except (ValueError, AttributeError):
            return "unknown"
        finally:
            connection.close()


class Gate(Daemon):
    kind = "gate"
    defaults = {"tcp": 7000, "ws": 7001, "tls": 7443, "wss": 7444, "metrics": 9100}

    def config(self, cluster) -> str:
        return configs.gate(self.name, self.ports(), cluster.shared_config(), certificate=cluster.certificate_file,
                            key=cluster.key_file, audit=self.audit_file)


class Relay(Member):
    """Passes on the links of the logic node with its number, which tells gates to connect here."""

    kind = "relay"
    defaults = {"link": 7300}

    def start(self) -> None:
        self.process.start([sys.executable, "-B", str(RELAY), str(self.ports()["link"]),
                            str(self.state.ports[f"logic-{self.number}.link"])])

    def answers(self) -> bool:
        return not ports.is_free(self.ports()["link"])  # a connection would become one to logic


class Logic(Daemon):
    kind = "logic"
    defaults = {"link": 7100, "api": 7180, "metrics": 9101}
    stop_seconds = 20.0

    def config(self, cluster) -> str:
        return configs.logic(
            self.name, self.number, self.ports(), cluster.shared_config(), redis=cluster.redis.address("port"),
            user="hongyan", password=self.state.mysql_password, api_key=self.state.api_key,
            token_secret=self.state.token_secret, audit=self.audit_file,
            shards=[(f"unix:{server.socket_path()}", database) for server, _, database in cluster.shards()],
            kafka=cluster.kafka.address("port") if cluster.kafka else "",
            advertise=cluster.relays[self.number - 1].address("link") if cluster.relays else "",
            large_threshold=self.state.large_threshold, user_limits=self.state.user_limits,
            share_slots=self.state.share_slots)


class Iplist(Daemon):
    kind = "iplist"
    defaults = {"clients": 7200, "heartbeats": 7201, "metrics": 9102}

    def config(self, cluster) -> str:
        return configs.iplist(self.ports(), cluster.shared_config(), token_secret=self.state.token_secret,
                              web_root=str(self.web_root()) if self.has_page() else "", audit=self.audit_file)

    def web_root(self) -> Path:
        return Path(self.state.build_dir) / "page"

    def has_page(self) -> bool:
        """Where npm is missing, none was built."""
        return (self.web_root() / "index.html").exists()

    def outdated(self) -> str | None:
        """The page, too, is read at the start."""
        built = self.web_root() / "index.html"
        if self.has_page() and built.stat().st_mtime > self.process.pid_file.stat().st_mtime:
            return "has a page that was built anew"
        return super().outdated()


def required_program(program: str, package: str, package_list: str = "run") -> str:
    path = find_program(program)
    if path is None:
        raise ClusterError(
            f"{program} is not installed (package {package}): run deploy/install-packages {package_list}")
    return path


def _as_root() -> list[str]:
    """MariaDB refuses to run as root unless told so."""
    return ["--user=root"] if os.geteuid() == 0 else []


def _copy_folder(source: Path, target: Path) -> None:
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished)
    unfinished.rename(target)
