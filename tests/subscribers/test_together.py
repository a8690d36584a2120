"""Statements that nobody waits for one by one, and ids that are asked for before they are needed."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Part
from subscribers.db import reserve_ids, unread
from subscribers.models import Organisation
from tests.databases import Transactions
from tests.factories import make_organisation

POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def _rename(session: Session, name: str) -> None:
    session.execute(text("UPDATE organisation SET name = :name"), {"name": name})


def test_all_of_it_is_done_in_its_order(begin: Transactions) -> None:
    with begin() as tx:
        make_organisation(tx.session, "Village")
    with begin() as tx:
        with unread(tx.session):
            for name in ("one", "two", "three"):
                _rename(tx.session, name)
        assert tx.session.scalar(select(Organisation.name)) == "three"


@POSTGRESQL
def test_a_statement_that_takes_its_time_is_not_waited_for_before_the_end(begin: Transactions) -> None:
    with begin() as tx:
        make_organisation(tx.session, "Village")
    with begin() as other:
        _rename(other.session, "theirs")
        with begin() as tx, unread(tx.session):
            # it waits for the other one, which goes on only after it was said
            _rename(tx.session, "ours")
            other.session.commit()
    with begin() as tx:
        assert tx.session.scalar(select(Organisation.name)) == "ours"


def test_what_fails_is_told_as_ever_and_nothing_is_kept(begin: Transactions) -> None:
    with begin() as tx:
        make_organisation(tx.session, "Village")
    with pytest.raises(IntegrityError), begin() as tx, unread(tx.session):
        _rename(tx.session, "never")
        tx.session.execute(text("UPDATE organisation SET id = NULL"))
    with begin() as tx:
        assert tx.session.scalar(select(Organisation.name)) == "Village"


@POSTGRESQL
def test_a_server_that_is_gone_is_told_as_ever(begin: Transactions) -> None:
    with pytest.raises(DBAPIError) as told, begin() as tx, unread(tx.session):
        with begin() as other:
            own = tx.session.connection().connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            other.session.execute(text("SELECT pg_terminate_backend(:own, 5000)"), {"own": own})
        _rename(tx.session, "never")
    assert told.value.orig is not None
    with begin() as tx:
        # nobody gets the connection that was broken
        assert tx.session.scalar(select(func.count(Organisation.id))) == 0


@POSTGRESQL
def test_ids_that_were_asked_for_ahead_are_given_once(engine: Engine) -> None:
    said: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda _c, _k, statement, *_: said.append(statement))
    with Session(engine) as one, Session(engine) as two:
        given = [*reserve_ids(one, Part, 3, ahead=10), *reserve_ids(two, Part, 4, ahead=10)]
        given += [*reserve_ids(one, Part, 3, ahead=10), *reserve_ids(one, Part, 4, ahead=10)]
        assert len([statement for statement in said if "nextval" in statement]) == 2
        # more than are left
        given += [*reserve_ids(one, Part, 5, ahead=10), *reserve_ids(two, Part, 12, ahead=10)]
        given += reserve_ids(one, Part, 2)
        one.rollback()
        given += reserve_ids(one, Part, 2)
        assert len(given) == len({*given}) == 35
        assert max(given) <= (one.scalar(select(func.nextval("part_id_seq"))) or 0)
