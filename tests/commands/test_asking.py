"""What the paper uses is not removed without a question; a program says beforehand that it is meant."""

from __future__ import annotations

import pytest

from tests.commands.conftest import Desk

EDITION = """\
number = 7
date = 2026-11-23
title = "第七期"
variants = ["elders", "everyone"]
[[columns]]
name = "要闻"
[[columns.items]]
headline = "开会"
sms = "周五开会。"
[[columns.items]]
headline = "体检"
sms = "下周体检。"
audience = ["elders"]
"""


@pytest.fixture
def used(staffed: Desk) -> Desk:
    """An installation whose edition 7 names the segment elders."""
    assert staffed.type("segments", "save", "elders", "retired").code == 0
    assert staffed.type("editions", "import", staffed.write("used.toml", EDITION)).code == 0
    return staffed


def saved(desk: Desk) -> list[str]:
    return [one["name"] for one in desk.type("segments", "list", "--json").document["segments"]]


@pytest.mark.parametrize("answer", [None, "n\n", "\n"])
def test_without_a_yes_nothing_is_removed(used: Desk, answer: str | None) -> None:
    told = used.type("segments", "remove", "elders", answer=answer)
    assert told.code == 2
    assert "elders is used: No. 7, 体检. Without it they cannot be sent" in " ".join(told.err.split())
    assert "Nothing was changed." in told.err
    assert saved(used) == ["elders"]


def test_with_one_it_is(used: Desk) -> None:
    told = used.type("segments", "remove", " elders", answer="y\n", BROADSHEET_LANG="zh")
    assert told.code == 0
    assert "“elders”正在使用：第 7 期、体检" in "".join(told.err.splitlines())
    assert saved(used) == []


def test_a_program_says_it_beforehand(used: Desk) -> None:
    told = used.type("segments", "remove", "elders", "--json", answer="y\n")
    assert told.code == 2
    assert "No. 7" in told.document["error"]
    assert "--yes" in told.document["hint"]
    assert saved(used) == ["elders"]
    assert used.type("segments", "remove", "elders", "--yes", "--json").document["name"] == "elders"


def test_what_nobody_uses_is_removed_as_it_is(staffed: Desk) -> None:
    assert staffed.type("segments", "save", "elders", "retired").code == 0
    assert staffed.type("segments", "remove", "elders").code == 0
    assert "There is no segment elders" in staffed.type("segments", "remove", "elders").err


def test_a_list_is_taken_back_after_a_yes(staffed: Desk) -> None:
    before = staffed.type("members", "find", "").out
    asked = staffed.type("members", "undo", 1, answer="n\n", BROADSHEET_LANG="zh")
    assert asked.code == 2
    told = "".join(asked.err.split())
    assert "随它新加的4人会移除，连同号码。" in told
    assert "撤销people.csv（" in told
    assert staffed.type("members", "undo", 1, "--json", answer="y\n").document["hint"] == "Write --yes if it is meant."
    assert staffed.type("members", "find", "").out == before
    assert "4 members were removed again." in staffed.type("members", "undo", 1, answer="y\n").out
