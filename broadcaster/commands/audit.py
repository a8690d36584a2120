"""`broadsheet audit`: who did what that somebody may have to answer for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from broadcaster.campaigns import compose
from broadcaster.commands.house import opened, read_day
from broadcaster.commands.options import asked, noun, verb
from broadcaster.commands.output import answer, local, table, write_csv
from broadcaster.deeds import campaign_noted, deed_words, edition_word, noted_words, value_word
from broadcaster.language import tr
from broadcaster.reports.scope import days
from broadcaster.words import actor_word, place_words
from subscribers import audit
from subscribers.actor import Right
from subscribers.models import Audit

app = noun()

#: rows of a table; more of them are for a file
SHOWN = 50


@app.callback()
def nothing() -> None:
    """One verb today, and still a noun."""


@verb(
    app,
    name="list",
    about=tr("The deeds done in your part of the tree, the newest first."),
    example="broadsheet audit list --deed campaigns\nbroadsheet audit list --by li --from 2026-11-01 --csv audit.csv",
    needs=Right.ADMINISTER,
)
def list_(
    deed: Annotated[str, typer.Option(metavar="DEED", help=tr("Only these: users, members.export ..."))] = "",
    by: Annotated[str, typer.Option(metavar="USER", help=tr("Only what this user did."))] = "",
    from_: Annotated[str | None, typer.Option("--from", metavar="DATE", help=tr("From this day on."))] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="DATE", help=tr("Up to this day, it included."))] = None,
    limit: Annotated[int | None, typer.Option(min=1, help=tr("At most so many; a table has 50."))] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help=tr("Write the rows there."))] = None,
) -> None:
    with opened() as house, house.reading() as tx:
        zone = house.settings.zone
        span = days(read_day(from_) if from_ else None, read_day(to) if to else None, zone)
        most = limit or (None if asked().json or csv else SHOWN)
        found = audit.read(tx.session, house.actor, deed=deed, by=by, since=span.since, until=span.before, limit=most)
        sent = compose.editions_of(tx.session, house.actor, _campaigns(found[:SHOWN]))
    documents = [_document(row) for row in found]
    if csv:
        _write(csv, documents)
    headings = (tr("at"), tr("who"), tr("deed"), tr("what"), tr("people"))
    rows = [
        (local(row.at, zone), actor_word(row.actor), deed_words(row.deed), _what(row, sent), row.people)
        for row in found[:SHOWN]
    ]
    shown = tr("{rows} rows written to {file}.", rows=len(found), file=csv) if csv else None
    answer({"audit": documents}, shown or (table(*headings, rows=rows, right=(4,)) if found else tr("There is none.")))


def _document(row: Audit) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": row.at,
        "actor": row.actor,
        "under": row.under,
        "deed": row.deed,
        "thing": row.thing,
        "people": row.people,
        "details": row.details,
    }


def _campaigns(found: Sequence[Audit]) -> set[int]:
    return {id_ for row in found if (id_ := campaign_noted(row.thing)) is not None}


def _what(row: Audit, sent: Mapping[int, int]) -> str:
    thing = place_words(row.thing) if row.deed.startswith("organisations.") else row.thing
    edition = sent.get(campaign_noted(row.thing) or 0)
    of_edition = edition_word(edition) if edition else ""
    told = [str(row.details.get("name", "")), value_word(str(row.details.get("how", "")))]
    if "member" in row.details:
        told.append(f"#{row.details['member']}")
    return " ".join(filter(None, (noted_words(row.deed, thing), of_edition, *told)))


def _write(file: Path, documents: Sequence[dict[str, Any]]) -> None:
    headings = ("id", "at", "actor", "under", "deed", "thing", "people", "details")
    rows = ([one["at"].isoformat() if key == "at" else _cell(one[key]) for key in headings] for one in documents)
    write_csv(file, headings, rows)


def _cell(value: object) -> object:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
