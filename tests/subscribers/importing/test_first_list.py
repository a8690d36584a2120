"""A registry's first list is written without indexes: it comes to the same, and they are all there afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from subscribers import importing
from subscribers.actor import OPERATOR
from subscribers.db import is_sqlite
from subscribers.errors import Invalid
from subscribers.importing import first_list, importer
from subscribers.models import Member
from tests.databases import Transactions
from tests.factories import NOW, make_member

HEAD = "name,msisdn,organisation,subscribed,external_id\n"
#: the third is the second again, the fourth has the first one's number, the last is known by name and place
ROWS = (
    "甲,19900000001,East,yes,E1\n",
    "乙,19900000002,East,yes,E2\n",
    "乙,19900000002,East,yes,E2\n",
    "丙,19900000001,West,yes,E3\n",
    "丁,,West,,\n",
    "丁,,West,,\n",
)
_KEYS = text(
    "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' "
    "AND tablename IN ('member', 'number', 'membership', 'subscription') ORDER BY 1"
)


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_list, "_WORTH", 0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_text(HEAD + "".join(ROWS), encoding="utf-8")
    return path


def keys(connection: Connection | Session) -> Sequence[Any]:
    return connection.execute(_KEYS).all()


def only_on_postgresql(begin: Transactions) -> None:
    with begin() as tx:
        if is_sqlite(tx.session):
            pytest.skip("SQLite writes with all its indexes")


def take_in(begin: Transactions, path: Path, seen: list[Any] | None = None) -> list[tuple[int, str]]:
    with begin() as tx:
        told = seen if seen is not None else []
        result = importing.import_members(
            tx.session, OPERATOR, path, now=NOW, progress=lambda _: told.append([name for name, _ in keys(tx.session)])
        )
        assert result.created == 3
        return [(one.row, one.reason) for one in result.refused]


def test_indexes_are_put_aside_and_are_all_back(
    begin: Transactions, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    only_on_postgresql(begin)
    monkeypatch.setattr(importer, "PORTION", 2)
    with begin() as tx:
        before = keys(tx.session)
    seen: list[Any] = []
    refused = take_in(begin, path, seen)
    assert seen[0] == ["pk_member"]
    # the last portion had to ask
    assert seen[-1] == [name for name, _ in before]
    assert [row for row, _ in refused] == [4, 5, 7]
    with begin() as tx:
        assert keys(tx.session) == before
        assert sorted(tx.session.scalars(select(Member.name))) == ["丁", "乙", "甲"]


def test_they_are_back_if_nothing_was_asked(begin: Transactions, tmp_path: Path) -> None:
    only_on_postgresql(begin)
    plain = tmp_path / "plain.csv"
    plain.write_text(HEAD + ROWS[0] + ROWS[1], encoding="utf-8")
    with begin() as tx:
        before = keys(tx.session)
        importing.import_members(tx.session, OPERATOR, plain, now=NOW)
    with begin() as tx:
        assert keys(tx.session) == before


def test_they_are_back_after_a_file_that_breaks_off(begin: Transactions, tmp_path: Path) -> None:
    only_on_postgresql(begin)
    broken = tmp_path / "broken.csv"
    broken.write_text(HEAD + ROWS[0] + 'x,"y', encoding="utf-8")
    with begin() as tx:
        before = keys(tx.session)
    with pytest.raises(Invalid, match="quote"), begin() as tx:
        importing.import_members(tx.session, OPERATOR, broken, now=NOW)
    with begin() as tx:
        assert keys(tx.session) == before


def test_a_registry_with_people_keeps_its_indexes(begin: Transactions, path: Path) -> None:
    only_on_postgresql(begin)
    with begin() as tx:
        make_member(tx.session, name="戊")
        before = [name for name, _ in keys(tx.session)]
    seen: list[Any] = []
    take_in(begin, path, seen)
    assert seen == [before]


def test_nobody_is_waited_for(begin: Transactions, path: Path) -> None:
    """Somebody who is reading goes on reading, and the list is taken in as ever."""
    only_on_postgresql(begin)
    with begin() as reader:
        assert reader.session.scalars(select(Member.id)).all() == []
        before = [name for name, _ in keys(reader.session)]
        seen: list[Any] = []
        take_in(begin, path, seen)
        assert seen == [before]
