"""A list of members into the registry: chosen, looked at, taken in, and taken back if it was the wrong one."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.language import in_a_row, listed, msgid, ntr, tr, translated
from broadcaster.list_notes import notes_of
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.newsroom.member_page import told_record
from broadcaster.newsroom.members import today
from broadcaster.newsroom.past_imports import in_a_sentence, undo_over
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.told import untyped
from broadcaster.web.visits import Here, Visit
from broadcaster.words import place_words, status_word
from subscribers import list_jobs
from subscribers.actor import Right
from subscribers.errors import BroadsheetError, Invalid
from subscribers.importing import like_organisations
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

#: what a column may be: fields as the import calls them
_FIELDS = {
    "name": msgid("name"),
    "msisdn": msgid("phone number"),
    "other_numbers": msgid("other numbers"),
    "organisation": msgid("organisation"),
    "status": msgid("status"),
    "away_place": msgid("lives in"),
    "host_branch": msgid("looked after by"),
    "joined_on": msgid("joined on"),
    "birthday": msgid("birthday"),
    "subscribed": msgid("wants the paper"),
    "tags": msgid("tags"),
    "external_id": msgid("id in another system"),
}


@shows(router, "/members/import", needs=Right.REGISTER)
def choose(request: Request) -> Response:
    """The form for a file."""
    return draw(request, "import.html", agreed="")


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
        return _choose_again(request, error, form.text("agreed"))
    return RedirectResponse(f"/members/import/{token}", 303)


@shows(router, "/members/import/{token}", needs=Right.REGISTER)
def follow(request: Request, house: House, visit: Here, token: Token, live: bool = False) -> Response:
    """How far it is with a file: looked at, taken in, taken back, or what is to be said about it."""
    with house.reading() as tx:
        job = list_jobs.find(tx.session, visit.actor, token)
        day = today(house, tx)
        is_late = tx.now - job.asked_at > _LATE
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
    if error is not None or job.answer is None:
        return _choose_again(request, error, str(job.given["agreed"]))
    if job.kind == ListKind.TAKE:
        return _draw_taken(request, job.answer)
    samples = [told_record(_record(each), day) for each in job.answer["samples"]]
    return draw(
        request, "import_look.html", **_told(job.answer, taken=False), samples=samples, token=token, given=job.given
    )


@takes(router, "/members/import/{token}/look", needs=Right.REGISTER)
def look_again(house: House, visit: Here, form: Form, token: Token) -> Response:
    """The same file with other columns."""
    return _ask(house, visit, token, ListKind.LOOK, form)


@takes(router, "/members/import/{token}/take", needs=Right.REGISTER)
def take_in(house: House, visit: Here, form: Form, token: Token) -> Response:
    """The file is taken in."""
    return _ask(house, visit, token, ListKind.TAKE, form)


@takes(router, "/members/import/{token}/stop", needs=Right.REGISTER)
def stop(house: House, visit: Here, token: Token) -> Response:
    """Not after all: what was done of it is taken back."""
    notes_of(house).ask_to_stop(visit.actor, token)
    return RedirectResponse(f"/members/import/{token}", 303)


def _ask(house: Runtime, visit: Visit, token: str, kind: ListKind, form: Posted) -> Response:
    with house.reading() as tx:
        is_open = list_jobs.find(tx.session, visit.actor, token).is_open
    # on SQLite nobody can write while it is being done
    if not is_open:
        with house.begin() as tx:
            list_jobs.ask(tx.session, visit.actor, token, kind, _given(form), now=tx.now)
    return RedirectResponse(f"/members/import/{token}", 303)


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
    return Record(**{**kept, "status": status, "numbers": numbers, "tags": tuple(kept["tags"]), "history": ()})


def _told_trouble(job: ListJob) -> dict[str, str] | None:
    if job.trouble is None:
        return None
    what, then = (translated(job.trouble[each]).format(**job.trouble["fields"]) for each in ("message", "hint"))
    return {"what": what, "then": untyped(then), "field": "file"}


def _given(form: Posted) -> dict[str, Any]:
    return {"mapping": _mapping(form), "shared": bool(form.text("shared")), "agreed": form.text("agreed")}


def _choose_again(request: Request, told: BroadsheetError | dict[str, str] | None, agreed: str) -> Response:
    wrong = trouble(told, "file") if isinstance(told, BroadsheetError) else told
    return draw(request, "import.html", status=422, trouble=wrong, agreed=agreed)


def _draw_taken(request: Request, answer: Mapping[str, Any]) -> Response:
    may_undo = bool(answer["created"] + answer["updated"])
    told = _told(answer, taken=True)
    return draw(request, "import_taken.html", **told, number=answer["import_id"], may_undo=may_undo)


def _mapping(form: Posted) -> Mapping[str, str]:
    headings, fields = form.texts("heading"), form.texts("field")
    return {heading: field for heading, field in zip(headings, fields, strict=False) if heading and field}


def _told(answer: Mapping[str, Any], *, taken: bool) -> dict[str, Any]:
    people = answer["created"] + answer["updated"]
    mapped = answer["columns"]
    return {
        "people": people,
        "figures": [
            (tr("new"), answer["created"]),
            (tr("changed"), answer["updated"]),
            (tr("as they were"), answer["unchanged"]),
            (tr("rows refused"), answer["refused"]),
        ],
        "act": ntr("Take {n} person in", "Take {n} people in", people),
        "columns": [(heading, mapped.get(heading, "")) for heading in answer["headings"] if heading],
        "fields": [(name, translated(word)) for name, word in _FIELDS.items()],
        "notes": _notes(answer, taken=taken),
        "kinds": [f"{each['n']} × {translated(each['message']).format(**each['fields'])}" for each in answer["kinds"]],
        "refused": [
            # what was looked at by an earlier version of the program has no cells
            {"row": one["row"], "stood": " · ".join(one.get("stood", ())), "reason": in_a_sentence(one)}
            for one in answer["first_refused"]
        ],
    }


def _which(unread: Sequence[str]) -> str:
    """What to do about a list of whose columns none is the organisation."""
    if heading := like_organisations(unread):
        return tr(
            "The column {heading} could be it: choose “organisation” for it below, and press “Look again”.",
            heading=heading,
        )
    if unread:
        return tr("If one of the columns says it, choose “organisation” for it below, and press “Look again”.")
    return ""


def _notes(answer: Mapping[str, Any], *, taken: bool) -> list[str]:
    notes = []
    read = answer["columns"].values()
    unread = [heading for heading in answer["headings"] if heading and heading not in answer["columns"]]
    if not taken and answer["created"] and "organisation" not in read:
        notes.append(
            in_a_row(tr("No column was read as the organisation: nobody new would be in one."), _which(unread))
        )
    if not taken and answer["created"] and "status" not in read:
        said = tr(
            "No column was read as the status: everybody new would be {status}.",
            status=status_word(Status.IN_SERVICE),
        )
        choose = tr("If one of the columns says it, choose “status” for it below, and press “Look again”.")
        notes.append(in_a_row(said, choose if unread else ""))
    if number := answer["new_organisations"]:
        first = answer["first_new_organisations"]
        names = listed([*map(place_words, first), *["…"][: number > len(first)]])
        if taken:
            told = ntr(
                "{n} organisation was made, which was not there: {names}.",
                "{n} organisations were made, which were not there: {names}.",
                number,
                names=names,
            )
        else:
            told = ntr(
                "{n} organisation would be made, which is not there yet: {names}.",
                "{n} organisations would be made, which are not there yet: {names}.",
                number,
                names=names,
            )
        notes.append(told)
    if answer["still_out"]:
        notes.append(
            tr("{count} opted out themselves and stay out, whatever the file says.", count=answer["still_out"])
        )
    if answer["without_number"]:
        notes.append(
            ntr(
                "{n} person has no number, and nothing can be sent to them.",
                "{n} people have no number, and nothing can be sent to them.",
                answer["without_number"],
            )
        )
    if answer["without_consent"]:
        notes.append(
            ntr(
                "{n} person has not agreed to receive the paper and will not be sent to.",
                "{n} people have not agreed to receive the paper and will not be sent to.",
                answer["without_consent"],
            )
        )
    return notes
