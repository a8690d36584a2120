"""`broadsheet organisations`: the tree, and its changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from broadcaster import moving
from broadcaster.commands.house import opened, read_day, today
from broadcaster.commands.options import MOST, noun, verb
from broadcaster.commands.output import answer, clean, plain
from broadcaster.commands.progress import counting
from broadcaster.commands.refusals import check_rejects, reason, refusal_lines, refusals
from broadcaster.language import ntr, tr
from broadcaster.words import place_words
from subscribers import organisations, tree_changes, tree_import
from subscribers.actor import Right
from subscribers.importing import write_rejects
from subscribers.organisations import Node

app = noun()

Place = Annotated[str, typer.Argument(metavar="PATH", help=tr("Names with / between."))]
Day = Annotated[str | None, typer.Option(metavar="DATE", help=tr("From this day on, instead of today."))]


@verb(
    app,
    about=tr("Show the tree, or what is under one organisation."),
    example="broadsheet organisations tree --depth 2 --counts\nbroadsheet organisations tree 'East City'",
    needs=Right.SEE,
)
def tree(
    path: Place = "",
    depth: Annotated[
        int | None, typer.Option(min=1, max=organisations.LEVELS, metavar="N", help=tr("So many levels."))
    ] = None,
    counts: Annotated[bool, typer.Option("--counts", help=tr("With members, those further down included."))] = False,
) -> None:
    with opened() as house, house.reading() as tx:
        under = organisations.find_by_path(tx.session, house.actor, path).path if path else None
        nodes = organisations.tree(tx.session, house.actor, under, depth=depth)
        on = today(house, tx)
        members = organisations.count_members(tx.session, house.actor, nodes, on=on) if counts else {}
    count = ntr("{n} organisation", "{n} organisations", len(nodes))
    document = [plain(node) | ({"members": members[node.id]} if counts else {}) for node in nodes]
    answer({"organisations": document}, _drawn(nodes, count, members))


@verb(
    app,
    about=tr("A new organisation."),
    example="broadsheet organisations add 'Third Branch' --under 'East City' --kind branch",
    needs=Right.REGISTER,
)
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help=tr("What it is called."))],
    under: Annotated[str, typer.Option(metavar="PATH", help=tr("What it is part of; the top without it."))] = "",
    kind: Annotated[str, typer.Option(metavar="KIND", help=tr("What it is: a committee, a branch ..."))] = "",
    opened_on: Annotated[str | None, typer.Option(metavar="DATE", help=tr("Since when it is there."))] = None,
) -> None:
    with opened() as house, house.begin() as tx:
        day = read_day(opened_on) if opened_on else None
        node = tree_changes.add(tx.session, house.actor, name, under=under, kind=kind, opened_on=day, now=tx.now)
    answer(plain(node), tr("{path} is added.", path=node.names))


@verb(
    app,
    about=tr("Give an organisation another name."),
    example="broadsheet organisations rename 'East City/Third Branch' 'Harbour Branch'",
    needs=Right.REGISTER,
)
def rename(path: Place, name: Annotated[str, typer.Argument(metavar="NAME", help=tr("Its new name."))]) -> None:
    with opened() as house, house.begin() as tx:
        node = tree_changes.rename(tx.session, house.actor, path, name, now=tx.now)
    answer(plain(node), tr("It is called {path} now.", path=node.names))


@verb(
    app,
    about=tr("Say what an organisation is."),
    example="broadsheet organisations kind 'East City/Third Branch' branch",
    needs=Right.REGISTER,
)
def kind(
    path: Place, kind: Annotated[str, typer.Argument(metavar="KIND", help=tr("What it is: a committee, a branch ..."))]
) -> None:
    with opened() as house, house.begin() as tx:
        node = tree_changes.set_kind(tx.session, house.actor, path, kind, now=tx.now)
    answer(plain(node), tr("{path}: {kind}.", path=node.names, kind=node.kind or "-"))


@verb(
    app,
    about=tr("Hang an organisation, with all that is in it, under another. Who may see it moves with it."),
    example="broadsheet organisations move 'East City/Third Branch' --under 'West City'",
    needs=Right.REGISTER,
)
def move(
    path: Place,
    under: Annotated[str, typer.Option(metavar="PATH", help=tr('What it shall be part of; "" for the top.'))],
) -> None:
    with opened() as house, house.begin() as tx:
        moved = moving.move(tx.session, house.actor, path, under=under, now=tx.now)
    answer({"moved": moved}, ntr("{n} organisation moved.", "{n} organisations moved.", moved))


@verb(
    app,
    about=tr("Let nobody into an organisation any more; its history stays."),
    example="broadsheet organisations close 'East City/Third Branch' --into 'East City/First Branch'\n"
    "broadsheet organisations close 'East City/Third Branch' --on 2026-12-31",
    needs=Right.REGISTER,
)
def close(
    path: Place,
    into: Annotated[str, typer.Option(metavar="PATH", help=tr("Where its members and organisations go."))] = "",
    on: Day = None,
) -> None:
    with opened() as house, house.begin() as tx:
        day = read_day(on) if on else today(house, tx)
        closed = moving.close(tx.session, house.actor, path, on=day, into=into, now=tx.now)
    members = ntr("{n} member", "{n} members", closed.members)
    count = ntr("{n} organisation", "{n} organisations", closed.organisations)
    answer(
        plain(closed.organisation) | {"members": closed.members, "organisations": closed.organisations},
        tr("{path} is closed from {day} on.", path=closed.organisation.names, day=day),
        tr("{members} and {organisations} went into {into}.", members=members, organisations=count, into=into)
        if into
        else None,
        then=[f"broadsheet organisations reopen '{closed.organisation.names}'"],
    )


@verb(
    app,
    about=tr("Open a closed organisation again."),
    example="broadsheet organisations reopen 'East City/Third Branch'",
    needs=Right.REGISTER,
)
def reopen(path: Place) -> None:
    with opened() as house, house.begin() as tx:
        node = tree_changes.reopen(tx.session, house.actor, path, now=tx.now)
    answer(plain(node), tr("{path} is open.", path=node.names))


@verb(
    app,
    name="import",
    about=tr("Take in a file of organisations: paths, or names and what is above them; kinds, days of opening."),
    example="broadsheet organisations import tree.xlsx --dry-run\n"
    "broadsheet organisations import tree.csv --rejects refused.csv",
    needs=Right.REGISTER,
)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=tr("CSV or XLSX with a row of headings."))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=tr("Only say what would happen."))] = False,
    rejects: Annotated[Path | None, typer.Option(metavar="FILE", help=tr("Write the refused rows there."))] = None,
) -> None:
    check_rejects(rejects, file)
    with opened() as house, counting(tr("rows")) as progress, house.begin() as tx:
        result = tree_import.import_organisations(
            tx.session, house.actor, file, now=tx.now, dry_run=dry_run, progress=progress
        )
    if rejects:
        write_rejects(rejects, result.headings, result.refused, why=reason)
    document = plain(result) | {"refused": len(result.refused), "refusals": refusals(result.refused)}
    figures = {name: document[name] for name in ("created", "updated", "unchanged", "refused")}
    told = (
        ntr(
            "{n} row: {created} created, {updated} updated, {unchanged} unchanged, {refused} refused.",
            "{n} rows: {created} created, {updated} updated, {unchanged} unchanged, {refused} refused.",
            document["rows"],
            **figures,
        )
        if not dry_run
        else ntr(
            "{n} row: {created} would be created, {updated} updated, {unchanged} unchanged, {refused} refused.",
            "{n} rows: {created} would be created, {updated} updated, {unchanged} unchanged, {refused} refused.",
            document["rows"],
            **figures,
        )
    )
    answer(
        document,
        tr("This was a dry run: nothing was written.") if dry_run else None,
        told,
        ntr("{n} organisation above them had no row.", "{n} organisations above them had no row.", result.above)
        if result.above
        else None,
        *refusal_lines(result.refused, rejects),
        then=[f"broadsheet organisations undo {result.import_id}"] if result.import_id and result.created else [],
    )


@verb(
    app,
    about=tr("Take back an import of organisations, while nobody is in what it made."),
    example="broadsheet organisations undo 3",
    needs=Right.REGISTER,
)
def undo(import_id: Annotated[int, typer.Argument(max=MOST, metavar="IMPORT", help=tr("Its number."))]) -> None:
    with opened() as house, house.begin() as tx:
        undone = tree_import.undo_organisations(tx.session, house.actor, import_id, now=tx.now)
    removed = ntr("{n} organisation was removed again.", "{n} organisations were removed again.", undone.removed)
    answer(plain(undone), removed)


def _drawn(nodes: Sequence[Node], title: str, members: Mapping[int, int]) -> Tree:
    root = Tree(Text(title))
    branches: dict[int | None, Tree] = {}
    for node in nodes:
        label = Text(clean(place_words(node.names).rpartition("/")[2]))
        if node.kind:
            label.append(f" {clean(node.kind)}", style="dim")
        if node.id in members:
            label.append(f"  {members[node.id]:,}", style="bold")
        if node.closed_on is not None:
            label.append("  " + tr("closed {day}", day=node.closed_on), style="dim")
        branches[node.id] = branches.get(node.parent_id, root).add(label)
    return root
