"""Progress lines for people, on stderr, and the one exception that ends a verb."""

import sys
import time

_started = time.monotonic()
_quiet = False


class ClusterError(Exception):
    """Ends the verb: its text is all that the user sees, so it names the log to look at."""


def set_quiet(quiet: bool) -> None:
    global _quiet
    _quiet = quiet


def say(text: str) -> None:
    if not _quiet:
        print(f"[{time.monotonic() - _started:5.1f} s] {text}", file=sys.stderr, flush=True)
