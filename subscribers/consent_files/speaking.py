"""One number: everything that was said about its holder's wish, and saying it on their behalf."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from subscribers import audit, msisdn
from subscribers.actor import Actor, Right, needs
from subscribers.column_wishes import SaidOfColumn, clean_topic, column_wishes, record_columns
from subscribers.consent import Recorded, Said, record_many, wishes
from subscribers.consent_files.rows import clean_wording
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.forgetting import stays_forgotten
from subscribers.holders import numbers_within
from subscribers.holding import hold
from subscribers.models import ColumnWish, Consent, ImportRun, Subscription, Wish
from subscribers.msisdn import mask
from subscribers.numbers import number_of

SOURCE = "operator"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was said. `counts`: the present wish rests on it; `undone`: its import was taken back."""

    at: datetime
    wish: Wish
    topic: str
    source: str
    wording: str
    by: str
    import_id: int | None
    counts: bool
    undone: bool


@needs(Right.SEE)
def history(session: Session, actor: Actor, number: str, *, region: str = "CN") -> list[Evidence]:
    """All evidence about a number, however it is written, in the order in which it was taken down.

    Raises `Invalid` for what is no number, `NotFound` if it is nobody's in the actor's part of the tree.
    """
    written = _ours(session, actor, number, region)
    counting = select(Subscription.consent_id).where(Subscription.msisdn == written)
    of_columns = select(ColumnWish.consent_id).where(ColumnWish.msisdn == written)
    present = set(session.scalars(counting.union_all(of_columns)))
    query = (
        select(Consent, ImportRun.undone_at)
        .outerjoin(ImportRun, ImportRun.id == Consent.import_run_id)
        .where(or_(Consent.msisdn == written, Consent.id.in_(present)))
        .order_by(Consent.id)
    )
    return [
        Evidence(
            at=said.at,
            wish=Wish(said.wish),
            topic=said.topic,
            source=said.source,
            wording=said.wording,
            by=said.actor,
            import_id=said.import_run_id,
            counts=said.id in present,
            undone=undone_at is not None,
        )
        for said, undone_at in session.execute(query)
    ]


@needs(Right.REGISTER)
def say(
    session: Session,
    actor: Actor,
    number: str,
    wish: Wish,
    *,
    wording: str,
    topic: str = "",
    key: bytes,
    region: str = "CN",
    now: datetime,
) -> bool:
    """Somebody told the actor what they want, in these words: whether it is news. It is audited.

    Raises `Invalid` for what is no number or without words, `NotFound` for a number of another part of the tree, and
    `Conflict` for an "in" of whoever opted out by their own word, or was forgotten.
    """
    written, words, column = _ours(session, actor, number, region), clean_wording(wording), clean_topic(topic)
    if not words:
        raise Invalid("There is no evidence.", hint="Say with --wording how they told you.")
    said = Said(written, wish, SOURCE, words)
    if wish == Wish.IN and written in stays_forgotten(session, [written], key):
        raise _stays_out(written)
    present = column_wishes(session, [(written, column)]).values() if column else wishes(session, [written]).values()
    is_news = all(one.wish != wish for one in present)
    if _record(session, actor, said, column, now).still_out:
        raise _stays_out(written)
    if is_news:
        audit.note(session, actor, f"consent.{wish.value}", now=now, of_column=bool(column))
    return is_news


@needs(Right.REGISTER)
def say_for_member(
    session: Session,
    actor: Actor,
    member_id: int,
    ending: str,
    wish: Wish,
    *,
    wording: str,
    key: bytes,
    region: str = "CN",
    now: datetime,
) -> bool:
    """The same of a number of one member, which is named in full or by its last digits. Raises as `say`."""
    hold(session, actor, member_id)
    number = number_of(session, member_id, ending).msisdn
    return say(session, actor, number, wish, wording=wording, key=key, region=region, now=now)


def _record(session: Session, actor: Actor, said: Said, column: str, now: datetime) -> Recorded:
    if column:
        return record_columns(session, actor, [SaidOfColumn(column, said)], now=now)
    return record_many(session, actor, [said], now=now)


def _ours(session: Session, actor: Actor, number: str, region: str) -> str:
    """The number as it is kept, if it is of the actor's part of the tree."""
    written = msisdn.parse(number, region).msisdn
    if written not in numbers_within(session, actor.under, [written]):
        raise NotFound("{number} is no member's number here.", hint="Look the member up by name.", number=mask(written))
    return written


def _stays_out(number: str) -> Conflict:
    return Conflict(
        "{number} opted out by their own word, and stays out.",
        hint="They can come back by sending an SMS themselves.",
        number=mask(number),
    )
