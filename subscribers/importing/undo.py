"""Back to what was there before an import, member by member, where nothing has happened to them since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from subscribers import audit
from subscribers.actor import Actor, Right, needs
from subscribers.db import in_bulk, lock_table
from subscribers.errors import Conflict, NotFound
from subscribers.holders import belongs_within
from subscribers.importing.known import KnownMember, read_members
from subscribers.importing.places import Elsewhere, remove_places
from subscribers.importing.runs import refuse_undone
from subscribers.models import (
    Audit,
    Consent,
    ImportChange,
    ImportRun,
    ImportSpan,
    Listed,
    Member,
    Membership,
    Number,
    Subscription,
    Transfer,
    TransferState,
)
from subscribers.names import search_key

_KEPT = ("id", "organisation_id", "status", "mobile", "away_place", "host_branch")

#: a member; what was there before, or the greatest id of a number that the import gave to somebody new
Change = tuple[int, dict[str, Any] | int]


@dataclass(frozen=True, slots=True)
class Undone:
    """How many members are as they were or gone again, how many of these are gone, how many were changed since.

    `places`: organisations that are gone again.
    """

    restored: int
    kept: int
    removed: int = 0
    places: int = 0


@needs(Right.REGISTER)
def may_be_undone(session: Session, actor: Actor, import_id: int) -> ImportRun:
    """The import, if the actor may take it back. Raises `NotFound`, and `Conflict` if it is undone already."""
    run = session.get(ImportRun, import_id, populate_existing=True)
    if run is None or run.kind != "members" or (actor.under and run.actor != actor.name):
        raise NotFound(
            "There is no import {import_id}.",
            hint="The number was shown when the file was imported.",
            import_id=import_id,
        )
    refuse_undone(run)
    _refuse_outsiders(session, actor, import_id)
    return run


@needs(Right.REGISTER)
def undo(
    session: Session,
    actor: Actor,
    import_id: int,
    *,
    now: datetime,
    elsewhere: Elsewhere | None = None,
    progress: Callable[[int], None] | None = None,
) -> Undone:
    """Take back an import: the members it made go, those it changed are as before, its consents no longer count.

    Members who were changed since, by hand, by a transfer or by a later import, are left alone. Organisations that it
    made go, too, where nobody and nothing is in them, `elsewhere` either. Raises `NotFound`, and `Conflict` if it is
    undone already or if answers or transfers of its new members are on record; messages to them are looked for by
    `broadcaster.undoing`, which doors call. `progress` is told the members looked at so far.
    """
    lock_table(session, ImportRun)
    run = may_be_undone(session, actor, import_id)
    run.undone_at = now
    session.flush()
    _take_back_consents(session, import_id)
    seen = restored = kept = removed = 0
    for portion in in_bulk(_changes(session, import_id)):
        members = read_members(session, [member_id for member_id, _ in portion])
        untouched = _untouched(session, run, portion, members)
        made = [member_id for member_id, before in untouched if isinstance(before, int)]
        _restore(session, [(member_id, before) for member_id, before in untouched if not isinstance(before, int)])
        _remove(session, made, import_id)
        restored += len(untouched)
        removed += len(made)
        # a span has holes where rows were refused
        kept += sum(member_id in members for member_id, _ in portion) - len(untouched)
        seen += len(portion)
        if progress is not None:
            progress(seen)
    places = remove_places(session, run, actor.under, elsewhere or Elsewhere())
    more = {"organisations": places} if places else {}
    audit.note(session, actor, "members.undo", f"import {import_id}", people=restored, now=now, **more)
    return Undone(restored, kept, removed, places)


def _changes(session: Session, import_id: int) -> Iterator[Change]:
    """Every member that the import made, and every one it changed with what was there before."""
    spans = session.scalars(select(ImportSpan).where(ImportSpan.import_run_id == import_id)).all()
    for span in spans:
        for member_id in range(span.first_id, span.last_id + 1):
            yield member_id, span.last_number_id
    changed = session.execute(
        select(ImportChange.member_id, ImportChange.before).where(ImportChange.import_run_id == import_id)
    ).all()
    for member_id, before in changed:
        yield member_id, before


def _refuse_outsiders(session: Session, actor: Actor, import_id: int) -> None:
    """Raise `NotFound` if somebody the import made or changed is no member of the actor's part of the tree by now."""
    if not actor.under:
        return
    spans = exists().where(
        ImportSpan.import_run_id == import_id, Member.id.between(ImportSpan.first_id, ImportSpan.last_id)
    )
    changed = exists().where(ImportChange.import_run_id == import_id, ImportChange.member_id == Member.id)
    outside = select(Member.id).where(or_(spans, changed), ~belongs_within(Member.id, actor.under)).limit(1)
    if session.scalar(outside) is not None:
        raise NotFound(
            "There is no import {import_id} that is all yours: some of its members are in another part of the tree.",
            hint="Ask the organisation above to take it back.",
            import_id=import_id,
        )


def _touched(session: Session, run: ImportRun, ids: Sequence[int]) -> set[int]:
    """Those of the members to whom somebody did something since: the audit and the transfers know."""
    things = {f"member {id_}": id_ for id_ in ids}
    deeds = select(Audit.thing).where(Audit.at >= run.at, Audit.thing.in_(things), Audit.deed != "members.numbers")
    moved = select(Transfer.member_id).where(
        Transfer.member_id.in_(ids), Transfer.state == TransferState.ACCEPTED, Transfer.decided_at >= run.at
    )
    return {things[thing] for thing in session.scalars(deeds)} | set(session.scalars(moved))


