"""What is asked, at whichever door, before somebody does what takes more with it than its name says."""

from __future__ import annotations

from broadcaster.language import listed, ntr, tr
from broadcaster.newspaper.segment_uses import SegmentUses
from subscribers.models import ImportRun

#: of what uses a segment, by name
_NAMED = 5


def before_undo(run: ImportRun) -> list[str]:
    """What becomes of whom when an import of members is undone, a sentence each."""
    places = sum(last - first + 1 for first, last in run.places or ())
    told = [
        ntr(
            "{figure} person who came with it is removed, with their numbers.",
            "{figure} people who came with it are removed, with their numbers.",
            run.created,
            figure=f"{run.created:,}",
        )
        if run.created
        else "",
        ntr(
            "{figure} person whom it changed is as before.",
            "{figure} people whom it changed are as before.",
            run.updated,
            figure=f"{run.updated:,}",
        )
        if run.updated
        else "",
        tr("Whoever was changed since, by hand, by a transfer or by a later list, is left as they are now."),
        tr("Where only this list says that somebody agreed to receive the paper, it no longer counts."),
        ntr(
            "{figure} organisation that it made goes with it, if nobody is in it.",
            "{figure} organisations that it made go with it, where nobody is in them.",
            places,
            figure=f"{places:,}",
        )
        if places
        else "",
    ]
    return [each for each in told if each]


def before_removal(name: str, uses: SegmentUses) -> str:
    """What becomes of the paper's parts that name a segment when it is removed; empty where none does."""
    where = used_in(uses)
    if not where:
        return ""
    return tr(
        "{name} is used: {where}. Without it they cannot be sent before it is said anew whom they are for.",
        name=name,
        where=where,
    )


def used_in(uses: SegmentUses) -> str:
    """The first editions and items that name a segment, and how many more there are; empty where none does."""
    where = [*(tr("No. {number}", number=number) for number in uses.editions), *uses.items]
    more = len(where) - _NAMED
    return listed([*where[:_NAMED], *([ntr("{n} more place", "{n} more places", more)] if more > 0 else [])])
