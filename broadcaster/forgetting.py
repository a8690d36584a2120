"""Forgetting a person everywhere: what was sent to them and what they wrote, then the registry's own part.

Messages, parts, receipts and letters keep their states, so that every report stays as it was; they lose number and
text. Receipts are looked through as a whole, because carriers write numbers in forms of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, Delete, Update, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.audience import SkipReason
from broadcaster.delivery import lots, transitions
from broadcaster.delivery.models import Doubt, Message, Part, ReceiptInbox, ReceiptLot, Submission
from broadcaster.delivery.states import State
from broadcaster.replies.models import Letter, LetterPart, LetterState
from subscribers import forgetting, holding, msisdn
from subscribers.actor import Actor, Right, needs
from subscribers.db import in_bulk
from subscribers.errors import Conflict
from subscribers.forgetting import Erased
from subscribers.models import Number

#: numbers that are looked for in receipts at once: hardly anybody has had so many
_AT_ONCE = 50
#: a lot may hold receipts for a part that came so long before its hand-over was written down, or after
_BEFORE, _AFTER = timedelta(days=1), timedelta(days=7)


@needs(Right.REGISTER)
def forget(session: Session, actor: Actor, member_id: int, *, key: bytes, on: date, now: datetime) -> Erased:
    """Erase a member's data, here and in the registry. `key` is that of the forgotten numbers, `on` is today.

    Raises `NotFound`, and `Conflict` while something is being handed over to a carrier for them.
    """
    holding.hold(session, actor, member_id)
    addressed = _addressed(session, member_id)
    theirs = forgetting.alone_with(session, member_id, _numbers(session, member_id) | {*addressed.values()})
    messages = sorted(addressed.keys() | _sent_to(session, theirs))
    # first of all: who opens lots holds them before the messages, and what was left over of one stands below then
    _erase_in_lots(session, messages, theirs)
    _hold_back(session, member_id, messages, now)
    # before the registry's rows: receipts are applied in this order, too, and two must not wait for each other
    for portion in in_bulk(messages):
        _erase_messages(session, actor, portion, now)
    for numbers in in_bulk(sorted(theirs), _AT_ONCE):
        _erase_receipts(session, numbers)
    _erase_letters(session, actor, member_id, theirs, now)
    return forgetting.forget(session, actor, member_id, key=key, earlier=theirs, on=on, now=now)


def _addressed(session: Session, member_id: int) -> dict[int, str]:
    """Their messages, by id, with the numbers that they went to.

    All messages are read for it, once: an index would cost each message of every audience more than it saves here.
    """
    mine = select(Message.id, Message.msisdn).where(Message.member_id == member_id, Message.msisdn.is_not(None))
    return {id_: msisdn for id_, msisdn in session.execute(mine) if msisdn}


def _numbers(session: Session, member_id: int) -> set[str]:
    """Every number that is theirs, or that letters came from in their name."""
    found: set[str] = set()
    for column, mine in ((Number.msisdn, Number.member_id), (Letter.msisdn, Letter.member_id)):
        found |= {number for number in session.scalars(select(column).where(mine == member_id).distinct()) if number}
    return found


def _sent_to(session: Session, msisdns: Collection[str]) -> set[int]:
    """Messages to these numbers, in whoever's name."""
    return set(session.scalars(select(Message.id).where(Message.msisdn.in_(msisdns))))


def _hold_back(session: Session, member_id: int, messages: Sequence[int], now: datetime) -> None:
    """Let nothing more go out to them. What a sender has in its hands cannot be called back."""
    for portion in in_bulk(messages):
        transitions.withdraw(session, portion, State.SKIPPED, SkipReason.OPTED_OUT.value, now=now)
        going = select(Message.id).where(Message.id.in_(portion), Message.state == State.SUBMITTING).limit(1)
        if session.scalar(going) is not None:
            raise Conflict(
                "Something is being handed over to a carrier for member {member} at this moment.",
                hint="Try again in a minute.",
                member=member_id,
            )


