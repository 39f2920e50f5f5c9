"""Free loopback ports for clusters that may start at the same moment.

A port is taken when somebody listens on it (tried by binding) or when another cluster of this user has
reserved it. Reservations live in one small file under a lock and hold until `down`, so that a killed
daemon finds its port free again. A reservation whose DIR is gone counts no more.
"""

import fcntl
import json
import os
import socket
import stat
import time
from contextlib import contextmanager
from pathlib import Path

from .processes import write_atomically
from .report import ClusterError

STEP = 10
LAST_PORT = 32000  # below the ports that Linux gives to outgoing connections


def private_folder() -> Path:
    """A folder of this user with a short path, the same for every cluster."""
    folder = Path(f"/tmp/hongyan-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise ClusterError(f"{folder} exists and is not a folder of this user; please remove it")
    return folder


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a closed connection's rest is no listener
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def becomes_free(port: int, seconds: float = 2) -> bool:
    """Waits a little: a process that was just killed may still be closing its files."""
    deadline = time.monotonic() + seconds
    while not is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def _reservations():
    """port → DIR; what the caller changes is saved."""
    folder = private_folder()
    with open(folder / "ports.lock", "a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = folder / "ports.json"
        try:
            stored = json.loads(file.read_text())
        except (OSError, ValueError):
            stored = {}
        ports = {int(port): owner for port, owner in stored.items() if os.path.isdir(owner)}
        yield ports
        write_atomically(file, json.dumps(ports, indent=1, sort_keys=True))


def reserve(folder: Path, defaults: dict[str, int], held: dict[str, int], in_use: set[str]) -> dict[str, int]:
    """One port for each key of `defaults`: the held one or the default when free, else the next free one.

    Keys in `in_use` keep what they hold: their process is alive and listens. Other reservations of
    `folder` are given up.
    """
    with _reservations() as ports:
        mine = [port for port, owner in ports.items() if owner == str(folder)]
        for port in mine:
            del ports[port]
        chosen = {key: held[key] for key in defaults if key in in_use and key in held}
        ports.update((port, str(folder)) for port in chosen.values())
        for key, default in defaults.items():
            if key in chosen:
                continue
            candidates = [held[key]] if key in held else []
            candidates += range(default, LAST_PORT, STEP)
            if held.get(key) in mine:
                becomes_free(held[key])
            port = next((port for port in candidates if port not in ports and is_free(port)), None)
            if port is None:
                raise ClusterError(f"no free port for {key} between {default} and {LAST_PORT}")
            chosen[key] = port
            ports[port] = str(folder)
    return chosen


def release(folder: Path) -> None:
    with _reservations() as ports:
        for port in [port for port, owner in ports.items() if owner == str(folder)]:
            del ports[port]
