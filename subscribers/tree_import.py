"""Organisations from a file, in a handful of statements whatever its size; and back, while nobody is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from subscribers import audit
from subscribers.actor import Actor, Right, needs
from subscribers.bulk import tell_planner
from subscribers.db import in_bulk, lock_table
from subscribers.errors import Conflict, NotFound
from subscribers.importing.rejects import RefusedRow
from subscribers.importing.runs import refuse_undone
from subscribers.models import ImportRun, ImportSpan, Membership, Organisation
from subscribers.organisations import Node, find_paths, home_of, in_subtree, make_missing, tree
from subscribers.sheets import Limits
from subscribers.tree_rows import Entry, Placed, open_file, place, read_entries

KIND = "organisations"
#: all rows are held until it is known what is above each: the largest tree there is has a seventh of this
LIMITS = Limits(rows=1_000_000, bytes=256 << 20)


@dataclass(frozen=True, slots=True)
class TreeImport:
    """What a file did: rows by their end, and organisations that were made because a path goes through them."""

    rows: int
    created: int
    updated: int
    unchanged: int
    above: int
    refused: tuple[RefusedRow, ...]
    headings: tuple[str, ...]
    #: None after a dry run
    import_id: int | None


@dataclass(frozen=True, slots=True)
class TreeUndone:
    """How many organisations are gone again."""

    removed: int


@needs(Right.REGISTER)
def import_organisations(
    session: Session,
    actor: Actor,
    path: Path,
    *,
    now: datetime,
    dry_run: bool = False,
    limits: Limits = LIMITS,
    progress: Callable[[int], None] | None = None,
) -> TreeImport:
    """Take in a CSV or XLSX file: a path per row, or a name and what is above it; kind, day of opening.

    What is there already gets the kind and the day of its row. Rows with faults, rows that go in a circle and rows
    under these are refused, each with its reason. Raises `Invalid` for a file that cannot be read as a whole.
    """
    file = open_file(path, limits)
    placed = Placed()
    entries = read_entries(file, placed)
    if progress is not None:
        progress(len(entries))
    if not dry_run:
        lock_table(session, Organisation)
    nodes = tree(session, actor)
    place(entries, nodes, home_of(session, actor), placed)
    there = {node.names: node for node in nodes}
    created = {names: entry for names, entry in placed.entries.items() if names not in there}
    updated = {
        there[names].id: entry
        for names, entry in placed.entries.items()
        if names in there and _is_news(there[names], entry)
    }
    placed.refused.sort(key=lambda one: one.row)
    above = _above(created, there)
    run_id = None
    if not dry_run:
        run_id = _write(session, actor, path, created, updated, placed, now)
        tell_planner(session, Organisation, grown=len(created) + above)
    return TreeImport(
        rows=len(placed.entries) + len(placed.refused),
        created=len(created),
        updated=len(updated),
        unchanged=len(placed.entries) - len(created) - len(updated),
        above=above,
        refused=tuple(placed.refused),
        headings=file.headings,
        import_id=run_id,
    )


@needs(Right.REGISTER)
def undo_organisations(session: Session, actor: Actor, import_id: int, *, now: datetime) -> TreeUndone:
    """Take back an import: the organisations that it made go. Kinds and days that it changed stay.

    Who has a part of the tree takes back their own imports, of what is in that part now. Raises `NotFound`, and
    `Conflict` if it is undone already, or if anybody or anything was put there since.
    """
    lock_table(session, Organisation)
    run = session.get(ImportRun, import_id, populate_existing=True)
    if run is None or run.kind != KIND or not _is_theirs(session, actor, run):
        raise NotFound(
            "There is no import {import_id} of organisations.",
            hint="The number was shown when the file was imported. If what it made is in another part of the tree by "
            "now, ask an administrator of the organisation above.",
            import_id=import_id,
        )
    refuse_undone(run)
    spans = session.execute(
        select(ImportSpan.first_id, ImportSpan.last_id)
        .where(ImportSpan.import_run_id == import_id)
        .order_by(ImportSpan.first_id.desc())
    ).all()
    removed = 0
    try:
        with session.begin_nested():
            for portion in in_bulk(spans, 100):
                removed += _remove(session, import_id, [(first, last) for first, last in portion])
    except IntegrityError:
        raise _in_use(import_id) from None
    run.undone_at = now
    session.flush()
    audit.note(session, actor, "organisations.undo", f"import {import_id}", people=0, now=now, removed=removed)
    return TreeUndone(removed)


def _is_theirs(session: Session, actor: Actor, run: ImportRun) -> bool:
    if not actor.under:
        return True
    made = Organisation.id.between(ImportSpan.first_id, ImportSpan.last_id)
    elsewhere = (
        select(Organisation.id)
        .join(ImportSpan, made)
        .where(ImportSpan.import_run_id == run.id, ~in_subtree(Organisation.path, actor.under))
        .limit(1)
    )
    return run.actor == actor.name and session.scalar(elsewhere) is None


def _is_news(node: Node, entry: Entry) -> bool:
    return bool(
        (entry.kind and entry.kind != node.kind) or (entry.opened_on is not None and entry.opened_on != node.opened_on)
    )


def _above(created: dict[str, Entry], there: dict[str, Node]) -> int:
    """How many organisations have to be made that no row is about."""
    missing: set[str] = set()
    for names in created:
        above = names.rpartition("/")[0]
        while above and above not in there and above not in created and above not in missing:
            missing.add(above)
            above = above.rpartition("/")[0]
    return len(missing)


def _write(
    session: Session,
    actor: Actor,
    path: Path,
    created: dict[str, Entry],
    updated: dict[int, Entry],
    placed: Placed,
    now: datetime,
) -> int:
    about = {names: {"kind": entry.kind, "opened_on": entry.opened_on} for names, entry in created.items()}
    made = make_missing(session, created, find_paths(session, created), about=about) if created else []
    changes = [
        {"id": id_, **({"kind": entry.kind} if entry.kind else {}), **({"opened_on": day} if day else {})}
        for id_, entry in updated.items()
        for day in [entry.opened_on]
    ]
    # rows with the same columns go together
    for columns in {frozenset(change) for change in changes}:
        session.execute(update(Organisation), [change for change in changes if change.keys() == columns])
    run = ImportRun(
        kind=KIND,
        file_name=path.name[:300],
        actor=actor.name,
        at=now,
        created=len(created),
        updated=len(updated),
        unchanged=len(placed.entries) - len(created) - len(updated),
        refused=len(placed.refused),
    )
    session.add(run)
    session.flush()
    session.add_all(
        ImportSpan(import_run_id=run.id, first_id=first, last_id=last, last_number_id=0) for first, last in _spans(made)
    )
    session.flush()
    audit.note(session, actor, "organisations.import", f"import {run.id}", people=0, now=now, made=len(made))
    return run.id


def _spans(ids: Sequence[int]) -> list[tuple[int, int]]:
    """Runs of ids without a gap."""
    spans: list[tuple[int, int]] = []
    for id_ in sorted(ids):
        if spans and spans[-1][1] == id_ - 1:
            spans[-1] = (spans[-1][0], id_)
        else:
            spans.append((id_, id_))
    return spans


def _remove(session: Session, import_id: int, spans: Sequence[tuple[int, int]]) -> int:
    """Those furthest down first: their ids are the greatest. Whatever refers to one of them keeps it there."""
    used = or_(*(Membership.organisation_id.between(first, last) for first, last in spans))
    if session.scalar(select(func.count()).select_from(select(Membership.id).where(used).limit(1).subquery())):
        raise _in_use(import_id)
    result = session.execute(
        delete(Organisation).where(or_(*(Organisation.id.between(first, last) for first, last in spans))),
        execution_options={"synchronize_session": False},
    )
    return int(getattr(result, "rowcount", 0))


def _in_use(import_id: int) -> Conflict:
    return Conflict(
        "Import {import_id} cannot be undone: somebody or something has been put into what it made.",
        hint="Move them elsewhere; members who were there once keep their history. An organisation that is not wanted "
        "any more is closed.",
        import_id=import_id,
    )
