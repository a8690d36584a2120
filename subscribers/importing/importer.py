"""One file of members into the registry, in one transaction: good rows in, bad rows listed with reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from subscribers import audit
from subscribers.actor import Actor, Right, needs
from subscribers.bulk import Ids, loading, tell_planner
from subscribers.db import in_bulk
from subscribers.errors import Conflict, Invalid
from subscribers.importing.columns import OF_MANY_THINGS, Columns, check_fields, check_mapping, find_columns
from subscribers.importing.first_list import put_aside
from subscribers.importing.intake import Intake
from subscribers.importing.known import (
    closed_organisations,
    known_organisations,
    refuse_newcomers,
)
from subscribers.importing.last_time import choices
from subscribers.importing.matching import Circumstances
from subscribers.importing.plain import PlainReader
from subscribers.importing.possible import possible
from subscribers.importing.rejects import RefusedRow
from subscribers.importing.rows import Reader, is_standing
from subscribers.importing.runs import open_run
from subscribers.importing.unreached import Reason, Unreached
from subscribers.importing.writing import Writer, runs_of
from subscribers.interpreter import seldom_collecting
from subscribers.models import Member, Membership, Number, Subscription
from subscribers.nowhere import DEFAULT_ORGANISATION
from subscribers.organisations import home_of
from subscribers.sheets import Limits, Row, Sample, Sheet, data_rows, open_sheet
from subscribers.sheets.headings import plain_heading

#: rows that are looked at together: enough to spare statements, little enough for memory
PORTION = 10_000
#: new organisations that are told by name
SHOWN = 10


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a file. `rows` had something in them; `still_out` said "subscribed" for people who opted out.

    `unreached`: people of it to whom nothing can be sent, by the reason.
    """

    rows: int
    created: int
    updated: int
    unchanged: int
    refused: list[RefusedRow]
    still_out: int
    unreached: Mapping[Reason, Unreached]
    #: named by rows and not there before: how many, and the first of them
    new_organisations: int
    first_new_organisations: tuple[str, ...]
    headings: tuple[str, ...]
    #: heading -> the field it was read as; and the headings that are kept as they are
    columns: dict[str, str]
    kept: tuple[str, ...]
    #: None after a dry run
    import_id: int | None


@needs(Right.REGISTER)
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
    sheet_name: str = "",
    key: bytes = b"",
    limits: Limits | None = None,
    progress: Callable[[int], None] | None = None,
) -> ImportResult:
    """Take in a CSV or XLSX file. `on` is today where the paper is made, `mapping` has headings -> fields.

    `agreed` is the evidence that everyone in the file has agreed to receive the paper, for rows that do not say.

    `sheet_name` picks a sheet of a workbook; `key` is that of the numbers of people who were forgotten: these stay out.

    Rows with faults are refused one by one. Raises `Invalid` for a file that cannot be read as a whole; the caller's
    transaction must then be rolled back. With `dry_run` all is done as if, and taken back. `progress` is told the rows
    done so far.
    """
    mapping, limits = mapping or {}, limits or Limits()
    check_fields(mapping)
    sheet = open_sheet(path, limits, named=sheet_name)
    columns, sample = _find_columns(sheet, mapping)
    given = _Given(on or now.date(), region, shared, agreed.strip(), default_organisation, key, limits, progress)
    rows = data_rows(sheet, sample, limits, after=columns.row)
    try:
        with seldom_collecting():
            if not dry_run:
                return _take_in(session, actor, path, rows, columns, given, now=now)
            with session.begin_nested() as attempt:
                result = _take_in(session, actor, path, rows, columns, given, now=now)
                attempt.rollback()
        return replace(result, import_id=None)
    except IntegrityError:
        # a key that was free when we looked: somebody opted out or was registered meanwhile
        raise Conflict(
            "The registry changed while {file} was being imported.",
            hint="Nothing was written. Import the file again.",
            file=path.name,
        ) from None


@dataclass(frozen=True, slots=True)
class _Given:
    on: date
    region: str
    shared: bool
    agreed: str
    default_organisation: str
    key: bytes
    limits: Limits
    progress: Callable[[int], None] | None


