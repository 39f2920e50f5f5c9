"""What a cluster keeps in DIR/state.json (mode 0600) from one `up` to the next."""

import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .processes import write_atomically
from .report import ClusterError


@dataclass
class State:
    build_dir: str
    gates: int = 1
    logics: int = 1
    iplists: int = 1
    mysql_servers: int = 1
    shards: int = 4
    kafka: bool = False
    share_slots: bool = False
    large_threshold: int = 0  # 0: logic's own default
    link_relays: bool = False
    user_limits: bool = True
    ports: dict[str, int] = field(default_factory=dict)  # "gate-1.tcp" → port
    cluster_secret: str = field(default_factory=lambda: secrets.token_hex(24))
    token_secret: str = field(default_factory=lambda: secrets.token_hex(32))
    api_key: str = field(default_factory=lambda: secrets.token_hex(24))
    mysql_password: str = field(default_factory=lambda: secrets.token_hex(16))

    @staticmethod
    def load(folder: Path) -> "State | None":
        """None when there is no cluster in `folder`."""
        file = folder / "state.json"
        try:
            return State(**json.loads(file.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            raise ClusterError(f"{file} is not readable ({error}); remove {folder} to start afresh") from error

    def save(self, folder: Path) -> None:
        write_atomically(folder / "state.json", json.dumps(asdict(self), indent=1))
