"""The cluster's own certificate authority and the gates' certificate, made once a folder with openssl."""

import subprocess
from pathlib import Path

from .members import required_program
from .report import ClusterError

NAMES = "IP:127.0.0.1,DNS:localhost"
_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def ca_file(folder: Path) -> Path:
    return folder / "tls" / "ca.pem"


def certificate_file(folder: Path) -> Path:
    return folder / "tls" / "gate.pem"


def key_file(folder: Path) -> Path:
    return folder / "tls" / "gate.key"


def ensure(folder: Path) -> None:
    """What exists stays: clients may hold the CA."""
    (folder / "tls").mkdir(mode=0o700, exist_ok=True)
    if not ca_file(folder).exists():
        make_authority(folder / "tls", "ca")
        certificate_file(folder).unlink(missing_ok=True)
    if not certificate_file(folder).exists():
        issue(folder / "tls", "ca", "gate")


def make_authority(tls: Path, name: str) -> None:
    """NAME.pem and NAME.key in `tls`."""
    _openssl("req", "-x509", *_KEY, "-keyout", tls / f"{name}.key", "-out", tls / f"{name}.pem", "-days", 3650,
             "-subj", "/CN=Hongyan development", "-addext", "basicConstraints=critical,CA:TRUE",
             "-addext", "keyUsage=critical,keyCertSign")


def issue(tls: Path, authority: str, name: str, days: int = 825, names: str = NAMES) -> None:
    """NAME.pem and NAME.key, signed by AUTHORITY. The certificate appears last, whole. days: negative for one that has
    expired."""
    request, unfinished = tls / f"{name}.csr", tls / f"{name}.unfinished"
    _openssl("req", "-new", *_KEY, "-keyout", tls / f"{name}.key", "-out", request, "-subj", "/CN=localhost",
             "-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE")
    _openssl("x509", "-req", "-in", request, "-CA", tls / f"{authority}.pem", "-CAkey", tls / f"{authority}.key",
             "-days", days, "-copy_extensions", "copy", "-out", unfinished)
    request.unlink()
    unfinished.rename(tls / f"{name}.pem")


def _openssl(*words: object) -> None:
    done = subprocess.run([required_program("openssl", "openssl"), *map(str, words)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"openssl {words[0]} failed: {done.stdout.strip()}")
