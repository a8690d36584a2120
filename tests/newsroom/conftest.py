"""A browser at the newsroom of a house: one that only keeps forms, and a real one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import SimpleQueue

import pytest
from playwright.sync_api import Browser as Chrome

from broadcaster.access import passwords
from broadcaster.app import make_web, serve
from broadcaster.runtime import Runtime
from broadcaster.tasks import lists
from subscribers.list_jobs import LISTS
from tests.browsers import chromium
from tests.newsrooms import Browser, at


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real ones are slow on purpose, and are tried in tests/access."""
    monkeypatch.setattr(passwords, "hashed", lambda password: f"hash of {password}")
    monkeypatch.setattr(passwords, "matches", lambda password, kept: (kept == f"hash of {password}", None))


@pytest.fixture
def worker(house: Runtime) -> Iterator[None]:
    """Somebody who works on lists, and hears of them."""
    hints: SimpleQueue[bool] = SimpleQueue()
    house.publish = lambda wakes: [hints.put(True) for one in wakes if one.queue == LISTS] and None

    def work() -> None:
        while hints.get():
            lists.work_on_lists(house)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    hints.put(False)
    thread.join()


@pytest.fixture
def browser(house: Runtime) -> Iterator[Browser]:
    with at(house) as opened:
        yield opened


@pytest.fixture(scope="module")
def chrome() -> Iterator[Chrome]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def address(house: Runtime) -> Iterator[str]:
    """Where a real browser finds this house's newsroom."""
    with serve(make_web(house), "127.0.0.1", 0) as made:
        yield made
