"""What a file changes of people who were on record before it: a dozen statements for a portion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from subscribers.actor import Actor
from subscribers.bulk import Ids
from subscribers.consent import Said, record_many
from subscribers.db import Base
from subscribers.importing.decisions import SOURCE, Decision
from subscribers.importing.known import KnownMember
from subscribers.importing.matching import Circumstances
from subscribers.models import ImportChange, Member, Membership, Number
from subscribers.msisdn import operator
from subscribers.names import search_key

Made = dict[int, list[int]]


def write_changes(
    session: Session,
    actor: Actor,
    decisions: Sequence[Decision],
    sharing: Sequence[Decision],
    organisations: dict[str, str],
    *,
    numbers: Ids,
    memberships: Ids,
    around: Circumstances,
) -> None:
    """Write these decisions, keeping what was there before; and mark the numbers that `sharing` have in common.

    Ids come from where those of new members come from: they are given out before they are written.
    """
    both = [(decision, decision.before) for decision in decisions if decision.before is not None]
    _update(
        session,
        Member,
        [
            {"id": before.id, "search_key": search_key(one.values["name"]), **one.values}
            for one, before in both
            if one.values
        ],
    )
    made_numbers = _write_numbers(session, both, numbers)
    made_places = _write_places(session, both, organisations, memberships)
    _insert(
        session,
        ImportChange,
        [
            {
                "import_run_id": around.import_id,
                "member_id": before.id,
                "before": before.snapshot()
                | {"made_numbers": made_numbers.get(before.id, []), "made_places": made_places.get(before.id, [])},
            }
            for _, before in both
        ],
    )
    _mark_shared(session, [one for one in (*decisions, *sharing) if one.shares])
    record_many(session, actor, [_said(one, around) for one in decisions if one.wish is not None], now=around.now)


def _said(decision: Decision, around: Circumstances) -> Said:
    assert decision.wish is not None  # noqa: S101 - asked for by the caller
    row = decision.row
    place = f"{around.file}, row {row.row}"
    wording = place if row.wish is not None else f"{around.agreed} ({place})"
    return Said(row.numbers[0].msisdn, decision.wish, SOURCE, wording, around.import_id)


def _write_numbers(session: Session, both: Sequence[tuple[Decision, KnownMember]], ids: Ids) -> Made:
    rows: list[dict[str, Any]] = []
    made: Made = {}
    ids.provide(sum(len(one.numbers) for one, _ in both))
    for one, before in both:
        for number in one.numbers:
            id_ = ids.take()
            made.setdefault(before.id, []).append(id_)
            rows.append(
                {
                    "id": id_,
                    "member_id": before.id,
                    "msisdn": number.msisdn,
                    "kind": number.kind,
                    "preferred": number.msisdn == one.prefer,
                    "shared": one.shares,
                    "operator": operator(number.msisdn),
                }
            )
    preferred = [
        {"id": held.id, "preferred": held.msisdn == one.prefer}
        for one, before in both
        if one.prefer
        for held in before.numbers
        if held.preferred != (held.msisdn == one.prefer)
    ]
    _update(session, Number, preferred)
    _insert(session, Number, rows)
    return made


def _write_places(
    session: Session, both: Sequence[tuple[Decision, KnownMember]], organisations: dict[str, str], ids: Ids
) -> Made:
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    made: Made = {}
    ids.provide(sum(place.id is None for one, _ in both for place in one.places))
    for one, before in both:
        for place in one.places:
            row = asdict(place)
            names = row.pop("organisation")
            if names:
                row["organisation_id"] = int(organisations[names].rsplit("/", 2)[-2])
            if place.id is None:
                row |= {"id": ids.take(), "member_id": before.id}
                made.setdefault(before.id, []).append(row["id"])
                new.append(row)
            else:
                changed.append(row)
    _update(session, Membership, changed)
    _insert(session, Membership, new)
    return made


def _mark_shared(session: Session, sharing: Sequence[Decision]) -> None:
    shared = {number.msisdn for one in sharing for number in one.row.numbers}
    if shared:
        session.execute(
            update(Number).where(Number.msisdn.in_(shared), Number.shared.is_(False)).values(shared=True),
            execution_options={"synchronize_session": False},
        )


def _insert(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)


def _update(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """One bulk call: each row names its id and its new values."""
    if rows:
        session.execute(update(table), rows)
