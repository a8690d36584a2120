"""A carrier to be tried, with the behaviour that a test asks for."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from broadcaster.rehearsal.behaviour import Behaviour
from broadcaster.rehearsal.running import Rehearsal, rehearsing
from tests.rehearsal.wire import PATIENCE

Start = Callable[..., Rehearsal]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts carriers; receipts come at once unless the test says otherwise."""
    carriers: list[Rehearsal] = []
    with contextlib.ExitStack() as stack:

        def started(
            *, tls: Any = None, fsync: bool = False, log: str = "accepted.jsonl", **behaviour: Any
        ) -> Rehearsal:
            asked = Behaviour(**{"receipt_delay": 0.05, **behaviour})
            carriers.append(stack.enter_context(rehearsing(tmp_path / log, asked, tls=tls, fsync=fsync)))
            return carriers[-1]

        yield started
    assert [carrier.counts().internal_errors for carrier in carriers] == [0] * len(carriers)


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)
