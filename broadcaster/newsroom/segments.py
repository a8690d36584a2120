"""Segments: rules with a name. A rule is tried out with its count and some of its people before it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.language import listed, msgid, tr
from broadcaster.newspaper.segment_uses import segment_uses
from broadcaster.newsroom.acting import attempt
from broadcaster.newsroom.clauses import MOST, ROWS, Clause, clauses_of
from broadcaster.newsroom.counts import how_many
from broadcaster.newsroom.drawing import READ, done, draw
from broadcaster.newsroom.items import BUILT_IN, segment_words
from broadcaster.newsroom.members import today
from broadcaster.newsroom.own_columns import own_columns, why_nobody
from broadcaster.newsroom.rows import row_trouble, rows_for, rows_in, rule_in_rows
from broadcaster.questions import before_removal, used_in
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import actor_word, place_words, standing_words, status_word
from subscribers import rules, seen, segments
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid, Outdated
from subscribers.organisations import home_of
from subscribers.segments import Someone

router = APIRouter()

PATH = "/members/segments"
#: of the people of a rule, to see whether it is the right one
SAMPLE = 20
#: the field of who was asked, and means it
_SURE = "sure"


@shows(router, PATH, needs=Right.SEE)
def listing(
    request: Request,
    house: House,
    visit: Here,
    name: str = "",
    rule: str = "",
    count: bool = False,
    rows: Annotated[int, Query(ge=1, le=MOST)] = ROWS,
    read: str = "",
) -> Response:
    """The saved ones, and a rule that is being tried out. `?count=1` says how many exactly it holds.

    `?read=` is what the segment of this name was when it was opened.
    """
    return _draw(request, house, visit, name, rule, exactly=count, most=rows, read=read)


@takes(router, PATH + "/look", needs=Right.SEE)
def look(form: Form) -> Response:
    """The rule goes into the address, so that the page can be kept and sent on."""
    asked = urlencode({"name": form.text("name"), "rule": form.text("rule"), READ: form.text(READ)})
    return RedirectResponse(f"{PATH}?{asked}", 303)


@takes(router, PATH + "/build", needs=Right.SEE)
def build(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The rows that were clicked together become a rule; what is more than rows is not touched."""
    rows, is_any = rows_in(form), form.text("joined") == "any"
    try:
        with house.reading() as tx:
            rule = rule_in_rows(tx, visit, rows, is_any=is_any)
        if not rule:
            raise Invalid("No row says what is asked.", hint="Choose something in the first row.")
        rules.parse(rule)
    except Invalid as error:
        name, typed = form.text("name"), form.text("rule")
        return _draw(request, house, visit, name, typed, error, rows=rows, is_any=is_any, read=form.text(READ))
    # one more row than there are, to go on with
    filled = sum(bool(each.field) for each in rows)
    asked = {"name": form.text("name"), "rule": rule, "rows": min(max(filled + 1, ROWS), MOST), READ: form.text(READ)}
    return RedirectResponse(f"{PATH}?{urlencode(asked)}", 303)


@takes(router, PATH, needs=Right.EDIT)
def save(request: Request, house: House, visit: Here, form: Form) -> Response:
    """A rule gets a name, or a name of one's own place another rule."""
    name, rule, read = form.text("name"), form.text("rule"), form.text(READ)
    if question := _question(house, visit, form):
        return _draw(request, house, visit, name, rule, question=question, read=read)

    def work(tx: Tx) -> Response:
        before = {one.name: one.rule for one in segments.listing(tx.session, visit.actor)}
        saved = segments.save(tx.session, visit.actor, name, rule, read=read, now=tx.now)
        told, back = msgid("Saved: {name}."), {"name": saved.name, READ: _opened(tx, saved.rule)}
        if saved.name in before:
            back |= {"rule": before[saved.name], _SURE: "yes"}
            return done(visit, PATH, told, name=saved.name, undo=PATH, undo_fields=back)
        return done(visit, PATH, told, name=saved.name, undo=PATH + "/remove", undo_fields=back)

    return attempt(house, work, lambda error: _draw(request, house, visit, name, rule, error, read=read))


@takes(router, PATH + "/remove", needs=Right.EDIT)
def remove(request: Request, house: House, visit: Here, form: Form) -> Response:
    """A saved one is gone."""
    if question := _question(house, visit, form, is_removed=True):
        return _draw(request, house, visit, "", "", question=question)

    def work(tx: Tx) -> Response:
        gone = segments.remove(tx.session, visit.actor, form.text("name"), read=form.text(READ), now=tx.now)
        back = {"name": gone.name, "rule": gone.rule, READ: _opened(tx, None)}
        return done(visit, PATH, msgid("Removed: {name}."), name=gone.name, undo=PATH, undo_fields=back)

    return attempt(house, work, lambda error: _draw(request, house, visit, "", "", error))


