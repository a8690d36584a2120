"""One file of members into the registry, in one transaction: good rows in, bad rows listed with reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from subscribers.actor import Actor, Right
from subscribers.db import in_bulk, lock_table
from subscribers.errors import Invalid
from subscribers.importing.columns import Columns, check_fields, check_mapping, find_columns
from subscribers.importing.decisions import Circumstances, Decision, decide, note
from subscribers.importing.files import DELIMITERS, Limits, Row, find_encoding, read_rows, sample_rows
from subscribers.importing.known import read_known
from subscribers.importing.rejects import RefusedRow, refuse
from subscribers.importing.rows import CheckedRow, check_row
from subscribers.importing.writing import write
from subscribers.models import ImportRun
from subscribers.organisations import home_of

#: where members go whose row names no organisation
DEFAULT_ORGANISATION = "Members"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a file. `rows` had something in them; `still_out` said "subscribed" for people who opted out.

    `without_consent` have a number, and nobody has said whether they want the paper: they will not be sent to.
    """

    rows: int
    created: int
    updated: int
    unchanged: int
    refused: list[RefusedRow]
    still_out: int
    without_consent: int
    headings: tuple[str, ...]
    #: None after a dry run
    import_id: int | None


def import_members(
    session: Session,
    actor: Actor,
    path: Path,
    *,
    now: datetime,
    on: date | None = None,
    region: str = "CN",
    mapping: Mapping[str, str] | None = None,
    shared: bool = False,
    agreed: str = "",
    dry_run: bool = False,
    default_organisation: str = DEFAULT_ORGANISATION,
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportResult:
    """Take in a CSV file. `on` is today where the paper is made, `mapping` has headings -> fields.

    `agreed` is the evidence that everyone in the file has agreed to receive the paper, for rows that do not say.

    Rows with faults are refused one by one. Raises `Invalid` for a file that cannot be read as a whole; the caller's
    transaction must then be rolled back. With `dry_run` nothing is written. `progress` is told the rows done so far.
    """
    actor.must(Right.REGISTER)
    mapping, limits = mapping or {}, limits or Limits()
    check_fields(mapping)
    encoding = find_encoding(path, limits)
    columns, delimiter = _find_columns(path, encoding, mapping, limits)
    home = home_of(session, actor)
    around = Circumstances(
        file=path.name,
        on=on or now.date(),
        now=now,
        home=home,
        under=actor.under,
        default_organisation=home or default_organisation,
        shared=shared,
        agreed=agreed.strip(),
    )
    run = None if dry_run else _open_run(session, actor, path, now)
    tally = _Tally()
    organisations: dict[str, str] = {}
    for portion in in_bulk(_data_rows(path, encoding, delimiter, columns, limits)):
        checked = _check(portion, columns, around, region, limits, tally.refused)
        decisions = _decide(session, checked, around, organisations, tally)
        if run is not None:
            write(session, actor, decisions, organisations, import_id=run.id, now=now)
        tally.rows += len(portion)
        if progress is not None:
            progress(tally.rows)
    tally.refused.sort(key=lambda one: one.row)
    if run is not None:
        run.created, run.updated, run.unchanged = tally.created, tally.updated, tally.unchanged
        run.refused = len(tally.refused)
        session.flush()
    return ImportResult(
        rows=tally.rows,
        created=tally.created,
        updated=tally.updated,
        unchanged=tally.unchanged,
        refused=tally.refused,
        still_out=tally.still_out,
        without_consent=tally.without_consent,
        headings=columns.headings,
        import_id=run.id if run else None,
    )


class _Tally:
    def __init__(self) -> None:
        self.rows = self.created = self.updated = self.unchanged = self.still_out = 0
        self.without_consent = 0
        self.refused: list[RefusedRow] = []


def _find_columns(path: Path, encoding: str, mapping: Mapping[str, str], limits: Limits) -> tuple[Columns, str]:
    """The delimiter by which most headings are understood."""
    found: list[tuple[int, Columns, str]] = []
    for delimiter in DELIMITERS:
        columns = find_columns(sample_rows(path, encoding, delimiter), mapping)
        if columns is not None:
            found.append((len(columns.fields), columns, delimiter))
    if not found and mapping:
        for delimiter in DELIMITERS:
            if columns := find_columns(sample_rows(path, encoding, delimiter), {}):
                check_mapping(columns, mapping)
    if not found:
        # a broken quote hides the headings too, and is the better thing to tell
        for _ in read_rows(path, encoding, DELIMITERS[0], limits):
            pass
        raise Invalid(
            "{file} has no row of headings with a name and a number.",
            hint="Write name,msisdn,organisation,status (or 姓名,手机,支部,状态) over the columns, "
            "or say which is which: --map 联系电话=msisdn.",
            file=path.name,
        )
    _, columns, delimiter = max(found, key=lambda one: one[0])
    check_mapping(columns, mapping)
    return columns, delimiter


def _open_run(session: Session, actor: Actor, path: Path, now: datetime) -> ImportRun:
    # two files at once could both find a member missing, and make them twice
    lock_table(session, ImportRun)
    run = ImportRun(file_name=path.name[-300:], actor=actor.name, at=now, created=0, updated=0, unchanged=0, refused=0)
    session.add(run)
    session.flush()
    return run


def _data_rows(path: Path, encoding: str, delimiter: str, columns: Columns, limits: Limits) -> Iterator[Row]:
    taken = 0
    for number, cells in read_rows(path, encoding, delimiter, limits):
        if number <= columns.row or not any(cell.strip() for cell in cells):
            continue
        taken += 1
        if taken > limits.rows:
            raise Invalid(
                "{file} has more than {most} rows.",
                hint="Split it into several files.",
                file=path.name,
                most=limits.rows,
            )
        yield number, cells


def _check(
    portion: list[Row], columns: Columns, around: Circumstances, region: str, limits: Limits, refused: list[RefusedRow]
) -> list[CheckedRow]:
    checked = []
    for number, cells in portion:
        try:
            row = check_row(number, cells, columns, region=region, on=around.on, cell_limit=limits.cell)
        except Invalid as error:
            refused.append(refuse(number, cells, error))
        else:
            checked.append(row)
    return checked


def _decide(
    session: Session,
    checked: list[CheckedRow],
    around: Circumstances,
    organisations: dict[str, str],
    tally: _Tally,
) -> list[Decision]:
    """The decisions that have something to write."""
    known = read_known(session, checked, organisations)
    decisions = []
    for row in checked:
        try:
            decision = decide(row, known, around)
        except Invalid as error:
            tally.refused.append(refuse(row.row, row.cells, error))
            continue
        note(decision, known, around)
        tally.still_out += decision.still_out
        tally.without_consent += row.number is not None and row.number.msisdn not in known.wishes
        if decision.before is None:
            tally.created += 1
        elif decision.changes_something:
            tally.updated += 1
        else:
            tally.unchanged += 1
            continue
        decisions.append(decision)
    return decisions
