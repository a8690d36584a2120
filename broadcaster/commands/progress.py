"""Bars for long work: on standard error, and only where somebody looks."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from broadcaster.campaigns.models import Campaign
from broadcaster.commands.checked import duration
from broadcaster.commands.output import aside, console
from broadcaster.commands.program import typed_again
from broadcaster.delivery.obstacles import Obstacle
from broadcaster.delivery.progress import Progress as Figures
from broadcaster.language import language, retold_whole, set_language, tr
from broadcaster.words import campaign_state_word, state_word


@contextlib.contextmanager
def counting(of_what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar that is told how many are done; without a total, a figure that grows."""
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield lambda done: None
        return
    columns = (
        [SpinnerColumn(), MofNCompleteColumn(), TextColumn(of_what)] if total else [SpinnerColumn(), _Done(of_what)]
    )
    if total:
        columns.insert(1, BarColumn(bar_width=30))
    with Progress(*columns, console=screen, transient=True) as bars:
        task = bars.add_task("", total=total)
        yield lambda done: bars.update(task, completed=done)


class _Done(ProgressColumn):
    def __init__(self, of_what: str) -> None:
        super().__init__()
        self.of_what = of_what

    def render(self, task: Task) -> Text:
        return Text(f"{int(task.completed):,} {self.of_what}")


class _Rate(ProgressColumn):
    def __init__(self) -> None:
        super().__init__()
        self.language = language()

    def render(self, task: Task) -> Text:
        # the screen is drawn by a thread of its own, which has not heard in which language
        set_language(self.language)
        speed, left = task.finished_speed or task.speed, task.time_remaining
        # a slow way is told in tenths, not as nothing at all
        rate = tr("{rate}/s", rate=f"{speed:.0f}" if speed >= 9.5 else f"{speed:.1f}") if speed else ""
        time = tr("{time} left", time=duration(left)) if left else ""
        return Text(" · ".join(filter(None, (rate, time))))


Show = Callable[[Campaign, Figures, Sequence[Obstacle]], None]


@contextlib.contextmanager
def following() -> Iterator[Show]:
    """A live view of a campaign: how many are handed over, how fast, how long yet, what became of them, what is wrong.

    Where nobody looks on, only what is wrong is said, each time it changes.
    """
    screen = console(stderr=True)
    if not screen.is_terminal:
        yield _saying()
        return
    bars = Progress(BarColumn(bar_width=24), MofNCompleteColumn(), _Rate(), console=screen, auto_refresh=False)
    task = bars.add_task("", total=None)
    with Live(bars, console=screen, refresh_per_second=4, transient=True) as live:

        def show(campaign: Campaign, figures: Figures, held_up: Sequence[Obstacle]) -> None:
            bars.update(task, total=figures.recipients or None, completed=figures.recipients - figures.waiting)
            state = Text(campaign_state_word(campaign.state), style="bold")
            wrong = (Text(told_obstacle(each), style="yellow") for each in held_up)
            live.update(Group(state, bars, Text(counts(figures)), *wrong))

        yield show


def _saying() -> Show:
    said: list[str] = []

    def show(campaign: Campaign, figures: Figures, held_up: Sequence[Obstacle]) -> None:
        nonlocal said
        wrong = [told_obstacle(each) for each in held_up]
        for sentence in wrong:
            if sentence not in said:
                aside(sentence)
        said = wrong

    return show


def told_obstacle(obstacle: Obstacle) -> str:
    """What is wrong, and what to do."""
    return typed_again(retold_whole(obstacle.trouble))


def counts(figures: Figures) -> str:
    """The messages by state, in the words for people: states that are one to them are one figure."""
    told: Counter[str] = Counter()
    for state, n in figures.messages.items():
        if n:
            told[state_word(state)] += n
    return " · ".join(f"{word} {n:,}" for word, n in told.items())
