"""Letters come in once, a refusal is honoured at once and answered once, and nothing else is decided for anybody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from broadcaster import ingest
from broadcaster.campaigns.models import Lane
from broadcaster.delivery.models import Message, Part
from broadcaster.delivery.states import State
from broadcaster.gateways.events import InboundMessage
from broadcaster.replies import inbox, receive, router
from broadcaster.replies.answer import Desk
from broadcaster.replies.handling import Reply
from broadcaster.replies.models import Letter, LetterState
from broadcaster.replies.receive import ROUTE
from broadcaster.replies.router import HANDLERS
from subscribers import consent
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.db import Tx
from subscribers.errors import Conflict, Denied, Invalid, NotFound, Unavailable
from subscribers.models import Consent
from tests.at_once import at_once
from tests.databases import Transactions
from tests.delivery.ledger import CAN, accept, claim, look, must_claim, owner, sending, states
from tests.factories import make_member, make_organisation

DESK = Desk("晨晖手机报", "【晨晖】", "拒收回复R", "zh", {"carrier": CAN})


def _mo(msisdn: str | None, text: str, number: int | str = 1, **more: Any) -> InboundMessage:
    told: dict[str, Any] = {"gateway": "carrier", "destination": "10690000"} | more
    return InboundMessage(message_id=f"mo-{number}", msisdn=str(msisdn), text=text, **told)


def _take(begin: Transactions, *messages: InboundMessage) -> int:
    with begin() as tx:
        ingest.accept(tx.session, messages, {}, region="CN", now=tx.now)
    with begin() as tx:
        return router.route(tx.session, DESK, now=tx.now)


def _letters(begin: Transactions) -> list[Letter]:
    letters: list[Letter] = look(begin, lambda s: s.scalars(select(Letter).order_by(Letter.id)).all())
    return letters


def _answers(begin: Transactions) -> list[str]:
    query = (
        select(Part.text)
        .join(Message, Message.id == Part.message_id)
        .where(Message.campaign_id.is_(None))
        .order_by(Part.id)
    )
    texts: list[str] = look(begin, lambda s: s.scalars(query).all())
    return texts


def test_a_letter_is_kept_once_with_its_writer_and_its_occasion(begin: Transactions) -> None:
    sending(begin, 1)
    campaign, members = sending(begin, 1)
    letter = _mo(members[0].msisdn, "收到")
    for _ in range(3):
        _take(begin, letter, letter)
    [kept] = _letters(begin)
    assert (kept.member_id, kept.campaign_id, kept.text) == (members[0].id, campaign, "收到")
    assert (kept.state, kept.handled_as) == (LetterState.OPEN, "inbox")
    assert ROUTE in {wake.queue for wake in begin.wakes}


def test_the_same_id_by_another_gateway_is_another_letter(begin: Transactions) -> None:
    _take(begin, _mo("+8619900000001", "a"), _mo("+8619900000001", "b", gateway="other"))
    assert len(_letters(begin)) == 2


def test_the_same_letters_by_two_connections_at_once(begin: Transactions, engine: Engine) -> None:
    """A carrier may repeat what nobody acknowledged over another bind, in an order of its own."""
    told = [_mo(f"+86199{n:08}", "收到", n) for n in range(2000)]

    def hear(lot: list[InboundMessage]) -> Callable[[Tx], None]:
        return lambda tx: receive.store(tx.session, lot, now=tx.now)

    assert at_once(engine, begin, hear(told), hear(told[::-1])) == []
    assert len(_letters(begin)) == len(told)


def test_letters_are_read_in_the_order_in_which_they_came(begin: Transactions) -> None:
    _take(begin, *(_mo("+8619900000001", str(n), n) for n in (30, 4, 200)))
    assert [letter.text for letter in sorted(_letters(begin), key=lambda letter: letter.id)] == ["30", "4", "200"]


def test_a_refusal_is_honoured_while_parts_are_still_queued(begin: Transactions) -> None:
    campaign, members = sending(begin, 3)
    mine = owner(begin)
    accept(begin, must_claim(begin, mine, 1))
    assert _take(begin, _mo(members[2].msisdn, "TD")) == 1
    # the answer goes first, and goes although its reader has refused the paper
    turn = must_claim(begin, mine, up_to=Lane.URGENT)
    assert [part.msisdn for part in turn.parts] == [members[2].msisdn]
    accept(begin, turn)
    while (turn := claim(begin, mine)) is not None:  # type: ignore[assignment]
        accept(begin, turn)
    assert states(begin, campaign) == {"submitted": 2, "skipped": 1}
    said = look(begin, lambda s: s.scalars(select(Consent).where(Consent.source == "sms")).one())
    assert (said.msisdn, said.wish, said.wording) == (members[2].msisdn, "out", "TD")


def test_a_refusal_is_answered_once(begin: Transactions) -> None:
    with begin() as tx:
        member = make_member(tx.session)
    for n, text in enumerate(["退订", "TD", "STOP"]):
        _take(begin, _mo(member.msisdn, text, n))
    assert len(_answers(begin)) == 1
    assert _answers(begin)[0].startswith("【晨晖】")
    assert [letter.state for letter in _letters(begin)] == [LetterState.HANDLED] * 3
    assert [letter.answer_id is not None for letter in _letters(begin)] == [True, False, False]


def test_a_refusal_by_a_number_that_nobody_knows_counts(begin: Transactions) -> None:
    _take(begin, _mo("+8619900004242", "R"))
    assert not look(begin, lambda s: consent.is_reachable(s, "+8619900004242"))
    assert look(begin, lambda s: "+8619900004242" in consent.wishes(s, ["+8619900004242"]))
    assert _letters(begin)[0].handled_as == "opt_out"


def test_coming_back(begin: Transactions) -> None:
    with begin() as tx:
        member = make_member(tx.session)
    number = str(member.msisdn)
    _take(begin, _mo(number, "退订", 1))
    _take(begin, _mo(number, "订阅", 2))
    assert look(begin, lambda s: consent.is_reachable(s, number))
    _take(begin, _mo(number, "订阅", 3))
    assert len(_answers(begin)) == 2
    # whoever is no member cannot subscribe by a word: a person looks
    _take(begin, _mo("+8619900004242", "订阅", 4))
    assert _letters(begin)[-1].handled_as == "inbox"


def test_a_sentence_about_refusing_waits_for_a_person(begin: Transactions) -> None:
    with begin() as tx:
        member = make_member(tx.session)
    _take(begin, _mo(member.msisdn, "退订手续怎么办？"))
    assert look(begin, lambda s: consent.is_reachable(s, str(member.msisdn)))
    assert _letters(begin)[0].state == LetterState.OPEN


@pytest.mark.parametrize(
    "text", ["", "\0\0", "好\ud83d", "\ud83d\ude00", "x" * 20_000, "𠮷" * 500, "\u202e', '); DROP"]
)
def test_any_text_is_taken_in(begin: Transactions, text: str) -> None:
    assert _take(begin, _mo("+8619900004242", text), _mo("+8619900004243" + "9" * 40, "TD", 2)) == 2


def test_a_letter_that_breaks_its_handler_keeps_no_other_from_being_read(begin: Transactions) -> None:
    with begin() as tx:
        first, second = make_member(tx.session), make_member(tx.session)

    def breaks(session: Session, desk: Desk, letter: Letter, now: datetime) -> Reply | None:
        if letter.text == "boom":
            consent.opt_out(session, OPERATOR, letter.msisdn, source="sms", wording="", now=now)
            raise ZeroDivisionError
        return None

    with begin() as tx:
        ingest.accept(
            tx.session, [_mo(first.msisdn, "boom", 1), _mo(second.msisdn, "TD", 2)], {}, region="CN", now=tx.now
        )
    with begin() as tx:
        assert router.route(tx.session, DESK, handlers=(breaks, *HANDLERS), now=tx.now) == 2
    assert [letter.handled_as for letter in _letters(begin)] == ["inbox", "opt_out"]
    assert look(begin, lambda s: consent.is_reachable(s, str(first.msisdn)))
    assert not look(begin, lambda s: consent.is_reachable(s, str(second.msisdn)))


def test_a_refusal_through_a_gateway_that_is_gone_still_counts(begin: Transactions) -> None:
    with begin() as tx:
        member = make_member(tx.session)
    _take(begin, _mo(member.msisdn, "TD", gateway="sold"))
    assert not look(begin, lambda s: consent.is_reachable(s, str(member.msisdn)))
    assert _answers(begin) == []


def test_letters_without_a_hint_are_hinted_at_again(begin: Transactions) -> None:
    with begin() as tx:
        ingest.accept(tx.session, [_mo("+8619900004242", "?")], {}, region="CN", now=tx.now)
    for expected in ([ROUTE], []):
        begin.wakes.clear()
        with begin() as tx:
            router.wake_forgotten(tx.session, now=tx.now)
        assert [wake.queue for wake in begin.wakes] == expected
        with begin() as tx:
            router.route(tx.session, DESK, now=tx.now)


def test_a_person_answers_and_closes(begin: Transactions) -> None:
    with begin() as tx:
        member = make_member(tx.session, subscribed=False)
    _take(begin, _mo(member.msisdn, "几点开会？"))
    [letter] = _letters(begin)
    with begin() as tx:
        with pytest.raises(Invalid):
            inbox.reply(tx.session, OPERATOR, DESK, letter.id, "  ", now=tx.now)
        inbox.reply(tx.session, OPERATOR, DESK, letter.id, "九点。", now=tx.now)
    assert _answers(begin) == ["【晨晖】九点。"]
    assert look(begin, lambda s: s.scalar(select(Message.state))) is State.QUEUED
    with begin() as tx:
        assert inbox.close(tx.session, OPERATOR, letter.id).closed_by == "operator"
        with pytest.raises(Conflict):
            inbox.reply(tx.session, OPERATOR, DESK, letter.id, "再说", now=tx.now)
        with pytest.raises(NotFound):
            inbox.close(tx.session, OPERATOR, 4711)


def test_a_person_cannot_answer_through_a_gateway_that_is_gone(begin: Transactions) -> None:
    _take(begin, _mo("+8619900004242", "?", gateway="sold"))
    with begin() as tx, pytest.raises(Unavailable, match="sold"):
        inbox.reply(tx.session, OPERATOR, DESK, _letters(begin)[0].id, "x", now=tx.now)


def test_each_sees_the_letters_of_their_own_part_of_the_tree(begin: Transactions) -> None:
    with begin() as tx:
        east, west = make_organisation(tx.session, "East"), make_organisation(tx.session, "West")
        mine = make_member(tx.session, organisation=east)
        other = make_member(tx.session, organisation=west)
        editor = Actor("editor", frozenset(Right), under=east.path)
    _take(begin, _mo(mine.msisdn, "a", 1), _mo(other.msisdn, "b", 2), _mo("+8619900004242", "c", 3))
    with begin() as tx:
        assert [letter.text for letter, _ in inbox.listing(tx.session, editor)] == ["a"]
        assert [letter.text for letter, _ in inbox.listing(tx.session, OPERATOR)] == ["c", "b", "a"]
        assert [letter.text for letter, _ in inbox.listing(tx.session, OPERATOR, before=2)] == ["a"]
        assert not inbox.listing(tx.session, OPERATOR, state=LetterState.CLOSED)
        theirs = tx.session.scalars(select(Letter.id).where(Letter.text == "b")).one()
        with pytest.raises(NotFound):
            inbox.close(tx.session, editor, theirs)
        with pytest.raises(Denied):
            inbox.close(tx.session, Actor("reader", frozenset({Right.SEE})), theirs)


@pytest.mark.parametrize("written", ["{}", "86{}", "0086{}", "+86 {}"])
def test_a_refusal_is_honoured_however_the_carrier_writes_the_number(begin: Transactions, written: str) -> None:
    with begin() as tx:
        reader = make_member(tx.session)
    assert reader.msisdn is not None
    _take(begin, _mo(written.format(reader.msisdn.removeprefix("+86")), "TD"))
    (letter,) = _letters(begin)
    assert (letter.msisdn, letter.member_id, letter.handled_as) == (reader.msisdn, reader.id, "opt_out")
    assert look(begin, lambda s: consent.wishes(s, [reader.msisdn]))[reader.msisdn].wish == "out"


@pytest.mark.parametrize("sender", ["10086", "+10086", "not a number", "1"])
def test_a_service_is_never_answered(begin: Transactions, sender: str) -> None:
    _take(begin, _mo(sender, "TD"))
    (letter,) = _letters(begin)
    assert (letter.state, letter.answer_id) == ("open", None)
    assert look(begin, lambda s: s.scalars(select(Consent)).all()) == []
    with begin() as tx, pytest.raises(Conflict, match="no telephone"):
        inbox.reply(tx.session, OPERATOR, DESK, letter.id, "您好", now=tx.now)
