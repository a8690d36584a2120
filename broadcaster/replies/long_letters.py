"""Long letters, joined from their parts, whichever process heard which.

A part is kept like a letter, and its carrier is told yes at once: no part waits for another in the memory of a process
that may end. Those of one letter agree in sender, recipient, reference and total. Handsets count their references
round, so parts meet for a minute or so only, and a part that comes again with other words begins another letter.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.orm import Session

from broadcaster.delivery.recording import insert_or_ignore
from broadcaster.gateways.events import InboundMessage, InboundPart, made_id
from broadcaster.logs import get
from broadcaster.replies import receive
from broadcaster.replies.keywords import MISSING
from broadcaster.replies.models import LetterPart
from broadcaster.sms import decode
from subscribers.db import among, wake

log = get(__name__)

#: parts of one number that are kept at a time; beyond, its oldest letters are let go as they are. One letter has 255
MOST = 600

#: octets of a part that are kept; a handset sends 140
LONGEST = 1_000

#: letters that are joined in one transaction
AT_ONCE = 100


class Key(NamedTuple):
    """What the parts of one letter have in common."""

    msisdn: str
    gateway: str
    destination: str
    reference: int
    bits: int
    total: int


_KEY = tuple(getattr(LetterPart, name) for name in Key._fields)
_OPEN = LetterPart.joined_at.is_(None)


@dataclass(slots=True)
class _Known:
    """What is kept of one letter: its rows, and their digests by number."""

    until: datetime
    joined: bool
    ids: list[int] = field(default_factory=list)
    digests: dict[int, str] = field(default_factory=dict)


def text_of(total: int, parts: Mapping[int, tuple[bytes, str]]) -> str:
    """The text, from octets and charset by number, with a mark where parts are missing.

    Neighbours in one charset are joined before they are read: some handsets cut characters in half.
    """
    pieces = []
    numbered = (parts.get(number, (b"", "")) for number in range(1, total + 1))
    for charset, neighbours in groupby(numbered, key=lambda part: part[1]):
        octets = b"".join(octets for octets, _ in neighbours)
        pieces.append(decode(octets, charset) if charset else MISSING)
    return "".join(pieces)


def store(session: Session, parts: Sequence[InboundPart], *, now: datetime) -> int:
    """Keep parts as they came. The carrier may be told yes once this has committed.

    Returns how many were not known yet.
    """
    fresh = receive.store(session, [_alone(part) for part in parts if not _can_be(part)], now=now)
    waiting = [part for part in parts if _can_be(part)]
    if not waiting:
        return fresh
    senders = {_key(part).msisdn for part in waiting}
    while waiting:
        waiting, kept = _keep(session, senders, waiting, now=now)
        fresh += kept
    _bound(session, senders, now=now)
    wake(session, receive.ROUTE)
    return fresh


def join(session: Session, *, now: datetime) -> None:
    """Make letters of those that are whole, and, with marks in them, of those that are waited for no longer."""
    ready = session.execute(_ready(now).order_by(func.min(LetterPart.id)).limit(AT_ONCE)).all()
    if not ready:
        return
    theirs = LetterPart.msisdn.in_({row.msisdn for row in ready})
    # whoever joins them, too, or brings more of them, waits for us or we for them: then they are read as they are
    _lock(session, theirs)
    sets = _by_key(session.scalars(select(LetterPart).where(theirs, _OPEN).order_by(LetterPart.id)).all())
    found = [sets[key] for key in map(Key._make, ready) if key in sets]
    whole = [parts for parts in found if len(parts) == parts[0].total]
    overdue = [parts for parts in found if len(parts) < parts[0].total and min(part.until for part in parts) <= now]
    _make_letters(session, [*whole, *overdue], now=now)
    _forget(session, among(session, LetterPart.id, [part.id for part in chain.from_iterable(overdue)]))
    by_memory: dict[float, list[int]] = {}
    for part in chain.from_iterable(whole):
        by_memory.setdefault(part.repeats_within, []).append(part.id)
    for seconds, ids in by_memory.items():
        # the words are in the letter; what stays tells the carrier's repeats
        over = {"octets": b"", "joined_at": now, "until": now + timedelta(seconds=seconds)}
        statement = update(LetterPart).where(among(session, LetterPart.id, ids)).values(over)
        session.execute(statement, execution_options={"synchronize_session": False})


def sweep(session: Session, *, now: datetime) -> None:
    """Forget what was joined long enough ago, and hint at what is ready to be."""
    _forget(session, ~_OPEN & (LetterPart.until <= now))
    if session.execute(_ready(now).limit(1)).first() is not None:
        wake(session, receive.ROUTE)


def _ready(now: datetime) -> Select[*tuple[Any, ...]]:
    at_last = or_(func.count() == LetterPart.total, func.min(LetterPart.until) <= now)
    return select(*_KEY).where(_OPEN).group_by(*_KEY).having(at_last)


def _can_be(part: InboundPart) -> bool:
    """Whether this can be a part of anything."""
    return 1 <= part.number <= part.total <= 255 and 0 <= part.reference <= 0xFFFF and part.bits in (8, 16)


def _alone(part: InboundPart) -> InboundMessage:
    return InboundMessage(
        gateway=part.gateway,
        message_id=made_id(part.msisdn, part.destination, part.octets),
        msisdn=part.msisdn,
        destination=part.destination,
        text=decode(part.octets[:LONGEST], part.charset),
        repeats_within=part.repeats_within,
    )


def _key(part: InboundPart | LetterPart) -> Key:
    return Key(part.msisdn[:20], part.gateway, part.destination[:40], part.reference, part.bits, part.total)


def _digest(part: InboundPart) -> str:
    return made_id(part.charset, "", part.octets)


def _keep(
    session: Session, senders: Collection[str], parts: Sequence[InboundPart], *, now: datetime
) -> tuple[list[InboundPart], int]:
    """Keep what can be kept beside what is there.

    Returns those that are to be looked at again, in their order, and how many were kept.
    """
    known = _known(session, senders)
    fresh: dict[Key, dict[int, InboundPart]] = {}
    over: list[_Known] = []
    again: dict[Key, list[InboundPart]] = {}
    for part in parts:
        key, digest, mine = _key(part), _digest(part), fresh.setdefault(_key(part), {})
        there = known.get(key)
        # the handset has counted round: another letter begins under the same reference
        other = there is not None and (there.until <= now or there.digests.get(part.number, digest) != digest)
        if key in again or (other and mine) or (part.number in mine and _digest(mine[part.number]) != digest):
            again.setdefault(key, []).append(part)
            continue
        if other:
            over.append(known.pop(key))
        elif there is not None and part.number in there.digests:
            continue
        mine[part.number] = part
    _let_go(session, over, now=now)
    known_now = _insert(session, [part for mine in fresh.values() for part in mine.values()], now=now)
    # what another process has kept at the same instant may be the same, or something else
    raced = [part for key, mine in fresh.items() for part in mine.values() if (*key, part.number) not in known_now]
    return raced + list(chain.from_iterable(again.values())), len(known_now)


def _insert(session: Session, parts: Sequence[InboundPart], *, now: datetime) -> set[tuple[Any, ...]]:
    """Returns those that were not there, by key and number."""
    if not parts:
        return set()
    rows = [
        {
            **_key(part)._asdict(),
            "number": part.number,
            "charset": part.charset[:20],
            "octets": part.octets[:LONGEST],
            "digest": _digest(part),
            "received_at": now,
            "until": now + timedelta(seconds=part.patience),
            "repeats_within": part.repeats_within,
        }
        for part in parts
    ]
    inserted = session.execute(insert_or_ignore(session, LetterPart).returning(*_KEY, LetterPart.number), rows)
    return {tuple(row) for row in inserted}


def _known(session: Session, senders: Collection[str]) -> dict[Key, _Known]:
    """What is kept of these people, the oldest first. Nobody else changes it before this transaction ends."""
    theirs = LetterPart.msisdn.in_(senders)
    _lock(session, theirs)
    columns = (LetterPart.id, LetterPart.number, LetterPart.digest, LetterPart.until, LetterPart.joined_at)
    found: dict[Key, _Known] = {}
    for *key, id_, number, digest, until, joined_at in session.execute(
        select(*_KEY, *columns).where(theirs).order_by(LetterPart.id)
    ):
        known = found.setdefault(Key._make(key), _Known(until, joined_at is not None))
        known.until = min(known.until, until)
        known.ids.append(id_)
        known.digests[number] = digest
    return found


def _bound(session: Session, senders: Collection[str], *, now: datetime) -> None:
    """Nobody fills the table, whatever they send."""
    crowded = session.scalars(
        select(LetterPart.msisdn)
        .where(LetterPart.msisdn.in_(senders))
        .group_by(LetterPart.msisdn)
        .having(func.count() > MOST)
    ).all()
    for msisdn in crowded:
        sets = list(_known(session, [msisdn]).values())
        beyond = sum(len(known.ids) for known in sets) - MOST
        while beyond > 0:
            _let_go(session, [oldest := sets.pop(0)], now=now)
            beyond -= len(oldest.ids)


def _let_go(session: Session, sets: Sequence[_Known], *, now: datetime) -> None:
    """Nothing more is waited for: letters are made of what there is, and the parts are forgotten."""
    if not sets:
        return
    open_ids = [id_ for known in sets if not known.joined for id_ in known.ids]
    parts = session.scalars(
        select(LetterPart).where(among(session, LetterPart.id, open_ids)).order_by(LetterPart.id)
    ).all()
    _make_letters(session, list(_by_key(parts).values()), now=now)
    _forget(session, among(session, LetterPart.id, [id_ for known in sets for id_ in known.ids]))


def _make_letters(session: Session, sets: Sequence[Sequence[LetterPart]], *, now: datetime) -> None:
    receive.store(session, [_letter(parts) for parts in sets], now=now)
    for parts in sets:
        if missing := parts[0].total - len(parts):
            log.warning("a message from a member is incomplete", gateway=parts[0].gateway, missing=missing)


def _letter(parts: Sequence[LetterPart]) -> InboundMessage:
    first = parts[0]
    by_number = {part.number: (part.octets, part.charset) for part in parts}
    octets = b"".join(octets for _, (octets, _) in sorted(by_number.items()))
    return InboundMessage(
        gateway=first.gateway,
        message_id=made_id(first.msisdn, first.destination, octets),
        msisdn=first.msisdn,
        destination=first.destination,
        text=text_of(first.total, by_number),
        received_at=min(part.received_at for part in parts),
        repeats_within=first.repeats_within,
    )


def _by_key(parts: Sequence[LetterPart]) -> dict[Key, list[LetterPart]]:
    sets: dict[Key, list[LetterPart]] = {}
    for part in parts:
        sets.setdefault(_key(part), []).append(part)
    return sets


def _lock(session: Session, which: ColumnElement[bool]) -> None:
    # in one order, whoever does it
    session.scalars(select(LetterPart.id).where(which).order_by(LetterPart.id).with_for_update()).all()


def _forget(session: Session, which: ColumnElement[bool]) -> None:
    session.execute(delete(LetterPart).where(which), execution_options={"synchronize_session": False})
