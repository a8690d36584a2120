"""Fixtures for proofs against other people's programs; `python3 run.py test-peers` fetches those and runs the tests.

Without TEST_PEERS, the folder they were fetched into, each test that needs one skips and says so.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from twilio.request_validator import RequestValidator

from tests.peers.fetch import (
    AIO_CLIENT,
    CALCULATOR,
    NODE_SMSC,
    PEERS,
    PRISM,
    TSHARK,
    TWILIO,
    TWISTED_SMSC,
    Compared,
    Peer,
    installed_version,
)

#: how often each thing was held against a peer
COMPARED = pytest.StashKey[Counter[tuple[str, str]]]()


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    counts = config.stash.get(COMPARED, None)
    if not counts:
        return
    terminalreporter.section("compared with what nobody here wrote")
    peers = Path(os.environ["TEST_PEERS"])
    for peer in PEERS:
        version = installed_version(peer, peers)
        terminalreporter.line(f"{peer.package} {version or 'is missing'}: {peer.plays}")
        for (package, what), count in counts.items():
            if package == peer.package:
                terminalreporter.line(f"{count:>10,}  {what}")


@pytest.fixture
def compared(pytestconfig: pytest.Config) -> Compared:
    """`compared(peer, "part counts", 100_000)`: told at the end of the run."""

    def tell(peer: Peer, what: str, count: int) -> None:
        pytestconfig.stash.setdefault(COMPARED, Counter())[peer.package, what] += count

    return tell


def _home(peer: Peer) -> Path:
    folder = os.environ.get("TEST_PEERS")
    if not folder:
        pytest.skip("`python3 run.py test-peers` runs this")
    if not installed_version(peer, Path(folder)):
        pytest.skip(f"{peer.package} could not be had on this machine")
    return peer.home(Path(folder))


@pytest.fixture(scope="session")
def calculator() -> Path:
    """The folder of sms-segments-calculator."""
    return _home(CALCULATOR)


@pytest.fixture(scope="session")
def node_smsc_home() -> Path:
    return _home(NODE_SMSC)


@pytest.fixture(scope="session")
def twisted_smsc_home() -> Path:
    return _home(TWISTED_SMSC)


@pytest.fixture(scope="session")
def aio_client_home() -> Path:
    return _home(AIO_CLIENT)


@pytest.fixture(scope="session")
def prism_home() -> Path:
    return _home(PRISM)


@pytest.fixture(scope="session")
def validator() -> Callable[[str, str, Mapping[str, str]], str]:
    """The official signature of a callback: of a token, an address and a form."""
    _home(TWILIO)
    return lambda token, url, form: str(RequestValidator(token).compute_signature(url, dict(form)))


@pytest.fixture(scope="session")
def tshark() -> str:
    """The program's name."""
    _home(TSHARK)
    return "tshark"
