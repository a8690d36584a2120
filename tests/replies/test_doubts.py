"""Answers in doubt: listed, and settled by a person who types how many; never sent again by themselves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from broadcaster import ingest
from broadcaster.campaigns.models import Lane
from broadcaster.delivery import again
from broadcaster.delivery.models import Doubt, Message, Part
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Accepted, OutcomeUnknown
from broadcaster.gateways.events import InboundMessage
from broadcaster.replies import doubts, inbox, router
from broadcaster.replies.doubts import InDoubt
from broadcaster.replies.models import Letter
from subscribers import audit
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Conflict, Denied, NotFound, Unavailable
from tests.databases import Transactions
from tests.delivery.ledger import claim, look, must_claim, owner, receipt, receive, record, sending
from tests.factories import make_member, make_organisation
from tests.replies.test_letters import DESK

LONG = "请在明天上午九点之前到活动室，带上学习材料，不能来的同志请提前告诉小组长。" * 4


def _answered(begin: Transactions, *bodies: str, organisation: str = "东川") -> list[int]:
    """Members' letters, each answered; the messages of the answers."""
    ids = []
    for body in bodies:
        with begin() as tx:
            member = make_member(tx.session, organisation=organisation)
            told = InboundMessage("carrier", f"mo-{member.msisdn}", member.msisdn or "", "1069", "几点？")
            ingest.accept(tx.session, [told], {}, region="CN", now=tx.now)
        with begin() as tx:
            router.route(tx.session, DESK, now=tx.now)
        with begin() as tx:
            newest = tx.session.scalars(select(Letter.id).order_by(Letter.id.desc())).first()
            letter = inbox.reply(tx.session, OPERATOR, DESK, newest or 0, body, now=tx.now)
            assert letter.answer_id
            ids.append(letter.answer_id)
    return ids


def _in_doubt(begin: Transactions, *bodies: str) -> tuple[list[int], int]:
    """Messages of answers whose first parts got no answer of the carrier, and who handed them over."""
    ids = _answered(begin, *bodies)
    mine = owner(begin)
    for _ in bodies:
        turn = must_claim(begin, mine)
        rest = [Accepted(f"id-{part.part_id}") for part in turn.parts[1:]]
        record(begin, turn, [OutcomeUnknown("the line was lost"), *rest])
    return ids, mine


def _listed(begin: Transactions, actor: Actor = OPERATOR) -> list[InDoubt]:
    with begin() as tx:
        return list(doubts.listing(tx.session, actor))


def _resend(begin: Transactions, confirmed: int, *only: int) -> int:
    with begin() as tx:
        return doubts.settle_by_resending(tx.session, OPERATOR, confirmed, gateways=["carrier"], only=only, now=tx.now)


def test_they_are_listed_once_each(begin: Transactions) -> None:
    ids, _ = _in_doubt(begin, "三点。", LONG)
    listed = _listed(begin)
    assert [one.message_id for one in listed] == ids
    assert [one.text.startswith("【晨晖】") for one in listed] == [True, True]
    with begin() as tx:
        assert len(doubts.listing(tx.session, OPERATOR, limit=1)) == 1


def test_those_of_campaigns_are_with_their_campaign(begin: Transactions) -> None:
    sending(begin, 2)
    turn = must_claim(begin, owner(begin))
    record(begin, turn, [OutcomeUnknown("?")] * len(turn.parts))
    assert _listed(begin) == []


def test_counted_as_sent(begin: Transactions) -> None:
    ids, mine = _in_doubt(begin, "三点。", "四点。")
    with begin() as tx:
        assert doubts.settle_as_sent(tx.session, OPERATOR, 2, now=tx.now) == 2
    assert _listed(begin) == []
    assert look(begin, lambda s: s.scalars(select(Message.state)).all()) == [State.SUBMITTED] * 2
    assert look(begin, lambda s: s.scalars(select(Doubt.settled_by)).all()) == [OPERATOR.name] * 2
    assert claim(begin, mine) is None
    with begin() as tx:
        [line] = [one for one in audit.read(tx.session, OPERATOR) if one.deed == "replies.settle"]
        assert (line.people, line.details) == (2, {"how": "as sent", "messages": ids})


