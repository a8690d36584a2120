"""The picture of an item: handed in and made small, taken out, put back. The item itself changes when it is saved."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from broadcaster.language import msgid
from broadcaster.newspaper import drafts, items, pictures
from broadcaster.newspaper.drafts import Fields
from broadcaster.newspaper.models import Item
from broadcaster.newsroom.drawing import done
from broadcaster.newsroom.handed_in import CHOSEN, take_in
from broadcaster.newsroom.item_drafts import FIELDS, number, path_of
from broadcaster.newsroom.item_form import typed
from broadcaster.newsroom.item_page import draw_item, may_write
from broadcaster.newsroom.members import Id
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.jpegs import jpeg
from broadcaster.web.visits import Here, Visit
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Denied

router = APIRouter()

_OWN = frozenset({pictures.FIELD, "alt"})


@shows(router, "/items/pictures/{id}", needs=Right.SEE)
def look(house: House, visit: Here, id: Id, large: Annotated[bool, Query()] = False) -> Response:  # noqa: A002
    """A picture that one has handed in, or of an item that one sees."""
    with house.reading() as tx:
        content = pictures.look(tx.session, visit.actor, id, large=large)
    return jpeg(content)


@takes(router, "/items/new/picture", needs=Right.WRITE)
def of_new(request: Request, house: House, visit: Here, form: Form) -> Response:
    """A picture for an item that is none yet."""
    return _change(request, house, visit, form, None)


@takes(router, "/items/{id}/picture", needs=Right.WRITE)
def of_one(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """A picture for an item."""
    with house.reading() as tx:
        found = items.get(tx.session, visit.actor, id)
    if not may_write(visit, found):
        raise Denied("This item is not yours to change now.", hint="Make a copy of it, and change that.")
    return _change(request, house, visit, form, found)


def _change(request: Request, house: Runtime, visit: Visit, form: Posted, item: Item | None) -> Response:
    act, told = form.text("act"), dict[str, int]()
    can_go_back, onward = act != "back", ""
    draft_id, saves, version = number(form, "draft"), number(form, "saves"), number(form, "version")
    try:
        fields: Fields = [(name, value) for name, value in form.pairs() if name in FIELDS - _OWN]
        if act == "back":
            with house.reading() as tx:
                kept = drafts.get(tx.session, visit.actor, visit.signed_in.user_id, draft_id)
            saves, version = kept.saves, kept.version
            own = [(pictures.FIELD, form.text(pictures.FIELD)), ("alt", form.text("alt"))]
            fields = [*((name, value) for name, value in kept.fields if name not in _OWN), *own]
            words = msgid("The picture is as it was.")
        elif act == "out":
            words = msgid("The picture is taken out. Save the item to have it so.")
        elif form.file(CHOSEN) is None and form.text(pictures.FIELD):
            # pressed once more, or without having chosen another one
            fields = [*fields, (pictures.FIELD, form.text(pictures.FIELD)), ("alt", form.text("alt"))]
            words, can_go_back = msgid("The picture is as it was."), False
        else:
            words, told, chosen = _take_in(house, visit, form)
            # what is still to be filled in stands far below the head of the page
            onward = "#alt"
            # the words of the one before would be wrong
            fields = [*fields, (pictures.FIELD, str(chosen))]
        with house.begin() as tx:
            draft = drafts.keep(
                tx.session,
                visit.actor,
                visit.signed_in.user_id,
                fields,
                item_id=item.id if item else None,
                version=version,
                draft_id=draft_id,
                saves=saves,
                now=tx.now,
            )
    except BroadsheetError as error:
        again = {"corrects": number(form, "corrects"), "form": form, "field": CHOSEN}
        return draw_item(request, house, visit, typed(form), item, error=error, **again)  # type: ignore[arg-type]
    if not can_go_back:
        return done(visit, path_of(draft), words)
    back = {"act": "back", "draft": str(draft.id), "alt": form.text("alt"), pictures.FIELD: form.text(pictures.FIELD)}
    undo = f"/items/{item.id if item else 'new'}/picture"
    return done(visit, path_of(draft) + onward, words, undo=undo, undo_fields=back, **told)


def _take_in(house: Runtime, visit: Visit, form: Posted) -> tuple[str, dict[str, int], int]:
    chosen, shrunk, size = take_in(house, visit, form)
    words = msgid("The picture had {before} KB and has {after} KB now. Say what is in it, and save the item.")
    if shrunk.moves:
        words = msgid("The picture does not move any more. Say what is in it, and save the item.")
    return words, {"before": _kilobytes(size), "after": _kilobytes(len(shrunk.large.content))}, chosen


def _kilobytes(size: int) -> int:
    return -(-size // 1000)
