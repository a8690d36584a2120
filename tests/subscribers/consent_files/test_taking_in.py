"""Files of wishes: opt-outs win, opt-ins need evidence, rows with faults are refused one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscribers import consent, consent_files, forgetting
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.consent_files import ConsentImported
from subscribers.errors import Denied, Invalid
from subscribers.models import Audit, ColumnWish, Consent, ForgottenNumber, ImportRun, Subscription, Wish
from subscribers.organisations import find_by_path
from subscribers.sheets import Limits, write_sheet
from tests.factories import NOW, generated_msisdn, make_consent, make_member

KEY = b"k" * 32
ZONE = ZoneInfo("Asia/Shanghai")
A, B, C = (generated_msisdn(n) for n in (101, 102, 103))
SHORT_A, SHORT_B, SHORT_C = (number.removeprefix("+86") for number in (A, B, C))


class Importer:
    """Writes a file of wishes and takes it in."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.path = session, folder / "wishes.csv"

    def __call__(self, text: str, *, actor: Actor = OPERATOR, **given: Any) -> ConsentImported:
        self.path.write_text(text, encoding="utf-8")
        given = {"key": KEY, "now": NOW, "zone": ZONE} | given
        return consent_files.import_consent(self.session, actor, self.path, **given)


@pytest.fixture
def load(session: Session, tmp_path: Path) -> Importer:
    return Importer(session, tmp_path)


def wish(session: Session, number: str) -> Wish | None:
    present = consent.wishes(session, [number]).get(number)
    return present.wish if present else None


def figures(result: ConsentImported) -> tuple[int, int, int, int, int, int]:
    return (result.rows, result.outs, result.ins, result.unchanged, result.still_out, len(result.refused))


def reasons(result: ConsentImported) -> list[str]:
    return [f"{one.row}: {one.reason}" for one in result.refused]


def test_a_bare_list_of_numbers_is_a_list_of_opt_outs(session: Session, load: Importer) -> None:
    make_member(session, msisdn=A)
    result = load(f"{SHORT_A}\n\n+86 {SHORT_B}\n", source="carrier")
    assert figures(result) == (2, 2, 0, 0, 0, 0)
    assert (wish(session, A), wish(session, B)) == (Wish.OUT, Wish.OUT)
    said = session.scalars(select(Consent).where(Consent.msisdn == B)).one()
    assert (said.source, said.import_run_id, said.actor, said.at) == (
        "carrier",
        result.import_id,
        OPERATOR.name,
        NOW,
    )


def test_every_column_is_understood_in_both_languages(session: Session, load: Importer) -> None:
    heads = ("msisdn,wish,source,wording,at,topic", "手机号码（必填）,意愿,来源,原话,时间,栏目")
    for head, number in zip(heads, (A, B), strict=True):
        result = load(f"a title\n{head}\n{number},同意,paper,signed,2026/11/20 8:30,要闻\n{number},in,paper,signed,,\n")
        assert figures(result) == (2, 0, 2, 0, 0, 0)
        column = session.scalars(select(ColumnWish).where(ColumnWish.msisdn == number)).one()
        said = session.get_one(Consent, column.consent_id)
        assert (column.topic, column.wish, column.since) == ("要闻", "in", NOW)
        assert (said.topic, said.wish, said.source, said.wording) == ("要闻", "in", "paper", "signed")
        assert said.at == datetime(2026, 11, 20, 0, 30, tzinfo=UTC)
        assert wish(session, number) == Wish.IN


def test_who_refuses_a_column_still_gets_the_paper(session: Session, load: Importer) -> None:
    make_member(session, msisdn=A)
    assert figures(load(f"msisdn,topic\n{SHORT_A},要闻\n")) == (1, 1, 0, 0, 0, 0)
    assert consent.is_reachable(session, A)
    assert session.scalars(select(ColumnWish.wish)).all() == ["out"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",out,,,,", "number is missing"),
        ("199000000,out,,,,", "too short"),
        (f"{SHORT_A},maybe,,,,", "neither in nor out"),
        (f"{SHORT_A},in,,,,", "no evidence"),
        (f"{SHORT_A},out,,,yesterday,", "at is no time"),
        (f"{SHORT_A},out,,,2026-02-30,", "at is no time"),
        (f"{SHORT_A},out,,,2026-11-22,", "at cannot be"),
        (f"{SHORT_A},out,,,1999-01-01,", "at cannot be"),
        (f"{SHORT_A},out,{'x' * 41},,,", "source is too long"),
        (f"{SHORT_A},out,,{'x' * 2001},,", "wording is too long"),
        (f"{SHORT_A},out,,{'x' * 4097},,", "cell is too long"),
        (f"{SHORT_A},out,,,,{'x' * 101}", "name of the column is too long"),
    ],
)
def test_a_row_with_a_fault_is_refused_and_the_others_are_not(
    session: Session, load: Importer, row: str, reason: str
) -> None:
    result = load(f"msisdn,wish,source,wording,at,topic\n{row}\n{SHORT_B},out,,,,\n")
    assert reason in reasons(result)[0]
    assert reasons(result)[0].startswith("2: ")
    assert SHORT_A not in result.refused[0].reason
    assert figures(result) == (2, 1, 0, 0, 0, 1)
    assert wish(session, B) == Wish.OUT


def test_ones_own_word_outranks_a_spreadsheets_yes(session: Session, load: Importer) -> None:
    for number, source in ((A, "sms"), (B, "import")):
        make_consent(session, number, subscribed=False, source=source)
    rows = "".join(f"{number},in,sms,said so\n" for number in (A, B))
    assert figures(load(f"msisdn,wish,source,wording\n{rows}")) == (2, 0, 1, 0, 1, 0)
    assert (wish(session, A), wish(session, B)) == (Wish.OUT, Wish.IN)


def test_of_two_rows_the_out_is_heard(session: Session, load: Importer) -> None:
    head = "msisdn,wish,wording,topic\n"
    rows = [f"{SHORT_A},in,yes,{topic}\n{SHORT_A},out,,{topic}\n{SHORT_A},in,yes,{topic}\n" for topic in ("", "要闻")]
    assert figures(load(head + "".join(rows))) == (6, 2, 2, 0, 2, 0)
    assert wish(session, A) == Wish.OUT
    assert session.scalars(select(ColumnWish.wish)).all() == ["out"]


def test_an_older_yes_does_not_undo_a_later_no(session: Session, load: Importer) -> None:
    make_consent(session, A, subscribed=False, source="import")
    assert load(f"msisdn,wish,wording,at\n{A},in,signed,2020-01-01\n").still_out == 1
    assert load(f"msisdn,wish,wording,at\n{A},in,signed,\n").ins == 1


def test_the_same_file_twice_changes_nothing(session: Session, load: Importer) -> None:
    text = f"msisdn,wish,wording,topic\n{SHORT_A},out,,\n{SHORT_B},in,signed,\n{SHORT_B},out,,要闻\n"
    load(text, source="carrier")
    before = session.scalar(select(func.count()).select_from(Consent))
    assert figures(load(text, source="carrier")) == (3, 0, 0, 3, 0, 0)
    assert session.scalar(select(func.count()).select_from(Consent)) == before
    # but what was only a list's word becomes the carrier's
    make_consent(session, C, subscribed=False, source="import")
    assert load(SHORT_C + "\n", source="carrier").outs == 1
    assert consent.wishes(session, [C])[C].own_word


def test_who_was_forgotten_stays_out(session: Session, load: Importer) -> None:
    session.add(ForgottenNumber(digest=forgetting.digest(A, KEY), at=NOW))
    session.flush()
    assert figures(load(f"msisdn,wish,source,wording\n{A},in,sms,said so\n{B},in,sms,so\n")) == (2, 0, 1, 0, 1, 0)
    assert wish(session, A) is None


def test_what_was_said_of_many_is_kept_of_each(session: Session, load: Importer) -> None:
    many = consent.said_of_many(
        session, OPERATOR, Wish.IN, source="import", wording="assembly", import_run_id=None, now=NOW
    )
    session.add(Subscription(msisdn=A, wish=Wish.IN, since=NOW, consent_id=many))
    session.add(ColumnWish(msisdn=A, topic="要闻", wish=Wish.IN, since=NOW, consent_id=many))
    session.flush()
    load(f"msisdn,topic\n{A},\n{A},要闻\n")
    own = session.execute(select(Consent.wish, Consent.wording).where(Consent.msisdn == A).order_by(Consent.id))
    assert [tuple(row) for row in own] == [("in", "assembly"), ("out", ""), ("in", "assembly"), ("out", "")]


def test_numbers_of_another_part_of_the_tree_do_not_exist(session: Session, load: Importer) -> None:
    make_member(session, msisdn=A, organisation="East")
    make_member(session, msisdn=B, organisation="West")
    clerk = Actor("clerk", frozenset({Right.REGISTER}), under=find_by_path(session, OPERATOR, "East").path)
    result = load(f"msisdn,topic\n{A},\n{B},\n{C},\n{A},要闻\n{B},要闻\n", actor=clerk)
    assert figures(result) == (5, 2, 0, 0, 0, 3)
    # whether there is such a number elsewhere cannot be told from the words
    assert {one.message for one in result.refused} == {"{number} is no member's number here."}
    assert wish(session, B) == Wish.IN
    with pytest.raises(Denied):
        load(SHORT_A, actor=Actor("viewer", frozenset(Right) - {Right.REGISTER}))


def test_a_dry_run_tells_the_same_and_writes_nothing(session: Session, load: Importer) -> None:
    text = f"msisdn,wish,wording,topic\n{A},in,signed,\n{A},out,,要闻\n1,,,\n"
    dry = load(text, dry_run=True)
    for table in (Consent, Subscription, ColumnWish, ImportRun, Audit):
        assert session.scalar(select(func.count()).select_from(table)) == 0
    wet = load(text)
    assert figures(dry) == figures(wet) == (3, 1, 1, 0, 0, 1)
    assert (dry.import_id is None, wet.import_id is None) == (True, False)


def test_it_is_on_record_who_took_it_in(session: Session, load: Importer) -> None:
    result = load(f"{SHORT_A}\n{SHORT_B}\nnumber?\n")
    run = session.get_one(ImportRun, result.import_id)
    assert (run.kind, run.file_name, run.updated, run.refused) == ("consent", "wishes.csv", 2, 1)
    noted = session.scalars(select(Audit)).one()
    assert (noted.deed, noted.people, noted.thing) == ("consent.import", 2, f"import {run.id}")


def test_a_file_that_is_none_is_refused_whole(session: Session, load: Importer, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no row of headings"):
        load("name,organisation\na,b\n")
    with pytest.raises(Invalid, match="no row of headings"):
        load("hello\nworld\n")
    with pytest.raises(Invalid, match="more than 2 rows"), session.begin_nested():
        load(f"{SHORT_A}\n{SHORT_B}\n{SHORT_C}\n", limits=Limits(rows=2))
    assert wish(session, A) is None
    with pytest.raises(Invalid, match="source"):
        load(SHORT_A, source="")


def test_workbooks_are_read_and_progress_is_told(session: Session, load: Importer) -> None:
    load.path = load.path.with_suffix(".xlsx")
    write_sheet(load.path, ["Our list"], [["手机", "备注"], *([generated_msisdn(n), "x"] for n in range(2000, 3100))])
    told: list[int] = []
    result = consent_files.import_consent(
        session, OPERATOR, load.path, key=KEY, now=NOW, zone=ZONE, progress=told.append
    )
    assert (result.outs, told) == (1100, [1000, 1100])


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["in", "out", ""])), max_size=12))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whoever_is_out_in_a_file_is_out(session: Session, load: Importer, said: list[tuple[str, str]]) -> None:
    numbers = {"A": A, "B": B, "C": C}
    with session.begin_nested() as savepoint:
        load("msisdn,wish,wording\n" + "".join(f"{numbers[who]},{what},said\n" for who, what in said) + "\n")
        for who, number in numbers.items():
            words = {what for one, what in said if one == who}
            expected = None if not words else Wish.IN if words == {"in"} else Wish.OUT
            assert wish(session, number) == expected
        savepoint.rollback()
