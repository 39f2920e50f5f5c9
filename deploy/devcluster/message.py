"""The last word on readiness: bob waits, alice sends, and the message must arrive."""

import json
import secrets
import selectors
import subprocess
import time
from pathlib import Path

from .processes import marked_environment
from .report import ClusterError, say

DEADLINE_SECONDS = 60
ATTEMPT_SECONDS = 10


def await_message(cluster) -> None:
    """Two throwaway users; tries again until one message went through or the deadline passed."""
    say("sending a message through")
    chat = [str(Path(cluster.state.build_dir) / "bin" / "hongyan-chat"), "--env", str(cluster.folder / "env")]
    environment = marked_environment(cluster.folder, "chat")
    token = secrets.token_hex(4)
    started = time.monotonic()
    why = ""
    with open(cluster.folder / "log" / "chat.log", "ab") as log:
        while time.monotonic() - started < DEADLINE_SECONDS:
            why = _attempt(chat, environment, f"ready-a-{token}", f"ready-b-{token}", token, log)
            if not why:
                say("a message went through: the cluster is ready")
                return
            dead = [member for member in cluster.members if member.process.pid() is None]
            if dead:
                raise dead[0].process.failure(dead[0].process.exit_text() or "is not running")
            time.sleep(0.3)
    unwell = [f"{member.name} says {health}, log {member.process.log_file}"
              for member in cluster.members if (health := member.health()) != "ok"]
    raise ClusterError(f"no message went through within {DEADLINE_SECONDS} s: {why} "
                       f"(log {cluster.folder / 'log' / 'chat.log'}). "
                       + ("; ".join(unwell) or f"All members say they are well; logs: {cluster.folder / 'log'}"))


def _attempt(chat: list[str], environment: dict[str, str], alice: str, bob: str, token: str, log) -> str:
    """Empty when the message arrived, else what happened instead."""
    receiver = subprocess.Popen(
        [*chat, "--user", bob, "--wait", str(ATTEMPT_SECONDS), "--json"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, env=environment)
    try:
        try:
            sender = subprocess.run([*chat, "--user", alice, "--send", bob, token], stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log, timeout=ATTEMPT_SECONDS, env=environment, check=False)
        except subprocess.TimeoutExpired:
            return "the sender got no answer"
        if sender.returncode:
            return f"the sender's hongyan-chat ended with status {sender.returncode}"
        return "" if _has_received(receiver, token) else "the message was accepted and did not arrive"
    finally:
        receiver.kill()
        receiver.wait()


def _has_received(receiver: subprocess.Popen, content: str) -> bool:
    deadline = time.monotonic() + ATTEMPT_SECONDS
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(receiver.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(left):
                break
            chunk = receiver.stdout.read1(65536)
            if not chunk:
                break
            buffer += chunk
            *lines, buffer = buffer.split(b"\n")
            if any(_is_message(line, content) for line in lines):
                return True
    return False


def _is_message(line: bytes, content: str) -> bool:
    try:
        event = json.loads(line)
    except ValueError:
        return False
    return event.get("event") == "message" and event.get("content") == content
