"""`python -m tests.peers FOLDER [...]`: fetch the peers into that folder, then run their tests, as pytest is told."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.peers.fetch import PEERS, NotToBeHad, fetch


def main(folder: str, options: list[str]) -> None:
    """Run pytest in this process's place."""
    peers = Path(folder).absolute()
    for peer in PEERS:
        try:
            fetch(peer, peers)
        except NotToBeHad as reason:
            sys.stderr.write(f"*** {peer.package} IS MISSING: {reason}. Its tests skip, the rest run. ***\n")
    os.environ["TEST_PEERS"] = str(peers)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", "-ra", str(Path(__file__).parent), *options])


main(sys.argv[1], sys.argv[2:])
