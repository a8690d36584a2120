"""What "too fast" means: that we are too fast, or that the carrier says so by chance, whatever we do. Pure.

A carrier with a limit refuses what is above it, and nothing once we are below. One that is merely busy, or shared with
others, refuses some share of everything. The first is to be obeyed, the second to be borne: who slows down for it comes
to a standstill. So a share that is usual is no news (`weigh`), and when there is news, one goes slower for a while and
looks whether that has helped (`judge`).
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import NamedTuple

#: a share of complaints that is never news
HARMLESS = 0.02
#: of what the carrier would take: who is faster than that by so much shall find out soon
_EXCESS = 0.15
#: that so much news is mere chance happens less than once in ten thousand answers
ENOUGH = math.log(10_000)
#: a share at which the limit is surely behind us; one that no carrier complains about by chance
GONE, HOPELESS = 0.05, 0.75
#: answers from which on a plain case is told, and after which any case is
_FEW, _MANY = 8, 40
#: answers without a complaint to be added to those that were news
_FLATTERY = 5
#: how much likelier (as a logarithm) it must be that nothing has changed, or that all is well, for the case to be plain
_UNCHANGED, _WELL = math.log(100), math.log(1_000)
#: standard deviations of the difference between two shares that are more than chance
_DEVIATIONS = 1.64


class Share(NamedTuple):
    """Of so many answers, so many complained."""

    answers: int = 0
    complaints: int = 0

    @property
    def value(self) -> float:
        """From 0 to 1."""
        return self.complaints / self.answers if self.answers else 0.0

    def plus(self, complaint: bool) -> Share:
        """With one answer more."""
        return Share(self.answers + 1, self.complaints + complaint)

    def with_(self, other: Share) -> Share:
        """Both together."""
        return Share(self.answers + other.answers, self.complaints + other.complaints)

    def half(self) -> Share:
        """The same with half the weight."""
        return Share(self.answers // 2, self.complaints // 2)


class Verdict(StrEnum):
    """What going slower has shown."""

    CHANCE = "chance"
    """The carrier complains as often as before."""
    LIMIT = "limit"
    """It does not any more."""
    BOTH = "both"
    """It complains less often, but still."""
    SHUT = "shut"
    """It takes hardly anything."""


def weigh(news: float, usual: float, complaint: bool) -> float:
    """How much speaks for our being too fast, after one answer more; from `ENOUGH` on we are.

    Page's test for a change: the sum of the logarithms of how much likelier each answer is beyond a limit than at the
    `usual` share of complaints, never below 0.
    """
    usual = min(max(usual, HARMLESS), HOPELESS)
    beyond = usual + (1 - usual) * _EXCESS
    return news + math.log(beyond / usual) if complaint else max(0.0, news + math.log(1 - _EXCESS))


def judge(before: Share, after: Share) -> Verdict | None:
    """What the answers at a slower pace say, beside those that made us slow down; None: it is too early to tell."""
    if after.answers < _FEW:
        return None
    # where it looked worst, we looked: the share that goes on is less
    share = min(max(before.complaints / (before.answers + _FLATTERY), 2 * GONE), HOPELESS)
    still, well = math.log(share / GONE), math.log((1 - share) / (1 - GONE))
    score = after.complaints * still + (after.answers - after.complaints) * well
    if score <= -_WELL:
        return Verdict.LIMIT
    is_plain = score >= _UNCHANGED
    if after.value > HOPELESS and (is_plain or after.answers >= _MANY):
        return Verdict.SHUT
    if after.answers < _MANY and not (is_plain and after.value >= before.value):
        return None
    if after.value <= GONE:
        return Verdict.LIMIT
    return Verdict.BOTH if _fewer(before, after) else Verdict.CHANCE


def _fewer(before: Share, after: Share) -> bool:
    both = before.with_(after)
    deviation = math.sqrt(both.value * (1 - both.value) * (1 / before.answers + 1 / after.answers))
    return before.value - after.value > _DEVIATIONS * deviation
