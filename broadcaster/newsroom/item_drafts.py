"""What is being written in an item: kept by itself, gone on with, thrown away; and who else is writing there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.datastructures import FormData

from broadcaster.language import in_a_row, msgid, tell, tr
from broadcaster.newspaper import drafts, items, making, presence
from broadcaster.newspaper.models import ItemDraft
from broadcaster.newspaper.pasted_html import as_markdown
from broadcaster.newspaper.pictures import FIELD
from broadcaster.newsroom.drawing import done, draw
from broadcaster.newsroom.editions import PATH as EDITIONS
from broadcaster.newsroom.members import Id
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from broadcaster.words import actor_word
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError

router = APIRouter()

_MOST_VERSION = 10**8
#: the fields of the form of an item that are kept
FIELDS = frozenset(
    {"headline", "sms", "full", "column", "whom", "audience", "other_audience", "source", "valid_from", "valid_to"}
    | {"corrects", FIELD, "alt"}
    # the rows that are being clicked together
    | {"joined", "field", "sign", "value"}
)


@takes(router, "/items/keep", needs=Right.WRITE)
def keep(request: Request, house: House, visit: Here, form: Form) -> Response:
    """What was typed so far; the answer is the line that says so, and nothing that one types in."""
    item_id = number(form, "item")
    told, draft_id, saves = "", number(form, "draft"), number(form, "saves")
    status, outdated_by = 200, ""
    try:
        with house.begin() as tx:
            version = number(form, "version")
            fields = [(name, value) for name, value in form.pairs() if name in FIELDS]
            kept = drafts.keep(
                tx.session,
                visit.actor,
                visit.signed_in.user_id,
                fields,
                item_id=item_id or None,
                version=version,
                draft_id=draft_id,
                saves=saves,
                now=tx.now,
            )
            draft_id, saves = kept.id, kept.saves
            told = tr("Draft kept {time}", time=f"{tx.now.astimezone(house.settings.zone):%H:%M}")
            outdated_by = _saved_since(tx, visit, item_id, version)
    except BroadsheetError as error:
        status, told = 422, in_a_row(*tell(error))
    return draw(
        request, "item_kept.html", status=status, told=told, draft=draft_id, saves=saves, outdated_by=outdated_by
    )


@takes(router, "/items/pasted", needs=Right.WRITE)
def pasted(form: Form) -> Response:
    """What a browser has to paste, as it stands in the box: the script of the page puts it there."""
    return PlainTextResponse(as_markdown(form.text("html")))


@shows(router, "/items/drafts", needs=Right.WRITE)
def unfinished(request: Request, house: House, visit: Here) -> Response:
    """What one has begun and not saved."""
    with house.reading() as tx:
        lines = [
            _line(house, tx, each)
            for each in drafts.unfinished(tx.session, visit.actor, visit.signed_in.user_id, limit=drafts.DRAFTS)
        ]
    return draw(request, "item_drafts.html", lines=lines)


@takes(router, "/items/drafts/discard", needs=Right.WRITE)
def discard(house: House, visit: Here, form: Form) -> Response:
    """Thrown away, or taken back."""
    draft_id, item_id, is_back = number(form, "draft"), number(form, "item"), form.text("back") == "1"
    with house.begin() as tx:
        drafts.discard(tx.session, visit.actor, visit.signed_in.user_id, draft_id, back=is_back, now=tx.now)
    onward = f"/items/{item_id}" if item_id else "/items/drafts"
    if is_back:
        return done(visit, onward, msgid("The draft is back."))
    fields = {"draft": str(draft_id), "item": str(item_id or ""), "back": "1"}
    return done(visit, onward, msgid("The draft is gone."), undo="/items/drafts/discard", undo_fields=fields)


@takes(router, "/items/{id}/here", needs=Right.WRITE)
def in_item(request: Request, house: House, visit: Here, form: Form, id: Id) -> Response:  # noqa: A002
    """One has this item open: who else has, and whether it was saved since."""
    version = number(form, "version")
    with house.reading() as tx:
        items.get(tx.session, visit.actor, id)
        saved_by = _saved_since(tx, visit, id, version)
    return _present(request, house, visit, f"item {id}", f"/items/{id}/here", version=version, saved_by=saved_by)


@takes(router, EDITIONS + "/{id}/here", needs=Right.EDIT)
def in_edition(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """One has this edition open: who else has."""
    with house.reading() as tx:
        making.layout(tx.session, visit.actor, id)
    return _present(request, house, visit, f"edition {id}", f"{EDITIONS}/{id}/here")


def number(form: Posted, name: str) -> int:
    """A number that a page of ours has put there; 0, which nothing has, for anything else."""
    text = form.text(name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def version_read(form: Posted) -> int:
    """The version of an item that stood on the page; beyond what any has, and what a database takes, it is made up."""
    return min(number(form, "version"), _MOST_VERSION)


def typed_in(draft: ItemDraft) -> Posted:
    """The form as it was kept."""
    return Posted(FormData([(name, value) for name, value in draft.fields]))


def path_of(draft: ItemDraft) -> str:
    """Where one goes on with it."""
    corrects = typed_in(draft).text("corrects")
    path = f"/items/{draft.item_id}" if draft.item_id else "/items/new"
    more = f"&corrects={corrects}" if corrects.isdecimal() and corrects.isascii() else ""
    return f"{path}?draft={draft.id}{more}"


def _saved_since(tx: Tx, visit: Visit, item_id: int, version: int) -> str:
    if not item_id:
        return ""
    item = items.get(tx.session, visit.actor, item_id)
    return actor_word(item.changed_by) if version and item.version > version else ""


def _line(house: Runtime, tx: Tx, draft: ItemDraft) -> dict[str, Any]:
    form = typed_in(draft)
    return {
        "id": draft.id,
        "item": draft.item_id or "",
        "path": path_of(draft),
        "headline": " ".join(form.text("headline").split())[:100] or tr("Without a headline"),
        "sms": " ".join(form.text("sms").split())[:100],
        "at": when(draft.saved_at, tx.now, house.settings.zone),
    }


def _present(
    request: Request, house: Runtime, visit: Visit, place: str, path: str, *, version: int = 0, saved_by: str = ""
) -> Response:
    me = visit.signed_in.user_id
    with house.reading() as tx:
        is_due = presence.is_to_be_noted(tx.session, place, me, now=tx.now)
        found: Sequence[presence.Present] = presence.others(tx.session, place, me, now=tx.now)
    if is_due:
        with house.begin() as tx:
            presence.note(tx.session, place, me, now=tx.now)
    zone = house.settings.zone
    told = [
        tr("{who} has this open since {time}", who=each.name, time=f"{each.since.astimezone(zone):%H:%M}")
        for each in found
    ]
    return draw(request, "others.html", others_at=path, others=told, version=version, saved_by=saved_by)
