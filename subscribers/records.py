"""A member's whole record: own data, numbers with what their holders want, and everything dated, in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from subscribers import audit, member_marks
from subscribers.actor import Actor, Right, needs
from subscribers.consent import wishes
from subscribers.holding import no_such_member
from subscribers.member_marks import MemberMarks
from subscribers.models import Consent, Member, Membership, Number, Organisation, Status, Subscription, Transfer, Wish
from subscribers.msisdn import mask
from subscribers.organisations import names_of


@dataclass(frozen=True, slots=True)
class NumberOnRecord:
    """A number of a member, and what its holder wants."""

    msisdn: str
    kind: str
    preferred: bool
    shared: bool
    operator: str | None
    suspended_at: datetime | None
    wish: Wish | None
    #: through which door the wish came: sms, page, carrier, operator, import ...
    source: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened to a member, or will: on which day, what, and what is to be said of it.

    `what`: joined changed moved rejoined left asked accepted refused withdrawn expired in out forgotten. Names of
    organisations outside of the reader's part of the tree are empty.
    """

    day: date
    what: str
    organisation: str = ""
    status: Status | None = None
    mobile: bool = False
    away_place: str | None = None
    host_branch: str | None = None
    by: str = ""
    #: of a wish: how it is known
    wording: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A member as of a day, with their history. Standing and organisation are empty for somebody who is no member."""

    id: int
    name: str
    external_id: str | None
    birthday: date | None
    tags: tuple[str, ...]
    fields: Mapping[str, Any]
    organisation: str
    status: Status | None
    mobile: bool
    away_place: str | None
    host_branch: str | None
    numbers: tuple[NumberOnRecord, ...]
    history: tuple[Happening, ...]


@needs(Right.SEE)
def show(
    session: Session,
    actor: Actor,
    member_id: int,
    *,
    full_numbers: bool = False,
    zone: tzinfo = UTC,
    on: date,
    now: datetime,
) -> Record:
    """One member, also one who left; with `full_numbers` that is noted, and needs the right. Raises `NotFound`."""
    member, places = _find(session, actor, member_id)
    if full_numbers:
        audit.seen_in_full(session, actor, "members.show", f"member {member_id}", people=1, now=now)
    numbers = session.scalars(
        select(Number).where(Number.member_id == member_id).order_by(Number.preferred.desc(), Number.id)
    ).all()
    said = wishes(session, [number.msisdn for number in numbers])
    current = next((p for p, _ in places if p.valid_from <= on and (p.valid_until is None or p.valid_until > on)), None)
    names = names_of(session, {path for _, path in places})
    return Record(
        id=member.id,
        name=member.name,
        external_id=member.external_id,
        birthday=member.birthday,
        tags=tuple(member.tags),
        fields=member.fields,
        organisation=next((names[path] for place, path in places if place is current), ""),
        status=Status(current.status) if current else None,
        mobile=current.mobile if current else False,
        away_place=current.away_place if current else None,
        host_branch=current.host_branch if current else None,
        numbers=tuple(
            NumberOnRecord(
                msisdn=number.msisdn if full_numbers else mask(number.msisdn),
                kind=number.kind,
                preferred=number.preferred,
                shared=number.shared,
                operator=number.operator,
                suspended_at=number.suspended_at,
                wish=said[number.msisdn].wish if number.msisdn in said else None,
                source=said[number.msisdn].source if number.msisdn in said else "",
            )
            for number in numbers
        ),
        history=tuple(history(session, actor, member_id, zone=zone)),
    )


@needs(Right.REGISTER)
def marks(session: Session, actor: Actor, member_id: int) -> MemberMarks:
    """What forms of a member carry. Raises `NotFound`."""
    member, places = _find(session, actor, member_id)
    standing = member_marks.of_places([place for place, _ in places])
    return MemberMarks(member_marks.of_data(member), standing, member_marks.of_numbers(session, member_id))


@needs(Right.SEE)
def history(session: Session, actor: Actor, member_id: int, *, zone: tzinfo = UTC) -> list[Happening]:
    """Everything dated about a member, in order of the days in `zone`; what is planned last. Raises `NotFound`."""
    member, places = _find(session, actor, member_id)
    names = {
        path: name if path.startswith(actor.under) else ""
        for path, name in names_of(session, {path for _, path in places}).items()
    }
    happened = [*_standings(places, names), *_transfers(session, member_id, zone), *_wishes(session, member_id, zone)]
    if member.forgotten_at is not None:
        happened.append(Happening(member.forgotten_at.astimezone(zone).date(), "forgotten"))
    return sorted(happened, key=lambda one: one.day)


def _find(session: Session, actor: Actor, member_id: int) -> tuple[Member, Sequence[tuple[Membership, str]]]:
    member = session.get(Member, member_id, populate_existing=True)
    rows = session.execute(
        select(Membership, Organisation.path)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.member_id == member_id)
        .order_by(Membership.valid_from, Membership.id)
        .execution_options(populate_existing=True)
    ).all()
    if member is None or not rows or not rows[-1][1].startswith(actor.under):
        raise no_such_member(member_id)
    return member, [(place, path) for place, path in rows]


def _standings(places: Sequence[tuple[Membership, str]], names: Mapping[str, str]) -> list[Happening]:
    found: list[Happening] = []
    before: Membership | None = None
    for place, path in places:
        what = "joined" if before is None else "changed"
        if before is not None and before.valid_until != place.valid_from:
            what = "rejoined"
        elif before is not None and before.organisation_id != place.organisation_id:
            what = "moved"
        if what == "rejoined" and before is not None and before.valid_until is not None:
            found.append(Happening(before.valid_until, "left"))
        standing = (Status(place.status), place.mobile, place.away_place, place.host_branch)
        found.append(Happening(place.valid_from, what, names[path], *standing))
        before = place
    if before is not None and before.valid_until is not None:
        found.append(Happening(before.valid_until, "left"))
    return found


def _transfers(session: Session, member_id: int, zone: tzinfo) -> list[Happening]:
    rows = session.execute(
        select(Transfer, Organisation.path)
        .join(Organisation, Organisation.id == Transfer.to_organisation_id)
        .where(Transfer.member_id == member_id)
        .order_by(Transfer.id)
        .execution_options(populate_existing=True)
    ).all()
    names = names_of(session, {path for _, path in rows})
    found = []
    for transfer, path in rows:
        # both sides of a transfer know where it leads
        found.append(Happening(transfer.asked_at.astimezone(zone).date(), "asked", names[path], by=transfer.asked_by))
        if transfer.decided_at is not None:
            decided = transfer.effective_on or transfer.decided_at.astimezone(zone).date()
            found.append(Happening(decided, transfer.state, names[path], by=transfer.decided_by or ""))
    return found


def _wishes(session: Session, member_id: int, zone: tzinfo) -> list[Happening]:
    mine = select(Number.msisdn).where(Number.member_id == member_id)
    # what was said of many stands there once, and their wish rests on it
    collective = select(Subscription.consent_id).where(Subscription.msisdn.in_(mine))
    said = or_(Consent.msisdn.in_(mine), Consent.id.in_(collective))
    rows = session.scalars(select(Consent).where(said, Consent.topic == "").order_by(Consent.id))
    return [Happening(row.at.astimezone(zone).date(), row.wish, by=row.source, wording=row.wording) for row in rows]