def _erase_messages(session: Session, actor: Actor, ids: Sequence[int], now: datetime) -> None:
    parts = select(Part.id).where(Part.message_id.in_(ids))
    same = and_(Submission.gateway == ReceiptInbox.gateway, Submission.provider_id == ReceiptInbox.provider_id)
    told = select(ReceiptInbox.id).join(Submission, same).where(Submission.part_id.in_(parts))
    _blank_receipts(session, ReceiptInbox.id.in_(session.scalars(told).all()))
    _quietly(session, update(Part).where(Part.message_id.in_(ids)).values(text=""))
    _quietly(session, update(Message).where(Message.id.in_(ids)).values(msisdn=None))
    doubts = Doubt.part_id.in_(parts)
    _quietly(
        session, update(Doubt).where(doubts, Doubt.settled_at.is_(None)).values(settled_at=now, settled_by=actor.name)
    )
    _quietly(session, update(Doubt).where(doubts).values(msisdn=""))


def _erase_receipts(session: Session, numbers: Collection[str]) -> None:
    """Receipts that name one of the numbers, in whatever form: those that belong to no message of ours, too."""
    named = [ReceiptInbox.raw.contains(digits) for digits in _digits(numbers)]
    _blank_receipts(session, or_(ReceiptInbox.msisdn.in_(numbers), *named))


def _digits(numbers: Collection[str]) -> list[str]:
    """What every form of a number has in it."""
    return [msisdn.national(number).lstrip("0") for number in numbers]


def _erase_in_lots(session: Session, messages: Sequence[int], numbers: Collection[str]) -> None:
    """Receipts that are kept by the hundred: those with one of the numbers in them, and those for one of the messages.

    The database finds them: to open one here takes ten times as long as to look for a word in it there.
    """
    ids: dict[str, set[str]] = defaultdict(set)
    digits = _digits(numbers)
    which: list[ColumnElement[bool]] = [ReceiptLot.told.contains(each) for each in digits]
    at = func.coalesce(Part.submitted_at, Doubt.since, Part.final_at)
    for portion in in_bulk(messages):
        called = (
            select(Submission.gateway, Submission.provider_id, at)
            .join(Part, Part.id == Submission.part_id)
            .outerjoin(Doubt, Doubt.part_id == Part.id)
            .where(Part.message_id.in_(portion))
        )
        for gateway, provider_id, moment in session.execute(called):
            ids[gateway].add(provider_id)
            which.append(_names(gateway, provider_id, moment))
    found: set[int] = set()
    for some in in_bulk(which, _AT_ONCE):
        found.update(session.scalars(select(ReceiptLot.id).where(or_(*some))))
    for lot_id in sorted(found):
        its = select(ReceiptLot.gateway, ReceiptLot.told).where(ReceiptLot.id == lot_id, ReceiptLot.told != "")
        for gateway, told in session.execute(its.with_for_update()).all():
            blanked = lots.without(told, numbers, digits, ids.get(gateway, ()))
            if blanked is not None:
                _quietly(session, update(ReceiptLot).where(ReceiptLot.id == lot_id).values(told=blanked))


def _names(gateway: str, provider_id: str, moment: datetime | None) -> ColumnElement[bool]:
    """Lots of a gateway with one of its ids in them that came near this moment; all, where it is not known."""
    near = [ReceiptLot.received_at.between(moment - _BEFORE, moment + _AFTER)] if moment is not None else []
    return and_(ReceiptLot.gateway == gateway, *near, lots.names(ReceiptLot.told, provider_id))


def _blank_receipts(session: Session, which: ColumnElement[bool]) -> None:
    _quietly(session, update(ReceiptInbox).where(which).values(msisdn=None, raw=""))


def _erase_letters(session: Session, actor: Actor, member_id: int, theirs: Collection[str], now: datetime) -> None:
    mine = or_(Letter.member_id == member_id, Letter.msisdn.in_(theirs))
    unanswered = Letter.state.in_((LetterState.NEW, LetterState.OPEN))
    _quietly(
        session,
        update(Letter).where(mine, unanswered).values(state=LetterState.CLOSED, closed_by=actor.name, handled_at=now),
    )
    _quietly(session, update(Letter).where(mine).values(msisdn="", text=""))
    _quietly(session, delete(LetterPart).where(LetterPart.msisdn.in_(theirs)))


def _quietly(session: Session, statement: Update | Delete) -> None:
    """Rows that were read before are read again by whoever needs them."""
    session.execute(statement, execution_options={"synchronize_session": False})
