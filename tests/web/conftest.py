"""A house on each database, and a client of its site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from broadcaster.runtime import Runtime
from tests.databases import Clock
from tests.websites import make_house, opened


@pytest.fixture
def house(database_url: str, tmp_path: Path, clock: Clock) -> Iterator[Runtime]:
    made = make_house(database_url, tmp_path, clock)
    yield made
    made.close()


@pytest.fixture
def site(house: Runtime) -> Iterator[httpx2.Client]:
    with opened(house) as client:
        yield client
