"""`broadsheet segments`: audiences by rule."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from broadcaster.commands.house import opened, read_day, today
from broadcaster.commands.options import noun, verb
from broadcaster.commands.output import answer, plain, table
from broadcaster.language import ntr, tr
from subscribers import segments

app = noun()

Rule = Annotated[str, typer.Argument(metavar="RULE", help=tr("A segment's name, or a rule."))]


@verb(
    app,
    about=tr("How many members a rule holds, and how many of them the paper can be sent to."),
    example="broadsheet segments count retired\n"
    "broadsheet segments count 'status = retired and under(\"East City\") and age >= 60' --as-of 2026-01-01",
)
def count(
    rule: Rule,
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help=tr("On this day instead of today."))] = None,
) -> None:
    with opened() as house, house.reading() as tx:
        on = read_day(as_of) if as_of else today(house, tx)
        counted = segments.count(tx.session, house.actor, rule, on=on)
        asks_age = re.search(r"\bage\b|年龄", rule, re.IGNORECASE)
        ageless = asks_age and not counted.members and not segments.has_birthdays(tx.session, house.actor, on=on)
    members = ntr("{n} member", "{n} members", counted.members)
    told = tr("{members}, {reachable} of them reachable.", members=members, reachable=counted.reachable)
    note = tr("Nobody's birthday is known, so nobody has an age: import a column birthday.") if ageless else None
    answer(plain(counted), told, note)


@verb(
    app,
    about=tr("Give a rule a name, or a name another rule."),
    example="broadsheet segments save veterans 'retired and age >= 80'",
)
def save(name: Annotated[str, typer.Argument(metavar="NAME", help=tr("What it is called."))], rule: Rule) -> None:
    with opened() as house, house.begin() as tx:
        saved = segments.save(tx.session, house.actor, name, rule, now=tx.now)
    told = tr("The segment {name} is saved: {rule}", name=saved.name, rule=saved.rule)
    answer(plain(saved), told, then=[f"broadsheet segments count {saved.name}"])


@verb(app, name="list", about=tr("The saved segments."), example="broadsheet segments list")
def list_() -> None:
    with opened() as house, house.reading() as tx:
        saved = segments.listing(tx.session, house.actor)
    built_in = tr("Built in: in_service, retired, mobile, everyone (在职 离退休 流动 所有人).")
    rows = [(one.name, one.rule, one.saved_by) for one in saved]
    answer(
        {"segments": [plain(one) for one in saved]},
        table(tr("name"), tr("rule"), tr("saved by"), rows=rows) if saved else None,
        built_in,
    )