def test_sent_again_with_the_same_pieces_ahead_of_every_broadcast(begin: Transactions) -> None:
    [one, other], mine = _in_doubt(begin, LONG, "四点。")
    sending(begin, 3)
    texts = look(begin, lambda s: s.scalars(select(Part.text).where(Part.message_id == one).order_by(Part.id)).all())
    assert _resend(begin, 1, one) == 1
    assert [each.message_id for each in _listed(begin)] == [other]
    turn = must_claim(begin, mine)
    assert (turn.campaign_id, turn.lane) == (None, Lane.ANSWER)
    assert [part.text for part in turn.parts] == texts
    assert [part.number for part in turn.parts] == [*range(1, len(texts) + 1)]
    assert {part.total for part in turn.parts} == {len(texts)}
    record(begin, turn, [Accepted(f"again-{part.part_id}") for part in turn.parts])
    receive(begin, *[receipt(f"again-{part.part_id}") for part in turn.parts])
    with begin() as tx:
        message = tx.session.get_one(Message, one)
        assert (message.state, message.attempt, message.parts, message.delivered_parts) == (
            State.DELIVERED,
            2,
            len(texts),
            len(texts),
        )


@pytest.mark.parametrize("typed", [0, 1, 3, -1])
def test_only_for_the_number_that_is_shown(begin: Transactions, typed: int) -> None:
    _, mine = _in_doubt(begin, "三点。", "四点。")
    with begin() as tx, pytest.raises(Conflict, match="it is 2"):
        doubts.settle_as_sent(tx.session, OPERATOR, typed, now=tx.now)
    with pytest.raises(Conflict, match="it is 2"):
        _resend(begin, typed)
    assert len(_listed(begin)) == 2
    assert claim(begin, mine) is None


def test_only_what_is_in_doubt(begin: Transactions) -> None:
    ids, _ = _in_doubt(begin, "三点。")
    for wrong in (ids[0] + 1, 0, -5, 2**62):
        with begin() as tx, pytest.raises(NotFound):
            doubts.settle_as_sent(tx.session, OPERATOR, 1, only=[wrong], now=tx.now)
    [sent] = _answered(begin, "五点。")
    with pytest.raises(NotFound):
        _resend(begin, 1, sent)


def test_a_receipt_settles_one_first(begin: Transactions) -> None:
    ids, _ = _in_doubt(begin, "三点。")
    part = look(begin, lambda s: s.scalars(select(Part.id)).one())
    receive(begin, replace(receipt("late"), client_reference=f"p{part}"))
    assert _listed(begin) == []
    with begin() as tx, pytest.raises(Conflict, match="it is 0"):
        doubts.settle_as_sent(tx.session, OPERATOR, 1, now=tx.now)
    with begin() as tx, pytest.raises(Conflict, match="the number is 0 by now"):
        again.confirm_held(again.held_in(tx.session, ids, again.DOUBTFUL), 1)


def test_not_by_a_gateway_that_is_gone(begin: Transactions) -> None:
    _in_doubt(begin, "三点。")
    with begin() as tx, pytest.raises(Unavailable, match="carrier is not configured"):
        doubts.settle_by_resending(tx.session, OPERATOR, 1, gateways=["other"], now=tx.now)
    assert len(_listed(begin)) == 1


def test_each_their_own_part_of_the_tree(begin: Transactions) -> None:
    _in_doubt(begin, "三点。")
    with begin() as tx:
        here, there = (make_organisation(tx.session, name).path for name in ("东川", "西岭"))
    assert len(_listed(begin, Actor("a", frozenset(Right), here))) == 1
    stranger = Actor("b", frozenset(Right), there)
    assert _listed(begin, stranger) == []
    with begin() as tx, pytest.raises(Conflict, match="it is 0"):
        doubts.settle_as_sent(tx.session, stranger, 1, now=tx.now)
    with begin() as tx, pytest.raises(Denied):
        doubts.settle_as_sent(tx.session, Actor("c", frozenset({Right.SEE})), 1, now=tx.now)
