"""What is exported can be imported again without a change, and no spreadsheet calculates with it."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from subscribers import exporting, finding, importing, registry
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Denied, Invalid, Unavailable
from subscribers.organisations import find_by_path
from tests.factories import NOW, generated_msisdn, make_consent, make_member, make_members

TODAY = date(2026, 11, 21)


def export(session: Session, path: Path, **given: object) -> list[dict[str, str]]:
    rows = exporting.export_members(session, OPERATOR, path, now=NOW, on=TODAY, **given)  # type: ignore[arg-type]
    with path.open(encoding="utf-8-sig", newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == rows
    return read


def everybody(session: Session) -> list[registry.Profile]:
    found = finding.find(session, OPERATOR, "读者", on=TODAY, limit=10_000)
    return sorted(found, key=lambda profile: profile.name)


def test_a_row_is_as_the_import_takes_it(session: Session, tmp_path: Path) -> None:
    make_member(
        session,
        name="读者甲",
        msisdn=generated_msisdn(1),
        organisation="=East/First",
        status="retired",
        mobile=True,
        birthday=date(1950, 1, 2),
        tags=["书画", "chess"],
        external_id="=E1",
        fields={"车间": "+三"},
    )
    assert export(session, tmp_path / "out.csv") == [
        {
            "name": "读者甲",
            "msisdn": "19900000001",
            "organisation": "'=East/First",
            "status": "retired mobile",
            "joined_on": "2020-01-01",
            "birthday": "1950-01-02",
            "subscribed": "yes",
            "tags": "书画;chess",
            "external_id": "'=E1",
            "车间": "'+三",
        }
    ]


texts = st.text(alphabet=st.sampled_from("=+-@＝'\"ab读, ;中\t"), min_size=1, max_size=5).map(str.strip).filter(bool)
person = st.fixed_dictionaries(
    {
        "msisdn": st.sampled_from([None, "", "+861012345678", "+12025550123"]),
        "organisation": st.sampled_from(["East", "=West/+First", "'East"]),
        "status": st.sampled_from(["in_service", "retired", "probationary", "applicant"]),
        "mobile": st.booleans(),
        "birthday": st.none() | st.dates(date(1920, 1, 1), date(2010, 1, 1)),
        "tags": st.lists(texts.filter(lambda tag: not set(tag) & set(",;")), max_size=2, unique=True),
        "subscribed": st.sampled_from([True, False, None]),
        "fields": st.dictionaries(st.sampled_from(["车间", "=note", "备注"]), texts, max_size=2),
    }
)


@given(st.lists(person, min_size=1, max_size=6))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_an_import_of_an_export_changes_nothing(
    session: Session, tmp_path: Path, crowd: list[dict[str, object]]
) -> None:
    with session.begin_nested() as savepoint:
        taken: set[object] = set()
        for number, given_person in enumerate(crowd):
            again = given_person["msisdn"] in taken
            taken |= {given_person["msisdn"]} - {"", None}
            msisdn = {"msisdn": ""} if again else {}
            if given_person["msisdn"] == "+861012345678" and not again:
                msisdn = {"kind": "landline"}
            make_member(session, name=f"读者{number}", external_id=f"={number}", **{**given_person, **msisdn})
        path = tmp_path / "out.csv"
        export(session, path)
        before = everybody(session)
        result = importing.import_members(session, OPERATOR, path, now=NOW, on=TODAY)
        assert (result.unchanged, [one.reason for one in result.refused]) == (len(crowd), [])
        # and into an empty house
        savepoint.rollback()
    with session.begin_nested() as savepoint:
        result = importing.import_members(session, OPERATOR, path, now=NOW, on=TODAY)
        assert (result.created, [one.reason for one in result.refused]) == (len(crowd), [])
        alike = [replace(profile, id=0, organisation_path="") for profile in before]
        assert [replace(profile, id=0, organisation_path="") for profile in everybody(session)] == alike
        savepoint.rollback()


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
    clerk = Actor("clerk", frozenset({Right.SEE, Right.REGISTER}), under=path)
    assert exporting.export_members(session, clerk, tmp_path / "out.csv", to="retired", now=NOW) == 3
    with pytest.raises(Denied):
        exporting.export_members(session, Actor("v", frozenset({Right.SEE})), tmp_path / "out.csv", now=NOW)


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
        ("+8619900000001", "GB", "'+8619900000001"),
        ("+861012345678", "CN", "'+861012345678"),
        ("+447400123456", "GB", "'+447400123456"),
    ],
)
def test_numbers_are_safe_from_calculation(msisdn: str, region: str, written: str) -> None:
    assert exporting.written_number(msisdn, region) == written
