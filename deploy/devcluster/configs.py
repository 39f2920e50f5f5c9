"""The daemons' configuration files: the one place that knows their keys (docs/operations.md)."""

import hashlib
import json

SLOTS = 4096
APP = "demo"
UPLOAD_DESTINATIONS = ["orders", "feedback"]


def shard_slots(shard: int, shards: int) -> str:
    """The slots of one of `shards` shards as its configuration writes them: "0-1023"."""
    width = SLOTS // shards
    return f"{shard * width}-{(shard + 1) * width - 1}"


def _value(value) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def _toml(sections: list[tuple[str, dict]]) -> str:
    blocks = []
    for heading, values in sections:
        lines = ([heading] if heading else []) + [f"{key} = {_value(value)}" for key, value in values.items()]
        blocks.append("\n".join(lines))
    return "# Written by dev-cluster, at every start anew.\n" + "\n\n".join(blocks) + "\n"


def _common(cluster: dict, metrics_port: int, audit: object) -> list[tuple[str, dict]]:
    return [("[cluster]", cluster), ("[metrics]", {"listen": f"127.0.0.1:{metrics_port}"}),
            ("[log]", {"level": "info"}), ("[audit]", {"file": str(audit)})]


def gate(name: str, ports: dict[str, int], cluster: dict, *, certificate: object, key: object,
         audit: object) -> str:
    return _toml([("[gate]", {"name": name, "workers": 2}),
                  ("[listen]", {kind: f"127.0.0.1:{ports[kind]}" for kind in ("tcp", "tls", "ws", "wss")}),
                  ("[tls]", {"certificate_file": str(certificate), "key_file": str(key)}),
                  ("[admission]", {"exempt": ["127.0.0.1", "::1"]}),  # benchmarks and the checker are one address
                  ("[websocket]", {"origins": ["http://127.0.0.1:*", "http://localhost:*"]})]
                 + _common(cluster, ports["metrics"], audit))


def logic(name: str, node: int, ports: dict[str, int], cluster: dict, *, redis: str, user: str, password: str,
          shards: list[tuple[str, str]], api_key: str, token_secret: str, kafka: str, advertise: str,
          large_threshold: int, user_limits: bool, share_slots: bool, audit: object) -> str:
    """`shards`: (address, database) in shard order. `kafka`: address of the broker, "" without one.
    `advertise`: what gates connect to, "" for the link port itself. `large_threshold`: members beyond which a group is
    large, 0 for the default. `user_limits`: whether one user's bytes a second are bounded."""
    tables = [("[[mysql.shards]]", {"name": str(shard), "address": address, "database": database,
                                    "slots": shard_slots(shard, len(shards))})
              for shard, (address, database) in enumerate(shards)]
    key = {"sha256": hashlib.sha256(api_key.encode()).hexdigest(),
           "rights": ["messages", "tokens", "presence", "kick", "groups", "users", "ban"]}
    app = {"id": APP, "token_secret": token_secret, "upload_destinations": UPLOAD_DESTINATIONS}
    if not user_limits:
        app.update({f"user_{what}_per_second": 0 for what in ("fan_out", "upload", "pull")})
    return _toml([("", {"dev": True}),
                  ("[logic]", {"name": name, "node": node, "threads": 2, "share_slots": share_slots}),
                  ("[link]", {"listen": f"127.0.0.1:{ports['link']}", "advertise": advertise}),
                  ("[api]", {"listen": f"127.0.0.1:{ports['api']}"}),
                  ("[redis]", {"address": redis}),
                  ("[kafka]", {"brokers": [kafka] if kafka else []}),
                  *([("[group]", {"large_threshold": large_threshold})] if large_threshold else []),
                  ("[mysql]", {"user": user, "password": password, "map_version": 1}),
                  *tables, ("[[apps]]", app), ("[[apps.api_keys]]", key)]
                 + _common(cluster, ports["metrics"], audit))


def kafka(ports: dict[str, int], data: object) -> str:
    """Times are short, so that a restart after kill -9 takes seconds. Each message is on disk before it is confirmed."""
    listeners = f"PLAINTEXT://127.0.0.1:{ports['port']},CONTROLLER://127.0.0.1:{ports['controller']}"
    values = {
        "process.roles": "broker,controller", "node.id": 1,
        "controller.quorum.voters": f"1@127.0.0.1:{ports['controller']}",
        "listeners": listeners, "advertised.listeners": listeners.split(",")[0],
        "controller.listener.names": "CONTROLLER", "log.dirs": data,
        "auto.create.topics.enable": "true", "num.partitions": 4,
        "log.flush.interval.messages": 1,
        "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 1,
        "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        "num.network.threads": 1, "num.io.threads": 2, "log.cleaner.dedupe.buffer.size": 4 << 20,
        "broker.session.timeout.ms": 2000, "broker.heartbeat.interval.ms": 500,
        "controller.quorum.election.timeout.ms": 200, "controller.quorum.fetch.timeout.ms": 500,
        "controller.quorum.election.backoff.max.ms": 200,
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


def iplist(ports: dict[str, int], cluster: dict, *, token_secret: str, web_root: str, audit: object) -> str:
    """`web_root`: folder of the built page, "" without one."""
    return _toml([("", {"dev": True}),
                  ("[listen]", {"clients": f"127.0.0.1:{ports['clients']}",
                                "heartbeats": f"127.0.0.1:{ports['heartbeats']}"}),
                  ("[web]", {"root": web_root}),
                  ("[demo]", {"app_id": APP, "token_secret": token_secret})]
                 + _common(cluster, ports["metrics"], audit))
