"""The tree of organisations, and segments."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster import moving
from subscribers import lists, organisations, segments, tree_changes, tree_import, tree_levels, tree_search
from subscribers.actor import SYSTEM, Actor
from subscribers.headcounts import headcounts
from subscribers.models import ImportRun
from tests.factories import NOW
from tests.rights.probe import Probe
from tests.rights.world import TODAY, Side


def _file(side: Side) -> Path:
    file = side.folder / "organisations.csv"
    file.write_text(f"path,kind\n{side.mark}/{side.mark}新支部,支部\n", encoding="utf-8")
    return file


def _import(session: Session, actor: Actor, side: Side) -> object:
    return tree_import.import_organisations(session, actor, _file(side), now=NOW)


def _last_import(session: Session) -> int:
    return session.scalars(select(func.max(ImportRun.id))).one() or 0


def _list(session: Session, side: Side) -> None:
    lists.save_list(session, side.chief, f"{side.mark}名单", ids=[side.member.id], now=NOW)


def _counted(session: Session, actor: Actor, side: Side) -> object:
    nodes = organisations.tree(session, SYSTEM, side.path)
    counts = organisations.count_members(session, actor, nodes, on=TODAY)
    # nothing but noughts, or nothing, is no news
    return [node.names for node in nodes if counts.get(node.id)]


def _headcounts(session: Session, actor: Actor, side: Side) -> object:
    node = organisations.tree(session, SYSTEM, side.path)[0]
    found = headcounts(session, actor, [node], on=TODAY)
    return [node.names] if found[node.id].members else []


_O, _T = "subscribers.organisations.", "subscribers.tree_changes."
PROBES = {
    "subscribers.tree_search.find": Probe(
        lambda s, a, side: tree_search.find(s, a, side.mark), shows=True, echoes=True
    ),
    "subscribers.tree_levels.below": Probe(lambda s, a, side: tree_levels.below(s, a, side.path, limit=9), shows=True),
    "subscribers.tree_levels.size": Probe(lambda s, a, side: tree_levels.size(s, a, side.path)),
    _O + "tree": Probe(lambda s, a, side: organisations.tree(s, a, side.path), shows=True),
    _O + "find_by_path": Probe(lambda s, a, side: organisations.find_by_path(s, a, side.branch), shows=True),
    _O + "count_members": Probe(_counted, shows=True),
    _O + "ensure_path": Probe(
        lambda s, a, side: organisations.ensure_path(s, a, f"{side.names}/{side.mark}新支部", now=NOW)
    ),
    _O + "ensure_paths": Probe(
        lambda s, a, side: organisations.ensure_paths(s, a, [f"{side.names}/{side.mark}新支部"], now=NOW), shows=True
    ),
    _T + "add": Probe(lambda s, a, side: tree_changes.add(s, a, "新支部", under=side.names, now=NOW), shows=True),
    _T + "rename": Probe(
        lambda s, a, side: tree_changes.rename(s, a, side.branch, f"{side.mark}新名", now=NOW), shows=True
    ),
    _T + "set_kind": Probe(lambda s, a, side: tree_changes.set_kind(s, a, side.branch, "支部", now=NOW), shows=True),
    _T + "move": Probe(lambda s, a, side: tree_changes.move(s, a, side.branch, under=side.other_branch, now=NOW)),
    _T + "close": Probe(
        lambda s, a, side: tree_changes.close(s, a, side.branch, on=TODAY, into=side.other_branch, now=NOW)
    ),
    "broadcaster.moving.move": Probe(
        lambda s, a, side: moving.move(s, a, side.branch, under=side.other_branch, now=NOW)
    ),
    "broadcaster.moving.close": Probe(
        lambda s, a, side: moving.close(s, a, side.branch, on=TODAY, into=side.other_branch, now=NOW)
    ),
    _T + "reopen": Probe(lambda s, a, side: tree_changes.reopen(s, a, side.closed_branch, now=NOW), shows=True),
    "subscribers.tree_import.import_organisations": Probe(_import, echoes=True, makes=True),
    "subscribers.tree_import.undo_organisations": Probe(
        lambda s, a, side: tree_import.undo_organisations(s, a, _last_import(s), now=NOW),
        ready=lambda s, side: _import(s, side.chief, side),
    ),
    "subscribers.segments.counting.count": Probe(
        lambda s, a, side: segments.count(s, a, f'under("{side.names}")', on=TODAY)
    ),
    "subscribers.segments.counting.estimate": Probe(
        lambda s, a, side: segments.estimate(s, a, f'under("{side.names}")', on=TODAY)
    ),
    "subscribers.segments.counting.sizes": Probe(
        lambda s, a, side: segments.sizes(s, a, [f'under("{side.names}")'], on=TODAY)
    ),
    "subscribers.segments.counting.people": Probe(
        lambda s, a, side: segments.people(s, a, "everyone", on=TODAY), shows=True
    ),
    "subscribers.segments.counting.some": Probe(
        lambda s, a, side: segments.some(s, a, "everyone", on=TODAY)[0], shows=True
    ),
    "subscribers.segments.own_headings.own_columns": Probe(
        lambda s, a, side: segments.own_columns(s, a, on=TODAY), shows=True
    ),
    "subscribers.headcounts.headcounts": Probe(_headcounts, shows=True),
    "subscribers.segments.counting.has_birthdays": Probe(
        lambda s, a, side: segments.has_birthdays(s, a, on=TODAY),
        blind="it asks about the actor's own part of the tree",
    ),
    "subscribers.segments.saved.save": Probe(
        lambda s, a, side: segments.save(s, a, f"{side.mark}老人", "in_service", now=NOW),
        makes=True,
        echoes=True,
        blind="a name is given at the actor's own place",
    ),
    "subscribers.segments.saved.remove": Probe(
        lambda s, a, side: segments.remove(s, a, f"{side.mark}老人", now=NOW), shows=True
    ),
    "subscribers.lists.save_list": Probe(
        lambda s, a, side: lists.save_list(s, a, f"{side.mark}名单", ids=[side.member.id], now=NOW), shows=True
    ),
    "subscribers.lists.remove_list": Probe(
        lambda s, a, side: lists.remove_list(s, a, f"{side.mark}名单", now=NOW), ready=_list, shows=True
    ),
    "subscribers.lists.listing": Probe(lambda s, a, side: lists.listing(s, a), ready=_list, shows=True),
    "subscribers.segments.saved.listing": Probe(lambda s, a, side: segments.listing(s, a), shows=True),
}
