"""From a letter to whoever deals with it: the first handler that answers wins, and the inbox never says no."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from broadcaster.logs import get
from broadcaster.replies import long_letters
from broadcaster.replies.answer import Desk, queue_reply
from broadcaster.replies.handling import Handler, Reply, reply_text
from broadcaster.replies.joining import join
from broadcaster.replies.keywords import wants_back, wants_out
from broadcaster.replies.models import Letter, LetterState
from broadcaster.replies.receive import ROUTE
from subscribers import consent
from subscribers.actor import SYSTEM
from subscribers.db import wake

log = get(__name__)


#: how a letter is marked that took its writer off the list, or put them on it again
OPT_OUT, COME_BACK = "opt_out", "come_back"


def opt_out(session: Session, desk: Desk, letter: Letter, now: datetime) -> Reply | None:
    """Take a number off the list at once; say so once, however often it is asked for, unless the carrier has."""
    by_carrier = letter.handled_as == OPT_OUT
    if not (by_carrier or wants_out(letter.text)) or not letter.from_a_telephone:
        return None
    news = consent.opt_out(session, SYSTEM, letter.msisdn, source="sms", wording=letter.text, now=now)
    return Reply(OPT_OUT, reply_text("opted_out", desk) if news and not by_carrier else "")


def come_back(session: Session, desk: Desk, letter: Letter, now: datetime) -> Reply | None:
    """Put a member who asks for it on the list again. A number that nobody knows is a person's business."""
    by_carrier = letter.handled_as == COME_BACK
    if not (by_carrier or wants_back(letter.text)) or letter.member_id is None:
        return None
    news = consent.opt_in(session, SYSTEM, letter.msisdn, source="sms", wording=letter.text, now=now)
    return Reply(COME_BACK, reply_text("come_back", desk) if news and not by_carrier else "")


def inbox(session: Session, desk: Desk, letter: Letter, now: datetime) -> Reply:
    """Everything else waits for a person."""
    return Reply("inbox", for_a_person=True)


#: in this order; activities will stand between the opt-out and the inbox
HANDLERS: tuple[Handler, ...] = (opt_out, come_back, join, inbox)


def route(
    session: Session, desk: Desk, *, handlers: Sequence[Handler] = HANDLERS, limit: int = 200, now: datetime
) -> int:
    """Deal with the letters that nobody has looked at. Returns how many."""
    long_letters.join(session, now=now)
    letters = session.scalars(
        select(Letter)
        .where(Letter.state == LetterState.NEW)
        .order_by(Letter.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    for letter in letters:
        reply = _handled(session, desk.at(letter.gateway), letter, handlers, now)
        letter.handled_as = reply.handled_as
        letter.handled_at = now
        letter.state = LetterState.OPEN if reply.for_a_person else LetterState.HANDLED
        if reply.text and letter.gateway in desk.gateways:
            queue_reply(session, desk, letter, reply.text)
    return len(letters)


def _handled(session: Session, desk: Desk, letter: Letter, handlers: Sequence[Handler], now: datetime) -> Reply:
    """What the first handler says that takes it.

    One that fails leaves nothing behind, and a person looks at the letter: it must not keep the next letters, which may
    be opt-outs, from being read.
    """
    for handler in handlers:
        try:
            with session.begin_nested():
                reply = handler(session, desk, letter, now)
        except OperationalError:
            raise
        except Exception:
            log.exception("a letter could not be handled", letter=letter.id, handler=handler.__name__)
            break
        if reply is not None:
            return reply
    return inbox(session, desk, letter, now)


def wake_forgotten(session: Session, *, now: datetime) -> None:
    """Hint again at letters that nobody has looked at, long ones too: a queue may have been lost."""
    long_letters.sweep(session, now=now)
    if session.scalar(select(Letter.id).where(Letter.state == LetterState.NEW).limit(1)) is not None:
        wake(session, ROUTE)
