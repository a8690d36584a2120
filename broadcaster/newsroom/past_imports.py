"""Lists that were taken in: what came of each, its refused rows, and the way back."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse

from broadcaster.language import msgid, tr
from broadcaster.newsroom import refused_rows
from broadcaster.newsroom.acting import attempt, read_number
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.members import PAGE, Behind, Id
from broadcaster.runtime import Runtime
from broadcaster.undoing import undo_import
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from subscribers import audit, importing
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, NotFound

router = APIRouter()

PATH = "/members/imports"


@shows(router, PATH, needs=Right.REGISTER)
def listing(request: Request, house: House, visit: Here, before: Behind = 0) -> Response:
    """The newest first, fifty at a time."""
    return _draw(request, house, visit, before=before)


@takes(router, PATH, needs=Right.REGISTER)
def take_back(request: Request, house: House, visit: Here, form: Form) -> Response:
    """An import is taken back."""

    def work(tx: Tx) -> Response:
        number = read_number(form.text("import"), tr("import"))
        undone = undo_import(tx.session, visit.actor, number, now=tx.now)
        return done(
            visit,
            PATH,
            msgid("Taken back: {removed} gone again, {restored} as before, {kept} changed since and left alone."),
            removed=undone.removed,
            restored=undone.restored - undone.removed,
            kept=undone.kept,
        )

    return attempt(house, work, lambda error: _draw(request, house, visit, error))


@shows(router, PATH + "/{id}/refused", needs=Right.REGISTER)
def refused(house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """The refused rows with the reasons, to be corrected and taken in; that somebody had them is written down."""
    with house.begin() as tx:
        theirs = importing.past(tx.session, visit.actor, before=id + 1, limit=1)
        file = refused_rows.find(house, id)
        if not theirs or theirs[0].id != id or file is None:
            raise NotFound("There are no refused rows of this import any more.", hint="They are kept for a month.")
        audit.note(tx.session, visit.actor, "members.refused", f"import {id}", people=theirs[0].refused, now=tx.now)
    return FileResponse(file, media_type="text/csv", filename=f"refused-{id}.csv")


def _draw(
    request: Request, house: Runtime, visit: Visit, error: BroadsheetError | None = None, *, before: int = 0
) -> Response:
    with house.reading() as tx:
        found = importing.past(tx.session, visit.view, before=before or None, limit=PAGE + 1)
        now = tx.now
    lines: list[dict[str, Any]] = [
        {
            "id": one.id,
            "file": one.file_name,
            "who": tr("{who}, {time}", who=one.by, time=when(one.at, now, house.settings.zone)),
            "figures": tr(
                "{created} new, {updated} changed, {unchanged} as they were, {refused} refused",
                created=one.created,
                updated=one.updated,
                unchanged=one.unchanged,
                refused=one.refused,
            ),
            "is_undone": one.undone_at is not None,
            "is_nothing": not one.created + one.updated,
            "has_refused": one.refused and refused_rows.find(house, one.id) is not None,
        }
        for one in found[:PAGE]
    ]
    return draw(
        request,
        "imports.html",
        status=422 if error else 200,
        trouble=trouble(error) if error else None,
        lines=lines,
        onward=urlencode({"before": found[PAGE - 1].id}) if len(found) > PAGE else "",
    )
