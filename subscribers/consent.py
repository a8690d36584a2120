"""Consent by number: evidence that is only added to, and the present wish that every claim of the press reads.

A person's own word weighs most: whoever opted out by SMS, or through the carrier, comes back only by their own word
and not by someone's spreadsheet.

Evidence is one row per number and utterance. What a file says of all its people is one row without a number
(`said_of_many`), and whoever is on record with it rests on that row; before such a wish is replaced, the number gets a
row of its own, so that its history stays whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Insert, SQLColumnExpression, exists, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.db import in_bulk, is_sqlite, reserve_ids
from subscribers.errors import Conflict, NotFound
from subscribers.holders import numbers_within
from subscribers.models import Consent, Number, NumberKind, Subscription, Wish
from subscribers.msisdn import mask

#: doors through which the holder of the number speaks, and nobody for them
OWN_WORD = frozenset({"sms", "carrier", "page"})


@dataclass(frozen=True, slots=True)
class Said:
    """One expression of will: who wants what, through which door, in which words (or file and row)."""

    msisdn: str
    wish: Wish
    source: str
    wording: str = ""
    import_run_id: int | None = None
    #: when it was said, if that is not now
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Present:
    """The wish that holds now, whether it is the holder's own word, since when they want that, and the evidence."""

    wish: Wish
    own_word: bool
    since: datetime
    import_run_id: int | None = None
    #: it rests on what was said of many at once
    collective: bool = False
    #: through which door it came
    source: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a batch: numbers whose wish was written, and numbers that stay out although someone said "in"."""

    written: int
    still_out: tuple[str, ...]


def stays_out(present: Present | None, said: Said) -> bool:
    """Whether this "in" is overruled: the holder opted out by their own word, and this is not their own word."""
    return (
        present is not None
        and present.wish == Wish.OUT
        and present.own_word
        and said.wish == Wish.IN
        and said.source not in OWN_WORD
    )


def changes(present: Present | None, said: Said) -> bool:
    """Whether this is to be recorded: one's own word always, another's only if it is news and not overruled."""
    if said.source in OWN_WORD or present is None:
        return True
    return said.wish != present.wish and not stays_out(present, said)


def last_said(session: Session) -> datetime | None:
    """When somebody last said what they want, or somebody else for them; None if nobody has."""
    return session.scalar(select(Consent.at).order_by(Consent.id.desc()).limit(1))


@needs(Right.REGISTER)
def opt_in(session: Session, actor: Actor, msisdn: str, *, source: str, wording: str, now: datetime) -> bool:
    """The holder of this number wants the paper: whether that is news.

    Raises `Conflict` if they opted out by their own word and `source` is somebody else's.
    """
    said = Said(msisdn, Wish.IN, source, wording)
    before = wishes(session, [msisdn]).get(msisdn)
    if record_many(session, actor, [said], now=now).still_out:
        raise Conflict(
            "{number} opted out by their own word, and stays out.",
            hint="They can come back by sending an SMS themselves.",
            number=mask(msisdn),
        )
    return before is None or before.wish != Wish.IN


@needs(Right.REGISTER)
def opt_out(session: Session, actor: Actor, msisdn: str, *, source: str, wording: str, now: datetime) -> bool:
    """The holder of this number wants no more: whether that is news. Any number will do, a member's or not."""
    before = wishes(session, [msisdn]).get(msisdn)
    record_many(session, actor, [Said(msisdn, Wish.OUT, source, wording)], now=now)
    return before is None or before.wish != Wish.OUT


@needs(Right.REGISTER)
def record_many(session: Session, actor: Actor, rows: Iterable[Said], *, now: datetime) -> Recorded:
    """Add the evidence and bring the present wishes up to date, in order; four statements per thousand rows.

    Raises `NotFound` for a number that is nobody's in the actor's part of the tree.
    """
    written, still_out = 0, []
    for portion in in_bulk(rows):
        numbers = sorted({said.msisdn for said in portion})
        refuse_strangers(session, actor, numbers)
        present = wishes(session, numbers, lock=True)
        before = dict(present)
        news = []
        for said in portion:
            if stays_out(present.get(said.msisdn), said):
                still_out.append(said.msisdn)
            elif changes(present.get(said.msisdn), said):
                news.append(said)
                present[said.msisdn] = present_after(present.get(said.msisdn), said, now)
        _write(session, actor, news, before, present, now)
        written += len({said.msisdn for said in news})
    return Recorded(written, tuple(dict.fromkeys(still_out)))


@needs(Right.REGISTER)
def said_of_many(
    session: Session, actor: Actor, wish: Wish, *, source: str, wording: str, import_run_id: int | None, now: datetime
) -> int:
    """Evidence about everyone whose wish will rest on it: its id. The caller writes these wishes, or there are none."""
    consent = Consent(
        msisdn=None, wish=wish, source=source, wording=wording, actor=actor.name, import_run_id=import_run_id, at=now
    )
    session.add(consent)
    session.flush()
    return consent.id


