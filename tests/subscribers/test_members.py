"""One member by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import consent, forgetting, members, records
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import BroadsheetError, Conflict, Denied, Invalid, NotFound
from subscribers.members import NewMember
from subscribers.models import Member, Number, Status
from subscribers.names import search_key
from tests.factories import NOW, generated_msisdn, make_consent, make_member, make_organisation

TODAY = NOW.date()
KEY = b"k" * 32


def register(session: Session, actor: Actor = OPERATOR, **given: Any) -> members.Registered:
    shared = given.pop("shared", False)
    new = NewMember(**{"name": "读者甲", "organisation": "East", **given})
    return members.register(session, actor, new, key=KEY, shared=shared, on=TODAY, now=NOW)


@pytest.fixture(autouse=True)
def east(session: Session) -> str:
    return make_organisation(session, "East").path


def test_a_closed_organisation_takes_nobody_in(session: Session) -> None:
    make_organisation(session, "East").closed_on = TODAY
    # nor whoever joined long before: they would be there today
    for joined_on in (None, date(1999, 1, 1)):
        with pytest.raises(Conflict, match="East is closed"):
            register(session, joined_on=joined_on)
    make_organisation(session, "East").closed_on = TODAY + timedelta(days=1)
    assert register(session).id


def test_all_of_it(session: Session) -> None:
    made = register(
        session,
        name=" 读 者 ",
        status=Status.RETIRED,
        away_place="深圳",
        host_branch="流动支部",
        numbers=["199 0000 0001", "19900000002"],
        birthday=date(1950, 1, 31),
        tags=["书画", "书画", " "],
        fields={"职务": "组长"},
        external_id="A-1",
        joined_on=date(1980, 7, 1),
        agreed="signed",
    )
    record = records.show(session, OPERATOR, made.id, full_numbers=True, on=TODAY, now=NOW)
    assert (record.name, record.organisation, record.status, record.mobile) == ("读者", "East", "retired", True)
    assert (record.away_place, record.host_branch, record.birthday) == ("深圳", "流动支部", date(1950, 1, 31))
    assert (record.tags, record.fields, record.external_id) == (("书画",), {"职务": "组长"}, "A-1")
    assert [(n.msisdn, n.preferred, n.wish) for n in record.numbers] == [
        ("+8619900000001", True, "in"),
        ("+8619900000002", False, "in"),
    ]
    assert (record.history[0].day, record.history[0].what) == (date(1980, 7, 1), "joined")
    assert session.get_one(Member, made.id).search_key == search_key("读者")


def test_a_member_may_come_later(session: Session) -> None:
    made = register(session, joined_on=TODAY + timedelta(days=9))
    record = records.show(session, OPERATOR, made.id, on=TODAY, now=NOW)
    assert (record.status, record.history[-1].what, record.history[-1].day > TODAY) == (None, "joined", True)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"name": ""}, Invalid),
        ({"name": "x" * 101}, Invalid),
        ({"name": "a\0"}, Invalid),
        ({"name": "a\ud800"}, Invalid),
        ({"organisation": "Nowhere"}, NotFound),
        ({"organisation": ""}, Invalid),
        ({"numbers": ["123"]}, Invalid),
        ({"birthday": TODAY + timedelta(days=1)}, Invalid),
        ({"birthday": date(1, 1, 1)}, Invalid),
        ({"joined_on": date(1, 1, 1)}, Invalid),
        ({"tags": [str(n) for n in range(51)]}, Invalid),
        ({"tags": ["x" * 51]}, Invalid),
        ({"fields": {"": "x"}}, Invalid),
        ({"fields": {str(n): "x" for n in range(101)}}, Invalid),
        ({"fields": {"a": "x" * 1001}}, Invalid),
        ({"external_id": "x" * 101}, Invalid),
        ({"away_place": "x" * 101}, Invalid),
        ({"external_id": "taken"}, Conflict),
    ],
)
def test_what_cannot_be_registered(session: Session, given: dict[str, Any], error: type[BroadsheetError]) -> None:
    make_member(session, external_id="taken")
    with pytest.raises(error), session.begin_nested():
        register(session, **given)
    assert len(session.scalars(select(Member.id)).all()) == 1


def test_a_number_that_is_taken(session: Session) -> None:
    taken = str(make_member(session).msisdn)
    with pytest.raises(Conflict, match="on record"), session.begin_nested():
        register(session, numbers=[taken])
    register(session, numbers=[taken], shared=True)
    assert set(session.scalars(select(Number.shared))) == {True}


def test_who_refused_or_was_forgotten_stays_out_whatever_others_say(session: Session) -> None:
    refused, forgotten = generated_msisdn(55_560_001), generated_msisdn(55_560_002)
    make_consent(session, refused, subscribed=False, source="sms")
    gone = make_member(session, msisdn=forgotten)
    forgetting.forget(session, OPERATOR, gone.id, key=KEY, on=TODAY, now=NOW)
    made = register(session, numbers=[refused, forgotten], agreed="signed")
    assert len(made.still_out) == 2
    assert not any(number in "".join(made.still_out) for number in (refused, forgotten))
    assert not consent.is_reachable(session, refused)
    assert not consent.is_reachable(session, forgotten)
    # their own word is another thing
    consent.opt_in(session, OPERATOR, forgotten, source="sms", wording="订阅", now=NOW)
    assert forgetting.stays_forgotten(session, [forgotten], KEY) == set()


def update(session: Session, member_id: int, actor: Actor = OPERATOR, **given: Any) -> Member:
    return members.update(session, actor, member_id, on=TODAY, now=NOW, **given)


def test_corrections(session: Session) -> None:
    member = make_member(session, name="读者甲", tags=["a"], fields={"a": "1", "b": "2"}, external_id="A-1")
    changed = update(session, member.id, name="Reader  B", birthday=date(1950, 1, 1), tags=["b"])
    assert (changed.name, changed.search_key, changed.tags) == ("Reader B", search_key("Reader B"), ["b"])
    changed = update(session, member.id, fields={"a": "", "c": "3"}, external_id="")
    assert (changed.fields, changed.external_id, changed.birthday) == ({"b": "2", "c": "3"}, None, date(1950, 1, 1))
    make_member(session, external_id="taken")
    with pytest.raises(Conflict):
        update(session, member.id, external_id="taken")


def test_a_person_registers_and_corrects_only_their_own(session: Session, east: str) -> None:
    western = make_member(session, organisation="West")
    clerk = Actor("clerk", frozenset({Right.REGISTER, Right.SEE}), east)
    with pytest.raises(NotFound):
        register(session, clerk, organisation="West")
    for id_ in (western.id, 4711):
        with pytest.raises(NotFound, match="There is no member"):
            update(session, id_, clerk, name="x")
        with pytest.raises(NotFound, match="There is no member"):
            records.show(session, clerk, id_, on=TODAY, now=NOW)
        with pytest.raises(NotFound, match="There is no member"):
            records.history(session, clerk, id_)
    with pytest.raises(Denied):
        register(session, Actor("reader", frozenset({Right.SEE})))
    mine = make_member(session, organisation="East")
    with pytest.raises(Denied):
        records.show(session, clerk, mine.id, full_numbers=True, on=TODAY, now=NOW)
    register(session, clerk, agreed="signed", numbers=[generated_msisdn(55_560_003)])
