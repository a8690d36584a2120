"""`broadsheet lists`: people by hand or from a file, to be named in rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.commands.house import opened
from broadcaster.commands.options import MOST, noun, verb
from broadcaster.commands.output import answer, plain, table
from broadcaster.language import listed, ntr, tr
from subscribers import lists
from subscribers.actor import Right

app = noun()

Name = Annotated[str, typer.Argument(metavar="NAME", help=tr("What it is called."))]


@verb(
    app,
    about=tr("Put people on a list, in place of those on it before."),
    example="broadsheet lists save Delegates delegates.xlsx\n"
    "broadsheet lists save Delegates --id 12 --id 15 --external-id A-7",
    needs=Right.EDIT,
)
def save(
    name: Name,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help=tr("CSV or XLSX: external ids or numbers in the first column.")),
    ] = None,
    ids: Annotated[list[int] | None, typer.Option("--id", min=1, max=MOST, help=tr("A member's number."))] = None,
    external_ids: Annotated[
        list[str] | None, typer.Option("--external-id", help=tr("A member's number in your own books."))
    ] = None,
) -> None:
    with opened() as house, house.begin() as tx:
        saved = lists.save_list(
            tx.session,
            house.actor,
            name,
            ids=ids or [],
            external_ids=external_ids or [],
            file=file,
            region=house.settings.paper.region,
            now=tx.now,
        )
    people = ntr("{n} member", "{n} members", saved.members)
    rows = listed(map(str, saved.rows))
    answer(
        plain(saved),
        tr("The list {name} is saved: {members}.", name=saved.name, members=people),
        ntr("{n} of those given is no member here.", "{n} of those given are no members here.", saved.unknown)
        if saved.unknown
        else None,
        tr("Their rows: {rows}", rows=rows) if rows else None,
        then=[f"broadsheet segments count 'list(\"{saved.name}\")'"],
    )


@verb(app, name="list", about=tr("The lists of people."), example="broadsheet lists list", needs=Right.SEE)
def list_() -> None:
    with opened() as house, house.reading() as tx:
        saved = lists.listing(tx.session, house.actor)
    rows = [(one.name, one.members, one.saved_by, one.place) for one in saved]
    headings = (tr("list"), tr("members"), tr("saved by"), tr("place"))
    answer(
        {"lists": [plain(one) for one in saved]},
        table(*headings, rows=rows, right=(1,)) if saved else tr("There is no list yet."),
    )


@verb(
    app, about=tr("Take a list away; its members stay."), example="broadsheet lists remove Delegates", needs=Right.EDIT
)
def remove(name: Name) -> None:
    with opened() as house, house.begin() as tx:
        removed = lists.remove_list(tx.session, house.actor, name, now=tx.now)
    answer(plain(removed), tr("The list {name} is removed.", name=removed.name))
