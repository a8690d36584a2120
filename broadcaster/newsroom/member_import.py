"""A list of members into the registry: chosen, looked at, taken in, and taken back if it was the wrong one."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.language import msgid, ntr, tr, translated
from broadcaster.newsroom import jobs, refused_rows, uploads
from broadcaster.newsroom.drawing import draw, trouble
from broadcaster.newsroom.jobs import Job
from broadcaster.newsroom.member_page import told_record
from broadcaster.newsroom.members import today
from broadcaster.runtime import Runtime
from broadcaster.web.doors import LARGEST, Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from subscribers import importing, records
from subscribers.actor import Actor, Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Conflict, Invalid
from subscribers.importing import ImportResult, RefusedRow
from subscribers.records import Record
from subscribers.sheets import Limits

router = APIRouter()

#: refused rows, and kinds of them, that a page shows
SHOWN = 20
#: people who are shown as they would stand there
SAMPLES = 3
#: the name of a file that was handed in
Token = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_LIMITS = Limits(rows=500_000, bytes=LARGEST)

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
    "external_id": msgid("external id"),
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
        with house.reading() as tx:
            now = tx.now
        token = uploads.keep(house, visit.signed_in.user_id, upload, now=now)
    except BroadsheetError as error:
        return _choose_again(request, error, form.text("agreed"))
    return _start(request, house, visit, token, Job("look", _given(form)))


@shows(router, "/members/import/{token}", needs=Right.REGISTER)
def follow(request: Request, house: House, visit: Here, token: Token, live: bool = False) -> Response:
    """How far it is with a file: looked at, taken in, or what is to be said about it."""
    job = _job(request, house, visit, token)
    if not job.is_over:
        template = "import_wait_live.html" if live else "import_wait.html"
        return draw(request, template, token=token, kind=job.kind, rows=job.done)
    if live:
        # the whole page goes on, and not the part of it
        return Response(status_code=204, headers={"HX-Redirect": f"/members/import/{token}"})
    if job.error is not None:
        return _choose_again(request, job.error, job.given["agreed"])
    if job.kind == "take":
        return _draw_taken(request, visit, job.answer)
    result, samples = job.answer
    with house.reading() as tx:
        day = today(house, tx)
    told = [told_record(each, day) for each in samples]
    return draw(request, "import_look.html", **_told(result), samples=told, token=token, given=job.given)


@takes(router, "/members/import/{token}/look", needs=Right.REGISTER)
def look_again(request: Request, house: House, visit: Here, form: Form, token: Token) -> Response:
    """The same file with other columns."""
    return _start(request, house, visit, token, Job("look", _given(form)))


@takes(router, "/members/import/{token}/take", needs=Right.REGISTER)
def take_in(request: Request, house: House, visit: Here, form: Form, token: Token) -> Response:
    """The file is taken in."""
    return _start(request, house, visit, token, Job("take", _given(form)))


def _start(request: Request, house: Runtime, visit: Visit, token: str, job: Job) -> Response:
    actor, user_id = visit.actor, visit.signed_in.user_id
    file = uploads.find(house, user_id, token)
    before = jobs.find(request.app, _name(visit, token))
    # a button that is pressed twice takes nothing in twice
    if before is None or before.is_over:
        work = _take if job.kind == "take" else _look
        jobs.start(request.app, _name(visit, token), job, lambda tell: work(house, actor, file, job, tell))
    return RedirectResponse(f"/members/import/{token}", 303)


def _look(
    house: Runtime, actor: Actor, file: FilePath, job: Job, tell: Callable[[int], None]
) -> tuple[ImportResult, list[Record]]:
    """All is done as if, some of it looked at as it would stand there, and taken back."""
    with house.begin() as tx, tx.session.begin_nested() as attempt:
        result = _import(house, tx, actor, file, job, tell)
        ids = importing.first_members(tx.session, result.import_id or 0, SAMPLES)
        day, zone = today(house, tx), house.settings.zone
        samples = [records.show(tx.session, actor, each, zone=zone, on=day, now=tx.now) for each in ids]
        attempt.rollback()
    return result, samples


def _take(house: Runtime, actor: Actor, file: FilePath, job: Job, tell: Callable[[int], None]) -> ImportResult:
    with house.begin() as tx:
        result = _import(house, tx, actor, file, job, tell)
    refused_rows.keep(house, result, _reason)
    shutil.rmtree(file.parent, ignore_errors=True)
    return result


def _import(
    house: Runtime, tx: Tx, actor: Actor, file: FilePath, job: Job, tell: Callable[[int], None]
) -> ImportResult:
    return importing.import_members(
        tx.session,
        actor,
        file,
        now=tx.now,
        on=today(house, tx),
        region=house.settings.paper.region,
        mapping=job.given["mapping"],
        shared=job.given["shared"],
        agreed=job.given["agreed"],
        key=house.secret,
        limits=_LIMITS,
        progress=tell,
    )


def _given(form: Posted) -> dict[str, Any]:
    return {"mapping": _mapping(form), "shared": bool(form.text("shared")), "agreed": form.text("agreed")}


def _name(visit: Visit, token: str) -> str:
    return f"{visit.signed_in.user_id} {token}"


def _job(request: Request, house: Runtime, visit: Visit, token: str) -> Job:
    job = jobs.find(request.app, _name(visit, token))
    if job is None:
        # one that was taken in is not kept
        uploads.find(house, visit.signed_in.user_id, token)
        raise Conflict(
            "The program was started anew meanwhile, and nothing of this list was written.", hint="Hand it in again."
        )
    return job


def _choose_again(request: Request, error: BroadsheetError, agreed: str) -> Response:
    return draw(request, "import.html", status=422, trouble=trouble(error, "file"), agreed=agreed)


def _draw_taken(request: Request, visit: Visit, result: ImportResult) -> Response:
    may_undo = bool(result.created + result.updated)
    return draw(request, "import_taken.html", **_told(result, taken=True), number=result.import_id, may_undo=may_undo)


def _mapping(form: Posted) -> Mapping[str, str]:
    headings, fields = form.texts("heading"), form.texts("field")
    return {heading: field for heading, field in zip(headings, fields, strict=False) if heading and field}


def _told(result: ImportResult, *, taken: bool = False) -> dict[str, Any]:
    people = result.created + result.updated
    mapped = result.columns
    return {
        "people": people,
        "figures": [
            (tr("new"), result.created),
            (tr("changed"), result.updated),
            (tr("as they were"), result.unchanged),
            (tr("refused"), len(result.refused)),
        ],
        "act": ntr("Take {n} person in", "Take {n} people in", people),
        "columns": [(heading, mapped.get(heading, "")) for heading in result.headings if heading],
        "fields": [(name, translated(word)) for name, word in _FIELDS.items()],
        "notes": _notes(result, taken=taken),
        "kinds": _kinds(result.refused) if len(result.refused) > SHOWN else [],
        "refused": [{"row": one.row, "reason": _reason(one)} for one in result.refused[:SHOWN]],
    }


def _notes(result: ImportResult, *, taken: bool) -> list[str]:
    notes = []
    if result.new_organisations:
        first, number = result.first_new_organisations, result.new_organisations
        names = ", ".join(first) + (", …" if number > len(first) else "")
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
    if result.still_out:
        notes.append(tr("{count} opted out themselves and stay out, whatever the file says.", count=result.still_out))
    if result.without_number:
        notes.append(
            ntr(
                "{n} person has no number, and nothing can be sent to them.",
                "{n} people have no number, and nothing can be sent to them.",
                result.without_number,
            )
        )
    if result.without_consent:
        notes.append(
            ntr(
                "{n} person has not agreed to receive the paper and will not be sent to.",
                "{n} people have not agreed to receive the paper and will not be sent to.",
                result.without_consent,
            )
        )
    return notes


def _kinds(refused: list[RefusedRow]) -> list[str]:
    kinds = Counter((one.message, one.fields.get("field")) for one in refused)
    examples = {(one.message, one.fields.get("field")): one for one in reversed(refused)}
    return [f"{n} × {translated(kind[0]).format(**examples[kind].fields)}" for kind, n in kinds.most_common(SHOWN)]


def _reason(refused: RefusedRow) -> str:
    sentences = (translated(each).format(**refused.fields) for each in (refused.message, refused.hint) if each)
    return " ".join(sentences)
