"""What the demo shows while it runs: steps with their outcome, phones, and a live bar."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.text import Text

from broadcaster.campaigns.check import Check
from broadcaster.campaigns.models import Campaign
from broadcaster.commands.checked import readers_of
from broadcaster.commands.options import asked
from broadcaster.commands.output import console, facts
from broadcaster.commands.phone import WIDTH, phone
from broadcaster.delivery.progress import Progress as Figures
from broadcaster.demo.people import Facts
from broadcaster.language import filled, tr
from broadcaster.newspaper.models import Edition
from broadcaster.web.figures import money
from broadcaster.words import campaign_state_word, skip_reason_word, state_word, status_word
from subscribers.clock import monotonic
from subscribers.importing import ImportResult

#: states shown as one figure, with the sign and the colour of its piece of the bar
TILES = (
    ("delivered", ("delivered",), "█", "green"),
    ("submitted", ("submitting", "submitted", "in_network"), "▓", "blue"),
    ("failed", ("failed", "rejected", "expired"), "▚", "red"),
    ("no_receipt", ("no_receipt",), "▒", "yellow"),
    ("unknown", ("unknown",), "?", "magenta"),
    ("queued", ("queued", "held"), "░", "dim"),
)

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
        self._show(
            Columns(phones, width=WIDTH, padding=(0, 1))
            if abreast
            else Group(*(Padding(drawn, (0, 0, 1, 0)) for drawn in phones))
        )
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
            self._show(Text(filled(finding.message, finding.fields), style="yellow"))

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
            told = "  ".join(f"{tile.word} {tile.people:,}" for tile in _tiles(figures))
            state = campaign_state_word(campaign.state)
            self._show(Text(tr("{name}: {value}", name=state, value=f"{told}  {tr('letters')} {letters}")))

    def _about(self, variant: str, recipients: int) -> str:
        return tr("Variant {name}: {readers}", name=status_word(variant), readers=readers_of(recipients))

    def _step(self, sentence: str) -> None:
        self._steps += 1
        self._show(Text())
        self._show(Text(f"{self._steps}  {sentence}", style="bold"))

    def _show(self, what: RenderableType) -> None:
        self._out.print(what)


@dataclass(frozen=True, slots=True)
class _Tile:
    """One figure: its word, its people, and how its piece of the bar looks."""

    word: str
    people: int
    sign: str
    style: str


def _tiles(figures: Figures) -> list[_Tile]:
    """The figures that are not nought; they add up to all recipients."""
    counted = [
        _Tile(state_word(key), sum(figures.messages[state] for state in states), sign, style)
        for key, states, sign, style in TILES
    ]
    return [tile for tile in counted if tile.people]


def _bar(campaign: Campaign, figures: Figures, letters: int, width: int) -> RenderableType:
    tiles = _tiles(figures)
    total = max(1, sum(tile.people for tile in tiles))
    room = min(width, 100)
    cells = [max(1, tile.people * room // total) for tile in tiles]
    # the largest piece takes what rounding left, so that the smallest can be seen
    cells[cells.index(max(cells))] += room - sum(cells)
    bar = Text.assemble(*((tile.sign * n, tile.style) for tile, n in zip(tiles, cells, strict=True)))
    words = Text("  ").join(Text(f"{tile.sign} {tile.word} {tile.people:,}", style=tile.style) for tile in tiles)
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
