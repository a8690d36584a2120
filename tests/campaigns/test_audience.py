"""Who is sent to, and why the others are not."""

from __future__ import annotations

from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import Route, count_audience, select_audience
from broadcaster.campaigns.compose import Text, create_draft
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Campaign
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.importing import Reason, import_members, reached
from subscribers.models import NumberKind
from tests.factories import NOW, generated_msisdn, make_consent, make_member, make_organisation

ON = date(2026, 11, 21)
ROUTE = Route("carrier")


def _campaign(session: Session, *rules: str, actor: Actor = OPERATOR, rule: str = "everyone") -> Campaign:
    texts = [Text(name, name, "{{ name }}") for name in rules or ("everyone",)]
    return create_draft(session, actor, texts, title="t", rule=rule, dress=Dress(), now=NOW)


def _rows(session: Session, campaign: Campaign, route: Route = ROUTE, **bounds: Any) -> dict[int, Any]:
    rows = session.execute(select_audience(session, campaign, route, on=ON, **bounds)).all()
    found = {row.member_id: row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({}, None),
        ({"msisdn": None}, "no_number"),
        ({"kind": NumberKind.LANDLINE}, "landline"),
        ({"subscribed": False}, "opted_out"),
        ({"subscribed": None}, "no_consent"),
        ({"suspended_at": NOW}, "suspended"),
        # of several reasons the one that cannot be mended by asking the member
        ({"kind": NumberKind.LANDLINE, "subscribed": False}, "landline"),
        ({"suspended_at": NOW, "subscribed": False}, "opted_out"),
    ],
)
def test_each_reason(session: Session, given: dict[str, Any], reason: str | None) -> None:
    member = make_member(session, **given)
    assert _rows(session, _campaign(session))[member.id].reason == reason


def test_who_left_or_has_not_come_yet_is_not_in_the_audience(session: Session) -> None:
    make_member(session, left_on=ON)
    make_member(session, joined_on=date(2026, 11, 22))
    last_day = make_member(session, left_on=date(2026, 11, 22))
    assert set(_rows(session, _campaign(session))) == {last_day.id}


def test_the_first_variant_that_holds_a_person_is_theirs(session: Session) -> None:
    retired = make_member(session, status="retired")
    away = make_member(session, status="in_service", mobile=True)
    both = make_member(session, status="retired", mobile=True)
    other = make_member(session, status="in_service")
    rows = _rows(session, _campaign(session, "retired", "mobile", "everyone"))
    assert [rows[m.id].variant for m in (retired, away, both, other)] == [0, 1, 0, 2]


def test_one_copy_for_a_shared_handset(session: Session) -> None:
    shared = generated_msisdn()
    first = make_member(session, msisdn=shared)
    second = make_member(session, msisdn=shared)
    rows = _rows(session, _campaign(session))
    assert (rows[first.id].reason, rows[second.id].reason) == (None, "duplicate_handset")


def test_who_gets_no_variant_takes_no_copy_away(session: Session) -> None:
    shared = generated_msisdn()
    make_member(session, msisdn=shared, status="in_service")
    retired = make_member(session, msisdn=shared, status="retired")
    rows = _rows(session, _campaign(session, "retired"))
    assert {row.member_id: row.reason for row in rows.values()} == {retired.id: None}


def test_of_a_shared_handset_the_row_in_use_gets_the_copy(session: Session) -> None:
    shared = generated_msisdn()
    suspended = make_member(session, msisdn=shared, suspended_at=NOW)
    used = make_member(session, msisdn=shared)
    rows = _rows(session, _campaign(session))
    assert (rows[suspended.id].reason, rows[used.id].reason) == ("suspended", None)


def test_the_way_out_by_operator(session: Session) -> None:
    mine = {name: make_member(session, operator=name) for name in ("mobile", "unicom", "telecom", None)}
    rows = _rows(session, _campaign(session), Route("carrier", {"mobile": "cmcc", "unicom": "cucc"}))
    assert {name: rows[m.id].gateway for name, m in mine.items()} == {
        "mobile": "cmcc",
        "unicom": "cucc",
        "telecom": "carrier",
        None: "carrier",
    }


def test_an_actor_reaches_only_their_own_part_of_the_tree(session: Session) -> None:
    east, west = make_organisation(session, "East City"), make_organisation(session, "West City")
    mine = make_member(session, organisation=east)
    make_member(session, organisation=west)
    editor = Actor("editor", frozenset(Right), under=east.path)
    assert set(_rows(session, _campaign(session, actor=editor))) == {mine.id}


