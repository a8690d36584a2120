"""Rows by the hundred thousand arrive as they were given, on both databases; a fault is told and leaves nothing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from subscribers.bulk import Ids, Loader, Rows, loading
from subscribers.db import reserve_ids
from subscribers.models import Member, Membership
from tests.databases import Transactions
from tests.factories import NOW

COLUMNS = ("id", "external_id", "name", "birthday", "tags", "fields", "created_at")


def person(loader: Loader, id_: int, name: str, external_id: str | None = None) -> tuple[Any, ...]:
    at = loader.instant(NOW)
    return (
        str(id_),
        loader.null if external_id is None else loader.cell(external_id),
        loader.cell(name),
        "1950-02-03",
        loader.cell('["书画\\\\"]'),
        "{}",
        at,
    )


@pytest.mark.parametrize(
    "name", ["张伟", "a\tb", "a\nb\r", "\\N", "\\", "\\t", "𠮷野", "'; DROP TABLE member; --", "\\."]
)
def test_text_arrives_as_it_was_given(session: Session, name: str) -> None:
    with loading(session) as loader:
        loader.write([Rows(Member, COLUMNS, [person(loader, 7, name, external_id=f"{name}!")])])
    found = session.get_one(Member, 7)
    assert (found.name, found.external_id, found.birthday) == (name, f"{name}!", date(1950, 2, 3))
    assert (found.tags, found.fields, found.created_at) == (["书画\\"], {}, NOW)


def test_tables_are_written_in_order_and_one_portion_after_the_other(session: Session) -> None:
    with loading(session) as loader:
        for first in (1, 1001, 2001):
            people = [person(loader, first + n, f"甲{n}") for n in range(1000)]
            places = [
                (str(first + n), str(first + n), "1", "retired", "1" if n % 2 else "0", "2020-01-01", loader.null)
                for n in range(1000)
            ]
            columns = ("id", "member_id", "organisation_id", "status", "mobile", "valid_from", "valid_until")
            loader.write([Rows(Member, COLUMNS, people), Rows(Membership, columns, places)])
    assert session.scalar(select(func.count(Member.id))) == 3000
    away = session.scalars(select(Membership.mobile).where(Membership.valid_until.is_(None)).order_by(Membership.id))
    assert list(away) == [False, True] * 1500


def test_what_the_database_refuses_is_told_as_everywhere_else(begin: Transactions) -> None:
    with pytest.raises(IntegrityError), begin() as tx, loading(tx.session) as loader:
        loader.write([Rows(Member, COLUMNS, [person(loader, 1, "甲", "E1"), person(loader, 2, "乙", "E1")])])
    with begin() as tx:
        assert tx.session.scalar(select(func.count(Member.id))) == 0


def test_a_fault_shows_no_value(begin: Transactions) -> None:
    canary = "+8619900000042"
    with pytest.raises(IntegrityError) as caught, begin() as tx, loading(tx.session) as loader:
        loader.write([Rows(Member, COLUMNS, [person(loader, 1, canary), person(loader, 1, canary)])])
    assert canary not in str(caught.value)


def test_whoever_stops_in_the_middle_leaves_nothing(begin: Transactions) -> None:
    with pytest.raises(KeyboardInterrupt), begin() as tx, loading(tx.session) as loader:
        loader.write([Rows(Member, COLUMNS, [person(loader, n, "甲" * 90) for n in range(1, 30_000)])])
        raise KeyboardInterrupt
    with begin() as tx:
        assert tx.session.scalar(select(func.count(Member.id))) == 0


def test_a_cell_that_does_not_fit_its_column(begin: Transactions) -> None:
    with begin() as tx:
        if tx.session.get_bind().dialect.name == "sqlite":
            pytest.skip("SQLite takes any text in any column")
    with pytest.raises((DataError, StatementError)), begin() as tx, loading(tx.session) as loader:
        loader.write([Rows(Member, COLUMNS, [person(loader, 1, "甲" * 101)])])


def test_ids_are_given_once_and_in_order(session: Session) -> None:
    ids = Ids(session, Member)
    ids.provide(5)
    taken = [ids.take(), *ids.take_all(3)]
    others = reserve_ids(session, Member, 2) if session.get_bind().dialect.name == "postgresql" else []
    ids.provide(50)
    assert ids.holds(50)
    taken += ids.take_all(50)
    assert taken == sorted({*taken}), "each once, the smallest first"
    assert not {*taken} & {*others}
    assert ids.take_all(0) == []
