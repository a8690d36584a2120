"""`run.py chaos --rows` runs each row as often as TEST_ROWS says."""

from __future__ import annotations

import os

import pytest

TIMES = int(os.environ.get("TEST_ROWS", "1"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Once more, and once more."""
    if TIMES > 1 and metafunc.module.__name__.rpartition(".")[2].startswith("test_rows"):
        metafunc.fixturenames.append("again")
        metafunc.parametrize("again", range(TIMES))
