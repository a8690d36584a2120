"""One member by hand: on the list, and their own data. Standing is in `membership`, numbers are in `numbers`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from subscribers import audit, consent, member_marks, msisdn, seen
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Conflict, Invalid
from subscribers.forgetting import stays_forgotten
from subscribers.holding import hold
from subscribers.membership import BRANCH_LENGTH, PLACE_LENGTH, clean_line
from subscribers.models import Member, Membership, Status, Wish
from subscribers.names import search_key
from subscribers.numbers import give_number, lock_numbers
from subscribers.organisations import find_by_path, refuse_closed

NAME_LENGTH, EXTERNAL_ID_LENGTH = 100, 100
TAGS, TAG_LENGTH = 50, 50
FIELDS, FIELD_LENGTH = 100, 1000
OLDEST = date(1900, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMember:
    """Somebody as they are put on the list. The first of the numbers is the preferred one."""

    name: str
    #: a path of names
    organisation: str
    status: Status = Status.IN_SERVICE
    mobile: bool = False
    away_place: str = ""
    host_branch: str = ""
    #: as people write them
    numbers: Sequence[str] = ()
    birthday: date | None = None
    tags: Sequence[str] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    external_id: str = ""
    joined_on: date | None = None
    #: how it is known that they agreed to be sent to; empty if it is not
    agreed: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """The new member's id, and the numbers (masked) whose holders want no paper whatever others say."""

    id: int
    still_out: tuple[str, ...]


@needs(Right.REGISTER)
def register(
    session: Session,
    actor: Actor,
    new: NewMember,
    *,
    key: bytes,
    shared: bool = False,
    region: str = "CN",
    on: date,
    now: datetime,
) -> Registered:
    """Put one person on the list. `key` is that of the forgotten numbers, `on` is today where the paper is made.

    Raises `Invalid`, `NotFound` for the organisation, `Conflict` if that is closed, and for a number or an external id
    that is taken.
    """
    joined_on = new.joined_on or on
    _check_day(joined_on)
    parsed = list(dict.fromkeys(msisdn.parse(written, region) for written in new.numbers))
    place = find_by_path(session, actor, new.organisation)
    # they may have joined long ago, and they stay: it must not be closed by now either
    refuse_closed(session, [place.id], on=max(joined_on, on))
    lock_numbers(session, [number.msisdn for number in parsed])
    member = Member(
        name=clean_name(new.name),
        search_key=search_key(clean_name(new.name)),
        external_id=_free_external_id(session, new.external_id),
        birthday=_checked_birthday(new.birthday, on),
        tags=clean_tags(new.tags),
        fields=_checked_fields(new.fields),
        created_at=now,
    )
    session.add(member)
    _flush(session, member)
    away, branch = clean_line(new.away_place, PLACE_LENGTH), clean_line(new.host_branch, BRANCH_LENGTH)
    session.add(
        Membership(
            member_id=member.id,
            organisation_id=place.id,
            status=new.status,
            mobile=new.mobile or bool(away or branch),
            away_place=away,
            host_branch=branch,
            valid_from=joined_on,
        )
    )
    session.flush()
    for number in parsed:
        give_number(session, actor, member.id, number, shared=shared)
    numbers = [number.msisdn for number in parsed]
    still_out = _agree(session, actor, numbers, new.agreed.strip(), key, now) if new.agreed.strip() else ()
    audit.note(session, actor, "members.add", f"member {member.id}", now=now, agreed=bool(new.agreed.strip()))
    return Registered(member.id, still_out)


