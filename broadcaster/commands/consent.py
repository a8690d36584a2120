"""`broadsheet consent`: who wants the paper and who does not, and how that is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from broadcaster.commands.house import opened, today
from broadcaster.commands.options import MOST, noun, verb
from broadcaster.commands.output import answer, local, plain, table
from broadcaster.commands.progress import counting
from broadcaster.commands.refusals import check_rejects, reason, refusal_lines, refusals
from broadcaster.language import ntr, tr
from broadcaster.words import source_word
from subscribers import consent_files, msisdn
from subscribers.actor import Right
from subscribers.consent_files import ConsentImported
from subscribers.importing import write_rejects
from subscribers.models import Wish

app = noun()

Number = Annotated[str, typer.Argument(metavar="NUMBER", help=tr("In any way people write one."))]
Wording = Annotated[str, typer.Option(metavar="EVIDENCE", help=tr("How they told you; it is kept with the wish."))]
Topic = Annotated[str, typer.Option(metavar="COLUMN", help=tr("Only this column of the paper, not the paper itself."))]


@verb(
    app,
    name="import",
    about=tr("Take in a file of opt-outs, or of opt-ins with evidence: CSV, XLSX, or a bare list of numbers."),
    example="broadsheet consent import blacklist.txt --source carrier\n"
    "broadsheet consent import wishes.xlsx --dry-run --rejects refused.csv",
    needs=Right.REGISTER,
)
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help=tr("Columns msisdn, wish (out), source, wording, at, topic."))
    ],
    source: Annotated[
        str, typer.Option(metavar="SOURCE", help=tr("Where the wishes come from; carrier: they count as own word."))
    ] = "import",
    wording: Annotated[
        str, typer.Option(metavar="EVIDENCE", help=tr("How it is known, for rows that do not say."))
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help=tr("Only say what would happen."))] = False,
    rejects: Annotated[Path | None, typer.Option(metavar="FILE", help=tr("Write the refused rows there."))] = None,
) -> None:
    check_rejects(rejects, file)
    with opened() as house, counting(tr("rows")) as progress, house.begin() as tx:
        result = consent_files.import_consent(
            tx.session,
            house.actor,
            file,
            key=house.secret,
            now=tx.now,
            region=house.settings.paper.region,
            zone=house.settings.zone,
            source=source,
            wording=wording,
            dry_run=dry_run,
            progress=progress,
        )
    if rejects:
        write_rejects(rejects, result.headings, result.refused, why=reason)
    document = plain(result) | {"refused": len(result.refused), "refusals": refusals(result.refused)}
    undo_it = [f"broadsheet consent undo {result.import_id}"] if result.import_id and result.outs + result.ins else []
    answer(document, *_told(result), *refusal_lines(result.refused, rejects), then=undo_it)


@verb(
    app,
    about=tr("Write the present wishes with their evidence, numbers in full; it is audited."),
    example="broadsheet consent export wishes.xlsx\nbroadsheet consent export stop.csv --outs --to retired",
    needs=Right.NUMBERS,
)
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help=tr("Replaced if it is there."))],
    to: Annotated[str, typer.Option(metavar="RULE", help=tr("Whom: a segment or a rule."))] = "",
    outs: Annotated[bool, typer.Option("--outs", help=tr("Only who wants no more."))] = False,
) -> None:
    with opened() as house, counting(tr("rows")) as progress, house.begin() as tx:
        rows = consent_files.export_consent(
            tx.session,
            house.actor,
            file,
            to=to,
            outs=outs,
            region=house.settings.paper.region,
            now=tx.now,
            on=today(house, tx),
            progress=progress,
        )
    answer({"rows": rows}, ntr("{n} wish written to {file}.", "{n} wishes written to {file}.", rows, file=file))


@verb(
    app,
    about=tr("Take back an import of wishes: what held before holds again. The evidence stays."),
    example="broadsheet consent undo 4",
    needs=Right.REGISTER,
)
def undo(import_id: Annotated[int, typer.Argument(max=MOST, metavar="IMPORT", help=tr("Its number."))]) -> None:
    with opened() as house, house.begin() as tx:
        rows = consent_files.undo_consent(tx.session, house.actor, import_id, now=tx.now)
    answer({"rows": rows}, ntr("{n} wish is as before.", "{n} wishes are as before.", rows))


@verb(
    app,
    about=tr("Everything that was said about the wish of one number, in order."),
    example="broadsheet consent history 13800002231",
    needs=Right.SEE,
)
def history(number: Number) -> None:
    with opened() as house, house.reading() as tx:
        region, zone = house.settings.paper.region, house.settings.zone
        found = consent_files.history(tx.session, house.actor, number, region=region)
    masked = msisdn.mask(msisdn.parse(number, region).msisdn)
    headings = (tr("time"), tr("wish"), tr("column"), tr("source"), tr("wording"), tr("by"), tr("holds"))
    rows = [
        (
            local(one.at, zone),
            _wish(one.wish),
            one.topic,
            source_word(one.source),
            one.wording,
            one.by,
            _holds(one.counts, one.undone),
        )
        for one in found
    ]
    document = {"msisdn": masked, "evidence": [plain(one) for one in found]}
    answer(
        document, table(*headings, rows=rows) if found else tr("Nothing was ever said about {number}.", number=masked)
    )


@verb(
    app,
    about=tr("Somebody told you that they want no more: write it down for them; it is audited."),
    example='broadsheet consent out 13800002231 --wording "by telephone, 21 November"\n'
    'broadsheet consent out 13800002231 --wording "by letter" --topic 健康',
    needs=Right.REGISTER,
)
def out(number: Number, wording: Wording, topic: Topic = "") -> None:
    _say(number, Wish.OUT, wording, topic)


@verb(
    app,
    name="in",
    about=tr("Somebody told you that they want the paper: write it down for them; it is audited."),
    example='broadsheet consent in 13800002231 --wording "signed form, 21 November"',
    needs=Right.REGISTER,
)
def in_(number: Number, wording: Wording, topic: Topic = "") -> None:
    _say(number, Wish.IN, wording, topic)


def _say(number: str, wish: Wish, wording: str, topic: str) -> None:
    with opened() as house, house.begin() as tx:
        region = house.settings.paper.region
        is_news = consent_files.say(
            tx.session,
            house.actor,
            number,
            wish,
            wording=wording,
            topic=topic,
            key=house.secret,
            region=region,
            now=tx.now,
        )
    masked = msisdn.mask(msisdn.parse(number, region).msisdn)
    document = {"msisdn": masked, "wish": wish, "topic": topic, "news": is_news}
    if topic:
        told = tr("{number}, column {topic}: {wish}.", number=masked, topic=topic, wish=_wish(wish))
    else:
        told = tr("{number}: {wish}.", number=masked, wish=_wish(wish))
    answer(document, told, None if is_news else tr("That is how it was already."))


def _told(result: ConsentImported) -> list[str]:
    figures = {
        "rows": result.rows,
        "outs": result.outs,
        "ins": result.ins,
        "unchanged": result.unchanged,
        "refused": len(result.refused),
    }
    lines = [tr("This was a dry run: nothing was written.")] if result.import_id is None else []
    lines.append(tr("{rows} rows: {outs} out, {ins} in, {unchanged} as they were, {refused} refused.", **figures))
    if result.still_out:
        lines.append(tr("{count} opted out themselves and stay out, whatever the file says.", count=result.still_out))
    return lines


def _wish(wish: Wish) -> str:
    return tr("wants no more") if wish == Wish.OUT else tr("wants it")


def _holds(counts: bool, undone: bool) -> str:
    if counts:
        return tr("yes")
    return tr("taken back") if undone else ""
