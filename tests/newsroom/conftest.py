"""A house on each database, and a browser at its newsroom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from broadcaster.access import passwords
from broadcaster.runtime import Runtime
from tests.databases import Clock
from tests.newsrooms import Browser, at
from tests.websites import make_house


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real ones are slow on purpose, and are tried in tests/access."""
    monkeypatch.setattr(passwords, "hashed", lambda password: f"hash of {password}")
    monkeypatch.setattr(passwords, "matches", lambda password, kept: (kept == f"hash of {password}", None))


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    made = make_house(database_url, tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
def browser(house: Runtime) -> Iterator[Browser]:
    with at(house) as opened:
        yield opened
