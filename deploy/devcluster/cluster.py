"""A whole cluster in one folder: its members, up and down, and what it tells others (DIR/env)."""

import fcntl
import os
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from . import certificates, configs, message, ports
from .kafka import KafkaServer
from .members import UNWELL_SECONDS, Daemon, Gate, Iplist, Logic, Member, MySqlServer, RedisServer, Relay
from .processes import Process, end_all, marked_environment, processes_of, write_atomically
from .report import ClusterError, say
from .state import State

REPO = Path(__file__).resolve().parents[2]
OPTIONS = ("gates", "logics", "iplists", "mysql_servers", "shards", "kafka", "large_threshold", "share_slots",
           "link_relays", "user_limits")  # of `up`, kept in the state


class Cluster:
    """Members in the order in which they start. Verbs that change something hold lock()."""

    def __init__(self, folder: Path, state: State):
        self.folder = folder
        self.state = state
        self.mysqls = [MySqlServer(folder, state, n + 1) for n in range(state.mysql_servers)]
        self.redis = RedisServer(folder, state)
        self.kafka = KafkaServer(folder, state) if state.kafka else None
        self.stores: list[Member] = [*self.mysqls, self.redis, *([self.kafka] if self.kafka else [])]
        self.iplists = [Iplist(folder, state, n + 1) for n in range(state.iplists)]
        self.logics = [Logic(folder, state, n + 1) for n in range(state.logics)]
        self.relays = [Relay(folder, state, n + 1) for n in range(state.logics)] if state.link_relays else []
        self.gates = [Gate(folder, state, n + 1) for n in range(state.gates)]
        self.certificate_file = certificates.certificate_file(folder)
        self.key_file = certificates.key_file(folder)
        self.members: list[Member] = [*self.stores, *self.iplists, *self.relays, *self.logics, *self.gates]

    @staticmethod
    def load(folder: Path) -> "Cluster":
        state = State.load(folder)
        if state is None:
            raise ClusterError(f"there is no cluster in {folder}: dev-cluster up makes one")
        return Cluster(folder, state)

    @staticmethod
    def prepare(folder: Path, options: dict) -> "Cluster":
        """The cluster that `up` is to bring about: what is stored in `folder`, changed by `options`."""
        for name in ("", "pids", "log", "config", "data"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        state = State.load(folder)
        if state is None:
            state = State(build_dir=options.get("build_dir") or _default_build_dir())
        else:
            for key, what in (("mysql_servers", "MariaDB servers"), ("shards", "shards")):
                if options.get(key, getattr(state, key)) != getattr(state, key):
                    raise ClusterError(f"{folder} holds data on {getattr(state, key)} {what}; "
                                       "another number needs a new --dir, or: dev-cluster down --remove")
        for key, value in options.items():
            setattr(state, key, value)
        if state.mysql_servers > state.shards:
            raise ClusterError(f"{state.mysql_servers} MariaDB servers need as many shards")
        return Cluster(folder, state)

    def member(self, name: str) -> Member:
        for member in self.members:
            if member.name == name:
                return member
        raise ClusterError(f"no member {name!r}; there are: {' '.join(member.name for member in self.members)}")

    def shards(self) -> list[tuple[MySqlServer, int, str]]:
        """(server, shard, database) in shard order."""
        return [(server, shard, database) for server in self.mysqls for shard, database in server.databases()]

    def shared_config(self) -> dict:
        """[cluster] of every daemon. Without an iplist, the links of the logic nodes are a fixed list."""
        fixed = [] if self.iplists else [node.address("link") for node in self.relays or self.logics]
        return {"secret": self.state.cluster_secret,
                "iplists": [iplist.address("heartbeats") for iplist in self.iplists], "logic_nodes": fixed}

    def has_page(self) -> bool:
        return bool(self.iplists) and self.iplists[0].has_page()

    def environment(self) -> dict[str, str]:
        """Content of DIR/env; the keys are documented in docs/operations.md."""
        values = {
            "HONGYAN_DIR": str(self.folder),
            "HONGYAN_GATES": " ".join(gate.address("tcp") for gate in self.gates),
            **{f"HONGYAN_GATES_{kind.upper()}": " ".join(gate.address(kind) for gate in self.gates)
               for kind in ("ws", "tls", "wss")},
            "HONGYAN_CA": str(certificates.ca_file(self.folder)),
            "HONGYAN_IPLIST": f"http://{self.iplists[0].address('clients')}" if self.iplists else "",
            "HONGYAN_WEB": f"http://{self.iplists[0].address('clients')}/" if self.has_page() else "",
            "HONGYAN_API": f"http://{self.logics[0].address('api')}",
            "HONGYAN_API_KEY": self.state.api_key,
            "HONGYAN_APP": configs.APP,
            "HONGYAN_TOKEN_SECRET": self.state.token_secret,
            "HONGYAN_REDIS": self.redis.address("port"),
            "HONGYAN_KAFKA": self.kafka.address("port") if self.kafka else "",
        }
        for server, shard, _ in self.shards():
            values[f"HONGYAN_MYSQL_{shard}"] = server.address("port")
        values["HONGYAN_MYSQL_USER"] = "hongyan"
        values["HONGYAN_MYSQL_PASSWORD"] = self.state.mysql_password
        values["HONGYAN_MYSQL_DATABASES"] = " ".join(database for _, _, database in self.shards())
        values["HONGYAN_PIDS"] = str(self.folder / "pids")
        return values

    def up(self) -> None:
        self._require_programs()
        self._stop_surplus()
        self._reserve_ports()
        certificates.ensure(self.folder)
        self.state.save(self.folder)
        write_atomically(self.folder / "env", "".join(
            f'{key}="{value}"\n' if " " in value else f"{key}={value}\n"
            for key, value in self.environment().items()))
        changed = {daemon.name for daemon in self.members
                   if isinstance(daemon, Daemon) and daemon.write_config(self)}
        self._start_missing(self.stores, changed)
        self._apply_schema()
        self._start_missing([*self.iplists, *self.relays], changed)
        # Those that share start together, so that each gets its part; else the first one leads.
        for logics in [self.logics] if self.state.share_slots else [[logic] for logic in self.logics]:
            self._start_missing(logics, changed)
        self._start_missing(self.gates, changed)
        self._wait_well()
        message.await_message(self)

    def down(self) -> int:
        """Returns how many processes were ended, those without a pid file included."""
        return stop_everything(self.folder, self.members)

    def start(self, member: Member) -> None:
        """Start of one member, ready on return; a port taken meanwhile is an error, not changed."""
        for key, port in member.ports().items():
            if not ports.becomes_free(port):
                raise ClusterError(f"{member.name}: port {port} ({key}) is taken by another process")
        if isinstance(member, Daemon):
            member.write_config(self)
        say(f"{member.name}: starting")
        member.start()
        member.wait_ready()

    def _start_missing(self, members: list[Member], changed: set[str]) -> None:
        """Members of one kind at once: all are started, then each is waited for."""
        started = []
        for member in members:
            if member.process.pid():
                reason = "has a new configuration" if member.name in changed else member.outdated()
                if reason is None:
                    continue
                say(f"{member.name}: {reason}, restarting")
                member.process.stop(member.stop_seconds)
            else:
                say(f"{member.name}: starting")
            member.start()
            started.append(member)
        for member in started:
            member.wait_ready()

    def _wait_well(self) -> None:
        """Until all members say ok: a gate, for one, learns of the last shard a moment after the first.

        Not for long: one that stays unwell is told and lives, a store of a user's own making may be away.
        """
        patience = time.monotonic() + UNWELL_SECONDS
        while unwell := [f"{member.name} says {health}" for member in self.members if (health := member.health()) != "ok"]:
            if time.monotonic() > patience:
                say("; ".join(unwell))
                return
            time.sleep(0.05)

    def _require_programs(self) -> None:
        daemons = sorted({member.program() for member in self.members if isinstance(member, Daemon)})
        tools = [Path(self.state.build_dir) / "bin" / name for name in ("hongyan-chat", "hongyanctl")]
        missing = [program.name for program in [*daemons, *tools] if not os.access(program, os.X_OK)]
        if missing:
            raise ClusterError(f"{self.state.build_dir}/bin lacks {', '.join(missing)}; build first: "
                               "cmake --preset release && cmake --build --preset release")

    def _stop_surplus(self) -> None:
        """Ends members that an earlier `up` had and this one has no more, and strays without a pid file."""
        known = {member.process.pid() for member in self.members}
        for pid, name in processes_of(self.folder).items():
            if pid not in known:
                process = Process(self.folder, name)
                say(f"{name}: pid {pid} is not wanted any more, stopping")
                if process.pid() == pid:
                    process.stop(10)
                else:
                    end_all([pid], 10)

    def _reserve_ports(self) -> None:
        defaults = {key: port for member in self.members for key, port in member.default_ports().items()}
        alive = {key for member in self.members if member.process.pid() for key in member.default_ports()}
        self.state.ports = ports.reserve(self.folder, defaults, self.state.ports, alive)

    def _apply_schema(self) -> None:
        program = Path(self.state.build_dir) / "bin" / "hongyanctl"
        environment = marked_environment(self.folder, "hongyanctl") | {
            "HONGYAN_MYSQL_PASSWORD": self.state.mysql_password}
        for server, shard, database in self.shards():
            done = subprocess.run(
                [program, "schema", "apply", "--socket", server.socket_path(), "--user", "hongyan",
                 "--database", database, "--slots", configs.shard_slots(shard, self.state.shards), "--map-version", "1",
                 "--sql-dir", REPO / "deploy" / "sql"],
                env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, check=False)
            if done.returncode:
                raise ClusterError(f"schema of {database}: hongyanctl ended with status {done.returncode}: "
                                   f"{done.stdout.strip()}. Log: {server.process.log_file}")
        say(f"schema applied to {self.state.shards} databases")


@contextmanager
def lock(folder: Path):
    """One changing verb at a time a cluster. The lock ends with the process, however that ends."""
    if not folder.is_dir():
        raise ClusterError(f"there is no cluster in {folder}: dev-cluster up makes one")
    with open(folder / "lock", "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another dev-cluster that works on {folder}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def stop_everything(folder: Path, members: list[Member]) -> int:
    """Daemons first and politely, so that they can finish their work on the stores."""
    count = 0
    stores = [member for member in members if isinstance(member, (MySqlServer, RedisServer, KafkaServer))]
    daemons = [member for member in members if member not in stores]
    for group in (daemons, stores):
        running = [(member, life) for member in group if (life := member.process.terminate())]
        count += len(running)
        for member, life in running:
            say(f"{member.name}: {member.process.stop(member.stop_seconds, life)}")
    strays = processes_of(folder)
    if strays:
        say(f"ending {len(strays)} processes without a pid file: {' '.join(sorted(strays.values()))}")
        end_all(list(strays), 5)
    ports.release(folder)
    return count + len(strays)


def _default_build_dir() -> str:
    for preset in ("release", "dev"):
        if (REPO / "build" / preset / "bin" / "hongyan-gate").exists():
            return str(REPO / "build" / preset)
    return str(REPO / "build" / "release")
