"""The developer's commands, as far as they decide something themselves."""

from __future__ import annotations

import pytest

import run
from broadcaster.commands.front import NOUNS


@pytest.mark.parametrize("options", [[], ["--durations=5"], ["-k", "throttle and urgent"], ["-x", "-q"]])
def test_all_tests_run_at_once(options: list[str]) -> None:
    assert run.at_once(options) == run.ALL_AT_ONCE


@pytest.mark.parametrize(
    "options", [["tests/web"], ["-q", "tests/test_run.py::test_all_tests_run_at_once"], ["-n", "2"], ["--pdb"]]
)
def test_some_run_in_one_process(options: list[str]) -> None:
    assert run.at_once(options) == []


def test_the_page_names_every_command_and_fits() -> None:
    words = run.PAGE.split()
    assert set(NOUNS) <= set(words)
    assert max(map(len, run.PAGE.splitlines())) <= 80
