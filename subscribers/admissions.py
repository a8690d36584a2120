"""Joining by SMS, under a real name: whom the registry knows is let in at once, anyone else waits for an approver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Select, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from subscribers import audit, consent, msisdn
from subscribers.actor import SYSTEM, Actor, Right, needs
from subscribers.db import is_sqlite
from subscribers.errors import Conflict, Invalid, NotFound
from subscribers.holding import hold
from subscribers.members import NewMember, clean_name, register
from subscribers.models import Admission, AdmissionState, Member, Membership, Number, Organisation, Wish
from subscribers.names import search_key
from subscribers.numbers import give_number, lock_numbers
from subscribers.organisations import in_subtree
from subscribers.registry import standing_on

#: the holder's own word, as `consent.OWN_WORD` has it
SOURCE = "sms"
WORDING_LENGTH = 500
#: people of one name that are looked at; more than one is too many already
NAMESAKES = 50
#: names that may wait for one number
MOST_WAITING = 5


class Joining(StrEnum):
    """What became of somebody who asked to join."""

    ADMITTED = "admitted"
    WAITS = "waits"
    #: on the list already, with this number
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Joined:
    """What became of it, and who they are if that is known."""

    joining: Joining
    member_id: int | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """Who was let in; `still_out` if they have refused the paper since they asked."""

    member_id: int
    still_out: bool


def join(
    session: Session, written: str, name: str, *, wording: str, region: str = "CN", on: date, now: datetime
) -> Joined:
    """Somebody writes from a number that they want the paper, under a name. `wording` is what they wrote.

    Exactly one member of that name who has no number, or this one, is let in. An unknown name, one that several have,
    a member with another number, and a number that is somebody else's wait. Raises `Invalid` for what is no name.
    """
    parsed, name = msisdn.parse(written, region), clean_name(name)
    lock_numbers(session, [parsed.msisdn])
    namesakes = _namesakes(session, name, on)
    numbers = _numbers_of(session, [member_id for member_id, _ in namesakes])
    member_id = _meant(session, [member_id for member_id, _ in namesakes], numbers, parsed.msisdn)
    if member_id is None:
        _wait(session, parsed.msisdn, name, wording, _nearest([path for _, path in namesakes]), now)
        return Joined(Joining.WAITS, None)
    known = parsed.msisdn in numbers.get(member_id, ())
    if known:
        _vouch(session, member_id, parsed.msisdn)
    else:
        give_number(session, SYSTEM, member_id, parsed)
    news = consent.opt_in(session, SYSTEM, parsed.msisdn, source=SOURCE, wording=wording, now=now)
    if known and not news:
        return Joined(Joining.KNOWN, member_id)
    place = _nearest([path for id_, path in namesakes if id_ == member_id])
    admission = _wait(session, parsed.msisdn, name, wording, place, now)
    if admission is not None:
        admission.member_id = member_id
        _decide(session, SYSTEM, admission, AdmissionState.ACCEPTED, now)
    return Joined(Joining.ADMITTED, member_id)


@needs(Right.APPROVE)
def accept(
    session: Session,
    actor: Actor,
    admission_id: int,
    *,
    organisation: str = "",
    member_id: int | None = None,
    on: date,
    now: datetime,
) -> Accepted:
    """Let them in: as a new member of an organisation (names), or as the member they turned out to be.

    What they wrote is the evidence of their consent, unless they have refused since. Raises `Invalid`, `NotFound`, and
    `Conflict` if it was decided already, or if the organisation is closed.
    """
    if bool(organisation) == (member_id is not None):
        raise Invalid(
            "Say who they are: a member, or somebody new in an organisation.",
            hint="Give either the member's id or the organisation's path.",
        )
    admission = _get(session, actor, admission_id)
    registrar = replace(actor, rights=actor.rights | {Right.REGISTER, Right.SEE})
    if member_id is None:
        new = NewMember(name=admission.name, organisation=organisation, numbers=[admission.msisdn])
        member_id = register(session, registrar, new, key=b"", shared=True, on=on, now=now).id
    else:
        hold(session, registrar, member_id)
        lock_numbers(session, [admission.msisdn])
        if admission.msisdn in _numbers_of(session, [member_id]).get(member_id, ()):
            _vouch(session, member_id, admission.msisdn)
        else:
            give_number(session, registrar, member_id, msisdn.parse(admission.msisdn), shared=True)
    present = consent.wishes(session, [admission.msisdn]).get(admission.msisdn)
    refused = present is not None and present.wish == Wish.OUT and present.since > admission.asked_at
    if not refused:
        # the holder's own word, which brings back whoever was out or forgotten
        consent.opt_in(session, SYSTEM, admission.msisdn, source=SOURCE, wording=admission.wording, now=now)
    admission.member_id = member_id
    _decide(session, actor, admission, AdmissionState.ACCEPTED, now)
    return Accepted(member_id, refused)


@needs(Right.APPROVE)
def refuse(session: Session, actor: Actor, admission_id: int, *, now: datetime) -> Admission:
    """They are not let in. Raises `NotFound`, and `Conflict` if it was decided already."""
    admission = _get(session, actor, admission_id)
    _decide(session, actor, admission, AdmissionState.REFUSED, now)
    return admission


@needs(Right.SEE)
def listing(
    session: Session, actor: Actor, *, state: AdmissionState | None = None, limit: int = 100, before: int | None = None
) -> Sequence[Admission]:
    """Who asked, the newest first. A name that nobody has is the business of those who see the whole tree."""
    query = _visible(actor).order_by(Admission.id.desc()).limit(limit).execution_options(populate_existing=True)
    if state is not None:
        query = query.where(Admission.state == state)
    if before is not None:
        query = query.where(Admission.id < before)
    return session.scalars(query).all()


def _visible(actor: Actor) -> Select[Admission]:
    query = select(Admission)
    if not actor.under:
        return query
    return query.join(Organisation, Organisation.id == Admission.organisation_id).where(
        in_subtree(Organisation.path, actor.under)
    )


def _get(session: Session, actor: Actor, admission_id: int) -> Admission:
    """One that waits, held. Raises `NotFound` and `Conflict`."""
    admission = session.scalar(
        _visible(actor)
        .where(Admission.id == admission_id)
        .with_for_update(of=Admission)
        .execution_options(populate_existing=True)
    )
    if admission is None:
        raise NotFound("There is no admission {id}.", hint="`broadsheet admissions list` shows them.", id=admission_id)
    if admission.state != AdmissionState.WAITING:
        raise Conflict(
            "Admission {id} was decided already, by {name}.",
            hint="`broadsheet admissions list` shows those that wait.",
            id=admission_id,
            name=admission.decided_by,
        )
    return admission


def _decide(session: Session, actor: Actor, admission: Admission, state: AdmissionState, now: datetime) -> None:
    admission.state, admission.decided_by, admission.decided_at = state, actor.name, now
    session.flush()
    audit.note(
        session, actor, f"admissions.{state.value}", f"admission {admission.id}", now=now, member=admission.member_id
    )


def _namesakes(session: Session, name: str, on: date) -> list[tuple[int, str]]:
    """Members of that name on a day, held, each with the path of their organisation."""
    rows = session.execute(
        select(Member.id, Organisation.path)
        .join(Membership, Membership.member_id == Member.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        # the key has an index, the name has none
        .where(Member.search_key == search_key(name), Member.name == name, Member.forgotten_at.is_(None))
        .where(standing_on(on))
        .order_by(Member.id)
        .limit(NAMESAKES)
        .with_for_update(of=Member, key_share=True)
    ).all()
    return [(member_id, path) for member_id, path in rows]


def _numbers_of(session: Session, member_ids: Sequence[int]) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    rows = session.execute(select(Number.member_id, Number.msisdn).where(Number.member_id.in_(member_ids)))
    for member_id, number in rows:
        found.setdefault(member_id, set()).add(number)
    return found


def _meant(session: Session, member_ids: Sequence[int], numbers: Mapping[int, set[str]], written: str) -> int | None:
    """The one member who is surely meant; None if an approver must look."""
    if len(member_ids) != 1:
        return None
    (member_id,) = member_ids
    if written in numbers.get(member_id, ()):
        return member_id
    taken = session.scalar(select(Number.id).where(Number.msisdn == written).limit(1)) is not None
    return None if taken or numbers.get(member_id) else member_id


def _vouch(session: Session, member_id: int, written: str) -> None:
    """A number that its holder writes from is in use, whatever receipts said."""
    session.execute(
        update(Number)
        .where(Number.member_id == member_id, Number.msisdn == written)
        .values(suspended_at=None, unknown_in_a_row=0),
        execution_options={"synchronize_session": False},
    )


def _nearest(paths: Sequence[str]) -> int | None:
    """The organisation of these people, or the nearest one above all of them."""
    chains = [path.split("/")[:-1] for path in paths]
    common = [ids[0] for ids in zip(*chains, strict=False) if len(set(ids)) == 1]
    return int(common[-1]) if common else None


def _wait(
    session: Session, number: str, name: str, wording: str, organisation_id: int | None, now: datetime
) -> Admission | None:
    """The application, written down once per number and name; None if this number has too many already."""
    names = session.scalars(
        select(Admission.name).where(Admission.msisdn == number, Admission.state == AdmissionState.WAITING)
    ).all()
    if name not in names and len(names) >= MOST_WAITING:
        return None
    told = {"wording": wording[:WORDING_LENGTH], "organisation_id": organisation_id, "asked_at": now}
    statement = sqlite.insert(Admission) if is_sqlite(session) else postgresql.insert(Admission)
    key = {"msisdn": number, "name": name, "state": AdmissionState.WAITING}
    session.execute(
        statement.values(**key, **told).on_conflict_do_update(
            index_elements=["msisdn", "name"], index_where=Admission.state == AdmissionState.WAITING, set_=told
        )
    )
    mine = (Admission.msisdn == number, Admission.name == name, Admission.state == AdmissionState.WAITING)
    return session.scalars(select(Admission).where(*mine).execution_options(populate_existing=True)).one()
