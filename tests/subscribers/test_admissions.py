"""Joining by SMS: whom the registry knows is let in at once, anyone else waits for an approver."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from subscribers import admissions, consent, numbers
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.admissions import Joined, Joining
from subscribers.errors import BroadsheetError, Conflict, Denied, Invalid, NotFound
from subscribers.models import Admission, AdmissionState, Consent, Member, Number
from subscribers.names import search_key
from subscribers.registry import get
from tests.databases import Transactions
from tests.factories import NOW, MadeMember, generated_msisdn, make_consent, make_member, make_organisation

TODAY = NOW.date()
PHONE = generated_msisdn(55_550_001)


def known(session: Session, name: str = "读者甲", **given: object) -> MadeMember:
    made = make_member(session, name=name, **given)
    session.get_one(Member, made.id).search_key = search_key(name)
    session.flush()
    return made


def join(session: Session, number: str = PHONE, name: str = "读者甲") -> Joined:
    return admissions.join(session, number, name, wording=f"加入 {name}", on=TODAY, now=NOW)


def test_a_member_without_a_number_is_let_in(session: Session) -> None:
    member = known(session, msisdn=None)
    assert join(session) == Joined(Joining.ADMITTED, member.id)
    assert get(session, OPERATOR, member.id, on=TODAY).msisdn == PHONE
    said = session.scalars(select(Consent)).one()
    assert (said.msisdn, said.wish, said.source, said.wording) == (PHONE, "in", "sms", "加入 读者甲")
    kept = session.scalars(select(Admission)).one()
    assert (kept.state, kept.member_id, kept.decided_by) == ("accepted", member.id, "system")
    assert join(session) == Joined(Joining.KNOWN, member.id)
    assert len(session.scalars(select(Number)).all()) == 1


def test_a_member_who_opted_out_with_this_number_is_in_again(session: Session) -> None:
    member = known(session, msisdn=PHONE, subscribed=None, suspended_at=NOW)
    make_consent(session, PHONE, subscribed=False, source="sms")
    assert join(session) == Joined(Joining.ADMITTED, member.id)
    assert consent.is_reachable(session, PHONE)
    # and whoever writes from a number has it
    assert numbers.to_verify(session, OPERATOR) == []


def test_anyone_else_waits(session: Session) -> None:
    known(session, "读者乙")
    known(session, "读者丙", msisdn=None)
    known(session, "读者丙", msisdn=None)
    known(session, "读者丁", msisdn=None, left_on=TODAY)
    known(session, "读者戊", msisdn=None)
    known(session, "读者己", msisdn=PHONE, subscribed=None)
    for name in ("nobody", "读者乙", "读者丙", "读者丁"):
        assert join(session, generated_msisdn(55_550_002), name) == Joined(Joining.WAITS, None), name
    # the telephone of another member
    assert join(session, PHONE, "读者戊") == Joined(Joining.WAITS, None)
    assert not consent.is_reachable(session, PHONE)
    assert {one.state for one in admissions.listing(session, OPERATOR)} == {"waiting"}


def test_who_asks_twice_waits_once_and_nobody_asks_for_a_crowd(session: Session) -> None:
    for n in range(20):
        join(session, PHONE, f"reader {'abcdefghij'[n % 10]}")
    assert session.scalar(select(func.count()).select_from(Admission)) == admissions.MOST_WAITING


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\0b", "a\ud800", "a\u202eb"])
def test_what_is_no_name_is_refused(session: Session, name: str) -> None:
    with pytest.raises(Invalid):
        join(session, name=name)
    with pytest.raises(Invalid):
        join(session, "10086", "读者甲")


def test_an_approver_lets_a_stranger_in(session: Session) -> None:
    join(session, name="Zhou Lan")
    [waiting] = admissions.listing(session, OPERATOR, state=AdmissionState.WAITING)
    make_organisation(session, "East/First")
    done = admissions.accept(session, OPERATOR, waiting.id, organisation="East/First", on=TODAY, now=NOW)
    profile = get(session, OPERATOR, done.member_id, on=TODAY)
    assert (profile.name, profile.organisation, profile.msisdn, profile.wish) == ("Zhou Lan", "East/First", PHONE, "in")
    with pytest.raises(Conflict, match="decided already, by operator"):
        admissions.refuse(session, OPERATOR, waiting.id, now=NOW)


def test_an_approver_knows_who_it_is(session: Session) -> None:
    wife, husband = known(session, "读者甲", msisdn=None), known(session, "读者乙", msisdn=PHONE)
    join(session)
    [waiting] = admissions.listing(session, OPERATOR)
    admissions.accept(session, OPERATOR, waiting.id, member_id=wife.id, on=TODAY, now=NOW)
    assert set(session.scalars(select(Number.member_id).where(Number.shared))) == {wife.id, husband.id}


def test_who_has_refused_since_gets_no_paper(session: Session) -> None:
    join(session, name="nobody")
    consent.opt_out(session, OPERATOR, PHONE, source="sms", wording="TD", now=NOW.replace(hour=23))
    [waiting] = admissions.listing(session, OPERATOR)
    make_organisation(session, "East")
    assert admissions.accept(session, OPERATOR, waiting.id, organisation="East", on=TODAY, now=NOW).still_out
    assert not consent.is_reachable(session, PHONE)


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({}, Invalid),
        ({"organisation": "East", "member_id": 1}, Invalid),
        ({"organisation": "Nowhere"}, NotFound),
        ({"organisation": "Closed"}, Conflict),
        ({"member_id": 4711}, NotFound),
    ],
)
def test_what_cannot_be_decided(session: Session, how: dict[str, object], error: type[BroadsheetError]) -> None:
    make_organisation(session, "Closed").closed_on = TODAY
    join(session, name="nobody")
    [waiting] = admissions.listing(session, OPERATOR)
    with pytest.raises(error):
        admissions.accept(session, OPERATOR, waiting.id, on=TODAY, now=NOW, **how)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        admissions.refuse(session, OPERATOR, 4711, now=NOW)


def test_each_sees_those_who_may_be_theirs(session: Session) -> None:
    known(session, "读者甲", organisation="Town/East/First", msisdn=None)
    known(session, "读者甲", organisation="Town/East/Second", msisdn=None)
    known(session, "读者乙", organisation="Town/West")
    for name in ("读者甲", "读者乙", "nobody"):
        join(session, name=name)
    rights = frozenset({Right.SEE, Right.APPROVE})
    east, west = (Actor(path, rights, make_organisation(session, path).path) for path in ("Town/East", "Town/West"))
    assert [one.name for one in admissions.listing(session, east)] == ["读者甲"]
    assert [one.name for one in admissions.listing(session, west)] == ["读者乙"]
    [theirs] = admissions.listing(session, west)
    with pytest.raises(NotFound):
        admissions.refuse(session, east, theirs.id, now=NOW)
    [mine] = admissions.listing(session, east)
    with pytest.raises(NotFound):
        admissions.accept(session, east, mine.id, organisation="Town/West", on=TODAY, now=NOW)
    with pytest.raises(Denied):
        admissions.refuse(session, Actor("reader", frozenset({Right.SEE})), mine.id, now=NOW)
    # who approves need not be who registers
    assert admissions.accept(session, east, mine.id, organisation="Town/East", on=TODAY, now=NOW).member_id


@pytest.mark.parametrize("phones", [(PHONE, PHONE), (PHONE, generated_msisdn(55_550_009))])
def test_two_letters_at_once(begin: Transactions, phones: tuple[str, str]) -> None:
    with begin() as tx:
        known(tx.session, msisdn=None)
    together = threading.Barrier(2)
    told: list[Joining] = []

    def write(phone: str) -> None:
        together.wait()
        with begin() as tx:
            told.append(join(tx.session, phone).joining)

    threads = [threading.Thread(target=write, args=(phone,)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    second = Joining.KNOWN if len(set(phones)) == 1 else Joining.WAITS
    assert sorted(told) == sorted([Joining.ADMITTED, second])
    with begin() as tx:
        assert len(tx.session.scalars(select(Number)).all()) == 1