@needs(Right.REGISTER)
def update(
    session: Session,
    actor: Actor,
    member_id: int,
    *,
    name: str | None = None,
    birthday: date | None = None,
    no_birthday: bool = False,
    tags: Sequence[str] | None = None,
    fields: Mapping[str, str] | None = None,
    external_id: str | None = None,
    read: str = "",
    on: date,
    now: datetime,
) -> Member:
    """Correct a member's own data; None leaves a thing as it is. `no_birthday`: nobody knows it any more.

    An empty external id removes it, and so does an empty field; tags are replaced as a whole. `read`: what the form
    carried. Raises `Invalid`, `Conflict`, `Outdated`.
    """
    member, thing = hold(session, actor, member_id).member, f"member {member_id}"
    # what the form has not is not written over by it
    before = member_marks.of_data(member, fields or ())
    if name is not None:
        member.name = clean_name(name)
        member.search_key = search_key(member.name)
    if birthday is not None or no_birthday:
        member.birthday = _checked_birthday(birthday, on)
    if tags is not None:
        member.tags = clean_tags(tags)
    if fields is not None:
        merged = {**member.fields, **_checked_fields(fields)}
        member.fields = _checked_fields({name: value for name, value in merged.items() if value != ""})
    if external_id is not None and external_id.strip() != (member.external_id or ""):
        member.external_id = _free_external_id(session, external_id)
    after = member_marks.of_data(member, fields or ())
    seen.refuse_outdated(session, read, before, after, deeds=member_marks.DATA, thing=thing)
    _flush(session, member)
    audit.note(session, actor, "members.change", thing, now=now)
    return member


def clean_name(name: str) -> str:
    """A name as it is kept: one space between words, none between Chinese characters. Raises `Invalid`."""
    clean = clean_line(name, NAME_LENGTH)
    if clean is None:
        raise Invalid("The name is missing.", hint="Give each person a name.")
    return clean.replace(" ", "") if all(c == " " or c >= "\u2e80" for c in clean) else clean


def clean_tags(tags: Sequence[str]) -> list[str]:
    """Tags without repetition, in order. Raises `Invalid`."""
    clean = [tag for tag in dict.fromkeys(clean_line(tag, TAG_LENGTH) for tag in tags) if tag]
    if len(clean) > TAGS:
        raise Invalid("These are too many tags.", hint="Give at most {most}.", most=TAGS)
    return clean


def _agree(
    session: Session, actor: Actor, numbers: Sequence[str], agreed: str, key: bytes, now: datetime
) -> tuple[str, ...]:
    """Record somebody else's word that they agreed; those whom it does not bring back, masked."""
    forgotten = stays_forgotten(session, numbers, key)
    said = [consent.Said(number, Wish.IN, "operator", agreed) for number in numbers if number not in forgotten]
    out = consent.record_many(session, actor, said, now=now).still_out
    return tuple(msisdn.mask(number) for number in (*sorted(forgotten), *out))


def _free_external_id(session: Session, external_id: str) -> str | None:
    clean = clean_line(external_id, EXTERNAL_ID_LENGTH)
    if clean and session.scalar(select(Member.id).where(Member.external_id == clean)) is not None:
        raise _taken(clean)
    return clean


def _flush(session: Session, member: Member) -> None:
    """Write the member; somebody else may have taken the external id at this moment."""
    external_id = member.external_id or ""
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise _taken(external_id) from None


def _taken(external_id: str) -> Conflict:
    return Conflict(
        "The id {external_id} is another member's already.",
        hint="Give each person an id of their own.",
        external_id=external_id,
    )


def _check_day(day: date) -> None:
    if day < OLDEST:
        raise Invalid("{day} is too long ago.", hint="Give a day from {first} on.", day=day, first=OLDEST)


def _checked_birthday(birthday: date | None, on: date) -> date | None:
    if birthday is not None and not OLDEST <= birthday <= on:
        raise Invalid(
            "{day} is nobody's birthday.", hint="Give a day from {first} until today.", day=birthday, first=OLDEST
        )
    return birthday


def _checked_fields(fields: Mapping[str, str]) -> dict[str, str]:
    clean = {
        clean_line(name, NAME_LENGTH) or "": clean_line(value, FIELD_LENGTH) or "" for name, value in fields.items()
    }
    if "" in clean:
        raise Invalid("A field has no name.", hint="Write NAME=VALUE.")
    if len(clean) > FIELDS:
        raise Invalid("These are too many fields.", hint="Give at most {most}.", most=FIELDS)
    return clean
