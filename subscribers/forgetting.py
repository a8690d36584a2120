"""Forgetting: a person's data are erased at their request, and their number stays out as a keyed hash.

What stays of a member is a row without a name, and the dated places, so that counts of past days hold. Whoever takes
the number in later by somebody else's word asks `stays_forgotten`; the holder's own word brings it back.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Insert, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from subscribers import audit
from subscribers.actor import Actor, Right, needs
from subscribers.consent import Present, wishes
from subscribers.db import in_bulk, is_sqlite
from subscribers.holding import hold
from subscribers.models import (
    Admission,
    ColumnWish,
    Consent,
    ForgottenNumber,
    ImportChange,
    Listed,
    Membership,
    Number,
    Subscription,
    Transfer,
    TransferState,
    Wish,
)
from subscribers.numbers import end_sharing, lock_numbers


@dataclass(frozen=True, slots=True)
class Erased:
    """Who was forgotten, and the numbers that went with them; those of others stay."""

    member_id: int
    msisdns: frozenset[str]


def digest(msisdn: str, key: bytes) -> str:
    """A number as it is remembered when it must be forgotten: nobody finds it again without the key."""
    return hmac.new(key, msisdn.encode(), hashlib.sha256).hexdigest()


def stays_forgotten(session: Session, msisdns: Collection[str], key: bytes) -> set[str]:
    """Those of the numbers whose holder was forgotten, and has not come back by their own word since."""
    found: set[str] = set()
    for portion in in_bulk(sorted(set(msisdns))):
        digests = {digest(msisdn, key): msisdn for msisdn in portion}
        rows = session.scalars(select(ForgottenNumber.digest).where(ForgottenNumber.digest.in_(digests)))
        found |= {digests[row] for row in rows}
    present = wishes(session, found) if found else {}
    return {msisdn for msisdn in found if not _is_back(present.get(msisdn))}


def alone_with(session: Session, member_id: int, msisdns: Collection[str]) -> set[str]:
    """Those of the numbers that no other member has."""
    others: set[str] = set()
    for portion in in_bulk(sorted(set(msisdns))):
        others.update(
            session.scalars(select(Number.msisdn).where(Number.msisdn.in_(portion), Number.member_id != member_id))
        )
    return set(msisdns) - others


@needs(Right.REGISTER)
def forget(
    session: Session,
    actor: Actor,
    member_id: int,
    *,
    key: bytes,
    earlier: Collection[str] = (),
    on: date,
    now: datetime,
) -> Erased:
    """Erase a member's data here; `broadcaster.forgetting` erases the rest, and calls this.

    Their membership ends on the day `on`. `earlier` are numbers that used to be theirs: what was said by them goes
    too, unless they are somebody else's by now. Raises `NotFound`.
    """
    member = hold(session, actor, member_id).member
    held = session.scalars(select(Number.msisdn).where(Number.member_id == member_id)).all()
    lock_numbers(session, held)
    gone = alone_with(session, member_id, {*held, *earlier})
    _remember(session, gone & set(held), gone - set(held), key, now)
    _erase_words(session, gone)
    session.execute(delete(Number).where(Number.member_id == member_id))
    end_sharing(session, held)
    for table in (Listed, ImportChange):
        session.execute(delete(table).where(table.member_id == member_id))
    session.execute(
        delete(Admission).where(or_(Admission.member_id == member_id, Admission.msisdn.in_(gone))),
        execution_options={"synchronize_session": False},
    )
    _end(session, actor, member_id, on, now)
    member.name, member.search_key, member.external_id, member.birthday = "", "", None, None
    member.tags, member.fields, member.forgotten_at = [], {}, now
    session.flush()
    audit.note(session, actor, "members.forget", f"member {member_id}", now=now, numbers=len(gone))
    return Erased(member_id, frozenset(gone))


def _is_back(present: Present | None) -> bool:
    return present is not None and present.wish == Wish.IN and present.own_word


def _remember(session: Session, held: set[str], earlier: set[str], key: bytes, now: datetime) -> None:
    """Numbers they had stay out; of those they used to have, the ones that were out already."""
    out = {msisdn for msisdn, present in wishes(session, earlier).items() if present.wish == Wish.OUT}
    rows = [{"digest": digest(msisdn, key), "at": now} for msisdn in sorted(held | out)]
    if rows:
        session.execute(_insert_once(session), rows)


def _erase_words(session: Session, msisdns: set[str]) -> None:
    for table in (Subscription, ColumnWish, Consent):
        for portion in in_bulk(sorted(msisdns)):
            session.execute(
                delete(table).where(table.msisdn.in_(portion)), execution_options={"synchronize_session": False}
            )


def _end(session: Session, actor: Actor, member_id: int, on: date, now: datetime) -> None:
    mine = Membership.member_id == member_id
    quietly = {"synchronize_session": False}
    session.execute(delete(Membership).where(mine, Membership.valid_from > on), execution_options=quietly)
    still = or_(Membership.valid_until.is_(None), Membership.valid_until > on)
    session.execute(update(Membership).where(mine, still).values(valid_until=on), execution_options=quietly)
    session.execute(update(Membership).where(mine).values(away_place=None, host_branch=None), execution_options=quietly)
    session.execute(
        update(Transfer).where(Transfer.member_id == member_id).values(reason=""), execution_options=quietly
    )
    session.execute(
        update(Transfer)
        .where(Transfer.member_id == member_id, Transfer.state == TransferState.ASKED)
        .values(state=TransferState.WITHDRAWN, decided_by=actor.name, decided_at=now),
        execution_options=quietly,
    )


def _insert_once(session: Session) -> Insert:
    statement = sqlite.insert(ForgottenNumber) if is_sqlite(session) else postgresql.insert(ForgottenNumber)
    return statement.on_conflict_do_nothing(index_elements=["digest"])
