"""`broadsheet report`: what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from broadcaster.campaigns import compose
from broadcaster.commands.checked import skipped_table
from broadcaster.commands.house import House, opened, read_day
from broadcaster.commands.options import noun, verb
from broadcaster.commands.output import answer, facts, plain, table, write_csv
from broadcaster.language import tr
from broadcaster.reports.campaign import CampaignReport, campaigns
from broadcaster.reports.cost import costs
from broadcaster.reports.replies import replies as count_replies
from broadcaster.reports.scope import Scope, days
from broadcaster.web.figures import count, money
from broadcaster.words import campaign_state_word, failure_reason_word
from subscribers import organisations
from subscribers.actor import Right
from subscribers.db import Tx

app = noun()

Under = Annotated[str, typer.Option(metavar="PATH", help=tr("Only members under this organisation."))]
From = Annotated[str | None, typer.Option("--from", metavar="DATE", help=tr("From this day on."))]
To = Annotated[str | None, typer.Option("--to", metavar="DATE", help=tr("Up to this day, it included."))]
Csv = Annotated[Path | None, typer.Option(metavar="FILE", help=tr("Write the rows there."))]


@verb(
    app,
    about=tr("Delivered, failed and why, no receipt, replies, cost: of one campaign, or of each."),
    example="broadsheet report campaign 3\nbroadsheet report campaign --from 2026-11-01 --csv november.csv",
    needs=Right.SEE,
)
def campaign(
    campaign_id: Annotated[int | None, typer.Argument(metavar="[ID]", help=tr("The campaign's number."))] = None,
    under: Under = "",
    from_: From = None,
    to: To = None,
    csv: Csv = None,
) -> None:
    with opened() as house, house.reading() as tx:
        if campaign_id is not None:
            compose.get(tx.session, house.actor, campaign_id)  # raises where there is none
        found = campaigns(tx.session, house.actor, _scope(house, tx, under, from_, to), campaign_id=campaign_id)
    rows = [_campaign_row(report) for report in found]
    if campaign_id is not None and found:
        _answer(rows, csv, *_one(found[0]))
        return
    headings = (tr("id"), tr("title"), tr("state"), tr("recipients"), tr("delivered"), tr("not delivered"), tr("cost"))
    lines = [(r.id, r.title, _state(r), r.recipients, r.delivered, r.failed, money(r.cost, r.currency)) for r in found]
    _answer(rows, csv, table(*headings, rows=lines, right=(0, 3, 4, 5, 6)))


@verb(
    app,
    about=tr("What members wrote, by campaign."),
    example="broadsheet report replies --from 2026-11-01",
    needs=Right.SEE,
)
def replies(under: Under = "", from_: From = None, to: To = None, csv: Csv = None) -> None:
    with opened() as house, house.reading() as tx:
        found = count_replies(tx.session, house.actor, _scope(house, tx, under, from_, to))
    headings = (tr("campaign"), tr("title"), tr("received"), tr("opted out"), tr("waiting"), tr("answered"))
    lines = [(r.campaign or "-", r.title, r.received, r.opted_out, r.open, r.answered) for r in found]
    _answer([plain(report) for report in found], csv, table(*headings, rows=lines, right=(0, 2, 3, 4, 5)))


@verb(
    app,
    about=tr("What the carriers took, by month and gateway."),
    example="broadsheet report cost --csv cost.csv",
    needs=Right.SEE,
)
def cost(under: Under = "", from_: From = None, to: To = None, csv: Csv = None) -> None:
    with opened() as house, house.reading() as tx:
        scope = _scope(house, tx, under, from_, to)
        found = costs(tx.session, house.actor, scope, house.tariffs(tx.session), zone=house.settings.zone)
    headings = (tr("month"), tr("gateway"), tr("parts"), tr("cost"))
    lines = [(r.month, r.gateway, r.parts, money(r.cost, r.currency)) for r in found]
    _answer([plain(report) for report in found], csv, table(*headings, rows=lines, right=(2, 3)))


def _scope(house: House, tx: Tx, under: str, first: str | None, last: str | None) -> Scope:
    path = organisations.find_by_path(tx.session, house.actor, under).path if under else house.actor.under
    return days(read_day(first) if first else None, read_day(last) if last else None, house.settings.zone, under=path)


def _answer(rows: Sequence[dict[str, Any]], csv: Path | None, *shown: RenderableType) -> None:
    if csv:
        headings = [key for key, value in rows[0].items() if not isinstance(value, dict)] if rows else []
        write_csv(csv, headings, ([row[key] for key in headings] for row in rows))
        shown = (tr("{rows} rows written to {file}.", rows=len(rows), file=csv),)
    answer({"rows": list(rows)}, *(shown if rows else [tr("There is nothing to report.")]))


def _campaign_row(report: CampaignReport) -> dict[str, Any]:
    return plain(report) | {"failures": told_failures(report.failures)}


def told_failures(failures: Mapping[str, int]) -> dict[str, int]:
    """Why it did not arrive, in words: two reasons of the ledger may be one to people."""
    told: Counter[str] = Counter()
    for reason, n in failures.items():
        told[failure_reason_word(reason)] += n
    return dict(told)


def _state(report: CampaignReport) -> str:
    return campaign_state_word(report.state, rehearsed=report.rehearsed)


def _one(report: CampaignReport) -> list[RenderableType]:
    shown: list[RenderableType] = [
        facts(
            (tr("campaign"), f"{report.id} · {report.title}"),
            (tr("state"), _state(report)),
            (tr("recipients"), count(report.recipients)),
            (tr("delivered"), _share(report.delivered, report.recipients)),
            (tr("not delivered"), _share(report.failed, report.recipients)),
            (tr("no receipt"), count(report.no_receipt)),
            (tr("unsure"), count(report.unknown) if report.unknown else ""),
            (tr("awaiting receipt"), count(report.awaited) if report.awaited else ""),
            (tr("not sent"), count(report.not_sent) if report.not_sent else ""),
            (tr("replies"), count(report.replies)),
            (tr("opted out since"), count(report.opted_out)),
            (tr("parts"), count(report.parts)),
            (tr("cost"), money(report.cost, report.currency)),
        )
    ]
    if report.failures:
        rows = list(told_failures(report.failures).items())
        shown.append(table(tr("not delivered because"), tr("people"), rows=rows, right=(1,)))
    if report.skipped:
        shown.append(skipped_table(report.skipped))
    return shown


def _share(n: int, of: int) -> str:
    return tr("{n} ({share})", n=f"{n:,}", share=f"{n / of:.1%}") if of else str(n)
