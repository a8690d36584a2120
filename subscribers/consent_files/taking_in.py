"""A file of wishes into the registry, in one transaction: opt-outs first of all, opt-ins with evidence.

A spreadsheet speaks for others, whatever door it names: its "in" never overrules an "out" that somebody said
themselves, and of two rows about one number the "out" is heard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from subscribers import audit
from subscribers.actor import Actor, Right, needs
from subscribers.column_wishes import Key, SaidOfColumn, column_wishes, record_columns
from subscribers.consent import OWN_WORD, Present, record_many, wishes
from subscribers.consent_files.columns import Columns, find_columns
from subscribers.consent_files.rows import Circumstances, clean_source, clean_wording, read_row
from subscribers.db import in_bulk
from subscribers.errors import Invalid
from subscribers.forgetting import stays_forgotten
from subscribers.holders import numbers_within
from subscribers.importing.rejects import RefusedRow, refuse
from subscribers.importing.runs import open_run
from subscribers.models import Wish
from subscribers.msisdn import mask
from subscribers.sheets import Limits, Row, data_rows, open_sheet

#: the kind of such an `ImportRun`
KIND = "consent"


@dataclass(frozen=True, slots=True)
class ConsentImported:
    """What became of a file of wishes. `still_out` are rows with an "in" for numbers that stay out all the same."""

    rows: int
    outs: int
    ins: int
    unchanged: int
    still_out: int
    refused: list[RefusedRow]
    headings: tuple[str, ...]
    #: None after a dry run
    import_id: int | None


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    outs: int = 0
    ins: int = 0
    unchanged: int = 0
    still_out: int = 0
    refused: list[RefusedRow] = field(default_factory=list)


@needs(Right.REGISTER)
def import_consent(
    session: Session,
    actor: Actor,
    path: Path,
    *,
    key: bytes,
    now: datetime,
    region: str = "CN",
    zone: ZoneInfo,
    source: str = "import",
    wording: str = "",
    dry_run: bool = False,
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
) -> ConsentImported:
    """Take in a CSV or XLSX file of wishes: columns msisdn, wish (out), source, wording, at, topic; or bare numbers.

    `source` and `wording` hold where a row says nothing; `key` is that of the forgotten numbers. Rows with faults are
    refused one by one. Raises `Invalid` for a file that cannot be read as a whole; the caller's transaction must then
    be rolled back. With `dry_run` all is done as if, and taken back.
    """
    limits = limits or Limits()
    source, wording = clean_source(source), clean_wording(wording)
    sheet = open_sheet(path, limits)
    columns, sample = find_columns(sheet.samples(), sheet.file, region)
    with session.begin_nested() as attempt:
        run = open_run(session, actor, path, KIND, now=now)
        around = Circumstances(sheet.file, region, zone, source, wording, now, limits.cell, run.id)
        tally = _Tally()
        for portion in in_bulk(data_rows(sheet, sample, limits, after=columns.row)):
            said = _read(portion, columns, around, tally)
            _take(session, actor, said, around, key, tally)
            tally.rows += len(portion)
            if progress is not None:
                progress(tally.rows)
        tally.refused.sort(key=lambda one: one.row)
        run.created, run.updated = tally.ins, tally.outs
        run.unchanged, run.refused = tally.unchanged + tally.still_out, len(tally.refused)
        audit.note(session, actor, "consent.import", f"import {run.id}", people=tally.ins + tally.outs, now=now)
        session.flush()
        result = ConsentImported(
            rows=tally.rows,
            outs=tally.outs,
            ins=tally.ins,
            unchanged=tally.unchanged,
            still_out=tally.still_out,
            refused=tally.refused,
            headings=columns.headings,
            import_id=run.id,
        )
        if dry_run:
            attempt.rollback()
    return replace(result, import_id=None) if dry_run else result


def _read(
    portion: Sequence[Row], columns: Columns, around: Circumstances, tally: _Tally
) -> list[tuple[Row, SaidOfColumn]]:
    read = []
    for row in portion:
        try:
            read.append((row, read_row(row[0], row[1], columns, around)))
        except Invalid as error:
            tally.refused.append(refuse(row[0], row[1], error))
    return read


def _take(
    session: Session,
    actor: Actor,
    read: Sequence[tuple[Row, SaidOfColumn]],
    around: Circumstances,
    key: bytes,
    tally: _Tally,
) -> None:
    """Decide about each row by what holds now, and write what is news."""
    numbers = {one.said.msisdn for _, one in read}
    ours = numbers_within(session, actor.under, numbers)
    forgotten = stays_forgotten(session, [one.said.msisdn for _, one in read if one.said.wish == Wish.IN], key)
    present: dict[Key, Present] = {(number, ""): wish for number, wish in wishes(session, ours).items()}
    present |= column_wishes(session, {one.key for _, one in read if one.topic})
    news: list[SaidOfColumn] = []
    for row, one in read:
        if one.said.msisdn not in ours:
            tally.refused.append(refuse(row[0], row[1], _not_ours(one)))
            continue
        held = present.get(one.key)
        if one.said.wish == Wish.IN and (one.said.msisdn in forgotten or _is_out_for_good(held, one, around)):
            tally.still_out += 1
        elif held is not None and held.wish == one.said.wish and (held.own_word or one.said.source not in OWN_WORD):
            tally.unchanged += 1
        else:
            news.append(one)
            tally.ins += one.said.wish == Wish.IN
            tally.outs += one.said.wish == Wish.OUT
            present[one.key] = Present(
                one.said.wish, one.said.source in OWN_WORD, around.now, import_run_id=around.import_id
            )
    record_many(session, actor, [one.said for one in news if not one.topic], now=around.now)
    record_columns(session, actor, [one for one in news if one.topic], now=around.now)


def _is_out_for_good(held: Present | None, one: SaidOfColumn, around: Circumstances) -> bool:
    """Whether an "in" of the file is not heard: they said "out" themselves, later, or in this very file."""
    if held is None or held.wish != Wish.OUT:
        return False
    return (
        held.own_word
        or held.import_run_id == around.import_id
        or (one.said.at is not None and one.said.at < held.since)
    )


def _not_ours(one: SaidOfColumn) -> Invalid:
    return Invalid(
        "{number} is no member's number here.",
        hint="Leave out the row, or ask the organisation above to import it.",
        number=mask(one.said.msisdn),
    )
