"""Lists that were taken in: what came of each, its refused rows, and the way back."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.language import filled, in_a_row, msgid, tr
from broadcaster.newsroom.acting import attempt, read_number
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.members import PAGE, Behind, Id
from broadcaster.questions import before_undo
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, shows, takes
from broadcaster.web.figures import when
from broadcaster.web.house import House
from broadcaster.web.told import untyped
from broadcaster.web.visits import Here, Visit
from broadcaster.words import actor_word
from subscribers import audit, importing, list_jobs
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, NotFound
from subscribers.importing import PastImport, RefusedRow, refused_rows
from subscribers.importing.undo import may_be_undone

router = APIRouter()

PATH = "/members/imports"
#: of its refused rows, so many are told of on the page of a list
_REFUSED = 20
#: the field of who was asked, and means it
_SURE = "sure"


@shows(router, PATH, needs=Right.REGISTER)
def listing(request: Request, house: House, visit: Here, before: Behind = 0) -> Response:
    """The newest first, fifty at a time."""
    return _draw(request, house, visit, before=before)


@takes(router, PATH, needs=Right.REGISTER)
def take_back(request: Request, house: House, visit: Here, form: Form) -> Response:
    """An import is to be taken back: what that means is asked first, then a worker does it."""
    if not form.text(_SURE):
        return _ask(request, house, visit, form.text("import"))

    def work(tx: Tx) -> Response:
        number = read_number(form.text("import"), tr("import"))
        token = list_jobs.ask_undo(tx.session, visit.actor, number, now=tx.now)
        return RedirectResponse(f"/members/import/{token}", 303)

    return attempt(house, work, lambda error: _draw(request, house, visit, trouble(error)))


def _ask(request: Request, house: Runtime, visit: Visit, typed: str) -> Response:
    try:
        number = read_number(typed, tr("import"))
        with house.reading() as tx:
            run = may_be_undone(tx.session, visit.actor, number)
            at = when(run.at, tx.now, house.settings.zone)
            asked = tr("Undo the import of {file}, {time}?", file=run.file_name, time=at)
            question = {"asked": asked, "told": before_undo(run), "fields": {"import": number, _SURE: "yes"}}
    except BroadsheetError as error:
        return _draw(request, house, visit, trouble(error))
    return _draw(request, house, visit, question=question)


def undo_over(
    request: Request, house: Runtime, visit: Visit, answer: Mapping[str, Any] | None, wrong: dict[str, str] | None
) -> Response:
    """What came of taking one back: above the list if it went well, on it if not."""
    if answer is None:
        return _draw(request, house, visit, wrong)
    # an answer of an earlier version of the program does not tell of organisations
    places = answer.get("places", 0)
    told = msgid("Taken back: {removed} gone again, {restored} as before, {kept} changed since and left alone.")
    with_places = msgid(
        "Taken back: {removed} gone again, {restored} as before, {kept} changed since and left alone. "
        "Organisations that are gone again: {places}."
    )
    return done(
        visit,
        PATH,
        with_places if places else told,
        removed=answer["removed"],
        restored=answer["restored"] - answer["removed"],
        kept=answer["kept"],
        places=places,
    )


def in_a_sentence(fault: Mapping[str, Any]) -> str:
    """Why a row was refused, in the reader's language: its message and hint over its fields."""
    what, then = (filled(fault[each], fault["fields"]) for each in ("message", "hint"))
    return in_a_row(what, untyped(then))


@shows(router, PATH + "/{id}", needs=Right.REGISTER)
def one(request: Request, house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """What came of a list, and why rows of it were refused."""
    with house.reading() as tx:
        found = importing.past(tx.session, visit.view, before=id + 1, limit=1)
        if not found or found[0].id != id:
            raise NotFound("There is no such list here.", hint="Load the lists again.")
        line = _lines(house, tx, found)[0]
        headings: list[str] = []
        rows: list[RefusedRow] = []
        if line["has_refused"]:
            headings, rows = refused_rows.find(tx.session, visit.actor, id, most=_REFUSED)
    refused = [
        {"row": each.row, "stood": " · ".join(importing.as_it_stood(headings, each)), "reason": _reason(each)}
        for each in rows
    ]
    return draw(request, "import_past.html", one=line, refused=refused, more=found[0].refused - len(rows))


@shows(router, PATH + "/{id}/refused", needs=Right.REGISTER)
def refused(house: House, visit: Here, id: Id) -> Response:  # noqa: A002
    """The refused rows with the reasons, to be corrected and taken in; that somebody had them is written down."""
    with house.begin() as tx:
        headings, rows = refused_rows.find(tx.session, visit.actor, id)
        audit.note(tx.session, visit.actor, "members.refused", f"import {id}", people=len(rows), now=tx.now)
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "refused.csv"
        importing.write_rejects(file, headings, rows, why=_reason, heads=(tr("Refused row"), tr("Refused reason")))
        content = file.read_bytes()
    named = {"Content-Disposition": f'attachment; filename="refused-{id}.csv"'}
    return Response(content, media_type="text/csv", headers=named)


def _reason(one: RefusedRow) -> str:
    return in_a_sentence({"message": one.message, "hint": one.hint, "fields": one.fields})


def _draw(
    request: Request,
    house: Runtime,
    visit: Visit,
    wrong: dict[str, str] | None = None,
    *,
    before: int = 0,
    question: Mapping[str, Any] | None = None,
) -> Response:
    with house.reading() as tx:
        found = importing.past(tx.session, visit.view, before=before or None, limit=PAGE + 1)
        lines = _lines(house, tx, found[:PAGE])
    return draw(
        request,
        "imports.html",
        status=422 if wrong else 200,
        trouble=wrong,
        question=question,
        lines=lines,
        onward=urlencode({"before": found[PAGE - 1].id}) if len(found) > PAGE else "",
    )


def _lines(house: Runtime, tx: Tx, found: Sequence[PastImport]) -> list[dict[str, Any]]:
    with_refused = refused_rows.kept_of(tx.session, [one.id for one in found])
    return [
        {
            "id": one.id,
            "file": one.file_name,
            "who": tr("{who}, {time}", who=actor_word(one.by), time=when(one.at, tx.now, house.settings.zone)),
            "figures": tr(
                "{created} new, {updated} changed, {unchanged} as they were, {refused} refused",
                created=one.created,
                updated=one.updated,
                unchanged=one.unchanged,
                refused=one.refused,
            ),
            "is_undone": one.undone_at is not None,
            "is_nothing": not one.created + one.updated,
            "has_refused": one.id in with_refused,
        }
        for one in found
    ]
