"""Who gets a variant of their own: boxes to tick, an order, and how many people each has; or rules that are typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from fastapi import APIRouter, Request, Response

from broadcaster.language import in_a_row, listed, msgid, tr
from broadcaster.newspaper import making
from broadcaster.newspaper.edition_file import EVERYONE
from broadcaster.newsroom.clauses import ROWS, Clause, said
from broadcaster.newsroom.composer import ONE
from broadcaster.newsroom.counts import size_words
from broadcaster.newsroom.drawing import done, draw
from broadcaster.newsroom.editions import PATH
from broadcaster.newsroom.items import BUILT_IN, audience_words, offered_segments, segment_words, typed_words
from broadcaster.newsroom.members import Id, today
from broadcaster.newsroom.own_columns import own_columns
from broadcaster.newsroom.place_rules import meaning as meaning_of
from broadcaster.newsroom.place_rules import place_rules
from broadcaster.newsroom.proofs import KEPT_FOR, phones
from broadcaster.newsroom.remembered import ABOUT_FOR, known_of, remembered
from broadcaster.newsroom.rows import as_known, row_trouble, rows_for, rows_in, rule_in_rows
from broadcaster.newsroom.tabs import keep_shown, shown_of
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import actor_word, segment_name
from subscribers import segments
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.drawn import span
from subscribers.errors import BroadsheetError, Conflict, Invalid, NotFound, Outdated
from subscribers.segments import Estimate

router = APIRouter()

_WHO = ONE + "/who"
#: boxes that a page has beside those of segments
_FURTHER = 40


@dataclass(frozen=True, slots=True)
class _Wish:
    """What stands in the form: nothing of it is kept before it is saved."""

    #: the variants, in their order
    names: Sequence[str]
    #: rules that have a box on this page, whether or not it is ticked
    further: Sequence[str] = ()
    #: what an organisation was looked for by
    q: str = ""
    rows: Sequence[Clause] = ()
    is_any: bool = False
    #: the variant on the phone, counted from 1
    shown: str = "1"
    #: those that the edition had when the page was opened; None: an earlier page, which did not say
    read: Sequence[str] | None = None


@shows(router, _WHO, needs=Right.EDIT)
def who(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """The boxes, beside the phones."""
    return _draw(request, house, visit, id)


@takes(router, _WHO + "/look", needs=Right.EDIT)
def look(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """What would come of the boxes; an organisation looked for, rows made a box, one variant before another."""
    act, wish = form.text("act"), _wish(form)
    way, _, name = act.partition(" ")
    try:
        if act != "tick":
            wish = _with_rows(house, visit, id, wish)
    except BroadsheetError as error:
        # who looks for an organisation, or puts them in order, is not done with the rows yet
        if way == "box" or not (way or wish.q):
            return _draw(request, house, visit, id, wish, error=error, at="joined")
    if way in ("up", "down"):
        wish = replace(wish, names=_moved(wish.names, name, down=way == "down"))
    return _draw(request, house, visit, id, wish, pressed=act, is_live=act == "tick")


@takes(router, _WHO, needs=Right.EDIT)
def save(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """These segments get a variant, in this order."""
    wish = _wish(form)
    try:
        wish = _with_rows(house, visit, id, wish)
        if not wish.names:
            raise Invalid("Nobody is ticked.", hint="Tick who gets a variant, or everyone else.")
        return keep_shown(_set(house, visit, id, wish.names, wish.read), visit, id, wish.shown)
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, wish, error=error)


@takes(router, ONE + "/variants", needs=Right.EDIT)
def set_variants(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """The same by rules that were typed, one in a line."""
    typed, read = form.text("variants"), _read(form)
    try:
        return _set(house, visit, id, typed.splitlines(), read, "/check" if form.text("from") == "check" else "")
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, error=error, typed=typed, read=read)


def _set(
    house: Runtime, visit: Visit, number: int, names: Sequence[str], read: Sequence[str] | None, onward: str = ""
) -> Response:
    with house.begin() as tx:
        before = making.layout(tx.session, visit.actor, number).variants
        after = making.set_variants(tx.session, visit.actor, number, names, read=read, now=tx.now)
    back = {"variants": "\n".join(before), "read": "\n".join(after)}
    return done(visit, f"{PATH}/{number}{onward}", msgid("Saved."), undo=f"{PATH}/{number}/variants", undo_fields=back)


def _wish(form: Posted) -> _Wish:
    ticked = list(dict.fromkeys(filter(None, map(segment_name, form.texts("who")))))
    before = [name for name in form.texts("order") if name in ticked]
    return _Wish(
        _with_the_rest_last([*before, *(name for name in ticked if name not in before)]),
        tuple(dict.fromkeys(form.texts("further")))[:_FURTHER],
        form.text("q").strip(),
        rows_in(form),
        form.text("joined") == "any",
        form.text("shown"),
        _read(form),
    )


def _read(form: Posted) -> list[str] | None:
    return form.text("read").splitlines() or None


def _with_rows(house: Runtime, visit: Visit, number: int, wish: _Wish) -> _Wish:
    """The rows of the form are one more variant, and there is room for others. Raises `Invalid`."""
    with house.reading() as tx:
        rule = rule_in_rows(tx, visit, wish.rows, is_any=wish.is_any)
        if not rule:
            return wish
        laid = making.layout(tx.session, visit.actor, number)
        # an item that is for the same people, in other words or in the other language, is theirs by its own
        meant = [name for column in laid.columns for each in column.items for name in each.item.audience]
    rule = as_known(rule, (*wish.names, *wish.further, *BUILT_IN, *meant))
    names = _with_the_rest_last(dict.fromkeys([*wish.names, rule]))
    return replace(wish, names=names, further=[*dict.fromkeys([*wish.further, rule])], rows=(), is_any=False)


def _with_the_rest_last(names: Iterable[str]) -> list[str]:
    return sorted(names, key=lambda name: name in EVERYONE)


def _moved(names: Sequence[str], name: str, *, down: bool) -> list[str]:
    """One place further; whoever is left gets the last one."""
    line = [each for each in names if each not in EVERYONE]
    if name in line:
        at = line.index(name)
        line.insert(max(at + (1 if down else -1), 0), line.pop(at))
    return [*line, *(each for each in names if each in EVERYONE)]


def _draw(
    request: Request,
    house: Runtime,
    visit: Visit,
    number: int,
    wish: _Wish | None = None,
    *,
    error: BroadsheetError | None = None,
    at: str = "",
    typed: str | None = None,
    read: Sequence[str] | None = None,
    pressed: str = "",
    is_live: bool = False,
) -> Response:
    with house.reading() as tx:
        laid = making.layout(tx.session, visit.actor, number)
        if not laid.is_own:
            raise NotFound(
                "There is no edition {number} of yours.", hint="It is changed at the place above.", number=number
            )
        wish = wish or _Wish(laid.variants, read=read, shown=shown_of(request, number, len(laid.variants)))
        drawn, wrong = [], error
        try:
            drawn = phones(house, tx, visit.actor, number, names=wish.names) if wish.names else []
        except Invalid as gone:
            # a segment that a variant names is not there any more
            wrong = error or gone
        saved = segments.listing(tx.session, visit.actor)
        named = offered_segments(saved)
        places, has_more = place_rules(tx, visit, wish.q)
        known = [name for name in (*wish.further, *laid.variants, *wish.names) if name not in named]
        meant = {meaning_of(name): name for name in reversed(known)}
        places = [meant.get(meaning_of(name), name) for name in places]
        others = [name for name in dict.fromkeys(known) if name not in places][:_FURTHER]
        day = today(house, tx)
        its_rule = {one.name: one.rule for one in saved}
        asked = {name: its_rule.get(name, name) for name in (*named, *others, *places)}
        told = _sizes(tx, visit, asked, day, kept_for=KEPT_FOR if is_live else 0)
        own = own_columns(tx, visit, day)
        offered = rows_for(tx, visit, wish.rows, most=ROWS, is_any=wish.is_any, saved=saved, own=own)
    boxes = [
        {
            "name": name,
            "words": segment_words(name),
            "rule": said(its_rule[name]) if name in its_rule else "",
            "size": told[name],
        }
        for name in (*named, *others, *places)
    ]
    rest = [box for box in boxes if box["name"] in EVERYONE]
    left = [one["people"] for name, one in zip(wish.names, drawn, strict=False) if name in EVERYONE]
    if left and len(drawn) > 1:
        # all of them, of whom earlier variants have some already
        rest[0]["size"] = tr("{all} · the rest: {people}", all=rest[0]["size"], people=left[0])
    return draw(
        request,
        "who.html",
        status=422 if error else 200,
        trouble=row_trouble(wrong, at, own, is_typed=wrong is error) if wrong else None,
        edition=laid.edition,
        ticked=wish.names,
        # who moves one with the keys moves it again
        pressed=pressed,
        order=[(name, segment_words(name)) for name in wish.names if name not in EVERYONE],
        segments=[box for box in boxes if box["name"] in named and box["name"] not in EVERYONE],
        others=[box for box in boxes if box["name"] in others],
        places=[box for box in boxes if box["name"] in places],
        rest=rest[0],
        further=[*others, *(name for name in places if name in wish.names)],
        has_more=has_more,
        q=wish.q,
        is_building=any(row.field or row.value.strip() for row in wish.rows),
        is_placing=bool(wish.q) or any(name in wish.names for name in places),
        **offered,
        # where there was one phone only, none was chosen; and some are gone again
        shown=wish.shown if wish.shown in map(str, range(1, len(drawn) + 1)) else "1",
        theirs=_theirs(laid.variants, wish.read, error) if isinstance(error, Outdated) else None,
        # whoever has seen what the other did decides about that
        read="\n".join(laid.variants if wish.read is None or isinstance(error, Outdated) else wish.read),
        typed="\n".join(map(typed_words, laid.variants)) if typed is None else typed,
        is_typed=typed is not None,
        known=listed(map(typed_words, named)),
        phones=drawn,
        one_only=False,
        may_edit=False,
    )


def _theirs(names: Sequence[str], read: Sequence[str] | None, error: Outdated) -> dict[str, Any]:
    """What somebody else has made of the variants meanwhile, and what is new in it."""
    was = read or ()
    added, out = ([each for each in one if each not in other] for one, other in ((names, was), (was, names)))
    kept = [each for each in was if each in names], [each for each in names if each in was]
    new = [
        tr("Added: {names}.", names=audience_words(added)) if added else "",
        tr("Taken out: {names}.", names=audience_words(out)) if out else "",
        tr("Put into another order.") if kept[0] != kept[1] else "",
    ]
    return {
        "who": actor_word(str(error.fields["who"])),
        "names": [segment_words(name) for name in names],
        "new": in_a_row(*new),
    }


def _sizes(tx: Tx, visit: Visit, asked: Mapping[str, str], day: date, *, kept_for: float) -> dict[str, str]:
    """By the name of a segment, or its rule, how many are in it, in words."""
    under = visit.actor.under
    key = ("sizes", day.isoformat(), str(span(tx.session)), under)
    # a tick shows the same boxes and a few others
    about: dict[tuple[str, str], Estimate] = remembered(tx.session, ("about", *key), lambda _: ABOUT_FOR, dict)
    new = {name: rule for name, rule in asked.items() if (name, rule) not in about}
    found: list[Estimate | None] = remembered(
        tx.session,
        (*key, *new, *new.values()),
        lambda _: kept_for,
        lambda: segments.sizes(tx.session, visit.actor, list(new), on=day, known=known_of(tx, under, day)),
    )
    told: dict[str, Estimate | None] = dict(zip(new, found, strict=True))
    about |= {(name, new[name]): each for name, each in told.items() if each is not None and not each.is_exact}
    return {name: size_words(told[name] if name in told else about[name, rule]) for name, rule in asked.items()}
