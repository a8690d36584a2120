"""The tree of organisations: one level at a time; added to, renamed, moved, closed."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from broadcaster import moving
from broadcaster.language import msgid, tr
from broadcaster.newsroom.acting import attempt, read_day
from broadcaster.newsroom.clauses import Clause, rule_of
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.members import PAGE, Behind, today
from broadcaster.newsroom.remembered import ABOUT_FOR, remembered
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.figures import about, count
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import place_words
from subscribers import organisations, tree_changes, tree_levels
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid
from subscribers.headcounts import Headcount, Keep, headcounts
from subscribers.organisations import Node

router = APIRouter()

PATH = "/members/organisations"
#: people from which on a move is not done before their number was typed
MANY = 1000


@shows(router, PATH, needs=Right.SEE)
def tree(
    request: Request,
    house: House,
    visit: Here,
    under: str = "",
    after: Behind = 0,
    exactly: Annotated[bool, Query(alias="count")] = False,
) -> Response:
    """One level of the tree, with how many members each has; `under` is a path of names. `?count=1`: exactly."""
    at = under or (visit.place.names if visit.place else "")
    return _draw(request, house, visit, at, after=after, exactly=exactly)


@takes(router, PATH, needs=Right.REGISTER)
def add(request: Request, house: House, visit: Here, form: Form) -> Response:
    """One more organisation, under the one that is looked at."""
    under = form.text("under")

    def work(tx: Tx) -> Response:
        kind = form.text("kind")
        made = tree_changes.add(tx.session, visit.actor, form.text("name"), under=under, kind=kind, now=tx.now)
        return done(visit, _page(made.names), msgid("Added: {name}."), name=_named(made.names))

    return attempt(house, work, lambda error: _draw(request, house, visit, under, error))


@takes(router, PATH + "/rename", needs=Right.REGISTER)
def rename(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Another name, in its place."""
    under = form.text("under")

    def work(tx: Tx) -> Response:
        before = organisations.find_by_path(tx.session, visit.actor, under)
        after = tree_changes.rename(tx.session, visit.actor, under, form.text("name"), now=tx.now)
        back = {"under": after.names, "name": before.name}
        told = msgid("{name} is called {other} now.")
        page = _page(after.names)
        return done(
            visit,
            page,
            told,
            undo=f"{PATH}/rename",
            undo_fields=back,
            name=_named(before.names),
            other=_named(after.names),
        )

    return attempt(house, work, lambda error: _draw(request, house, visit, under, error))


