"""Wishes in a file: with their evidence, of those who are meant, and as the import takes them back."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import consent, consent_files
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.column_wishes import SaidOfColumn, record_columns
from subscribers.consent import Said
from subscribers.errors import Denied
from subscribers.models import Audit, Wish
from subscribers.organisations import find_by_path
from tests.factories import NOW, generated_msisdn, make_consent, make_member

A, B, C = (generated_msisdn(n) for n in (301, 302, 303))


def export(session: Session, path: Path, actor: Actor = OPERATOR, **given: Any) -> list[dict[str, str]]:
    rows = consent_files.export_consent(session, actor, path, now=NOW, on=date(2026, 11, 21), **given)
    with path.open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == rows
    return read


def test_a_row_has_the_wish_and_how_it_is_known(session: Session, tmp_path: Path) -> None:
    make_consent(session, A, subscribed=False, source="sms", wording="=R")
    record_columns(session, OPERATOR, [SaidOfColumn("要闻", Said(A, Wish.IN, "page", "ticked"))], now=NOW)
    at = "2026-11-21T02:00:00+00:00"
    assert export(session, tmp_path / "out.csv") == [
        {"msisdn": A[3:], "wish": "out", "source": "sms", "wording": "'=R", "at": at, "topic": ""},
        {"msisdn": A[3:], "wish": "in", "source": "page", "wording": "ticked", "at": at, "topic": "要闻"},
    ]
    noted = session.scalars(select(Audit)).one()
    assert (noted.deed, noted.people) == ("consent.export", 2)


def test_only_whom_the_rule_holds_and_only_outs_if_wanted(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    make_member(session, msisdn=A, status="retired", organisation="East")
    make_member(session, msisdn=B, organisation="West", subscribed=False)
    make_consent(session, C, subscribed=False)

    def numbers(**given: Any) -> list[str]:
        return ["+86" + row["msisdn"] for row in export(session, path, **given)]

    assert numbers() == [A, B, C]
    assert numbers(outs=True) == [B, C]
    assert numbers(to="retired") == [A]
    assert numbers(to="everyone", outs=True) == [B]
    clerk = Actor("clerk", frozenset({Right.NUMBERS}), under=find_by_path(session, OPERATOR, "East").path)
    assert numbers(actor=clerk) == [A]
    with pytest.raises(Denied):
        export(session, path, Actor("v", frozenset(Right) - {Right.NUMBERS}))


words = st.text(st.sampled_from("=+'\"读𠮷R ,;\n"), min_size=1, max_size=6).map(str.strip).filter(bool)
saying = st.tuples(
    st.sampled_from([A, B, "+861012345678", "+12025550123"]),
    st.sampled_from(["", "要闻", "=健康"]),
    st.sampled_from(list(Wish)),
    st.sampled_from(["sms", "carrier", "import", "+paper"]),
    words,
)


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
@given(said=st.lists(saying, min_size=1, max_size=8, unique_by=lambda one: one[:2]))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_exported_imports_as_it_was(session: Session, tmp_path: Path, ending: str, said: list[Any]) -> None:
    first, out, again = tmp_path / "first.csv", tmp_path / f"out{ending}", tmp_path / "again.csv"
    with session.begin_nested() as savepoint:
        for number, topic, wish, source, wording in said:
            one = Said(number, wish, source, wording)
            if topic:
                record_columns(session, OPERATOR, [SaidOfColumn(topic, one)], now=NOW)
            else:
                consent.record_many(session, OPERATOR, [one], now=NOW)
        export(session, first)
        consent_files.export_consent(session, OPERATOR, out, now=NOW)
        savepoint.rollback()
    session.expunge_all()
    with session.begin_nested() as savepoint:
        result = consent_files.import_consent(
            session, OPERATOR, out, key=b"k" * 32, now=NOW, zone=ZoneInfo("Asia/Shanghai")
        )
        assert [one.reason for one in result.refused] == []
        export(session, again)
        savepoint.rollback()
    session.expunge_all()
    assert again.read_bytes() == first.read_bytes()
