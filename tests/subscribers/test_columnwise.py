"""Rows that go to the database column by column come back as they were, whatever stands in them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DataError

from broadcaster.delivery.models import ReceiptInbox
from subscribers.columnwise import columnwise
from subscribers.db import insert_all
from tests.databases import Transactions
from tests.factories import NOW

_TABLE = ReceiptInbox.__table__
_NAMES = ("gateway", "provider_id", "state", "done", "msisdn", "permanent", "raw", "received_at", "outcome")
_TEXTS = st.one_of(
    st.sampled_from(["", "\x1f", "\x1e", "a\x1eb", "NULL", "\\N", "{}", '","', "'", "%s", "%(raw)s", "好\n"]),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12),
)


def row(number: int, **given: Any) -> dict[str, Any]:
    plain = {
        "gateway": "carrier",
        "provider_id": f"id-{number}",
        "state": "delivered",
        "done": "",
        "msisdn": None,
        "permanent": None,
        "raw": "",
        "received_at": NOW,
        "outcome": 1,
    }
    return plain | given


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "msisdn": st.none() | _TEXTS,
                "permanent": st.none() | st.booleans(),
                "raw": _TEXTS,
                "received_at": st.integers(0, 10**12).map(lambda micros: NOW + timedelta(microseconds=micros)),
                "outcome": st.integers(-(2**15), 2**15 - 1),
            }
        ),
        min_size=1,
        max_size=6,
    )
)
def test_what_goes_in_comes_out(begin: Transactions, rows: list[dict[str, Any]]) -> None:
    rows = [row(number, **given) for number, given in enumerate(rows)]
    columns = [_TABLE.c[name] for name in _NAMES]
    with begin() as tx:
        assert insert_all(tx.session, ReceiptInbox, rows) == len(rows)
    with begin() as tx:
        found = tx.session.execute(select(*columns).order_by(_TABLE.c.id)).all()
        tx.session.execute(delete(ReceiptInbox))
    assert sorted(found, key=lambda each: each.provider_id) == [tuple(each.values()) for each in rows]


@pytest.mark.postgresql
def test_what_is_too_long_is_refused_and_not_cut(begin: Transactions) -> None:
    if begin.engine.dialect.name == "sqlite":
        pytest.skip("SQLite knows no length")
    for rows in ([row(1, state="s" * 21), row(2)], [row(1, state="s" * 21), row(2, state="s" * 21)]):
        with pytest.raises(DataError, match="too long"), begin() as tx:
            insert_all(tx.session, ReceiptInbox, rows)


def test_usual_rows_go_by_column_and_odd_ones_do_not() -> None:
    columns = [_TABLE.c[name] for name in ("state", "raw")]

    def told(*rows: tuple[str | None, str | None]) -> object:
        return columnwise(columns, list(zip(*rows, strict=True)), postgresql.dialect())

    chosen, given = columnwise(columns, [("delivered", "delivered"), ("a", None)], postgresql.dialect()) or ("", {})
    assert "string_to_array(%(raw)s" in chosen
    assert given == {"state": "delivered", "raw": "a\x1f\x1e"}
    # a single row, or rows that are all alike, have no column that varies
    assert told(("delivered", "a")) is None
    assert told(("delivered", "a"), ("failed", "b\x1fc")) is None
    assert told(("delivered", "a"), ("failed", "\x1e")) is None