@takes(router, PATH + "/move", needs=Right.REGISTER)
def move(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Under another one, with all that is below; where many are affected, their number is typed first."""
    under, to = form.text("under"), form.text("to")

    def work(tx: Tx) -> Response:
        node = organisations.find_by_path(tx.session, visit.actor, under)
        people = organisations.count_members(tx.session, visit.actor, [node], on=today(house, tx))[node.id]
        typed = form.text("people")
        if people > MANY and _figure(typed) != people:
            below = tree_levels.size(tx.session, visit.actor, node.path)
            return draw(
                request,
                "organisation_move.html",
                status=422 if typed else 200,
                trouble=trouble(_miscounted(people, typed), "people") if typed else None,
                node=node,
                to=to,
                people=people,
                organisations=below,
            )
        moving.move(tx.session, visit.actor, under, under=to, now=tx.now)
        above, _, name = node.names.rpartition("/")
        there = f"{organisations.clean_path(to)}/{name}" if to.strip() else name
        back = {"under": there, "to": above, "people": typed}
        told = msgid("{name} is under {other} now.") if to.strip() else msgid("{name} is at the top now.")
        return done(
            visit,
            _page(there),
            told,
            undo=f"{PATH}/move",
            undo_fields=back,
            name=_named(node.names),
            other=place_words(to.strip()),
        )

    return attempt(house, work, lambda error: _draw(request, house, visit, under, error))


@takes(router, PATH + "/close", needs=Right.REGISTER)
def close(request: Request, house: House, visit: Here, form: Form) -> Response:
    """Nobody is put there from a day on; or again."""
    under = form.text("under")

    def work(tx: Tx) -> Response:
        if form.text("reopen"):
            node = tree_changes.reopen(tx.session, visit.actor, under, now=tx.now)
            return done(visit, _page(node.names), msgid("{name} is open again."), name=_named(node.names))
        on, into = read_day(form.text("on")) or today(house, tx), form.text("into").strip()
        closed = moving.close(tx.session, visit.actor, under, on=on, into=into, now=tx.now)
        # whoever went elsewhere does not come back by opening it again
        undo = "" if closed.members or closed.organisations else f"{PATH}/close"
        told = msgid("{name} is closed. {members} members and {organisations} organisations went elsewhere.")
        return done(
            visit,
            _page(closed.organisation.names),
            told,
            undo=undo,
            undo_fields={"under": closed.organisation.names, "reopen": "1"},
            name=_named(closed.organisation.names),
            members=closed.members,
            organisations=closed.organisations,
        )

    return attempt(house, work, lambda error: _draw(request, house, visit, under, error))


def _miscounted(people: int, typed: str) -> Invalid:
    return Invalid(
        "That is not the number. {people} people are affected, and {typed} was typed.",
        hint="Nothing was moved.",
        people=f"{people:,}",
        typed=typed.strip()[:20],
    )


def _figure(typed: str) -> int:
    """A number as people type it, with commas and full-width digits; -1 if it is none."""
    digits = unicodedata.normalize("NFKC", typed[:20]).replace(",", "").strip()
    return int(digits) if digits.isascii() and digits.isdigit() else -1


def _page(names: str) -> str:
    return f"{PATH}?{urlencode({'under': names})}"


def _draw(
    request: Request,
    house: Runtime,
    visit: Visit,
    under: str,
    error: BroadsheetError | None = None,
    *,
    after: int = 0,
    exactly: bool = False,
) -> Response:
    with house.reading() as tx:
        actor, day = visit.actor, today(house, tx)
        top = organisations.find_by_path(tx.session, actor, under) if under else None
        home = organisations.home_of(tx.session, actor)
        here = top or (organisations.find_by_path(tx.session, actor, home) if home else None)
        shown = tree_levels.below(tx.session, actor, here.path if here else "", after=after, limit=PAGE + 1)
        counts = headcounts(tx.session, actor, shown[:PAGE], on=day, exactly=exactly, keep=_kept(tx))
    return draw(
        request,
        "organisations.html",
        status=422 if error else 200,
        trouble=trouble(error) if error else None,
        here=here,
        members=urlencode({"rule": _rule(here)}) if here else "",
        above=_above(here.names, visit) if here else [],
        lines=[_line(node, counts[node.id]) for node in shown[:PAGE]],
        onward=urlencode({"under": under, "after": shown[PAGE - 1].id}) if len(shown) > PAGE else "",
        is_exact=all(each.is_exact for each in counts.values()),
        exactly=urlencode({"under": under, "after": after, "count": 1}),
        may_change="register" in actor.rights and here is not None and here.path != actor.under,
        may_add="register" in actor.rights and (here is not None or not actor.under),
        day=day,
    )


def _kept(tx: Tx) -> Keep:
    return lambda key, find: remembered(tx.session, ("places of those drawn", *key), lambda _places: ABOUT_FOR, find)


def _line(node: Node, members: Headcount) -> dict[str, str | date | None]:
    told = count(members.members) if members.is_exact else tr("about {n}", n=about(members.members))
    return {
        "name": _named(node.names),
        "names": node.names,
        "members": told,
        "closed_on": node.closed_on,
    }


def _rule(node: Node) -> str:
    """Whoever is in it or below, as a rule in the reader's language."""
    try:
        return rule_of([Clause("under", "=", node.names)], is_any=False)
    except Invalid:
        # with all kinds of quotes in its name
        return rule_of([Clause("under", "=", f"#{node.id}")], is_any=False)


def _named(names: str) -> str:
    """The last of a path of names, as a page shows it."""
    return place_words(names).rpartition("/")[2]


def _above(names: str, visit: Visit) -> list[dict[str, str]]:
    """The way to here, as far as it is the visitor's."""
    steps = names.split("/")
    first = max(visit.actor.under.count("/") - 1, 0)
    return [{"name": step, "names": "/".join(steps[: n + 1])} for n, step in enumerate(place_words(names).split("/"))][
        first:
    ]