def wishes(session: Session, msisdns: Collection[str], *, lock: bool = False) -> dict[str, Present]:
    """The present wish of each number that has one; with `lock`, held until the end of the transaction."""
    found: dict[str, Present] = {}
    for portion in in_bulk(msisdns):
        query = (
            select(
                Subscription.msisdn,
                Subscription.wish,
                Consent.source,
                Subscription.since,
                Consent.import_run_id,
                Consent.msisdn.is_(None),
            )
            .join(Consent, Consent.id == Subscription.consent_id)
            .where(Subscription.msisdn.in_(portion))
        )
        if lock:
            # in one order everywhere, so that two of us cannot wait for each other
            query = query.order_by(Subscription.msisdn).with_for_update(of=Subscription)
        for msisdn, wish, source, since, import_run_id, collective in session.execute(query):
            found[msisdn] = Present(Wish(wish), source in OWN_WORD, since, import_run_id, collective, source)
    return found


def is_reachable(session: Session, msisdn: str) -> bool:
    """Whether the paper may be sent to this number: its holder said so, and did not take it back since."""
    return session.scalar(select(Subscription.wish).where(Subscription.msisdn == msisdn)) == Wish.IN


def reachable_member(member_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """The condition that a member has a number that can receive, is in use, and whose holder wants the paper."""
    return exists().where(
        Number.member_id == member_id,
        Number.kind == NumberKind.MOBILE,
        Number.suspended_at.is_(None),
        Subscription.msisdn == Number.msisdn,
        Subscription.wish == Wish.IN,
    )


def refuse_strangers(session: Session, actor: Actor, numbers: Sequence[str]) -> None:
    """Raise `NotFound` for a number that is nobody's in the actor's part of the tree."""
    ours = numbers_within(session, actor.under, numbers)
    for number in numbers:
        if number not in ours:
            raise NotFound(
                "{number} is no member's number here.", hint="Look the member up by name.", number=mask(number)
            )


def present_after(present: Present | None, said: Said, now: datetime) -> Present:
    """The wish that holds once this is said."""
    since = present.since if present is not None and present.wish == said.wish else now
    return Present(said.wish, said.source in OWN_WORD, since, said.import_run_id, source=said.source)


def _write(
    session: Session,
    actor: Actor,
    news: list[Said],
    before: Mapping[str, Present],
    after: Mapping[str, Present],
    now: datetime,
) -> None:
    if not news:
        return
    _give_rows_of_their_own(session, [said.msisdn for said in news if said.msisdn in before], before)
    ids = reserve_ids(session, Consent, len(news))
    last = {said.msisdn: id_ for said, id_ in zip(news, ids, strict=True)}
    evidence = [
        asdict(said) | {"id": id_, "actor": actor.name, "at": said.at or now}
        for said, id_ in zip(news, ids, strict=True)
    ]
    session.execute(insert(Consent), evidence)
    rows = [
        {"msisdn": msisdn, "wish": after[msisdn].wish, "since": after[msisdn].since, "consent_id": id_}
        for msisdn, id_ in sorted(last.items())
    ]
    if known := [row for row in rows if row["msisdn"] in before]:
        session.execute(update(Subscription), known)
    if fresh := [row for row in rows if row["msisdn"] not in before]:
        session.execute(_insert_unless_out(session), fresh)


def _give_rows_of_their_own(session: Session, msisdns: Sequence[str], before: Mapping[str, Present]) -> None:
    """What was said of many, said of each of these numbers: their wish is about to rest on something else."""
    many = {msisdn for msisdn in msisdns if before[msisdn].collective}
    if not many:
        return
    kept = (Consent.wish, Consent.topic, Consent.source, Consent.wording, Consent.actor, Consent.import_run_id)
    copies = (
        select(Subscription.msisdn, *kept, Consent.at)
        .join(Consent, Consent.id == Subscription.consent_id)
        .where(Subscription.msisdn.in_(many), Consent.msisdn.is_(None))
    )
    session.execute(insert(Consent).from_select(["msisdn", *(column.key for column in kept), "at"], copies))


def _insert_unless_out(session: Session) -> Insert:
    """A first wish. If another transaction wrote one since we looked, an "out" among the two stands."""
    statement = sqlite.insert(Subscription) if is_sqlite(session) else postgresql.insert(Subscription)
    new = statement.excluded
    return statement.on_conflict_do_update(
        index_elements=["msisdn"],
        set_={"wish": new.wish, "since": new.since, "consent_id": new.consent_id},
        where=new.wish == Wish.OUT,
    )
