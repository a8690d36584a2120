"""What the demo shows: steps with their outcome, phones, a live bar, and a report."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from broadcaster.campaigns.check import Check
from broadcaster.campaigns.models import Campaign
from broadcaster.commands.options import asked
from broadcaster.commands.output import answer, console, facts, money, table
from broadcaster.commands.phone import WIDTH, phone
from broadcaster.delivery.progress import Progress as Figures
from broadcaster.demo.installation import Plan, settings_file
from broadcaster.demo.journey import Result
from broadcaster.demo.people import Facts
from broadcaster.language import ntr, tr, translated
from broadcaster.newspaper.models import Edition
from broadcaster.replies import inbox
from broadcaster.replies.models import LetterState
from broadcaster.reports.campaign import CampaignReport, campaigns
from broadcaster.reports.scope import Scope
from broadcaster.runtime import Runtime
from broadcaster.words import campaign_state_word, failure_reason_word, skip_reason_word, state_word
from subscribers.actor import OPERATOR
from subscribers.clock import monotonic
from subscribers.importing import ImportResult

#: states shown as one figure, and the colour of its piece of the bar
TILES = (
    ("delivered", ("delivered",), "green"),
    ("submitted", ("submitting", "submitted", "in_network"), "blue"),
    ("failed", ("failed", "rejected", "expired"), "red"),
    ("no_receipt", ("no_receipt",), "yellow"),
    ("unknown", ("unknown",), "magenta"),
    ("queued", ("queued", "held"), "dim"),
)

#: how many letters of each state are shown at the end
_LETTERS = {LetterState.OPEN: 5, LetterState.HANDLED: 3}

#: seconds between two lines where there is no terminal to draw on
_PAUSE = 5.0


class View:
    """The journey as it happens: on the terminal, or on standard error when a document was asked for."""

    def __init__(self) -> None:
        self._out = console(stderr=asked().json)
        self._steps = 0
        self._progress: Progress | None = None
        self._live: Live | None = None
        self._began = self._told = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for running in (self._progress, self._live):
            if running is not None:
                running.stop()

    def importing(self, rows: int) -> None:
        """A bar over the rows of the file."""
        if self._progress is None:
            self._step(tr("The registry: members are imported from a CSV file"))
            self._progress = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                console=self._out,
                transient=True,
                disable=not self._out.is_terminal,
            )
            self._progress.start()
            self._progress.add_task(tr("rows"), total=None)
        self._progress.update(self._progress.task_ids[0], completed=rows)

    def people(self, facts_: Facts, imported: ImportResult | None) -> None:
        """Who there is now."""
        if self._progress is not None:
            self._progress.stop()
        if imported is None:
            self._step(tr("The registry stands from an earlier run"))
        self._show(
            facts(
                (
                    tr("organisations"),
                    tr("{n} in {cities} cities", n=f"{facts_.organisations:,}", cities=facts_.cities),
                ),
                (
                    tr("members"),
                    tr(
                        "{n}: {in_service} in service, {others} not; {away} of them live away",
                        n=f"{facts_.members:,}",
                        in_service=f"{facts_.in_service:,}",
                        others=f"{facts_.not_in_service:,}",
                        away=facts_.mobile,
                    ),
                ),
                (tr("readers"), tr("{n} have agreed to receive the paper", n=f"{facts_.readers:,}")),
                (tr("refused rows"), f"{len(imported.refused):,}" if imported else ""),
            )
        )

    def edition(self, edition: Edition, *, resumed: bool) -> None:
        """Which issue of the paper."""
        if resumed:
            self._step(tr("Edition {number} goes on where it was stopped", number=edition.number))
        else:
            self._step(tr("Edition {number} is put together: {title}", number=edition.number, title=edition.title))

    def checked(self, campaign: Campaign, checked: Check) -> None:
        """One of each variant as on a phone, and what it costs to send them."""
        phones = [
            phone(self._about(variant.name, variant.recipients), variant.split, variant.why)
            for variant in checked.variants
            if variant.split is not None and variant.why is not None
        ]
        abreast = self._out.width >= len(phones) * (WIDTH + 2)
        self._show(Text())
        self._show(Columns(phones, width=WIDTH, padding=(0, 1)) if abreast else Group(*phones))
        self._step(tr("The check: who gets it, who does not and why, and what it costs"))
        self._show(
            facts(
                (tr("recipients"), f"{checked.recipients:,}"),
                (tr("skipped"), f"{sum(checked.skipped.values()):,}"),
                *((f"  {skip_reason_word(reason)}", f"{n:,}") for reason, n in checked.skipped.most_common()),
                (tr("parts"), f"{checked.parts:,}"),
                (tr("cost"), money(checked.cost, checked.currency)),
            )
        )
        for finding in checked.findings:
            self._show(Text(translated(finding.message).format(**finding.fields), style="yellow"))

    def sending(self, campaign: Campaign, figures: Figures, letters: int) -> None:
        """The bar, in the order of its figures."""
        if not figures.messages:
            return
        if not self._began:
            self._began = monotonic()
            self._step(tr("Sending through Celery and the simulated carrier; receipts and answers come back"))
            if self._out.is_terminal:
                self._live = Live(console=self._out, refresh_per_second=8, transient=False)
                self._live.start()
        if self._live is not None:
            self._live.update(_bar(campaign, figures, letters, self._out.width))
        elif monotonic() - self._told >= _PAUSE:
            self._told = monotonic()
            told = "  ".join(f"{word} {n:,}" for word, n, _ in _tiles(figures))
            self._show(Text(f"{campaign_state_word(campaign.state)}: {told}  {tr('letters')} {letters}"))

    def _about(self, variant: str, recipients: int) -> str:
        readers = ntr("{n} reader", "{n} readers", recipients)
        return tr("Variant {name}: {readers}", name=variant, readers=readers)

    def _step(self, sentence: str) -> None:
        self._steps += 1
        self._show(Text())
        self._show(Text(f"{self._steps}  {sentence}", style="bold"))

    def _show(self, what: RenderableType) -> None:
        self._out.print(what)


def _tiles(figures: Figures) -> list[tuple[str, int, str]]:
    """Word, people and colour of each figure; those above add up to all recipients."""
    counted = [(state_word(key), sum(figures.messages[s] for s in states), style) for key, states, style in TILES]
    return [tile for tile in counted if tile[1]]


def _bar(campaign: Campaign, figures: Figures, letters: int, width: int) -> RenderableType:
    tiles = _tiles(figures)
    total = max(1, sum(n for _, n, _ in tiles))
    room = min(width, 100)
    bar, used = Text(), 0
    for _, n, style in tiles:
        cells = max(1, round(n / total * room)) if used < room else 0
        cells = min(cells, room - used)
        bar.append(("░" if style == "dim" else "█") * cells, style=style)
        used += cells
    words = Text("  ").join(Text(f"{word} {n:,}", style=style) for word, n, style in tiles)
    handed = total - figures.waiting
    line = tr(
        "{state}: handed over to {done} of {total} people ({share}), {letters} letters received",
        state=campaign_state_word(campaign.state),
        done=f"{handed:,}",
        total=f"{total:,}",
        share=_share(handed, total),
        letters=letters,
    )
    return Group(Text(line), bar, words)


def _share(part: int, whole: int) -> str:
    """A share in whole per cent; 100 % only when it is all."""
    return "100%" if part == whole else f"{min(99, part * 100 // whole)}%"


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
        _outcomes(came),
        Text(),
        Text(tr("Some of the letters"), style="bold"),
        table(tr("from"), tr("text"), tr("what became of it"), rows=shown),
        Text(tr("It took {seconds} seconds.", seconds=result.seconds)),
        then=[
            "broadsheet demo",
            f"broadsheet --config {config} campaigns messages {result.campaign} --state failed",
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


def _outcomes(came: CampaignReport) -> RenderableType:
    rows: list[Sequence[object]] = [(tr("delivered"), f"{came.delivered:,}", "")]
    rows += [(tr("not delivered"), f"{n:,}", failure_reason_word(reason)) for reason, n in came.failures.items()]
    if came.no_receipt:
        rows.append((tr("no receipt"), f"{came.no_receipt:,}", tr("The carrier never said what became of it.")))
    if came.unknown:
        words = tr("Handed over when the sender was stopped; nobody knows. See `campaigns settle`.")
        rows.append((tr("unsure"), f"{came.unknown:,}", words))
    rows += [(tr("skipped"), f"{n:,}", skip_reason_word(reason)) for reason, n in came.skipped.items()]
    rows.append((tr("letters"), f"{came.replies:,}", tr("{n} of them refuse the paper", n=came.opted_out)))
    return table(tr("people"), tr("how many"), tr("why"), rows=rows, right=(1,))


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
        "failures": dict(came.failures),
        "no_receipt": came.no_receipt,
        "unknown": came.unknown,
        "replies": came.replies,
        "opted_out": came.opted_out,
        "cost": came.cost,
        "currency": came.currency,
        "resumed": result.resumed,
        "seconds": result.seconds,
    }
