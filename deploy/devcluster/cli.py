"""Verbs and options of deploy/dev-cluster."""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from .cluster import OPTIONS, REPO, Cluster, lock, stop_everything
from .processes import processes_of
from .report import ClusterError, set_quiet

NOT_ALL_RUNNING = 3


def _count(least: int):
    def parse(text: str) -> int:
        number = int(text)
        if not least <= number <= 64:
            raise argparse.ArgumentTypeError(f"must be {least} to 64")
        return number
    return parse


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dev-cluster", description="A private Hongyan on loopback: MariaDB, Redis, perhaps Kafka, iplist, logic, gate.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--dir", type=Path, default=REPO / ".dev-cluster", help="where it lives (default .dev-cluster)")
    common.add_argument("--quiet", action="store_true", help="no progress lines")
    verbs = parser.add_subparsers(dest="verb", required=True)

    up = verbs.add_parser("up", parents=[common], help="start what does not run; ready when a message went through")
    up.add_argument("--build-dir", type=Path, help="build tree of the programs (default build/release, else build/dev)")
    up.add_argument("--gates", type=_count(1), help="number of gates (default 1)")
    up.add_argument("--logics", type=_count(1), help="number of logic nodes (default 1)")
    up.add_argument("--iplists", type=_count(0), help="number of iplists (default 1; 0: fixed lists)")
    up.add_argument("--mysql-servers", type=int, choices=(1, 2, 4), help="servers for the shards (default 1)")
    up.add_argument("--shards", type=int, choices=(1, 2, 4), help="databases that share the slots (default 4)")
    up.add_argument("--large-threshold", type=int, metavar="N",
                    help="groups of more members are large ones (default: logic's)")
    up.add_argument("--kafka", action=argparse.BooleanOptionalAction, help="a Kafka broker (default: none)")
    up.add_argument("--user-limits", action=argparse.BooleanOptionalAction,
                    help="what one user may send, upload and pull in a second is bounded (default; benchmarks are few users)")
    up.add_argument("--share-slots", action=argparse.BooleanOptionalAction,
                    help="all logic nodes have slots (default: one leads)")
    up.add_argument("--link-relays", action=argparse.BooleanOptionalAction,
                    help="gates and logic nodes reach each logic node by a relay that can be killed or stopped (default: directly)")

    down = verbs.add_parser("down", parents=[common], help="stop everything; data and settings stay")
    down.add_argument("--remove", action="store_true", help="also delete the folder")
    status = verbs.add_parser("status", parents=[common], help=f"exit status {NOT_ALL_RUNNING} unless all run")
    status.add_argument("--json", action="store_true", help="for scripts")
    for verb, text in (("restart", "stop politely when it runs, then start, and wait until it is ready"),
                       ("kill", "kill -9")):
        sub = verbs.add_parser(verb, parents=[common], help=text)
        sub.add_argument("names", metavar="NAME", nargs="+", help="gate-1, logic-1, iplist-1, mysql-1, redis, kafka, …")
    logs = verbs.add_parser("logs", parents=[common], help="the end of a log")
    logs.add_argument("name", metavar="NAME")
    logs.add_argument("-n", "--lines", type=int, default=50)
    logs.add_argument("-f", "--follow", action="store_true")
    return parser


def _up(folder: Path, args: argparse.Namespace) -> int:
    options = {key: getattr(args, key) for key in OPTIONS if getattr(args, key) is not None}
    if args.build_dir:
        options["build_dir"] = str(args.build_dir.resolve())
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with lock(folder):
        cluster = Cluster.prepare(folder, options)
        cluster.up()
    environment = cluster.environment()
    page = f"; page {environment['HONGYAN_WEB']}" if environment["HONGYAN_WEB"] else ""
    print(f"up: gates {environment['HONGYAN_GATES']}{page}; settings for programs in {folder / 'env'}")
    return 0


def _down(folder: Path, args: argparse.Namespace) -> int:
    if not folder.is_dir():  # deleted under living processes, or never there
        ended = stop_everything(folder, [])
    else:
        with lock(folder):
            try:
                ended = Cluster.load(folder).down()
            except ClusterError:  # no readable state: the marker still finds every process
                ended = stop_everything(folder, [])
            if args.remove:
                shutil.rmtree(folder)
    print(f"down: {ended} processes ended" + (f", {folder} removed" if args.remove else ""))
    return 0


def _status(folder: Path, args: argparse.Namespace) -> int:
    cluster = Cluster.load(folder)
    rows = []
    for member in cluster.members:
        pid = member.process.pid()
        rows.append({"name": member.name, "pid": pid, "running": pid is not None,
                     "health": member.health() if pid else None, "ports": member.ports(),
                     "log": str(member.process.log_file)})
    if args.json:
        print(json.dumps({"dir": str(folder), "members": rows}))
    else:
        for row in rows:
            addresses = " ".join(f"{key}={port}" for key, port in row["ports"].items())
            print(f"{row['name']:<10} {row['pid'] or '-':>8}  {row['health'] or 'not running':<12} {addresses}")
    return 0 if all(row["running"] for row in rows) else NOT_ALL_RUNNING


def _restart(folder: Path, args: argparse.Namespace) -> int:
    with lock(folder):
        cluster = Cluster.load(folder)
        members = [cluster.member(name) for name in args.names]
        for member in members:
            how = member.process.stop(member.stop_seconds)
            cluster.start(member)
            print(f"{member.name}: {how}, started with pid {member.process.pid()}")
    return 0


def _kill(folder: Path, args: argparse.Namespace) -> int:
    cluster = Cluster.load(folder)
    for member in [cluster.member(name) for name in args.names]:
        print(f"{member.name}: {'killed' if member.process.kill() else 'was not running'}")
    return 0


def _logs(folder: Path, args: argparse.Namespace) -> int:
    file = Cluster.load(folder).member(args.name).process.log_file
    if not file.exists():
        raise ClusterError(f"{args.name} has not written a log yet ({file})")
    sys.stdout.flush()
    os.execvp("tail", ["tail", "-n", str(args.lines), *(["-F"] if args.follow else []), str(file)])


def main() -> int:
    args = _arguments().parse_args()
    set_quiet(args.quiet)
    folder = args.dir.resolve()
    verbs = {"up": _up, "down": _down, "status": _status, "restart": _restart, "kill": _kill, "logs": _logs}
    try:
        return verbs[args.verb](folder, args)
    except ClusterError as error:
        print(f"dev-cluster: {error}", file=sys.stderr)
        if args.verb == "up" and processes_of(folder):
            print(f"dev-cluster: what runs stays; end it with: dev-cluster down --dir {folder}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"dev-cluster: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\ndev-cluster: interrupted; dev-cluster down --dir {folder} ends what runs", file=sys.stderr)
        return 130
