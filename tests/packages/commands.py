"""How the tests of what is installed and packaged run programs."""

import subprocess


def run(*command, **options) -> str:
    """What it said; AssertionError with that when it fails."""
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=250,
                          check=False, **options)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout
