"""What is exported can be imported again without a change, and no spreadsheet calculates with it."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.language import set_language
from broadcaster.words import place_words
from subscribers import exporting, importing
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Denied, Invalid, Unavailable
from subscribers.importing.rows import read_name
from subscribers.models import Audit, Member, Membership, Number, NumberKind
from subscribers.nowhere import DEFAULT_ORGANISATION
from subscribers.organisations import find_by_path
from subscribers.sheets import Limits, open_sheet
from tests.factories import NOW, generated_msisdn, make_consent, make_member, make_members

TODAY = date(2026, 11, 21)
ENDINGS = [".csv", ".xlsx"]


def export(session: Session, path: Path, **given: Any) -> list[dict[str, str]]:
    rows = exporting.export_members(session, OPERATOR, path, now=NOW, on=TODAY, **given)
    with path.open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == rows
    return read


def more_numbers(session: Session, member_id: int, *msisdns: str, preferred: bool = False) -> None:
    for msisdn in msisdns:
        kind = NumberKind.LANDLINE if msisdn.startswith("+8610") else NumberKind.MOBILE
        session.add(Number(member_id=member_id, msisdn=msisdn, kind=kind, preferred=preferred))
        session.flush()


def live_away(session: Session, member_id: int, place: str | None, branch: str | None) -> None:
    membership = session.scalars(select(Membership).where(Membership.member_id == member_id)).one()
    membership.away_place, membership.host_branch = place, branch
    session.flush()


def test_a_row_is_as_the_import_takes_it(session: Session, tmp_path: Path) -> None:
    member = make_member(
        session,
        name="读者甲",
        msisdn="+861012345678",
        kind=NumberKind.LANDLINE,
        organisation="=East/First",
        status="retired",
        mobile=True,
        birthday=date(1950, 1, 2),
        tags=["书画", "chess"],
        external_id="=E1",
        fields={"车间": "+三"},
    )
    session.get_one(Number, session.scalars(select(Number.id)).one()).preferred = False
    more_numbers(session, member.id, generated_msisdn(1), preferred=True)
    more_numbers(session, member.id, "+12025550123")
    live_away(session, member.id, "South Port", "Harbour Branch")
    assert export(session, tmp_path / "out.csv") == [
        {
            "name": "读者甲",
            "msisdn": "19900000001",
            "other_numbers": "'+861012345678;+12025550123",
            "organisation": "'=East/First",
            "status": "retired mobile",
            "away_place": "South Port",
            "host_branch": "Harbour Branch",
            "joined_on": "2020-01-01",
            "birthday": "1950-01-02",
            "subscribed": "",
            "tags": "书画;chess",
            "external_id": "'=E1",
            "车间": "'+三",
        }
    ]


texts = st.text(st.sampled_from("=+-@＝＋'\"ab读𠮷, ;中\t\n0７"), min_size=1, max_size=6).map(str.strip).filter(bool)
names = st.text(st.sampled_from("读者甲乙𠮷ab '-·＝="), min_size=1, max_size=5)
person = st.fixed_dictionaries(
    {
        "name": names,
        "msisdn": st.sampled_from([None, "", "", "shared", "+861012345678", "+12025550123"]),
        "more": st.lists(st.sampled_from(["+861087654321", "+12025550188", "", ""]), max_size=3),
        "organisation": st.sampled_from(["East", "=West/+First", "'East", "East/＠Third"]),
        "status": st.sampled_from(["in_service", "retired", "probationary", "applicant"]),
        "mobile": st.booleans(),
        "away": st.tuples(st.none() | st.sampled_from(["南港", "=Port"]), st.none() | st.sampled_from(["+Branch"])),
        "birthday": st.none() | st.dates(date(1900, 1, 1), date(2010, 1, 1)),
        "joined_on": st.dates(date(1950, 1, 1), date(2026, 11, 21)),
        "tags": st.lists(texts.filter(lambda tag: not set(tag) & set(",;\t\n")), max_size=2, unique=True),
        "subscribed": st.sampled_from([True, False, None]),
        "external_id": st.sampled_from([None, "=", "'=", "00", "x"]),
        "fields": st.dictionaries(st.sampled_from(["车间", "=note", "'备注"]), texts, max_size=2),
    }
)


def settle(session: Session, crowd: list[dict[str, Any]]) -> None:
    """Put these people on the list, everyone with a name and numbers that can be on record together."""
    told: set[str] = set()
    for place, one in enumerate(crowd):
        given = dict(one)
        more, away = given.pop("more"), given.pop("away")
        msisdn = given["msisdn"]
        if msisdn == "shared":
            given |= {"msisdn": generated_msisdn(7), "shared": True}
        elif msisdn in told:
            given["msisdn"] = ""
        if given["msisdn"] == "+861012345678":
            given["kind"] = NumberKind.LANDLINE
        # of two who share a handset one wish is on record
        if given["msisdn"] in told:
            given["subscribed"] = None
        told |= {given["msisdn"] or ""}
        given["name"] = read_name(f"{given['name']}读者{place}")
        given["external_id"] = None if given["external_id"] is None else f"{given['external_id']}{place}"
        made = make_member(session, **given)
        more = [generated_msisdn() if number == "" else number for number in more if number not in told]
        more = list(dict.fromkeys(more)) if made.msisdn else []
        told |= set(more)
        more_numbers(session, made.id, *more)
        live_away(session, made.id, *(away if given["mobile"] else (None, None)))


@pytest.mark.parametrize("ending", ENDINGS)
@given(crowd=st.lists(person, min_size=1, max_size=6))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_exported_imports_as_it_was(
    session: Session, tmp_path: Path, ending: str, crowd: list[dict[str, Any]]
) -> None:
    first, out, again = tmp_path / "first.csv", tmp_path / f"out{ending}", tmp_path / "again.csv"
    with session.begin_nested() as savepoint:
        settle(session, crowd)
        export(session, first)
        exporting.export_members(session, OPERATOR, out, now=NOW, on=TODAY)
        # where it comes from, nothing is new about it
        result = importing.import_members(session, OPERATOR, out, now=NOW, on=TODAY, shared=True)
        assert (result.unchanged, [one.reason for one in result.refused]) == (len(crowd), [])
        savepoint.rollback()
    session.expunge_all()
    with session.begin_nested() as savepoint:
        # and in an empty house it makes the same people
        assert session.scalar(select(Member.id)) is None
        result = importing.import_members(session, OPERATOR, out, now=NOW, on=TODAY, shared=True)
        assert (result.created, [one.reason for one in result.refused]) == (len(crowd), [])
        export(session, again)
        savepoint.rollback()
    session.expunge_all()
    assert again.read_bytes() == first.read_bytes()


@pytest.mark.parametrize(("language", "told"), [("zh", "未分组织"), ("en", "No organisation")])
def test_where_those_are_who_are_in_no_organisation(session: Session, tmp_path: Path, language: str, told: str) -> None:
    """As pages call it; a list that says so brings them back there."""
    set_language(language)
    make_member(session, organisation=DEFAULT_ORGANISATION, name="读者甲")
    file = tmp_path / "out.csv"
    rows = export(session, file, place=place_words)
    set_language("en")
    assert [one["organisation"] for one in rows] == [told]
    assert importing.import_members(session, OPERATOR, file, now=NOW, on=TODAY).unchanged == 1


def test_an_opt_out_stays_one(session: Session, tmp_path: Path) -> None:
    member = make_member(session, subscribed=None)
    assert member.msisdn
    make_consent(session, member.msisdn, subscribed=False, source="sms")
    assert export(session, tmp_path / "out.csv")[0]["subscribed"] == "no"
    assert importing.import_members(session, OPERATOR, tmp_path / "out.csv", now=NOW, on=TODAY).unchanged == 1


def test_only_those_in_the_rule_and_in_ones_part(session: Session, tmp_path: Path) -> None:
    make_members(session, 3, organisation="East", status="retired")
    make_members(session, 2, organisation="East")
    make_members(session, 4, organisation="West", status="retired")
    assert len(export(session, tmp_path / "out.csv", to="retired")) == 7
    path = find_by_path(session, OPERATOR, "East").path
    clerk = Actor("clerk", frozenset({Right.NUMBERS}), under=path)
    assert exporting.export_members(session, clerk, tmp_path / "out.csv", to="retired", now=NOW) == 3
    with pytest.raises(Denied):
        exporting.export_members(session, Actor("v", frozenset(Right) - {Right.NUMBERS}), tmp_path / "out.csv", now=NOW)


def test_who_took_how_many_numbers_away_is_on_record(session: Session, tmp_path: Path) -> None:
    make_members(session, 3)
    exporting.export_members(session, OPERATOR, tmp_path / "out.XLSX", now=NOW, on=TODAY)
    noted = session.scalars(select(Audit)).one()
    assert (noted.deed, noted.people, noted.actor, noted.details) == (
        "members.export",
        3,
        OPERATOR.name,
        {"kind": "xlsx"},
    )


def test_who_was_forgotten_is_in_no_file(session: Session, tmp_path: Path) -> None:
    gone = make_member(session)
    make_member(session, name="读者甲")
    session.get_one(Member, gone.id).forgotten_at = NOW
    session.flush()
    assert [row["name"] for row in export(session, tmp_path / "out.csv")] == ["读者甲"]


def test_a_file_is_of_the_day_that_is_asked_for(session: Session, tmp_path: Path) -> None:
    member = make_member(session, status="applicant", joined_on=date(2024, 1, 1), left_on=date(2025, 1, 1))
    session.add(
        Membership(
            member_id=member.id,
            organisation_id=member.organisation_id,
            status="in_service",
            valid_from=date(2025, 1, 1),
        )
    )
    session.flush()
    path = tmp_path / "out.csv"
    for day, status in ((date(2024, 12, 31), "applicant"), (date(2025, 1, 1), "in_service")):
        exporting.export_members(session, OPERATOR, path, now=NOW, on=day)
        rows = list(open_sheet(path, Limits()).rows(open_sheet(path, Limits()).samples()[0]))
        found = dict(zip(rows[0][1], rows[1][1], strict=True))
        assert (found["status"], found["joined_on"]) == (status, "2024-01-01")


def test_portions_leave_nobody_out_and_tell_how_far_they_are(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_members(session, 1100)
    told: list[int] = []
    rows = export(session, tmp_path / "out.csv", progress=told.append)
    assert [row["name"] for row in rows] == [member.name for member in made]
    assert told == [1000, 1100]


def test_a_failed_export_leaves_the_file_that_was_there(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(Invalid):
        exporting.export_members(session, OPERATOR, path, to="nonsense =", now=NOW)
    assert path.read_text(encoding="utf-8") == "mine"
    with pytest.raises(Unavailable, match="cannot be written"):
        exporting.export_members(session, OPERATOR, tmp_path / "no folder" / "out.csv", now=NOW)
    assert [file.name for file in tmp_path.iterdir() if "unfinished" in file.name] == []


@pytest.mark.parametrize(
    ("msisdn", "region", "written"),
    [
        ("+8619900000001", "CN", "19900000001"),
        ("+8619900000001", "GB", "+8619900000001"),
        ("+861012345678", "CN", "+861012345678"),
        ("+447400123456", "GB", "+447400123456"),
    ],
)
def test_numbers_are_written_as_they_are_read(msisdn: str, region: str, written: str) -> None:
    assert exporting.written_number(msisdn, region) == written
