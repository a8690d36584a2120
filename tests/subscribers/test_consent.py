"""Consent: evidence is only added to; a person's own opt-out is overruled by nobody else."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from subscribers import consent
from subscribers.actor import OPERATOR, SYSTEM, Actor, Right
from subscribers.consent import Present, Said
from subscribers.errors import Conflict, Denied, NotFound
from subscribers.models import Consent, Subscription, Wish
from tests.databases import Transactions
from tests.factories import NOW, generated_msisdn, make_member, make_organisation

LATER = NOW + timedelta(hours=1)
NUMBER = generated_msisdn(0)


def say(session: Session, wish: Wish, source: str, number: str = NUMBER) -> consent.Recorded:
    return consent.record_many(session, SYSTEM, [Said(number, wish, source)], now=NOW)


def test_opting_out_and_coming_back_leave_two_pieces_of_evidence(session: Session) -> None:
    assert consent.opt_in(session, OPERATOR, NUMBER, source="import", wording="row 3", now=NOW)
    assert consent.is_reachable(session, NUMBER)
    assert consent.opt_out(session, SYSTEM, NUMBER, source="sms", wording="退订", now=NOW)
    assert not consent.is_reachable(session, NUMBER)
    assert consent.opt_in(session, SYSTEM, NUMBER, source="sms", wording="订阅", now=LATER)
    assert consent.is_reachable(session, NUMBER)
    rows = session.execute(select(Consent.wish, Consent.source, Consent.wording, Consent.actor).order_by(Consent.id))
    assert [tuple(row) for row in rows] == [
        ("in", "import", "row 3", "operator"),
        ("out", "sms", "退订", "system"),
        ("in", "sms", "订阅", "system"),
    ]


def test_nobody_is_reachable_without_having_said_so(session: Session) -> None:
    assert not consent.is_reachable(session, NUMBER)


@pytest.mark.parametrize("source", ["sms", "carrier"])
def test_nobody_else_brings_back_who_opted_out_by_their_own_word(session: Session, source: str) -> None:
    say(session, Wish.OUT, source)
    assert say(session, Wish.IN, "import").still_out == (NUMBER,)
    with pytest.raises(Conflict, match=r"\*\*\*\*"):
        consent.opt_in(session, OPERATOR, NUMBER, source="operator", wording="by telephone", now=NOW)
    assert not consent.is_reachable(session, NUMBER)
    assert session.scalar(select(func.count(Consent.id))) == 1


def test_an_operators_opt_out_can_be_taken_back_by_an_operator(session: Session) -> None:
    say(session, Wish.OUT, "operator")
    assert say(session, Wish.IN, "import") == consent.Recorded(1, ())
    assert consent.is_reachable(session, NUMBER)


def test_a_list_that_says_out_does_not_weaken_ones_own_word(session: Session) -> None:
    say(session, Wish.OUT, "sms")
    say(session, Wish.OUT, "import")
    assert say(session, Wish.IN, "import").still_out == (NUMBER,)


def test_a_wish_holds_since_it_was_first_said(session: Session) -> None:
    consent.opt_out(session, SYSTEM, NUMBER, source="sms", wording="T", now=NOW)
    assert not consent.opt_out(session, SYSTEM, NUMBER, source="sms", wording="T!", now=LATER)
    assert session.scalar(select(Subscription.since)) == NOW
    assert session.scalar(select(func.count(Consent.id))) == 2


def test_a_thousand_wishes_take_a_handful_of_statements(session: Session) -> None:
    statements: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *given: statements.append(given[2]))
    rows = [Said(generated_msisdn(n), Wish.IN, "import") for n in range(1000)]
    assert consent.record_many(session, OPERATOR, rows, now=NOW).written == 1000
    assert len(statements) <= 6


def test_a_person_records_only_for_their_own_members(session: Session) -> None:
    east, west = make_organisation(session, "East"), make_organisation(session, "West")
    ours = make_member(session, organisation=east, subscribed=None)
    theirs = make_member(session, organisation=west, subscribed=None)
    clerk = Actor("clerk", frozenset({Right.REGISTER}), under=east.path)
    assert ours.msisdn
    assert theirs.msisdn
    assert consent.opt_in(session, clerk, ours.msisdn, source="operator", wording="form", now=NOW)
    with pytest.raises(NotFound):
        consent.opt_out(session, clerk, theirs.msisdn, source="operator", wording="form", now=NOW)
    with pytest.raises(Denied):
        consent.opt_out(session, Actor("x", frozenset()), ours.msisdn, source="operator", wording="", now=NOW)


said = st.builds(
    Said, st.just(NUMBER), st.sampled_from(Wish), st.sampled_from(["sms", "carrier", "import", "operator"])
)


@given(st.lists(said, max_size=8), st.booleans())
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_history_in_one_go_or_step_by_step_ends_alike(session: Session, history: list[Said], at_once: bool) -> None:
    with session.begin_nested() as savepoint:
        for rows in [history] if at_once else [[one] for one in history]:
            consent.record_many(session, SYSTEM, rows, now=NOW)
        present: Present | None = None
        for one in history:
            if consent.changes(present, one):
                present = Present(one.wish, one.source in consent.OWN_WORD, NOW, source=one.source)
        assert consent.wishes(session, [NUMBER]) == ({NUMBER: present} if present else {})
        own = [one for one in history if one.source in consent.OWN_WORD]
        if own and own[-1].wish == Wish.OUT:
            assert not consent.is_reachable(session, NUMBER)
        savepoint.rollback()


def test_an_opt_out_wins_over_an_import_at_the_same_time(begin: Transactions) -> None:
    ready = threading.Barrier(2)
    numbers = [generated_msisdn(n) for n in range(200)]

    def opt_out() -> None:
        ready.wait()
        for number in reversed(numbers):
            with begin() as tx:
                consent.opt_out(tx.session, SYSTEM, number, source="sms", wording="T", now=NOW)

    def load() -> None:
        ready.wait()
        with begin() as tx:
            rows = [Said(number, Wish.IN, "import") for number in numbers]
            consent.record_many(tx.session, OPERATOR, rows, now=NOW)

    threads = [threading.Thread(target=opt_out), threading.Thread(target=load)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with begin() as tx:
        assert {present.wish for present in consent.wishes(tx.session, numbers).values()} == {Wish.OUT}