def _opened(tx: Tx, rule: str | None) -> str:
    """What a form carries that is opened now; None: there is no segment of the name."""
    return seen.stamped(segments.mark_of(rule), tx.now)


def _question(house: Runtime, visit: Visit, form: Posted, *, is_removed: bool = False) -> dict[str, Any] | None:
    """What is to be asked before a segment that the paper names is removed, or means others; None where nothing is."""
    if form.text(_SURE):
        return None
    name, rule = form.text("name").strip(), form.text("rule")
    with house.reading() as tx:
        saved = next((one for one in segments.listing(tx.session, visit.actor) if one.name == name), None)
        if saved is None or (not is_removed and saved.rule == rule):
            return None
        is_own = saved.place == home_of(tx.session, visit.actor)
        if is_own and seen.is_outdated(form.text(READ), segments.mark_of(saved.rule), segments.mark_of(rule)):
            # that comes first, and is told by who saves it
            return None
        uses = segment_uses(tx.session, visit.actor, name)
    named = used_in(uses)
    if not named:
        return None
    asked: dict[str, Any] = {"fields": {"name": name, "rule": rule, _SURE: "yes", READ: form.text(READ)}}
    if is_removed:
        told = before_removal(name, uses)
        return asked | {"words": told, "path": PATH + "/remove", "deed": tr("Remove it all the same")}
    told = tr(
        "{name} is used: {where}. These will be for whomever the new rule holds: {words}.",
        name=name,
        where=named,
        words=segment_words(rule),
    )
    return asked | {"words": told, "path": PATH, "deed": tr("Replace it all the same")}


def _draw(
    request: Request,
    house: Runtime,
    visit: Visit,
    name: str,
    rule: str,
    error: BroadsheetError | None = None,
    *,
    exactly: bool = False,
    most: int = ROWS,
    rows: Sequence[Clause] = (),
    is_any: bool = False,
    question: Mapping[str, Any] | None = None,
    read: str = "",
) -> Response:
    counted = None
    people: Sequence[Someone] = ()
    hint = ""
    clicked = clauses_of(rule) if rule.strip() else ([], False)
    if rows:
        clicked = (list(rows), is_any)
    with house.reading() as tx:
        day = today(house, tx)
        own = own_columns(tx, visit, day)
        if rule.strip() and not rows:
            try:
                counted = how_many(tx, visit, rule, day, exactly=exactly)
                people, _ = segments.some(tx.session, visit.view, rule, on=day, limit=SAMPLE)
                hint = "" if people else why_nobody(tx, visit, rule, own, day)
            except BroadsheetError as wrong:
                error = error or wrong
        saved = segments.listing(tx.session, visit.actor)
        its_rule = next((one.rule for one in saved if one.name == name.strip()), None)
        opened = {one.name: _opened(tx, one.rule) for one in saved}
        if isinstance(error, Outdated):
            read = _opened(tx, its_rule)
        read = read or _opened(tx, None)
        shown, is_any = clicked or ([], False)
        offered = rows_for(tx, visit, shown, most=most, is_any=is_any, saved=saved, own=own)
        if clicked is None:
            offered["clauses"] = None
    # of a rule that can be counted, only its name can be wrong
    at = "name" if counted else "joined" if rows else "rule"
    if isinstance(error, Outdated):
        at = "theirs" if rule else ""
    return draw(
        request,
        "segments.html",
        status=422 if error else 200,
        trouble=row_trouble(error, at, own) if error else None,
        saved=[
            {
                "name": one.name,
                "rule": one.rule,
                "words": segment_words(one.rule),
                "saved_by": actor_word(one.saved_by),
                "place": place_words(one.place),
                "read": opened[one.name],
            }
            for one in saved
        ],
        built_in=listed(status_word(name) for name in BUILT_IN),
        words=segment_words(rule),
        is_typed=clicked is None or bool(error and not rows and counted is None),
        counted=counted,
        sample=[
            {"id": one.id, "name": one.name, "standing": standing_words(one.status, away=one.mobile)} for one in people
        ],
        name=name,
        rule=rule,
        hint=hint,
        question=question,
        read=read,
        their_words=segment_words(its_rule or ""),
        **offered,
    )
