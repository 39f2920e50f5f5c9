"""Makes one thread of a process stand still.

    stopped_thread.py PID NAME      says "stopped", and holds the thread until its standard input ends
"""

import ctypes
import os
import sys
from pathlib import Path


def threads(pid: int) -> dict[str, int]:
    """By name; the first of those that share one is the oldest."""
    found: dict[str, int] = {}
    for task in sorted(Path(f"/proc/{pid}/task").iterdir(), key=lambda path: int(path.name)):
        found.setdefault((task / "comm").read_text().strip(), int(task.name))
    return found


class StoppedThread:
    """Stands still while this is open. PermissionError where ptrace is not allowed."""

    _ATTACH, _DETACH, _ANY_THREAD = 16, 17, 0x40000000
    _ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    _ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def __init__(self, thread: int):
        self.thread = thread

    def __enter__(self):
        if self._ptrace(self._ATTACH, self.thread, None, None) != 0:
            raise PermissionError(ctypes.get_errno(), f"ptrace: {os.strerror(ctypes.get_errno())}")
        os.waitpid(self.thread, self._ANY_THREAD)

    def __exit__(self, *_):
        self._ptrace(self._DETACH, self.thread, None, None)


if __name__ == "__main__":
    with StoppedThread(threads(int(sys.argv[1]))[sys.argv[2]]):
        print("stopped", flush=True)
        sys.stdin.read()
