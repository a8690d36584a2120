"""An edition being put together: its columns and items on one side, the phones of its readers on the other."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.language import filled, msgid, translated
from broadcaster.newspaper import columns, editions, items, making, publishing
from broadcaster.newspaper.edition_file import MAX_SMS
from broadcaster.newspaper.items import Move, Shelf
from broadcaster.newspaper.lint import about_full_texts
from broadcaster.newspaper.making import Layout, PlacedItem
from broadcaster.newspaper.models import Item, ItemState
from broadcaster.newspaper.pasted import clean_line
from broadcaster.newsroom.columns import starters
from broadcaster.newsroom.drawing import READ, done, draw, trouble
from broadcaster.newsroom.editions import PATH, day_of
from broadcaster.newsroom.items import audience_words, state_words, variants_words
from broadcaster.newsroom.members import Id
from broadcaster.newsroom.proofs import phones, proof_panel
from broadcaster.newsroom.remarks import beside_sentence
from broadcaster.newsroom.sends import older_sends, times_out
from broadcaster.newsroom.tabs import shown_of
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import actor_word
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Conflict, Invalid, NotFound, Outdated

router = APIRouter()

#: of an edition, by its number
ONE = PATH + "/{id}"
#: items that are offered at once
OFFERED = 50
_Asked = Annotated[int, Query(ge=0, lt=2**53)]


@shows(router, ONE, needs=Right.SEE)
def edition(
    request: Request,
    house: House,
    visit: Here,
    id: Id,  # noqa: A002
    add: _Asked = 0,
    q: str = "",
    who: str = "",
    item: _Asked = 0,
    sms: str = "",
) -> Response:
    """The edition. `add` is a column for which items are offered, `q` what they are looked for by.

    With `item` only the phones, with `sms` for its sentence: what is being typed.
    """
    if not item:
        return _draw(request, house, visit, id, add=add, q=q, who=who)
    typed = {item: clean_line(sms[: 4 * MAX_SMS])[:MAX_SMS]}
    with house.reading() as tx:
        drawn = phones(house, tx, visit.actor, id, who=who, instead=typed)
    return draw(request, "phone.html", phones=drawn, may_edit=Right.EDIT in visit.actor.rights, one_only=False)


@takes(router, ONE, needs=Right.EDIT)
def rename(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """Another day and title."""
    try:
        with house.begin() as tx:
            day, title, read = day_of(form), form.text("title"), form.text(READ)
            making.rename(tx.session, visit.actor, id, day=day, title=title, read=read, now=tx.now)
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, error=error, at="theirs" if isinstance(error, Outdated) else "title")
    return done(visit, f"{PATH}/{id}", msgid("Saved."))


@takes(router, ONE + "/place", needs=Right.EDIT)
def place(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """Items into a column; with `accept`, those that nobody has accepted yet are accepted before."""
    column = _number(form, "column")
    try:
        with house.begin() as tx:
            chosen = [int(each) for each in form.texts("item") if _is_number(each)]
            if form.text("accept"):
                _accept(tx, visit, chosen)
            made = making.place(tx.session, visit.actor, id, column, chosen)
            if not chosen:
                raise Invalid("Nothing was ticked.", hint="Tick the items that go into the column.")
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, error=error, add=column, q=form.text("q"))
    # pressed twice, they stand there already
    return RedirectResponse(f"{PATH}/{id}#" + (f"p{made[0]}" if made else f"column-{column}"), 303)


@takes(router, ONE + "/move", needs=Right.EDIT)
def move(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """A step up or down, or into a column."""
    placement, to = _number(form, "placement"), form.text("to")
    try:
        with house.begin() as tx:
            if to in ("up", "down"):
                making.move(tx.session, visit.actor, id, placement, down=to == "down")
            else:
                position = _number(form, "position") if form.text("position") else None
                making.move_to(tx.session, visit.actor, id, placement, _number(form, "column"), position)
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, error=error)
    return RedirectResponse(f"{PATH}/{id}#p{placement}", 303)


@takes(router, ONE + "/out", needs=Right.EDIT)
def take_out(house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """An item out of the edition."""
    with house.begin() as tx:
        laid = making.layout(tx.session, visit.actor, id)
        headlines = {each.item.id: each.item.headline for column in laid.columns for each in column.items}
        column, item = making.take_out(tx.session, visit.actor, id, _number(form, "placement"))
        can_go_back = _is_seen(tx, visit, item)
    back = {"column": str(column), "item": str(item)}
    told, undo = msgid("Taken out: {headline}."), f"{PATH}/{id}/place" if can_go_back else ""
    return done(visit, f"{PATH}/{id}", told, headline=headlines.get(item, ""), undo=undo, undo_fields=back)


@takes(router, ONE + "/columns", needs=Right.EDIT)
def add_column(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """A column of this edition only."""
    try:
        with house.begin() as tx:
            made = making.add_column(tx.session, visit.actor, id, form.text("name"))
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, error=error)
    back = {"column": str(made.id)}
    told = msgid("The column {name} is there.")
    return done(visit, f"{PATH}/{id}", told, name=made.name, undo=f"{PATH}/{id}/columns/remove", undo_fields=back)


@takes(router, ONE + "/columns/standing", needs=Right.EDIT)
def take_columns(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """The columns that come back, into an edition without any; who has none begins with those that are offered."""
    try:
        with house.begin() as tx:
            if not columns.tree(tx.session, visit.actor):
                columns.begin(tx.session, visit.actor, starters(), now=tx.now)
            making.take_columns(tx.session, visit.actor, id)
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, error=error)
    return done(visit, f"{PATH}/{id}", msgid("The columns are there."))


@takes(router, ONE + "/columns/remove", needs=Right.EDIT)
def remove_column(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """An empty column out of this edition."""
    try:
        with house.begin() as tx:
            making.remove_column(tx.session, visit.actor, id, _number(form, "column"))
    except (Invalid, Conflict) as error:
        return _draw(request, house, visit, id, error=error)
    return done(visit, f"{PATH}/{id}", msgid("The column is gone."))


@takes(router, ONE + "/sentence", needs=Right.EDIT)
def sentence(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """Another sentence for an item, without leaving the edition."""
    item, version = _number(form, "item"), _number(form, "version")
    try:
        with house.begin() as tx:
            making.layout(tx.session, visit.actor, id)
            words = items.words_of(items.get(tx.session, visit.actor, item))
            words = replace(words, sms=form.text("sms"))
            items.change(tx.session, visit.actor, item, words, version=version, now=tx.now)
    except (Invalid, Conflict) as error:
        kept = {item: form.text("sms")}
        return _draw(request, house, visit, id, error=error, typed=kept, theirs=isinstance(error, Outdated))
    return done(visit, f"{PATH}/{id}#p{_number(form, 'placement')}", msgid("Saved."))


def _is_seen(tx: Tx, visit: Visit, item: int) -> bool:
    """Whether it is theirs, or shared still: the place above may have taken it out of the pool since."""
    try:
        return bool(items.get(tx.session, visit.actor, item))
    except NotFound:
        return False


def _accept(tx: Tx, visit: Visit, chosen: Sequence[int]) -> None:
    for each in dict.fromkeys(chosen):
        # pressed twice, they are accepted already
        if items.get(tx.session, visit.actor, each).state != ItemState.READY:
            items.decide(tx.session, visit.actor, each, Move.ACCEPT, now=tx.now)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16


def _number(form: Posted, name: str) -> int:
    """A number that a page of ours has put there; 0, which nothing has, for anything else."""
    text = form.text(name)
    return int(text) if _is_number(text) else 0


def _draw(
    request: Request,
    house: Runtime,
    visit: Visit,
    number: int,
    *,
    error: BroadsheetError | None = None,
    add: int = 0,
    q: str = "",
    who: str = "",
    typed: dict[int, str] | None = None,
    theirs: bool = False,
    at: str = "",
) -> Response:
    with house.reading() as tx:
        laid = making.layout(tx.session, visit.actor, number)
        drawn: list[dict[str, Any]] = []
        wrong = error
        try:
            drawn = phones(house, tx, visit.actor, number, who=who, instead=typed)
        except Invalid as gone:
            # a segment that a variant names is not there any more: that is mended on this page
            wrong = error or gone
        standing = [] if laid.columns else [line.name for line in columns.tree(tx.session, visit.actor)]
        panel = proof_panel(house, tx, visit, number)
        older = older_sends(house, tx, visit, number)
        out = times_out(house, tx, visit, [number]).get(number, [])
        made = when(laid.edition.created_at, tx.now, house.settings.zone)
        is_page_old = number in publishing.outdated(tx.session, [number])
        readers = publishing.readers_of(tx.session, visit.actor, number) if is_page_old else ""
        placed = [each.item for column in laid.columns for each in column.items]
        decided = editions.own_texts(tx.session, laid.edition)
        unled = [
            (filled(remark.message, remark.fields), translated(remark.hint))
            for remark in about_full_texts(placed, laid.variants, decided, house.settings.web.pages)
        ]
        unread = any(publishing.without_readers(tx.session, visit.actor, number))
        there = {placed.item.id for column in laid.columns for placed in column.items}
        offered, waiting = _offered(tx, visit, q.strip(), there) if add else ([], [])
    may_edit = laid.is_own and Right.EDIT in visit.actor.rights
    return draw(
        request,
        "composer.html",
        status=422 if error else 200,
        trouble=trouble(wrong, at, is_typed=wrong is error) if wrong else None,
        edition=laid.edition,
        mark=making.heading_mark(laid.edition),
        columns=[
            {"id": column.id, "name": column.name, "items": [_told(laid, each, typed or {}) for each in column.items]}
            for column in laid.columns
        ],
        standing=standing or starters(),
        variants=variants_words(laid.variants),
        is_open=not laid.columns,
        phones=drawn,
        shown=shown_of(request, number, len(drawn)),
        one_only=False,
        who=who,
        may_edit=may_edit,
        add=add if may_edit else 0,
        q=q,
        offered=offered,
        waiting=[
            {"id": each.id, "headline": each.headline, "sms": each.sms, "state": state_words(each)}
            for each in waiting[:OFFERED]
        ],
        wait_more=len(waiting) > OFFERED,
        typed=typed or {},
        theirs=theirs,
        unread=unread,
        unled=unled,
        older=older,
        out=out,
        made=made,
        maker=actor_word(laid.edition.created_by),
        is_page_old=is_page_old,
        readers=readers,
        page_mark=publishing.mark_of(readers, is_published=is_page_old),
        **panel,
    )


def _offered(tx: Tx, visit: Visit, words: str, there: Collection[int]) -> tuple[list[Item], Sequence[Item]]:
    """The items that can be put in, and those that nobody has accepted yet, with one more than are drawn."""
    found = items.listing(tx.session, visit.actor, Shelf.READY, words=words, limit=OFFERED)
    offered = [each for each in found if each.id not in there]
    return offered, items.listing(tx.session, visit.actor, Shelf.UNACCEPTED, words=words, limit=OFFERED + 1)


def _told(laid: Layout, placed: PlacedItem, typed: dict[int, str]) -> dict[str, Any]:
    item = placed.item
    return {
        "placement": placed.id,
        "id": item.id,
        "headline": item.headline,
        "sms": typed.get(item.id, item.sms),
        "remarks": beside_sentence(typed.get(item.id, item.sms)),
        "version": item.version,
        "audience": audience_words(item.audience),
        "source": item.source,
        "until": item.valid_to,
        "is_late": item.valid_to is not None and item.valid_to < laid.edition.date,
        "is_gone": item.state == ItemState.WITHDRAWN,
    }
