"""What is old loses its words, in portions; what was counted, and what still waits, stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from broadcaster import ingest
from broadcaster.access.models import User
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import again, control, lots, receipts, reconcile
from broadcaster.delivery.models import Batch, Message, Part, ReceiptInbox, ReceiptLot
from broadcaster.delivery.progress import progress
from broadcaster.gateways.contract import OutcomeUnknown
from broadcaster.gateways.events import InboundMessage, ReceiptState
from broadcaster.keeping import emptying
from broadcaster.keeping.emptying import Emptied, Keeping
from broadcaster.newspaper import drafts, presence
from broadcaster.replies import inbox, router
from broadcaster.replies.models import Letter, LetterState
from subscribers.actor import OPERATOR
from tests.databases import Clock, Transactions
from tests.delivery.ledger import (
    WAYS,
    accept,
    apply,
    claim,
    look,
    must_claim,
    owner,
    part_states,
    receipt,
    receive,
    record,
    sending,
    sent,
)
from tests.factories import generated_msisdn, make_member
from tests.replies.test_letters import DESK

DAYS = Keeping(timedelta(180), timedelta(180), timedelta(180))
#: so many days from the first day to one on which it is all old
LATER = 200


def empty(begin: Transactions, keeping: Keeping = DAYS, portion: int = emptying.PORTION) -> Emptied:
    with begin() as tx:
        return emptying.empty(tx.session, keeping, now=tx.now, portion=portion)


def empty_all(begin: Transactions, portion: int = emptying.PORTION) -> tuple[dict[str, int], int]:
    """All there is: the rows, and in how many portions."""
    rows: dict[str, int] = {}
    for portions in range(1, 1000):
        emptied = empty(begin, portion=portion)
        rows = {what: rows.get(what, 0) + n for what, n in emptied.rows.items()}
        if not emptied.more:
            return {what: n for what, n in rows.items() if n}, portions
    raise AssertionError("it never ends")


def finish(begin: Transactions) -> None:
    with begin() as tx:
        reconcile.finish(tx.session, {"carrier": timedelta(hours=72)}, now=tx.now)
    with begin() as tx:
        reconcile.finish(tx.session, {"carrier": timedelta(hours=72)}, now=tx.now)


def texts(begin: Transactions) -> list[str]:
    return sorted(look(begin, lambda s: s.scalars(select(Part.text)).all()))


def letter(begin: Transactions, text: str, n: int) -> int:
    with begin() as tx:
        told = InboundMessage("carrier", f"mo-{n}", generated_msisdn(n), "10690000", text, raw=text)
        ingest.accept(tx.session, [told], {}, region="CN", now=tx.now)
    with begin() as tx:
        router.route(tx.session, DESK, now=tx.now)
    return int(look(begin, lambda s: s.scalar(select(Letter.id).where(Letter.provider_id == f"mo-{n}"))))


def test_texts_of_a_campaign_that_is_over(begin: Transactions, clock: Clock) -> None:
    campaign, parts = sent(begin, 7)
    receive(begin, *[receipt(f"id-{part.part_id}", msisdn=part.msisdn, raw="as it came") for part in parts])
    finish(begin)
    clock.advance(days=179)
    assert empty_all(begin) == ({}, 1)
    before = look(begin, lambda s: progress(s, s.get_one(Campaign, campaign)))
    clock.advance(days=LATER - 179)
    rows, _ = empty_all(begin, portion=3)
    assert rows == {"texts": 7, "receipts": 7}
    assert set(texts(begin)) == {""}
    assert set(look(begin, lambda s: s.execute(select(ReceiptInbox.raw, ReceiptInbox.msisdn)).all())) == {("", None)}
    # who, when and what became of it
    assert look(begin, lambda s: progress(s, s.get_one(Campaign, campaign))) == before
    assert look(begin, lambda s: s.scalar(select(func.count(Message.msisdn)))) == 7
    assert empty_all(begin) == ({}, 1)


def test_in_portions_that_are_bounded(begin: Transactions, clock: Clock) -> None:
    campaign, parts = sent(begin, 9)
    receive(begin, *[receipt(f"id-{part.part_id}") for part in parts])
    finish(begin)
    with begin() as tx:
        # batches of three messages, as a large campaign has batches of five hundred
        ids = tx.session.scalars(select(Message.id).order_by(Message.id)).all()
        tx.session.execute(update(Batch).values(high=ids[2]))
        tx.session.add_all(
            Batch(campaign_id=campaign, gateway="carrier", lane=2, low=low, high=high, cursor=high, done=True)
            for low, high in ((ids[3], ids[5]), (ids[6], ids[8]))
        )
    clock.advance(days=LATER)
    emptied = empty(begin, portion=4)
    assert (emptied.rows["texts"], emptied.rows["receipts"], emptied.more) == (3, 4, True)
    assert empty(begin, portion=4).rows["texts"] == 3
    assert empty_all(begin, portion=4)[0] == {"texts": 3, "receipts": 1}


def test_what_still_waits_keeps_its_text(begin: Transactions, clock: Clock) -> None:
    campaign, _ = sending(begin, 4)
    mine = owner(begin)
    turn = must_claim(begin, mine, parts=2)
    accept(begin, turn)
    with begin() as tx:
        control.pause(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), now=tx.now)
    clock.advance(days=LATER)
    assert empty_all(begin)[0] == {}
    assert "" not in texts(begin)
    with begin() as tx:
        control.resume(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), WAYS, now=tx.now)
    assert all(part.text for part in must_claim(begin, mine).parts)


def test_what_is_in_doubt_may_be_ordered_again_after_its_text_is_gone(begin: Transactions, clock: Clock) -> None:
    campaign, _ = sending(begin, 2)
    mine = owner(begin)
    turn = must_claim(begin, mine)
    record(begin, turn, [OutcomeUnknown("silence")] * 2)
    assert claim(begin, mine) is None
    finish(begin)
    clock.advance(days=LATER)
    finish(begin)
    clock.advance(days=LATER)
    assert empty_all(begin)[0] == {"texts": 2}
    with begin() as tx:
        again.settle_by_resending(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign), 2, WAYS, now=tx.now)
    second = must_claim(begin, mine)
    assert all("您好" in part.text for part in second.parts)
    # sent again, it is young again, and old again in its time
    accept(begin, second)
    assert claim(begin, mine) is None
    receive(begin, *[receipt(f"id-{part.part_id}") for part in second.parts])
    finish(begin)
    assert empty_all(begin)[0] == {}
    clock.advance(days=LATER)
    assert empty_all(begin)[0] == {"texts": 2, "receipts": 2}


def test_letters_that_were_dealt_with_and_their_answers(begin: Transactions, clock: Clock) -> None:
    with begin() as tx:
        make_member(tx.session)
    asked, open_ = letter(begin, "几点开会？", 1), letter(begin, "谢谢", 2)
    with begin() as tx:
        inbox.reply(tx.session, OPERATOR, DESK, asked, "下午三点。", now=tx.now)
    turn = must_claim(begin, owner(begin))
    accept(begin, turn)
    clock.advance(days=LATER)
    assert empty_all(begin)[0] == {"letters": 1, "answers": 1}
    told = look(begin, lambda s: {row.id: (row.text, row.state) for row in s.scalars(select(Letter))})
    assert told == {asked: ("", LetterState.ANSWERED), open_: ("谢谢", LetterState.OPEN)}
    with begin() as tx:
        inbox.close(tx.session, OPERATOR, open_)
    # the walk rests for a day, and then comes by again
    assert empty_all(begin)[0] == {}
    clock.advance(days=1, minutes=1)
    assert empty_all(begin)[0] == {"letters": 1}


def test_a_receipt_that_comes_after_its_text_is_gone(begin: Transactions, clock: Clock) -> None:
    campaign, parts = sent(begin, 1)
    clock.advance(days=4)
    with begin() as tx:
        reconcile.expire(tx.session, {"carrier": timedelta(hours=72)}, {}, now=tx.now)
    finish(begin)
    finish(begin)
    clock.advance(days=LATER)
    assert empty_all(begin)[0] == {"texts": 1}
    receive(begin, receipt(f"id-{parts[0].part_id}", ReceiptState.DELIVERED))
    assert look(begin, lambda s: progress(s, s.get_one(Campaign, campaign))).messages == {"delivered": 1}


@pytest.mark.parametrize("what", ["texts", "receipts", "letters"])
def test_each_has_its_own_time(begin: Transactions, clock: Clock, what: str) -> None:
    _, parts = sent(begin, 1)
    receive(begin, receipt(f"id-{parts[0].part_id}", raw="as it came"))
    finish(begin)
    letter(begin, "TD", 3)
    while (turn := claim(begin, owner(begin))) is not None:
        accept(begin, turn)
    clock.advance(days=40)
    kept = {name: timedelta(30 if name == what else 300) for name in ("texts", "receipts", "letters")}
    with begin() as tx:
        emptied = emptying.empty(tx.session, Keeping(**kept), now=tx.now)
    assert {name for name, n in emptied.rows.items() if n} - {"answers"} == {what}


def test_old_drafts_and_who_was_there_are_forgotten(begin: Transactions, clock: Clock) -> None:
    with begin() as tx:
        user = User(name="li", role="writer", password_hash="x", created_by="x", created_at=tx.now)
        tx.session.add(user)
        tx.session.flush()
        for _ in range(3):
            drafts.keep(tx.session, OPERATOR, user.id, [("headline", "李")], now=tx.now)
        presence.note(tx.session, "item 1", user.id, now=tx.now)
    assert empty_all(begin)[0] == {}
    clock.advance(days=61)
    assert empty_all(begin, portion=2) == ({"drafts": 3, "presence": 1}, 2)


def told_in_lots(begin: Transactions) -> list[bool]:
    """Of each lot, the oldest number first, whether it still says something."""
    return [
        told != "" for told in look(begin, lambda s: s.scalars(select(ReceiptLot.told).order_by(ReceiptLot.id)).all())
    ]


def a_lot(begin: Transactions, count: int = 20, name: str = "stranger") -> None:
    with begin() as tx:
        receipts.record(tx.session, [receipt(f"{name}-{n}") for n in range(count)], {}, now=tx.now)


def test_lots_grow_old_like_rows(begin: Transactions, clock: Clock) -> None:
    _, parts = sent(begin, 21)
    receive(begin, *[receipt(f"id-{part.part_id}", msisdn=part.msisdn, raw="as it came") for part in parts])
    finish(begin)
    clock.advance(days=1)
    a_lot(begin)
    apply(begin)
    clock.advance(days=178)
    assert empty_all(begin) == ({}, 1)
    clock.advance(days=1)
    assert empty_all(begin)[0]["receipts"] == 21
    assert told_in_lots(begin) == [False, True]
    clock.advance(days=LATER)
    # those of the second lot that fitted nothing are rows, too
    assert empty_all(begin)[0]["receipts"] == 20 + 20
    assert told_in_lots(begin) == [False, False]
    assert empty_all(begin)[0] == {}
    # their numbers are not given again
    last = look(begin, lambda s: s.scalar(select(func.max(ReceiptLot.id))))
    a_lot(begin, name="new")
    assert look(begin, lambda s: s.scalar(select(func.max(ReceiptLot.id)))) >= last + 20


def test_few_lots_at_once(begin: Transactions, clock: Clock) -> None:
    for n in range(5):
        a_lot(begin, name=f"stranger-{n}")
    apply(begin)
    with begin() as tx:
        tx.session.execute(update(ReceiptInbox).values(raw=""))
    clock.advance(days=LATER)
    seen = []
    while (emptied := empty(begin, portion=2 * lots.MOST)).more:
        seen.append(emptied.rows["receipts"])
    assert (seen, told_in_lots(begin)) == ([40, 40], [False] * 5)


def test_a_lot_that_waits_is_applied_however_old(begin: Transactions, clock: Clock) -> None:
    _, parts = sent(begin, 20)
    with begin() as tx:
        told = [receipt(f"id-{part.part_id}", msisdn=part.msisdn) for part in parts]
        receipts.record(tx.session, told, {}, now=tx.now)
    a_lot(begin)
    with begin() as tx:
        # one of two that wait; nothing is left in it that could be applied
        newest = tx.session.scalar(select(func.max(ReceiptLot.id)))
        tx.session.execute(update(ReceiptLot).where(ReceiptLot.id == newest).values(told=""))
    clock.advance(days=LATER)
    assert empty_all(begin)[0] == {}
    apply(begin)
    assert part_states(begin) == {"delivered": 20}
    assert empty_all(begin)[0] == {"receipts": 20}


def test_a_row_that_came_later_under_an_earlier_number(begin: Transactions, clock: Clock) -> None:
    """A connection takes numbers ahead, and may use them days later."""
    for days in (0, 3):
        clock.advance(days=days)
        receive(begin, receipt(f"stranger-{days}", raw="as it came"))
        clock.advance(days=-days)
    ids = look(begin, lambda s: s.scalars(select(ReceiptInbox.id).order_by(ReceiptInbox.id)).all())
    assert len(ids) == 2
    with begin() as tx:
        tx.session.execute(update(ReceiptInbox).where(ReceiptInbox.id == ids[0]).values(id=ids[1] + 1))
    clock.advance(days=180)
    assert empty_all(begin)[0] == {"receipts": 1}
    clock.advance(days=3)
    assert empty_all(begin)[0] == {"receipts": 1}
    assert set(look(begin, lambda s: s.scalars(select(ReceiptInbox.raw)).all())) == {""}