def _find_columns(sheet: Sheet, mapping: Mapping[str, str]) -> tuple[Columns, Sample]:
    """The way to read the file by which most headings are understood."""
    found: list[tuple[int, Columns, Sample]] = []
    samples = sheet.samples()
    for sample in samples:
        columns = find_columns(sample.rows, mapping)
        if columns is not None:
            found.append((len(columns.fields), columns, sample))
    if not found and mapping:
        for sample in samples:
            if columns := find_columns(sample.rows, {}):
                check_mapping(columns, mapping)
                raise Invalid(
                    "So {file} has no column of names, or none of numbers.",
                    hint="Choose which column is the name, and which the phone number.",
                    file=sheet.file,
                )
    if not found:
        # a broken quote hides the headings too, and is the better thing to tell
        for _ in sheet.rows(samples[0]):
            pass
        raise Invalid(
            "{file} has no row of headings with a name and a number.",
            hint="Write name,msisdn,organisation,status (or 姓名,手机,支部,状态) over the columns. "
            "Or say which is which: --map 联系电话=msisdn.",
            file=sheet.file,
        )
    _, columns, sample = max(found, key=lambda one: one[0])
    check_mapping(columns, mapping)
    heading = _no_standing(columns, sample.rows, mapping)
    return (heading and find_columns(sample.rows, {**mapping, heading: ""})) or columns, sample


def _no_standing(columns: Columns, rows: Iterable[Row], mapping: Mapping[str, str]) -> str:
    """The heading over what would be statuses, where nobody has said so and none of the first rows has one: 身份, 类别
    stand over whatever a house tells its people apart by. Empty where they are statuses.
    """
    at = columns.fields.get("status")
    if at is None or "status" in mapping.values() or plain_heading(columns.headings[at]) not in OF_MANY_THINGS:
        return ""
    said = {cells[at].strip() for number, cells in rows if number > columns.row and at < len(cells)} - {""}
    return columns.headings[at] if said and not any(map(is_standing, said)) else ""


def _take_in(
    session: Session, actor: Actor, path: Path, rows: Iterator[Row], columns: Columns, given: _Given, *, now: datetime
) -> ImportResult:
    run = open_run(session, actor, path, "members", now=now)
    run.choices = choices(columns, shared=given.shared, agreed=given.agreed)
    home = home_of(session, actor)
    around = Circumstances(
        file=path.name,
        on=given.on,
        now=now,
        import_id=run.id,
        home=home,
        under=actor.under,
        default_organisation=home or given.default_organisation,
        shared=given.shared,
        agreed=given.agreed,
        closed=closed_organisations(session, given.on),
    )
    reader = Reader(columns, region=given.region, on=given.on, cell_limit=given.limits.cell)
    size = path.stat().st_size
    maybe = possible(session, size)
    last_member = session.scalar(select(func.max(Member.id))) or 0
    organisations = known_organisations(session, size)
    aside = put_aside(session, size)
    with loading(session) as loader:
        ids = (Ids(session, Member), Ids(session, Number), Ids(session, Membership))
        plain_reader = PlainReader(columns, reader, around, loader, region=given.region, limit=given.limits.cell)
        writer = Writer(session, actor, loader, around, organisations, *ids)
        intake = Intake(session, loader, around, reader, plain_reader, writer, organisations, maybe, aside, given.key)
        tally = intake.tally
        for portion in in_bulk(rows, PORTION):
            intake.take(portion)
            if given.progress is not None:
                given.progress(tally.rows)
        intake.finish()
        session.add_all(writer.spans)
    tally.refused.sort(key=lambda one: one.row)
    run.created, run.updated, run.unchanged = tally.created, tally.updated, tally.unchanged
    run.refused = len(tally.refused)
    run.places = runs_of(sorted(writer.places)) or None
    session.flush()
    if tally.created:
        refuse_newcomers(session, writer.runs, after=last_member)
    changed = tally.created + tally.updated
    audit.note(session, actor, "members.import", f"import {run.id}", people=changed, now=now, refused=run.refused)
    tell_planner(session, Member, Number, Membership, Subscription, grown=tally.created)
    return ImportResult(
        rows=tally.rows,
        created=tally.created,
        updated=tally.updated,
        unchanged=tally.unchanged,
        refused=tally.refused,
        still_out=tally.still_out,
        # in the order in which a campaign asks
        unreached={reason: tally.unreached[reason] for reason in Reason if reason in tally.unreached},
        new_organisations=len(writer.made),
        first_new_organisations=tuple(writer.made[:SHOWN]),
        headings=columns.headings,
        columns={columns.headings[index]: name for name, index in columns.fields.items()},
        kept=tuple(columns.others),
        import_id=run.id,
    )