def test_counted_as_it_is_selected(session: Session) -> None:
    for given in ({}, {}, {"status": "retired"}, {"msisdn": None}, {"subscribed": False}):
        make_member(session, **given)
    audience = count_audience(session, _campaign(session, "retired", "everyone"), ROUTE, on=ON)
    assert audience.recipients == 3
    assert audience.by_variant == {0: 1, 1: 2}
    assert audience.skipped == {"no_number": 1, "opted_out": 1}


LIST = """姓名,手机,其他号码,订阅,编号
甲,19900000001,,是,
乙,19900000002,,否,
丙,010-12345678,,是,
丁,,,是,
戊,19900000003,,,
己,19900000001,,是,
庚,19900000004,19900000001,是,
辛,010-12345679,19900000006,否,
壬,19900000007,,是,
癸,19900000007,,否,
子,19900000008,,是,
丑,,,,E1
寅,19900000009,,是,
卯,19900000011,,是,
辰,19900000011,,是,
坏,1990,,是,
巳,19900000012,,,
午,19900000012,,是,
未,19900000013,,,
申,19900000013,,,
酉,19900000013,,是,
戌,19900000014,,,
亥,19900000014,,是,
水,19900000014,,,
金,19900000015,,,E2
木,19900000015,,是,
"""


def test_what_an_import_says_of_its_people_is_what_a_campaign_will_say(session: Session, tmp_path: Path) -> None:
    make_member(session, name="丑", msisdn="+8619900000010", external_id="E1", subscribed=False)
    make_member(session, name="寅", msisdn="+8619900000009", suspended_at=NOW)
    make_member(session, name="辰", msisdn="+8619900000011", shared=True)
    make_consent(session, "+8619900000008", subscribed=False, source="sms")
    make_member(session, name="水", msisdn="+8619900000014", subscribed=None, shared=True)
    make_member(session, name="火", msisdn="+8619900000015", subscribed=None, external_id="E2")
    path = tmp_path / "list.csv"
    path.write_text(LIST, encoding="utf-8")
    said = import_members(session, OPERATOR, path, now=NOW, on=ON, shared=True)
    assert [one.row for one in said.refused] == [17]
    audience = count_audience(session, _campaign(session), ROUTE, on=ON)
    assert {why: each.people for why, each in said.unreached.items()} == audience.skipped
    assert set(audience.skipped) == set(Reason)
    assert said.created + said.updated + said.unchanged == audience.recipients + sum(audience.skipped.values())
    rows = {str(why): each.rows for why, each in said.unreached.items()}
    assert rows["landline"] == [4, 9]
    assert rows["opted_out"] == [3, 11, 12, 13], "of two who share a handset the one who wants nothing is heard"
    again = import_members(session, OPERATOR, path, now=NOW, on=ON, shared=True, dry_run=True)
    assert again.unreached[Reason.LANDLINE] == said.unreached[Reason.LANDLINE]


def test_whatever_is_said_of_one_handset_there_are_never_fewer_than_none(session: Session, tmp_path: Path) -> None:
    """Told row by row, somebody may be counted for two reasons where rows contradict each other."""
    make_member(session, name="丙", msisdn="+8619900000001", shared=True, subscribed=False)
    path, twice = tmp_path / "list.csv", 0
    for said in product(("是", "否", ""), repeat=3):
        rows = "".join(f"{name},19900000001,{wish}\n" for name, wish in zip("甲丙丁", said, strict=True))
        path.write_text(f"姓名,手机,订阅\n{rows}甲,19900000001,{said[1]}\n", encoding="utf-8")
        result = import_members(session, OPERATOR, path, now=NOW, on=ON, shared=True, dry_run=True)
        told = [each.people for each in result.unreached.values()]
        twice += sum(told) > 3
        assert min(told, default=1) > 0
        assert 0 <= reached(3, told) <= 3
    assert twice


def test_in_pieces_it_is_the_same(session: Session) -> None:
    members = [make_member(session) for _ in range(7)]
    make_consent(session, str(members[3].msisdn), subscribed=False)
    campaign = _campaign(session)
    pieces = [_rows(session, campaign, after=low, up_to=low + 2) for low in range(0, members[-1].id + 1, 2)]
    assert {k: v.reason for piece in pieces for k, v in piece.items()} == {
        k: v.reason for k, v in _rows(session, campaign).items()
    }
