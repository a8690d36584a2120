"""Decisions -> rows of the database, in bulk: a dozen statements for a thousand decisions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from subscribers.actor import Actor
from subscribers.consent import record_many
from subscribers.db import Base, reserve_ids
from subscribers.importing.decisions import Decision
from subscribers.models import ImportChange, Member, Membership, Number
from subscribers.msisdn import operator
from subscribers.organisations import ensure_paths, find_paths


def write(
    session: Session,
    actor: Actor,
    decisions: Sequence[Decision],
    organisations: dict[str, str],
    *,
    import_id: int,
    now: datetime,
) -> None:
    """Write what was decided, and what was there before. `organisations` gains those that had to be made."""
    places = _organisation_ids(session, actor, decisions, organisations, now)
    created = [decision for decision in decisions if decision.before is None]
    new_ids = iter(reserve_ids(session, Member, len(created)))
    member_ids = [decision.before.id if decision.before else next(new_ids) for decision in decisions]
    both = list(zip(decisions, member_ids, strict=True))
    _insert(
        session,
        Member,
        [{"id": id_, **(one.values or {}), "created_at": now} for one, id_ in both if one.before is None],
    )
    _update(session, Member, [{"id": id_, **one.values} for one, id_ in both if one.before is not None and one.values])
    made_numbers = _write_numbers(session, both)
    made_places = _write_places(session, both, places)
    _insert(
        session,
        ImportChange,
        [
            {
                "import_run_id": import_id,
                "member_id": id_,
                "before": one.before.snapshot()
                | {"made_numbers": made_numbers.get(id_, []), "made_places": made_places.get(id_, [])}
                if one.before
                else None,
            }
            for one, id_ in both
        ],
    )
    said = [replace(one.said, import_run_id=import_id) for one in decisions if one.said]
    record_many(session, actor, said, now=now)


def _organisation_ids(
    session: Session, actor: Actor, decisions: Sequence[Decision], organisations: dict[str, str], now: datetime
) -> dict[str, int]:
    names = {place.organisation for decision in decisions for place in decision.places if place.organisation}
    if missing := names - organisations.keys():
        ensure_paths(session, actor, missing, now=now)
        organisations |= find_paths(session, missing)
    return {name: int(organisations[name].rsplit("/", 2)[-2]) for name in names}


def _write_numbers(session: Session, both: Sequence[tuple[Decision, int]]) -> dict[int, list[int]]:
    new = [(one, member_id) for one, member_id in both if one.number]
    rows: list[dict[str, Any]] = []
    made: dict[int, list[int]] = {}
    for (one, member_id), id_ in zip(new, reserve_ids(session, Number, len(new)), strict=True):
        if one.number is None:
            continue
        made[member_id] = [id_]
        rows.append(
            {
                "id": id_,
                "member_id": member_id,
                **asdict(one.number),
                "preferred": True,
                "shared": one.shares,
                "operator": operator(one.number.msisdn),
            }
        )
    preferred = [
        {"id": held.id, "preferred": held.id == one.prefer}
        for one, _ in both
        if one.before and (one.number or one.prefer)
        for held in one.before.numbers
        if held.preferred != (held.id == one.prefer)
    ]
    _update(session, Number, preferred)
    _insert(session, Number, rows)
    shared = {one.row.number.msisdn for one, _ in both if one.shares and one.row.number}
    if shared:
        session.execute(
            update(Number).where(Number.msisdn.in_(shared), Number.shared.is_(False)).values(shared=True),
            execution_options={"synchronize_session": False},
        )
    return made


def _write_places(
    session: Session, both: Sequence[tuple[Decision, int]], organisation_ids: dict[str, int]
) -> dict[int, list[int]]:
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for one, member_id in both:
        for place in one.places:
            row = asdict(place)
            names = row.pop("organisation")
            if names:
                row["organisation_id"] = organisation_ids[names]
            if place.id is None:
                new.append(row | {"member_id": member_id})
            else:
                changed.append(row)
    made: dict[int, list[int]] = {}
    for row, id_ in zip(new, reserve_ids(session, Membership, len(new)), strict=True):
        row["id"] = id_
        made.setdefault(row["member_id"], []).append(id_)
    _update(session, Membership, changed)
    _insert(session, Membership, new)
    return made


def _insert(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(table), rows)


def _update(session: Session, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """One bulk call: each row names its id and its new values."""
    if rows:
        session.execute(update(table), rows)
