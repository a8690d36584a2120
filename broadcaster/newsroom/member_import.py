"""A list of members into the registry: chosen, looked at, taken in, and taken back if it was the wrong one."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.language import filled
from broadcaster.list_notes import notes_of
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.newsroom.list_words import told_last_time, told_list, told_unread
from broadcaster.newsroom.member_page import told_record
from broadcaster.newsroom.members import today
from broadcaster.newsroom.past_imports import undo_over
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.told import untyped
from broadcaster.web.visits import Here, Visit
from subscribers import list_jobs
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Invalid
from subscribers.list_jobs import ListKind, ListState
from subscribers.models import ListJob, Status
from subscribers.records import NumberOnRecord, Record

router = APIRouter()

#: the name of a file that was handed in
Token = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
#: after which something that waits needs a word of why
_LATE = timedelta(seconds=30)
#: bytes of a file at a time
_READ = 1024 * 1024
_ENDINGS = (".csv", ".xlsx", ".txt")
#: what is said of a list before anything is
_NOTHING: Mapping[str, Any] = {"mapping": {}, "shared": False, "agreed": ""}


@shows(router, "/members/import", needs=Right.REGISTER)
def choose(request: Request) -> Response:
    """The form for a file."""
    return draw(request, "import.html", given=_NOTHING, last=None)


@takes(router, "/members/import", needs=Right.REGISTER)
def hand_in(request: Request, house: House, visit: Here, form: Form) -> Response:
    """A file; it is looked at, and nothing is written."""
    try:
        upload = form.file("file")
        if upload is None:
            raise Invalid("No file was chosen.", hint="Choose a CSV or XLSX file of your members.")
        name = _clean(upload.filename or "")
        with house.begin() as tx:
            pieces = iter(partial(upload.file.read, _READ), b"")
            token = list_jobs.hand_in(tx.session, visit.actor, name, pieces, _given(form), now=tx.now)
    except BroadsheetError as error:
        return _choose_again(request, error, _given(form))
    return RedirectResponse(f"/members/import/{token}", 303)


@shows(router, "/members/import/{token}", needs=Right.REGISTER)
def follow(request: Request, house: House, visit: Here, token: Token, live: bool = False) -> Response:
    """How far it is with a file: looked at, taken in, taken back, or what is to be said about it."""
    with house.reading() as tx:
        job = list_jobs.find(tx.session, visit.actor, token)
        day = today(house, tx)
        now = tx.now
    is_late = now - job.asked_at > _LATE
    if job.is_open:
        rows = notes_of(house).rows(token, job.rows) if job.state == ListState.RUNNING else 0
        waits = job.state == ListState.WAITING
        template = "import_wait_live.html" if live else "import_wait.html"
        return draw(request, template, token=token, kind=job.kind, rows=rows, waits=waits, is_late=waits and is_late)
    if live:
        # the whole page goes on, and not the part of it
        return Response(status_code=204, headers={"HX-Redirect": f"/members/import/{token}"})
    error = _told_trouble(job)
    if job.kind == ListKind.UNDO:
        return undo_over(request, house, visit, job.answer, error)
    if error is not None and job.given["mapping"]:
        # the file is still here: what was chosen can be chosen otherwise
        told = told_unread(job.given["mapping"]) | {"trouble": error | {"field": "column-1"}}
        return draw(
            request, "import_look.html", status=422, **told, samples=[], token=token, given=job.given, last=None
        )
    if error is not None or job.answer is None:
        return _choose_again(request, error, job.given)
    if job.kind == ListKind.TAKE:
        return _draw_taken(request, job.answer)
    samples = [told_record(_record(each), day) for each in job.answer["samples"]]
    told = told_list(job.answer, taken=False)
    last = told_last_time(job.answer, job.given, now, house.settings.zone)
    return draw(request, "import_look.html", **told, samples=samples, token=token, given=job.given, last=last)


@takes(router, "/members/import/{token}/look", needs=Right.REGISTER)
def look_again(house: House, visit: Here, form: Form, token: Token) -> Response:
    """The same file with other columns."""
    return _ask(house, visit, token, ListKind.LOOK, _given(form))


@takes(router, "/members/import/{token}/take", needs=Right.REGISTER)
def take_in(house: House, visit: Here, form: Form, token: Token) -> Response:
    """The file is taken in as it was looked at; what was chosen otherwise since is looked at first."""
    with house.reading() as tx:
        job = list_jobs.find(tx.session, visit.actor, token)
    given = _given(form)
    if form.texts("heading") and not _is_as_seen(given, job):
        return _ask(house, visit, token, ListKind.LOOK, given | {"is_changed": True})
    return _ask(house, visit, token, ListKind.TAKE, job.given)


@takes(router, "/members/import/{token}/stop", needs=Right.REGISTER)
def stop(house: House, visit: Here, token: Token) -> Response:
    """Not after all: what was done of it is taken back."""
    notes_of(house).ask_to_stop(visit.actor, token)
    return RedirectResponse(f"/members/import/{token}", 303)


def _ask(house: Runtime, visit: Visit, token: str, kind: ListKind, given: Mapping[str, Any]) -> Response:
    with house.reading() as tx:
        is_open = list_jobs.find(tx.session, visit.actor, token).is_open
    # on SQLite nobody can write while it is being done
    if not is_open:
        with house.begin() as tx:
            list_jobs.ask(tx.session, visit.actor, token, kind, given, now=tx.now)
    return RedirectResponse(f"/members/import/{token}", 303)


def _is_as_seen(given: Mapping[str, Any], job: ListJob) -> bool:
    """Whether these choices are the ones that the list was looked at with."""
    if job.answer is None:
        return False
    # a browser writes the end of a line in a heading otherwise
    read = {" ".join(heading.split()): field for heading, field in job.answer["columns"].items()}
    chosen = {" ".join(heading.split()): field for heading, field in given["mapping"].items() if field}
    return chosen == read and all(given[name] == job.given[name] for name in ("agreed", "shared"))


def _clean(name: str) -> str:
    last = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign for sign in last if sign.isprintable())[-80:].lstrip(".")
    if not kept.lower().endswith(_ENDINGS):
        raise Invalid("This is no list that can be read: {name}.", hint="Save it as CSV or XLSX.", name=kept or "-")
    return kept


def _record(kept: Mapping[str, Any]) -> Record:
    """Somebody as they would stand there, as the job keeps them."""
    status = Status(kept["status"]) if kept["status"] else None
    numbers = tuple(NumberOnRecord(**each) for each in kept["numbers"])
    birthday = date.fromisoformat(kept["birthday"]) if kept["birthday"] else None
    read = {"birthday": birthday, "status": status, "numbers": numbers, "tags": tuple(kept["tags"]), "history": ()}
    return Record(**{**kept, **read})


def _told_trouble(job: ListJob) -> dict[str, str] | None:
    if job.trouble is None:
        return None
    what, then = (filled(job.trouble[each], job.trouble["fields"]) for each in ("message", "hint"))
    return {"what": what, "then": untyped(then), "field": "file"}


def _given(form: Posted) -> dict[str, Any]:
    # what was typed counts before the sentence of the last time
    agreed = form.text("agreed") or form.text("agreed_again")
    return {"mapping": _mapping(form), "shared": bool(form.text("shared")), "agreed": agreed}


def _choose_again(
    request: Request, told: BroadsheetError | dict[str, str] | None, given: Mapping[str, Any]
) -> Response:
    wrong = trouble(told, "file") if isinstance(told, BroadsheetError) else told
    return draw(request, "import.html", status=422, trouble=wrong, given=given, last=None)


def _draw_taken(request: Request, answer: Mapping[str, Any]) -> Response:
    may_undo = bool(answer["created"] + answer["updated"])
    told = told_list(answer, taken=True)
    return draw(request, "import_taken.html", **told, number=answer["import_id"], may_undo=may_undo)


def _mapping(form: Posted) -> Mapping[str, str]:
    """Heading -> field; "" for a column that is none, whatever its heading sounds like."""
    headings, fields = form.texts("heading"), form.texts("field")
    return {heading: field for heading, field in zip(headings, fields, strict=False) if heading}
