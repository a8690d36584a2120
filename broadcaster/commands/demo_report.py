"""What the demo tells at its end: sentences and tables for people, one document for programs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from broadcaster.commands.output import answer, table
from broadcaster.commands.report import told_failures
from broadcaster.demo.installation import Plan, settings_file
from broadcaster.demo.journey import Result
from broadcaster.language import ntr, tr
from broadcaster.replies import inbox
from broadcaster.replies.models import LetterState
from broadcaster.reports.campaign import CampaignReport, campaigns
from broadcaster.reports.scope import Scope
from broadcaster.runtime import Runtime
from broadcaster.web.figures import money
from broadcaster.words import skip_reason_word
from subscribers.actor import OPERATOR

#: how many letters of each state are shown at the end
_LETTERS = {LetterState.OPEN: 5, LetterState.HANDLED: 3}


def report(runtime: Runtime, result: Result, plan: Plan) -> None:
    """What came of it: for people in sentences and tables, for programs as one document."""
    with runtime.reading() as tx:
        (came,) = campaigns(tx.session, OPERATOR, Scope(), campaign_id=result.campaign)
        letters = [
            row
            for state, limit in _LETTERS.items()
            for row in inbox.listing(tx.session, OPERATOR, state=state, limit=limit)
        ]
        shown = [(name or "", letter.text, _became(letter.handled_as)) for letter, name in letters]
    config = settings_file(plan)
    answer(
        _document(result, came),
        Text(),
        Text(_finding(came), style="bold"),
        _left(result.confirmed - came.recipients),
        _outcomes(came),
        Text(),
        Text(tr("Some of the letters"), style="bold"),
        table(tr("from"), tr("text"), tr("what became of it"), rows=shown),
        Text(tr("It took {seconds} seconds.", seconds=result.seconds)),
        then=[
            "broadsheet demo",
            f"broadsheet --config {config} campaigns messages {result.campaign} --state failed,rejected,expired",
            f"broadsheet --config {config} replies list",
            f"broadsheet --config {config} up",
            "broadsheet members import people.csv",
        ],
    )


def _finding(came: CampaignReport) -> str:
    share = f"{came.delivered / max(1, came.recipients):.1%}"
    return tr(
        "Report: {delivered} of {recipients} readers have it on their phone ({share}); it cost {cost}.",
        delivered=f"{came.delivered:,}",
        recipients=f"{came.recipients:,}",
        share=share,
        cost=money(came.cost, came.currency),
    )


def _left(fewer: int) -> str | None:
    """Why there are fewer recipients than the check counted."""
    if fewer <= 0:
        return None
    return ntr(
        "{n} person opted out after the check, before their copy left.",
        "{n} people opted out after the check, before their copies left.",
        fewer,
    )


def _outcomes(came: CampaignReport) -> RenderableType:
    rows: list[Sequence[object]] = [(tr("delivered"), f"{came.delivered:,}", "")]
    rows += [(tr("not delivered"), f"{n:,}", reason) for reason, n in told_failures(came.failures).items()]
    if came.no_receipt:
        rows.append((tr("no receipt"), f"{came.no_receipt:,}", tr("The carrier never said what became of it.")))
    if came.unknown:
        words = tr("Handed over when the sender was stopped; nobody knows. See `campaigns settle`.")
        rows.append((tr("unsure"), f"{came.unknown:,}", words))
    rows += [(tr("skipped"), f"{n:,}", skip_reason_word(reason)) for reason, n in came.skipped.items()]
    rows.append((tr("letters"), f"{came.replies:,}", tr("{n} of them refuse the paper", n=came.opted_out)))
    return table(tr("outcome"), tr("how many"), tr("why"), rows=rows, right=(1,))


def _became(handled_as: str | None) -> str:
    return {
        "opt_out": tr("taken off the list, and told so"),
        "come_back": tr("on the list again, and told so"),
        "inbox": tr("waits in the inbox"),
    }.get(handled_as or "", "")


def _document(result: Result, came: CampaignReport) -> dict[str, object]:
    return {
        "organisations": result.organisations,
        "members": result.members,
        "readers": result.readers,
        "variants": result.variants,
        "edition": result.edition,
        "campaign": result.campaign,
        "confirmed": result.confirmed,
        "recipients": came.recipients,
        "skipped": dict(came.skipped),
        "parts": came.parts,
        "delivered": came.delivered,
        "failed": came.failed,
        "failures": told_failures(came.failures),
        "no_receipt": came.no_receipt,
        "unknown": came.unknown,
        "replies": came.replies,
        "opted_out": came.opted_out,
        "cost": came.cost,
        "currency": came.currency,
        "resumed": result.resumed,
        "seconds": result.seconds,
    }
