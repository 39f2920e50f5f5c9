"""Processes that outlive dev-cluster: own session, stdin /dev/null, output appended to a log.

Every process carries MARKER=DIR:NAME in its environment. That, read from /proc, is what makes a pid
trusted: a reused pid lacks it, a zombie has no environment. It also finds processes whose pid file was
lost, for instance because dev-cluster was killed at a bad moment or DIR was deleted.
"""

import os
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

from .report import ClusterError

MARKER = "HONGYAN_DEV_CLUSTER_PROCESS"
OPEN_FILES = 65536
PROGRAM_FOLDERS = ["/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/bin", "/usr/bin", "/bin"]


def find_program(name: str) -> str | None:
    """Also looks into the sbin folders, which an ordinary user's PATH lacks."""
    path = os.environ.get("PATH", "") + os.pathsep + os.pathsep.join(PROGRAM_FOLDERS)
    return shutil.which(name, path=path)


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)
    os.rename(temporary, path)


def _environment_of(pid: int) -> bytes:
    """Empty for what has none: a zombie, a kernel thread. In the middle of an exec it is empty for a moment, too."""
    for _ in range(100):
        environment = Path(f"/proc/{pid}/environ").read_bytes()
        if environment:
            return environment
        os.readlink(f"/proc/{pid}/exe")  # fails for zombies and kernel threads
        time.sleep(0.001)
    return b""


def marker_of(pid: int) -> str | None:
    """The marker's value, or None: no such process, a zombie, somebody else's, or not one of ours."""
    try:
        environment = _environment_of(pid)
    except OSError:
        return None
    prefix = MARKER.encode() + b"="
    for entry in environment.split(b"\0"):
        if entry.startswith(prefix):
            return entry[len(prefix):].decode(errors="replace")
    return None


def marked_environment(folder: Path, name: str) -> dict[str, str]:
    """For whatever runs on behalf of the cluster in `folder`, short-lived helpers included."""
    return dict(os.environ) | {MARKER: f"{folder}:{name}"}


def processes_of(folder: Path) -> dict[int, str]:
    """pid → name of every living process of the cluster in `folder`, pid file or not."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            owner, _, name = (marker_of(int(entry)) or "").rpartition(":")
            if owner == str(folder):
                found[int(entry)] = name
    return found


class Life:
    """Tells when a process has ended for good: all threads gone, files and ports closed.

    A dying process loses its environment, and with it its marker, a little earlier than its files.
    """

    def __init__(self, pid: int):
        self.pid = pid
        self._start_time = self._stat()[1]

    def ended(self) -> bool:
        state, start_time = self._stat()
        if state in ("", "X") or start_time != self._start_time:
            return True
        try:
            return state == "Z" and len(os.listdir(f"/proc/{self.pid}/task")) <= 1
        except OSError:
            return True

    def wait(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        return True

    def _stat(self) -> tuple[str, str]:
        """(state, start time); empty when there is no such process."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return "", ""
        return fields[0], fields[19]


def end_all(pids: list[int], seconds: float) -> None:
    """SIGTERM to all, SIGKILL to what is left after `seconds`. For processes without a pid file."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        lives = [Life(pid) for pid in pids if marker_of(pid)]
        for life in lives:
            send_signal(life.pid, number)
            send_signal(life.pid, signal.SIGCONT)
        deadline = time.monotonic() + seconds
        for life in lives:
            life.wait(deadline - time.monotonic())


def send_signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Process:
    """One named process of the cluster in `folder`; holds nothing that cannot be read again from disk."""

    def __init__(self, folder: Path, name: str):
        self.folder = folder
        self.name = name
        self.pid_file = folder / "pids" / f"{name}.pid"
        self.log_file = folder / "log" / f"{name}.log"
        self._child: subprocess.Popen | None = None
        self._log_start = 0
        self.started = 0.0  # monotonic, when by this object

    def pid(self) -> int | None:
        """The pid when the process lives, else None."""
        try:
            pid = int(self.pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if marker_of(pid) == f"{self.folder}:{self.name}" else None

    def executable(self) -> str | None:
        """Path of the running program; ends in ' (deleted)' when it was built anew since."""
        try:
            return os.readlink(f"/proc/{self.pid()}/exe")
        except OSError:
            return None

    def start(self, argv: list[str], executable: str | None = None) -> None:
        """Returns once the new program runs; the pid file is written by the child before that."""
        self.log_file.touch(mode=0o600)
        self._log_start = self.log_file.stat().st_size
        self.started = time.monotonic()
        try:
            with open(self.log_file, "ab") as log:
                self._child = subprocess.Popen(
                    argv, executable=executable, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=self.folder, env=marked_environment(self.folder, self.name), start_new_session=True,
                    preexec_fn=self._before_exec)
        except OSError as error:
            raise ClusterError(f"{self.name}: cannot start {argv[0]}: {error.strerror}") from error
        # The kernel shows the new environment a moment after exec.
        while marker_of(self._child.pid) is None and self._child.poll() is None:
            time.sleep(0.001)

    def _before_exec(self) -> None:
        os.umask(0o077)
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limit = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        write_atomically(self.pid_file, f"{os.getpid()}\n")

    def exit_text(self) -> str | None:
        """How the process that this object started ended; None while it runs."""
        if self._child is None:
            return None if self.pid() else "is not running"
        status = self._child.poll()
        if status is None:
            return None
        if status < 0:
            return f"was ended by signal {signal.Signals(-status).name}"
        return f"ended with exit status {status}"

    def log_tail(self, lines: int = 15) -> str:
        """The last lines since this object started the process."""
        try:
            with open(self.log_file, "rb") as log:
                log.seek(self._log_start)
                text = log.read()[-8192:].decode(errors="replace")
        except OSError:
            return ""
        return "\n".join("    " + line for line in text.splitlines()[-lines:])

    def failure(self, what: str) -> ClusterError:
        tail = self.log_tail()
        said = f"; its last words:\n{tail}" if tail else " (empty)"
        return ClusterError(f"{self.name} {what}. Log: {self.log_file}{said}")

    def terminate(self) -> Life | None:
        """Asks politely, also when it is stopped (SIGSTOP); None when it does not run."""
        pid = self.pid()
        if pid is None:
            return None
        life = Life(pid)
        send_signal(pid, signal.SIGTERM)
        send_signal(pid, signal.SIGCONT)
        return life

    def kill(self) -> bool:
        """SIGKILL, and gone on return; False when it did not run."""
        pid = self.pid()
        if pid is not None:
            life = Life(pid)
            send_signal(pid, signal.SIGKILL)
            if not life.wait(10):
                raise ClusterError(f"{self.name}: pid {pid} lives on after SIGKILL")
        self.pid_file.unlink(missing_ok=True)
        return pid is not None

    def stop(self, seconds: float, life: Life | None = None) -> str:
        """Politely, then by force; says how it went. `life`: from a terminate() that went before."""
        life = life or self.terminate()
        polite = life is None or life.wait(seconds)
        if not polite:
            self.kill()
        self.pid_file.unlink(missing_ok=True)
        if life is None:
            return "was not running"
        return "stopped" if polite else f"did not stop within {seconds:.0f} s and was killed"
