"""`broadsheet segments`: audiences by rule."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from broadcaster.commands.asking import Yes, make_sure
from broadcaster.commands.house import opened, read_day, today
from broadcaster.commands.options import noun, verb
from broadcaster.commands.output import answer, plain, table
from broadcaster.language import ntr, tr
from broadcaster.newspaper.segment_uses import segment_uses
from broadcaster.questions import before_removal
from broadcaster.words import place_words, standing_words
from subscribers import segments
from subscribers.actor import Right

app = noun()

Rule = Annotated[str, typer.Argument(metavar="RULE", help=tr("A segment's name, or a rule."))]
Name = Annotated[str, typer.Argument(metavar="NAME", help=tr("What it is called."))]
AsOf = Annotated[str | None, typer.Option(metavar="DATE", help=tr("On this day instead of today."))]


@verb(
    app,
    about=tr("How many members a rule holds, and how many of them the paper can be sent to."),
    example="broadsheet segments count retired\n"
    "broadsheet segments count 'status = retired and under(\"East City\") and age >= 60' --as-of 2026-01-01",
    needs=Right.SEE,
)
def count(rule: Rule, as_of: AsOf = None) -> None:
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
    about=tr("Who is in it: the first ones, with their numbers masked."),
    example="broadsheet segments show retired\nbroadsheet segments show 'mobile and age >= 60' --limit 50",
    needs=Right.SEE,
)
def show(
    rule: Rule,
    as_of: AsOf = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help=tr("At most so many."))] = 20,
) -> None:
    with opened() as house, house.reading() as tx:
        on = read_day(as_of) if as_of else today(house, tx)
        counted = segments.count(tx.session, house.actor, rule, on=on)
        people = segments.people(tx.session, house.actor, rule, on=on, limit=limit)
    headings = (tr("id"), tr("name"), tr("number"), tr("status"), tr("organisation"))
    rows = [
        (p.id, p.name, p.msisdn or "-", standing_words(p.status, away=p.mobile), place_words(p.organisation))
        for p in people
    ]
    members = ntr("{n} member", "{n} members", counted.members)
    answer(
        plain(counted) | {"people": [plain(person) for person in people]},
        tr("{members}, {reachable} of them reachable.", members=members, reachable=counted.reachable),
        table(*headings, rows=rows) if people else None,
        ntr("and {n} more", "and {n} more", counted.members - len(people)) if counted.members > len(people) else None,
    )


@verb(
    app,
    about=tr("Give a rule a name, or a name another rule."),
    example="broadsheet segments save veterans 'retired and age >= 80'",
    needs=Right.EDIT,
)
def save(name: Name, rule: Rule) -> None:
    with opened() as house, house.begin() as tx:
        saved = segments.save(tx.session, house.actor, name, rule, now=tx.now)
    told = tr("The segment {name} is saved: {rule}", name=saved.name, rule=saved.rule)
    answer(plain(saved), told, then=[f"broadsheet segments count {saved.name}"])


@verb(
    app,
    about=tr("Take a name away. What was drafted for it keeps its rule."),
    example="broadsheet segments remove veterans\nbroadsheet segments remove veterans --yes",
    needs=Right.EDIT,
)
def remove(name: Name, yes: Yes = False) -> None:
    with opened() as house:
        with house.reading() as tx:
            saved = {one.name for one in segments.listing(tx.session, house.actor)}
            name = name.strip()
            # what is not there is told by the removal
            uses = segment_uses(tx.session, house.actor, name) if name in saved and not yes else None
        if uses and (what := before_removal(name, uses)):
            make_sure(what, tr("Remove it all the same?"))
        with house.begin() as tx:
            removed = segments.remove(tx.session, house.actor, name, now=tx.now)
    answer(plain(removed), tr("The segment {name} is removed. It was: {rule}", name=removed.name, rule=removed.rule))


@verb(app, name="list", about=tr("The saved segments."), example="broadsheet segments list", needs=Right.SEE)
def list_() -> None:
    with opened() as house, house.reading() as tx:
        saved = segments.listing(tx.session, house.actor)
    built_in = tr("Built in: in_service, retired, mobile, reachable, everyone (在职 离退休 流动 可发 所有人).")
    rows = [(one.name, one.rule, one.saved_by, one.place) for one in saved]
    answer(
        {"segments": [plain(one) for one in saved]},
        table(tr("segment"), tr("rule"), tr("saved by"), tr("place"), rows=rows) if saved else None,
        built_in,
    )