def _untouched(
    session: Session, run: ImportRun, changes: Sequence[Change], members: Mapping[int, KnownMember]
) -> list[Change]:
    """Those to whom nothing has happened since: no later import, no deed, no other place or number."""
    import_id = run.id
    ids = [member_id for member_id, _ in changes]
    touched = _touched(session, run, ids)
    touched |= set(
        session.scalars(
            select(ImportChange.member_id)
            .join(ImportRun, ImportRun.id == ImportChange.import_run_id)
            .where(
                ImportChange.member_id.in_(ids), ImportChange.import_run_id > import_id, ImportRun.undone_at.is_(None)
            )
        )
    )
    return [
        (member_id, before)
        for member_id, before in changes
        if member_id in members and member_id not in touched and _is_as_left(members[member_id], before)
    ]


def _is_as_left(member: KnownMember, before: dict[str, Any] | int) -> bool:
    """Whether a member has the places and numbers that the import left them with."""
    if not member.name:
        # forgotten since: there is nothing left to take back
        return False
    if isinstance(before, int):
        only_ours = all(number.id <= before for number in member.numbers)
        return only_ours and len(member.places) == 1 and member.place is not None
    places = {place["id"] for place in before["places"]} | set(before["made_places"])
    numbers = {number["id"] for number in before["numbers"]} | set(before["made_numbers"])
    made_are_open = all(place.valid_until is None for place in member.places if place.id in before["made_places"])
    return (
        {place.id for place in member.places} == places
        and {number.id for number in member.numbers} == numbers
        and made_are_open
    )


def _restore(session: Session, changes: Sequence[tuple[int, dict[str, Any]]]) -> None:
    if not changes:
        return
    made_places = [id_ for _, before in changes for id_ in before["made_places"]]
    made_numbers = [id_ for _, before in changes for id_ in before["made_numbers"]]
    _delete(session, Membership, made_places)
    _delete(session, Number, made_numbers)
    members = [
        {
            "id": member_id,
            **{column: before[column] for column in ("name", "external_id", "tags", "fields")},
            "search_key": search_key(before["name"]),
            "birthday": _day(before["birthday"]),
        }
        for member_id, before in changes
    ]
    session.execute(update(Member), members)
    numbers = [
        {"id": number["id"], "preferred": number["preferred"], "shared": number["shared"]}
        for _, before in changes
        for number in before["numbers"]
    ]
    if numbers:
        session.execute(update(Number), numbers)
    places = [
        {
            **{column: place[column] for column in _KEPT},
            "valid_from": _day(place["valid_from"]),
            "valid_until": _day(place["valid_until"]),
        }
        for _, before in changes
        for place in before["places"]
    ]
    if places:
        session.execute(update(Membership), places)


def _remove(session: Session, ids: Sequence[int], import_id: int) -> None:
    if not ids:
        return
    msisdns = session.scalars(select(Number.msisdn).where(Number.member_id.in_(ids))).all()
    try:
        for table in (Number, Membership, Listed, ImportChange):
            session.execute(delete(table).where(table.member_id.in_(ids)))
        session.execute(delete(Member).where(Member.id.in_(ids)))
    except IntegrityError:
        raise on_record(import_id) from None
    other = aliased(Number)
    alone = ~exists().where(other.msisdn == Number.msisdn, other.id != Number.id)
    session.execute(
        update(Number).where(Number.msisdn.in_(msisdns), Number.shared.is_(True), alone).values(shared=False),
        execution_options={"synchronize_session": False},
    )


def on_record(import_id: int) -> Conflict:
    """Why an import stays: its members have a history by now."""
    return Conflict(
        "Import {import_id} cannot be undone: messages, answers or transfers of its members are on record.",
        hint="Correct the list, and import it again: members it already knows are changed, not doubled.",
        import_id=import_id,
    )


def _take_back_consents(session: Session, import_id: int) -> None:
    """Each number whose wish rests on this import gets the wish from before it; the evidence itself stays."""
    of_this_import = select(Consent.id).where(Consent.import_run_id == import_id)
    session.execute(
        delete(Subscription).where(Subscription.consent_id.in_(of_this_import)),
        execution_options={"synchronize_session": False},
    )
    earlier = aliased(Consent)
    undone = select(ImportRun.id).where(ImportRun.undone_at.is_not(None))
    last = (
        select(func.max(earlier.id))
        .where(
            earlier.msisdn == Consent.msisdn,
            earlier.topic == "",
            earlier.import_run_id.is_(None) | earlier.import_run_id.not_in(undone),
        )
        .scalar_subquery()
    )
    numbers = select(Consent.msisdn).where(
        Consent.import_run_id == import_id, Consent.topic == "", Consent.msisdn.is_not(None)
    )
    before = select(Consent.msisdn, Consent.wish, Consent.at, Consent.id).where(
        Consent.msisdn.in_(numbers),
        Consent.id == last,
        ~exists().where(Subscription.msisdn == Consent.msisdn),
    )
    session.execute(insert(Subscription).from_select(["msisdn", "wish", "since", "consent_id"], before))


def _delete(session: Session, table: type[Membership] | type[Number], ids: Sequence[int]) -> None:
    if ids:
        session.execute(delete(table).where(table.id.in_(ids)), execution_options={"synchronize_session": False})


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
