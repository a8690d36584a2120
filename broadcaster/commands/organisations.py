"""`broadsheet organisations`: the tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text
from rich.tree import Tree

from broadcaster.commands.house import opened
from broadcaster.commands.options import noun, verb
from broadcaster.commands.output import answer, clean, plain
from broadcaster.language import ntr, tr
from subscribers import organisations
from subscribers.organisations import Node

app = noun()


@app.callback()
def nothing() -> None:
    """One verb today, and still a noun."""


@verb(
    app,
    about=tr("Show the tree, or what is under one organisation."),
    example="broadsheet organisations tree\nbroadsheet organisations tree 'East City'",
)
def tree(path: Annotated[str, typer.Argument(metavar="PATH", help=tr("Names with / between."))] = "") -> None:
    with opened() as house, house.reading() as tx:
        under = organisations.find_by_path(tx.session, house.actor, path).path if path else None
        nodes = organisations.tree(tx.session, house.actor, under)
    count = ntr("{n} organisation", "{n} organisations", len(nodes))
    answer({"organisations": [plain(node) for node in nodes]}, _drawn(nodes, count))


def _drawn(nodes: Sequence[Node], title: str) -> Tree:
    root = Tree(Text(title))
    branches: dict[int | None, Tree] = {}
    for node in nodes:
        branches[node.id] = branches.get(node.parent_id, root).add(Text(clean(node.name)))
    return root
