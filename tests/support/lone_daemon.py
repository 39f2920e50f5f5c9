"""A daemon without the servers that it needs: it starts all the same, and tells what it tells."""

import os
import socket
import subprocess
import tempfile
from pathlib import Path

BUILD_DIR = Path(os.environ["HONGYAN_BUILD_DIR"])
COMMON = """
[cluster]
secret = "0123456789abcdef"
[metrics]
listen = "127.0.0.1:{metrics}"
"""
CONFIGS = {
    "hongyan-gate": '[gate]\nname = "gate-1"\nworkers = 2\n[listen]\ntcp = "127.0.0.1:{port}"\nws = ""\n',
    "hongyan-iplist": '[listen]\nclients = "127.0.0.1:{port}"\nheartbeats = "127.0.0.1:0"\n',
    "hongyan-logic": '[logic]\nname = "logic-1"\nthreads = 2\n[link]\nlisten = "127.0.0.1:0"\n[api]\n'
                     'listen = "127.0.0.1:{port}"\n[redis]\naddress = "127.0.0.1:1"\n[mysql]\nuser = "none"\n'
                     '[[mysql.shards]]\nname = "0"\naddress = "127.0.0.1:1"\ndatabase = "none"\nslots = "0-4095"\n'
                     '[[apps]]\nid = "demo"\ntoken_secret = "0123456789abcdef"\n',
}


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class LoneDaemon:
    """Runs while it is open. `change`: a text of the configuration, and what stands there instead; `more`: further lines."""

    def __init__(self, program: str, env: dict[str, str] | None = None, change: tuple[str, str] = ("", ""), more: str = ""):
        self._holder = tempfile.TemporaryDirectory(prefix="hy-lone-")
        self.folder = Path(self._holder.name)
        self.port, self.metrics = free_port(), free_port()
        config = self.folder / "daemon.toml"
        config.write_text((CONFIGS[program] + COMMON).replace(*change).format(port=self.port, metrics=self.metrics) + more)
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen([BUILD_DIR / "bin" / program, "--config", config], env=dict(os.environ, **(env or {})),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._holder.cleanup()

    def log(self) -> str:
        return (self.folder / "log").read_text()
