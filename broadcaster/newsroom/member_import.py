"""A list of members into the registry: chosen, looked at, taken in, and taken back if it was the wrong one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from broadcaster.language import msgid, ntr, tr, translated
from broadcaster.newsroom import uploads
from broadcaster.newsroom.drawing import done, draw, trouble
from broadcaster.newsroom.members import today
from broadcaster.runtime import Runtime
from broadcaster.web.doors import LARGEST, Form, Posted, shows, takes
from broadcaster.web.house import House
from broadcaster.web.visits import Here, Visit
from subscribers import importing
from subscribers.actor import Right
from subscribers.db import Tx
from subscribers.errors import BroadsheetError, Invalid
from subscribers.importing import ImportResult, RefusedRow
from subscribers.sheets import Limits

router = APIRouter()

#: refused rows, and kinds of them, that a page shows
SHOWN = 20
_LIMITS = Limits(rows=500_000, bytes=LARGEST)

#: what a column may be: fields as the import calls them
_FIELDS = {
    "name": msgid("name"),
    "msisdn": msgid("phone number"),
    "other_numbers": msgid("other numbers"),
    "organisation": msgid("organisation"),
    "status": msgid("standing"),
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
        return _look(request, house, visit, form, token)
    except BroadsheetError as error:
        told = trouble(error, "file")
        return draw(request, "import.html", status=422, trouble=told, agreed=form.text("agreed"))


@takes(router, "/members/import/look", needs=Right.REGISTER)
def look_again(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The same file with other columns."""
    try:
        return _look(request, house, visit, form, form.text("token"))
    except BroadsheetError as error:
        told = trouble(error, "file")
        return draw(request, "import.html", status=422, trouble=told, agreed=form.text("agreed"))


@takes(router, "/members/import/take", needs=Right.REGISTER)
def take_in(request: Request, house: House, visit: Here, form: Form) -> Response:
    """The file is taken in."""
    user_id, token = visit.signed_in.user_id, form.text("token")
    try:
        with house.begin() as tx:
            result = _import(house, tx, visit, form, token, dry_run=False)
    except BroadsheetError as error:
        told = trouble(error, "file")
        return draw(request, "import.html", status=422, trouble=told, agreed=form.text("agreed"))
    uploads.forget(house, user_id, token)
    return done(
        visit,
        "/members",
        msgid("Taken in: {created} new, {updated} changed, {unchanged} as they were, {refused} refused."),
        undo="/members/import/undo",
        undo_fields={"import": str(result.import_id)},
        created=result.created,
        updated=result.updated,
        unchanged=result.unchanged,
        refused=len(result.refused),
    )


@takes(router, "/members/import/undo", needs=Right.REGISTER)
def take_back(house: House, visit: Here, form: Form) -> Response:
    """An import is taken back."""
    number = form.text("import")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        raise Invalid("{number} is no import.", number=repr(number[:20]))
    with house.begin() as tx:
        undone = importing.undo(tx.session, visit.actor, int(number), now=tx.now)
    return done(
        visit,
        "/members",
        msgid("Taken back: {removed} gone again, {restored} as before, {kept} changed since and left alone."),
        removed=undone.removed,
        restored=undone.restored - undone.removed,
        kept=undone.kept,
    )


def _import(house: Runtime, tx: Tx, visit: Visit, form: Posted, token: str, *, dry_run: bool) -> ImportResult:
    return importing.import_members(
        tx.session,
        visit.actor,
        uploads.find(house, visit.signed_in.user_id, token),
        now=tx.now,
        on=today(house, tx),
        region=house.settings.paper.region,
        mapping=_mapping(form),
        shared=bool(form.text("shared")),
        agreed=form.text("agreed"),
        key=house.secret,
        limits=_LIMITS,
        dry_run=dry_run,
    )


def _mapping(form: Posted) -> Mapping[str, str]:
    headings, fields = form.texts("heading"), form.texts("field")
    return {heading: field for heading, field in zip(headings, fields, strict=False) if heading and field}


def _look(request: Request, house: Runtime, visit: Visit, form: Posted, token: str) -> Response:
    with house.begin() as tx:
        result = _import(house, tx, visit, form, token, dry_run=True)
    return draw(request, "import_look.html", **_told(result), token=token, form=form)


def _told(result: ImportResult) -> dict[str, Any]:
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
        "notes": _notes(result),
        "kinds": _kinds(result.refused) if len(result.refused) > SHOWN else [],
        "refused": [{"row": one.row, "reason": _reason(one)} for one in result.refused[:SHOWN]],
    }


def _notes(result: ImportResult) -> list[str]:
    notes = []
    if result.new_organisations:
        first, number = result.first_new_organisations, result.new_organisations
        names = ", ".join(first) + (", …" if number > len(first) else "")
        notes.append(
            ntr(
                "{n} organisation would be made, which is not there yet: {names}.",
                "{n} organisations would be made, which are not there yet: {names}.",
                number,
                names=names,
            )
        )
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
