"""Organisations by characters, pinyin and initials; never those of others."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from subscribers import tree_changes, tree_search
from subscribers.actor import OPERATOR
from subscribers.names import place_key
from tests.factories import make_organisation


@pytest.fixture
def tree(session: Session) -> dict[str, str]:
    names = ("东城/东街分会", "东城/长安里分会", "西城/解放路支部", "西城/东街分会", "North End 100%")
    return {name: make_organisation(session, name).path for name in names}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("东街", ["东城/东街分会", "西城/东街分会"]),
        ("djfh", ["东城/东街分会", "西城/东街分会"]),
        ("Dong Jie", ["东城/东街分会", "西城/东街分会"]),
        ("changan", ["东城/长安里分会"]),
        ("jiefang", ["西城/解放路支部"]),
        ("north", ["North End 100%"]),
        ("100%", ["North End 100%"]),
        ("%", ["North End 100%"]),
        ("_", []),
        ("没有", []),
        ("  ", []),
        ("x\0", []),
        ("长" * 5000, []),
    ],
)
def test_found(session: Session, tree: dict[str, str], typed: str, found: list[str]) -> None:
    assert sorted(names for _, names in tree_search.find(session, OPERATOR, typed)) == sorted(found)


def test_of_ones_own_part_only(session: Session, tree: dict[str, str]) -> None:
    east = replace(OPERATOR, under=tree["东城/东街分会"].rpartition("/")[0].rpartition("/")[0] + "/")
    assert [names for _, names in tree_search.find(session, east, "dongjie")] == ["东城/东街分会"]
    assert len(tree_search.find(session, OPERATOR, "fenhui", limit=2)) == 2


def test_a_new_name_is_found(session: Session, tree: dict[str, str], now: datetime) -> None:
    tree_changes.rename(session, OPERATOR, "西城/东街分会", "北街分会", now=now)
    assert [names for _, names in tree_search.find(session, OPERATOR, "bj")] == ["西城/北街分会"]


def test_no_surname_is_read() -> None:
    assert place_key("解放路") == "jfl jiefanglu"
    assert place_key("") == ""
    assert len(place_key("庄" * 200).encode()) <= 400
