"""The programs of other people that ours is held against: which, in what version, and how they are fetched.

Each lives in a folder of its own under one that is given, outside the checkout and its lock. What cannot be had on this
machine is said aloud, and its tests skip.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

FETCHING = 600  # seconds that one package manager may take


@dataclass(frozen=True, slots=True)
class Peer:
    """One program: its package and version, and where they come from: npm, PyPI, this machine, our lock."""

    package: str
    version: str
    source: str
    plays: str

    def home(self, peers: Path) -> Path:
        """Its folder."""
        return peers / f"{self.package.strip('@').replace('/', '-')}-{self.version}"


CALCULATOR = Peer("sms-segments-calculator", "1.3.0", "npm", "counts and cuts parts")
NODE_SMSC = Peer("smpp", "0.5.1", "npm", "an SMSC")
TWISTED_SMSC = Peer("smpp.twisted3", "0.8", "PyPI", "an SMSC")
AIO_CLIENT = Peer("aiosmpplib", "0.7.4", "PyPI", "a client of our simulated carrier")
PRISM = Peer("@stoplight/prism-cli", "5.16.0", "npm", "Twilio, by its OpenAPI description")
TWILIO = Peer("twilio", "", "the lock", "the official client, and what signs callbacks")
TSHARK = Peer("tshark", "", "this machine", "reads captures of our traffic")
Compared = Callable[[Peer, str, int], None]
PEERS = (CALCULATOR, NODE_SMSC, TWISTED_SMSC, AIO_CLIENT, TSHARK, PRISM, TWILIO)


class NotToBeHad(Exception):
    """A program could not be fetched; the message says why and what to do."""


def installed_version(peer: Peer, peers: Path) -> str | None:
    """The version that is there, or None."""
    if peer is TSHARK:
        return _said_by_tshark()
    if peer is TWILIO:
        return metadata.version(peer.package)
    stamp = peer.home(peers) / "fetched"
    return stamp.read_text(encoding="utf-8") if stamp.is_file() else None


def fetch(peer: Peer, peers: Path) -> str:
    """Have the program there, and tell its version. Raises NotToBeHad."""
    if version := installed_version(peer, peers):
        return version
    fetchers: dict[str, Callable[[Peer, Path], str]] = {"npm": _from_npm, "PyPI": _from_pypi}
    if peer.source not in fetchers:
        raise NotToBeHad("it is not on PATH; Debian's package tshark has it")
    home = peer.home(peers)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    version = fetchers[peer.source](peer, home)
    # written last, so that an interrupted fetch is done again
    (home / "fetched").write_text(version, encoding="utf-8")
    return version


def _from_npm(peer: Peer, home: Path) -> str:
    if not shutil.which("node") or not shutil.which("npm"):
        raise NotToBeHad("node and npm are not on PATH")
    (home / "package.json").write_text('{"private": true}', encoding="utf-8")
    quietly = ["--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    _run("npm", "install", *quietly, f"{peer.package}@{peer.version}", inside=home)
    about = (home / "node_modules" / peer.package / "package.json").read_text(encoding="utf-8")
    return str(json.loads(about)["version"])


def _from_pypi(peer: Peer, home: Path) -> str:
    _run(sys.executable, "-m", "venv", "environment", inside=home)
    python = home / "environment" / "bin" / "python"
    quietly = ["--quiet", "--disable-pip-version-check", "--no-input"]
    _run(str(python), "-m", "pip", "install", *quietly, f"{peer.package}=={peer.version}", inside=home)
    ask = "import sys; from importlib.metadata import version; sys.stdout.write(version(sys.argv[1]))"
    return _run(str(python), "-c", ask, peer.package, inside=home)


def _run(*command: str, inside: Path) -> str:
    """What the program printed. Raises NotToBeHad with the end of what it complained of."""
    try:
        done = subprocess.run(
            command, cwd=inside, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=FETCHING, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotToBeHad(str(error)) from error
    if done.returncode:
        lines = done.stderr.splitlines()
        raise NotToBeHad(next((line for line in lines if "error" in line.lower()), f"{command[0]} failed"))
    return done.stdout


def _said_by_tshark() -> str | None:
    if not shutil.which("tshark"):
        return None
    said = subprocess.run(["tshark", "--version"], capture_output=True, text=True, check=False).stdout
    return next((word for word in said.split() if word[:1].isdigit()), None)
