"""Numbers of members: exactly one is preferred, sharing is meant, and what nobody has is verified."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import numbers
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.models import Audit, Number
from tests.databases import Transactions
from tests.factories import NOW, generated_msisdn, make_member, make_organisation

CLERK = frozenset({Right.SEE, Right.REGISTER})


def held(session: Session, member_id: int) -> list[tuple[str, bool, bool]]:
    rows = session.scalars(
        select(Number)
        .where(Number.member_id == member_id)
        .order_by(Number.id)
        .execution_options(populate_existing=True)
    )
    return [(n.msisdn[-4:], n.preferred, n.shared) for n in rows]


def add(session: Session, member_id: int, written: str, actor: Actor = OPERATOR, **more: bool) -> Number:
    return numbers.add_number(session, actor, member_id, written, now=NOW, **more)


def test_exactly_one_number_is_preferred(session: Session) -> None:
    member = make_member(session, msisdn=None)
    add(session, member.id, "199 0000 0001")
    add(session, member.id, "+86-199-0000-0002")
    add(session, member.id, "019900000003".removeprefix("0"), prefer=True)
    assert held(session, member.id) == [("0001", False, False), ("0002", False, False), ("0003", True, False)]
    numbers.prefer_number(session, OPERATOR, member.id, "0002", now=NOW)
    assert [preferred for _, preferred, _ in held(session, member.id)] == [False, True, False]
    numbers.remove_number(session, OPERATOR, member.id, "0086 199 0000 0002", now=NOW)
    assert held(session, member.id) == [("0001", True, False), ("0003", False, False)]
    for ending in ("0001", "0003"):
        numbers.remove_number(session, OPERATOR, member.id, ending, now=NOW)
    assert held(session, member.id) == []


def test_a_mobile_is_preferred_to_a_landline_when_one_goes(session: Session) -> None:
    member = make_member(session, msisdn=None)
    for written in ("19900000001", "010 8888 0001", "19900000002"):
        add(session, member.id, written)
    numbers.remove_number(session, OPERATOR, member.id, "19900000001", now=NOW)
    assert held(session, member.id) == [("0001", False, False), ("0002", True, False)]


def test_a_number_under_another_name_is_shared_only_if_it_is_meant(session: Session) -> None:
    first, second = make_member(session, name="读者甲"), make_member(session, msisdn=None)
    assert first.msisdn
    with pytest.raises(Conflict, match=r"\*\*\*\*.*读者甲") as refused:
        add(session, second.id, first.msisdn)
    assert first.msisdn not in str(refused.value)
    assert held(session, second.id) == []
    add(session, second.id, first.msisdn, shared=True)
    assert held(session, first.id)[0][2] is held(session, second.id)[0][2] is True
    with pytest.raises(Conflict, match="this member's"):
        add(session, second.id, first.msisdn, shared=True)
    numbers.remove_number(session, OPERATOR, second.id, first.msisdn, now=NOW)
    assert held(session, first.id)[0][2] is False


def test_who_has_a_number_elsewhere_is_not_told(session: Session) -> None:
    western = make_member(session, name="读者西", organisation="West")
    mine = make_member(session, organisation="East", msisdn=None)
    clerk = Actor("clerk", CLERK, make_organisation(session, "East").path)
    with pytest.raises(Conflict) as refused:
        add(session, mine.id, str(western.msisdn), clerk)
    assert "读者西" not in str(refused.value)


@pytest.mark.parametrize("written", ["", "x", "1", "1.38E10", "19900000001/19900000002", "1" * 500, "\0", "\ud800"])
def test_what_is_no_number_is_refused(session: Session, written: str) -> None:
    member = make_member(session)
    with pytest.raises(Invalid):
        add(session, member.id, written)
    with pytest.raises(NotFound):
        numbers.remove_number(session, OPERATOR, member.id, written, now=NOW)


def test_an_ending_must_say_which(session: Session) -> None:
    member = make_member(session, msisdn="+8619900010001")
    add(session, member.id, "+8619900020001")
    for ending in ("0001", "001", "9999"):
        with pytest.raises(NotFound):
            numbers.prefer_number(session, OPERATOR, member.id, ending, now=NOW)
    numbers.prefer_number(session, OPERATOR, member.id, "20001", now=NOW)


def test_a_person_touches_only_their_own(session: Session) -> None:
    western = make_member(session, organisation="West", suspended_at=NOW)
    clerk = Actor("clerk", CLERK, make_organisation(session, "East").path)
    verbs: list[Callable[[Actor, int], object]] = [
        lambda who, id_: add(session, id_, "19900000001", who),
        lambda who, id_: numbers.remove_number(session, who, id_, str(western.msisdn), now=NOW),
        lambda who, id_: numbers.prefer_number(session, who, id_, str(western.msisdn), now=NOW),
        lambda who, id_: numbers.verify(session, who, id_, str(western.msisdn), ok=True, now=NOW),
    ]
    for act in verbs:
        for id_ in (western.id, 4711):
            with pytest.raises(NotFound, match="There is no member"):
                act(clerk, id_)
        with pytest.raises(Denied):
            act(Actor("reader", frozenset({Right.SEE})), western.id)
    assert numbers.to_verify(session, clerk) == []


def test_a_number_that_nobody_has_is_suspended_and_verified(session: Session) -> None:
    member = make_member(session, name="读者甲")
    other = make_member(session)
    number = str(member.msisdn)

    def note(unknown: int = 1, *delivered: str, limit: int = numbers.UNKNOWN_LIMIT) -> int:
        told = {number: unknown} if unknown else {}
        return numbers.note_receipts(session, delivered=delivered, unknown=told, limit=limit, now=NOW)

    assert (note(), note()) == (0, 0)
    assert note(0, number, str(other.msisdn)) == 0
    assert (note(), note(), numbers.to_verify(session, OPERATOR)) == (0, 0, [])
    assert (note(), note()) == (1, 0)
    [waiting] = numbers.to_verify(session, OPERATOR)
    assert (waiting.member_id, waiting.name, waiting.unknown_in_a_row, waiting.msisdn[3:7]) == (
        member.id,
        "读者甲",
        4,
        "****",
    )
    # reached after all: still, a person looks
    note(0, number)
    assert len(numbers.to_verify(session, OPERATOR)) == 1
    numbers.verify(session, OPERATOR, member.id, number, ok=True, now=NOW)
    assert numbers.to_verify(session, OPERATOR) == []
    with pytest.raises(Conflict, match="in use"):
        numbers.verify(session, OPERATOR, member.id, number, ok=True, now=NOW)
    assert note(2, number, limit=2) == 1
    numbers.verify(session, OPERATOR, member.id, number, ok=False, now=NOW)
    assert held(session, member.id) == []
    deeds = session.execute(select(Audit.deed, Audit.details).order_by(Audit.id)).all()
    assert [(deed, details["ok"]) for deed, details in deeds] == [("members.verify", True), ("members.verify", False)]


def test_the_operator_is_what_was_told(session: Session) -> None:
    member = make_member(session, operator="telecom")
    told = {str(member.msisdn): "mobile", generated_msisdn(99_999_998): "unicom"}
    assert (numbers.correct_operator(session, told, now=NOW), numbers.correct_operator(session, told, now=NOW)) == (
        1,
        0,
    )
    row = session.scalars(select(Number).execution_options(populate_existing=True)).one()
    assert (row.operator, row.operator_told_at) == ("mobile", NOW)
    with pytest.raises(Invalid, match="no operator"):
        numbers.correct_operator(session, {str(member.msisdn): "x"}, now=NOW)


def test_a_number_that_was_taken_along_to_another_operator(session: Session) -> None:
    member = make_member(session, operator="mobile")
    numbers.set_operator(session, OPERATOR, member.id, str(member.msisdn)[-4:], "unicom", now=NOW)
    row = session.scalars(select(Number).execution_options(populate_existing=True)).one()
    assert (row.operator, row.operator_told_at) == ("unicom", NOW)
    assert session.scalars(select(Audit.details)).one()["operator"] == "unicom"
    with pytest.raises(Invalid, match="no operator"):
        numbers.set_operator(session, OPERATOR, member.id, str(member.msisdn)[-4:], "联通", now=NOW)
    with pytest.raises(NotFound):
        numbers.set_operator(session, OPERATOR, member.id, "0000", "unicom", now=NOW)


def test_of_two_who_give_one_number_to_two_members_one_does(begin: Transactions) -> None:
    with begin() as tx:
        members = [make_member(tx.session, msisdn=None).id for _ in range(2)]
    together = threading.Barrier(2)
    told: list[str] = []

    def give(member_id: int) -> None:
        together.wait()
        try:
            with begin() as tx:
                add(tx.session, member_id, "19900000001")
            told.append("added")
        except Conflict:
            told.append("taken")

    threads = [threading.Thread(target=give, args=(id_,)) for id_ in members]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == ["added", "taken"]
