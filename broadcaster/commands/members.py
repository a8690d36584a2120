"""`broadsheet members`: the people on the list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.commands.asking import Yes, make_sure
from broadcaster.commands.house import opened, today
from broadcaster.commands.membership import mount_membership
from broadcaster.commands.options import MOST, noun, verb
from broadcaster.commands.output import answer, local, plain, table
from broadcaster.commands.progress import counting
from broadcaster.commands.refusals import check_rejects, reason, refusal_lines, refusals
from broadcaster.language import in_a_row, listed, ntr, tr
from broadcaster.questions import before_undo
from broadcaster.undoing import undo_import
from broadcaster.words import list_field_word, place_words, skip_reason_word, standing_words
from subscribers import audit, exporting, finding, importing
from subscribers.actor import Right
from subscribers.errors import Invalid
from subscribers.importing import ImportResult, Reason, reached, write_rejects
from subscribers.importing.undo import may_be_undone
from subscribers.msisdn import mask
from subscribers.registry import Profile

app = noun()

#: as many as one question may find; more is an export
FOUND = 1000


@verb(
    app,
    name="import",
    about=tr("Take in a CSV or XLSX file of members; rows with faults are refused one by one, with the reason."),
    example="broadsheet members import people.xlsx --dry-run\n"
    "broadsheet members import people.csv --map 联系电话=msisdn --rejects refused.csv\n"
    'broadsheet members import people.csv --agreed "signed at the general meeting of 12 March"',
    needs=Right.REGISTER,
)
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=tr("CSV or XLSX, with a row of headings."))],
    dry_run: Annotated[bool, typer.Option("--dry-run", help=tr("Only say what would happen."))] = False,
    rejects: Annotated[Path | None, typer.Option(metavar="FILE", help=tr("Write the refused rows there."))] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="HEADING=FIELD",
            help=tr("Which column is what: name, msisdn, organisation, status ...; HEADING= keeps it as it is."),
        ),
    ] = None,
    sheet: Annotated[str, typer.Option(metavar="NAME", help=tr("Which sheet of a workbook."))] = "",
    shared: Annotated[bool, typer.Option("--shared", help=tr("Several people may share a handset."))] = False,
    agreed: Annotated[
        str, typer.Option(metavar="EVIDENCE", help=tr("Everyone in the file has agreed to be sent to: how you know."))
    ] = "",
) -> None:
    check_rejects(rejects, file)
    with opened() as house, counting(tr("rows")) as progress, house.begin() as tx:
        result = importing.import_members(
            tx.session,
            house.actor,
            file,
            now=tx.now,
            on=today(house, tx),
            region=house.settings.paper.region,
            mapping=_mapping(mapping or []),
            shared=shared,
            agreed=agreed,
            sheet_name=sheet,
            key=house.secret,
            dry_run=dry_run,
            progress=progress,
        )
    if rejects:
        write_rejects(rejects, result.headings, result.refused, why=reason)
    document = plain(result) | {"refused": len(result.refused), "refusals": refusals(result.refused)}
    answer(document, *_told(result), *refusal_lines(result.refused, rejects), then=_after(result))


@verb(
    app,
    about=tr("Take back an import: whoever it made goes, whoever it changed is as before."),
    example="broadsheet members undo 3\nbroadsheet members undo 3 --yes",
    needs=Right.REGISTER,
)
def undo(
    import_id: Annotated[int, typer.Argument(max=MOST, metavar="IMPORT", help=tr("Its number."))], yes: Yes = False
) -> None:
    with opened() as house:
        if not yes:
            with house.reading() as tx:
                run = may_be_undone(tx.session, house.actor, import_id)
            at = local(run.at, house.settings.zone)
            make_sure(
                in_a_row(*before_undo(run)), tr("Undo the import of {file}, {time}?", file=run.file_name, time=at)
            )
        with house.begin() as tx:
            undone = undo_import(tx.session, house.actor, import_id, now=tx.now)
    as_before = undone.restored - undone.removed
    answer(
        plain(undone),
        ntr("{n} member was removed again.", "{n} members were removed again.", undone.removed)
        if undone.removed
        else None,
        ntr("{n} member is as before.", "{n} members are as before.", as_before) if as_before else None,
        ntr("{n} was changed since and stays.", "{n} were changed since and stay.", undone.kept)
        if undone.kept
        else None,
        ntr("{n} organisation that it made is gone.", "{n} organisations that it made are gone.", undone.places)
        if undone.places
        else None,
    )


@verb(
    app,
    about=tr("Write members as CSV or XLSX, by the ending of FILE, with their numbers in full; it is audited."),
    example='broadsheet members export everyone.xlsx\nbroadsheet members export retired.csv --to "status = retired"',
    needs=Right.NUMBERS,
)
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=tr("Replaced if it is there."))],
    to: Annotated[str, typer.Option(metavar="RULE", help=tr("Whom: a segment or a rule."))] = "everyone",
) -> None:
    with opened() as house, counting(tr("members")) as progress, house.begin() as tx:
        rows = exporting.export_members(
            tx.session,
            house.actor,
            file,
            to=to,
            region=house.settings.paper.region,
            now=tx.now,
            on=today(house, tx),
            place=place_words,
            progress=progress,
        )
    answer({"rows": rows}, ntr("{n} member written to {file}.", "{n} members written to {file}.", rows, file=file))


@verb(
    app,
    about=tr("Look for members by name, pinyin (whole or initials), number or its end, external id, or #id."),
    example="broadsheet members find 张伟\nbroadsheet members find zhangw\n"
    "broadsheet members find 0042 --full-numbers\nbroadsheet members find '#12'",
    needs=Right.SEE,
)
def find(
    text: Annotated[str, typer.Argument(metavar="TEXT", help=tr("What to look for."))],
    full_numbers: Annotated[bool, typer.Option("--full-numbers", help=tr("Do not mask numbers; it is noted."))] = False,
    limit: Annotated[int, typer.Option(min=1, max=FOUND, help=tr("At most so many."))] = 50,
) -> None:
    with opened() as house, house.begin() if full_numbers else house.reading() as tx:
        region = house.settings.paper.region
        found = finding.find(tx.session, house.actor, text, on=today(house, tx), limit=limit, region=region)
        if full_numbers:
            audit.seen_in_full(tx.session, house.actor, "members.numbers", people=len(found), now=tx.now)
    members = [_member(profile, full_numbers=full_numbers) for profile in found]
    headings = (tr("id"), tr("name"), tr("number"), tr("status"), tr("organisation"))
    rows = [
        (m["id"], m["name"], m["msisdn"] or "-", standing_words(p.status, away=p.mobile), place_words(p.organisation))
        for m, p in zip(members, found, strict=True)
    ]
    answer({"members": members}, table(*headings, rows=rows) if found else tr("Nobody was found."))


mount_membership(app)


def _mapping(given: list[str]) -> dict[str, str]:
    pairs = [one.rpartition("=") for one in given]
    for heading, equals, _ in pairs:
        if not equals or not heading:
            raise Invalid("--map is written HEADING=FIELD.", hint="For example --map 联系电话=msisdn.")
    return {heading: field for heading, _, field in pairs}


def _told(result: ImportResult) -> list[str]:
    figures = {
        "created": result.created,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "refused": len(result.refused),
    }
    if result.import_id is None:
        lines = [
            tr("This was a dry run: nothing was written."),
            ntr(
                "{n} row: {created} would be created, {updated} updated, {unchanged} unchanged, {refused} refused.",
                "{n} rows: {created} would be created, {updated} updated, {unchanged} unchanged, {refused} refused.",
                result.rows,
                **figures,
            ),
        ]
    else:
        lines = [
            ntr(
                "{n} row: {created} created, {updated} updated, {unchanged} unchanged, {refused} refused.",
                "{n} rows: {created} created, {updated} updated, {unchanged} unchanged, {refused} refused.",
                result.rows,
                **figures,
            )
        ]
    read = listed(f"{heading} → {list_field_word(field)}" for heading, field in result.columns.items())
    lines.append(tr("Columns: {columns}.", columns=read))
    if result.kept:
        lines.append(tr("Kept under their own headings: {headings}.", headings=listed(result.kept)))
    if result.new_organisations:
        lines.append(_new_organisations(result))
    return [*lines, *_reach(result)]


def _reach(result: ImportResult) -> list[str]:
    """How many can be sent to, and why the others cannot."""
    people = result.created + result.updated + result.unchanged
    reachable = reached(people, (each.people for each in result.unreached.values()))
    lines = [tr("People who can be sent to: {reachable} of {people}.", reachable=reachable, people=people)]
    for why, each in result.unreached.items():
        rows = listed([*map(str, each.rows), *["…"][: each.people > len(each.rows)]])
        told = ntr(
            "{why}: {n} (row {rows})", "{why}: {n} (rows {rows})", each.people, why=skip_reason_word(why), rows=rows
        )
        lines.append(f"  {told}")
    if result.still_out:
        lines.append(tr("{count} opted out themselves and stay out, whatever the file says.", count=result.still_out))
    if Reason.NO_CONSENT in result.unreached:
        given = next((heading for heading, field in result.columns.items() if field == "subscribed"), None)
        lines.append(
            tr('Give the file a column subscribed with yes, or import it with --agreed "how you know".')
            if given is None
            else tr(
                "Write yes into these rows' column {heading}, if they said so, or import it with "
                '--agreed "how you know".',
                heading=given,
            )
        )
    return lines


def _new_organisations(result: ImportResult) -> str:
    first, count = result.first_new_organisations, result.new_organisations
    names = listed([*map(place_words, first), *["…"][: count > len(first)]])
    if result.import_id is None:
        return ntr(
            "{n} organisation would be made, which is not there yet: {names}.",
            "{n} organisations would be made, which are not there yet: {names}.",
            count,
            names=names,
        )
    return ntr(
        "{n} organisation was made, which was not there: {names}.",
        "{n} organisations were made, which were not there: {names}.",
        count,
        names=names,
    )


def _after(result: ImportResult) -> list[str]:
    if result.import_id is None or not result.created + result.updated:
        return []
    return ["broadsheet segments count everyone", f"broadsheet members undo {result.import_id}"]


def _member(profile: Profile, *, full_numbers: bool) -> dict[str, object]:
    number = profile.msisdn if full_numbers or not profile.msisdn else mask(profile.msisdn)
    return plain(profile) | {"msisdn": number}
