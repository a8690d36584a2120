"""Which columns of their own the members' lists came with, and what stands in them: for who puts a rule together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, Text, cast, func, select
from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right, needs
from subscribers.db import among
from subscribers.models import Member, Membership
from subscribers.rules import Everyone
from subscribers.segments.asked import joined
from subscribers.segments.counting import stand_ins

#: members who are looked at, columns of theirs that are told, and values of each
LOOKED_AT = 1_000
COLUMNS = 30
VALUES = 12
#: a longer value is a remark or an address, and nothing to choose by
_LONGEST = 30


@dataclass(frozen=True, slots=True)
class OwnColumn:
    """A column by its heading, and the values that several members share, the most common one first."""

    heading: str
    values: Sequence[str]


@needs(Right.SEE)
def own_columns(session: Session, actor: Actor, *, on: date) -> list[OwnColumn]:
    """The columns of the actor's part of the tree, in a time that does not grow with it.

    First those with values that members share, and of these, and of the others, those that most have.

    Some members are looked at: those who came last, and of a large registry others drawn evenly. A column that only
    few of many lists have may be missing.
    """
    own: dict[str, Counter[str]] = {}
    for fields in _some(session, actor.under, on):
        for heading, value in fields.items():
            own.setdefault(heading, Counter())[str(value)] += 1
    most = sorted(own, key=lambda heading: (-own[heading].total(), heading))[:COLUMNS]
    found = [OwnColumn(heading, _shared(own[heading])) for heading in most]
    # what people can be told apart by, before addresses and remarks
    return sorted(found, key=lambda column: not column.values)


def _shared(values: Counter[str]) -> list[str]:
    shared = [(value, times) for value, times in values.most_common() if times > 1]
    # where most have one that nobody else has, it is a number or a name
    if 2 * sum(times for _, times in shared) < values.total():
        return []
    return [value for value, _ in shared if len(value) <= _LONGEST][:VALUES]


def _some(session: Session, under: str, on: date) -> list[dict[str, object]]:
    drawn = stand_ins(session, under, on=on)
    theirs = joined(select(Membership.member_id), under, Everyone(), on)
    if drawn is None:
        return _fields(session, theirs.limit(LOOKED_AT) if under else _newest(theirs))
    found = _fields(session, theirs.where(among(session, Membership.member_id, drawn.ids)))
    return found if under else [*found, *_fields(session, _newest(theirs))]


def _newest(theirs: Select[int]) -> Select[int]:
    return theirs.order_by(Membership.member_id.desc()).limit(LOOKED_AT)


def _fields(session: Session, ids: Select[int]) -> list[dict[str, object]]:
    # one text of all of them: see `subscribers.db.at_once`
    kept = cast(Member.fields, Text)
    every = select(func.aggregate_strings(kept, ",")).where(Member.id.in_(ids), kept != "{}")
    found: list[dict[str, object]] = json.loads(f"[{session.scalar(every) or ''}]")
    return found
