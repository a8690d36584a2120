"""How fast parts may go while the carrier says "too fast": one pace for the whole connector. Pure; times are given.

Additive increase, multiplicative decrease, as TCP does it: somewhat below what the carrier has just been taking, soon
back to nearly that, then slowly up until it complains again. Unlike TCP it looks whether going slower has helped: if
the carrier complains as often as before, that is not about how fast we are (`complaints`), and the pace is as it was.
Without a complaint there is no limit here.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from broadcaster.gateways.smpp.complaints import ENOUGH, GONE, Share, Verdict, judge, weigh

#: after too many complaints: this share of what the carrier would take, then twice as much each second up to that share
_BACK_TO, _QUICKLY_TO = 0.85, 0.95
#: a step up is so many answers, or seconds, without news
_STEP, _STEP_SECONDS = 100, 4.0
#: each step adds this share, or this many parts a second; and this share of its cube: the longer, the faster
_CLIMB, _LEAST, _PROBING = 0.02, 0.5, 0.004
#: seconds without a word to a carrier that takes nothing at all: the first times, and at most
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 10.0
#: complaints in a row after which the pause is doubled each time
_PATIENT = 3
#: seconds of the rate that may be made up for after the process was busy elsewhere
_CATCH_UP = 0.02
#: a limit so many times above what once was too fast is none any more
_FORGOTTEN = 4.0
#: seconds over which it is counted what was taken, the longer one where there is not enough to count; how finely
_SPANS, _ENOUGH, _GRAIN = (1.0, 5.0), 40, 0.05
#: answers after which one looks whether what seemed chance is a limit after all; each time twice as many, and at most
_DOUBTS, _NO_DOUBTS = 2_000, 32_000
#: seconds of the slower pace after which it has helped, if nothing is known for certain by then
_LONG = 10.0


class Pace:
    """Used by one thread."""

    def __init__(self) -> None:
        self.rate: float | None = None
        """Parts per second; None while the carrier has not complained about them."""
        self.usual = Share()
        """How often it complains however slow we are."""
        self._goal = math.inf
        self._next = 0.0
        self._risen_at = 0.0
        self._at_goal: tuple[int, float] | None = None
        self._changed_at = -math.inf
        self._heard_since = Share()
        self._look_after = _DOUBTS
        self._answers: deque[_Count] = deque()
        # what speaks for a slower pace, and the answers since something does
        self._news = 0.0
        self._lately = Share()
        self._trial: _Trial | None = None
        self._in_vain = 0

    def delay(self, now: float) -> float:
        """Seconds until the next part may be written."""
        self._rise(now)
        return max(0.0, self._next - now)

    def wrote(self, now: float) -> None:
        """One part was written."""
        if self._in_vain:
            # it asks for all others
            self._next = now + LONGEST_PAUSE
        elif self.rate is not None:
            self._next = max(self._next, now - _CATCH_UP) + 1 / self.rate

    def accepted(self, written_at: float, now: float) -> None:
        """The carrier took a part."""
        self._count(False, now)
        if self._in_vain:
            self._in_vain = 0
            self._next = self._risen_at = now
        if self.rate is not None or self._lately.answers or self.usual.complaints:
            self._heard(False, written_at, now)

    def complained(self, written_at: float, now: float) -> float:
        """The carrier said "too fast" to one part. Returns the seconds after which it may be handed over again.

        What is said about parts that were out already when the pace was changed is about the former one.
        """
        self._count(True, now)
        self._heard(True, written_at, now)
        return min(LONGEST_PAUSE, max(0.0, self._next - now))

    def _count(self, complaint: bool, now: float) -> None:
        if self._answers and now - self._answers[-1].since < _GRAIN:
            count = self._answers[-1]
        else:
            count = _Count(now)
            self._answers.append(count)
            while self._answers[0].since <= now - _SPANS[-1]:
                self._answers.popleft()
        count.answers += 1
        count.complaints += complaint

    def _heard(self, complaint: bool, written_at: float, now: float) -> None:
        if written_at <= self._changed_at:
            return
        self._heard_since = self._heard_since.plus(complaint)
        if self._trial is not None:
            self._look(self._trial, complaint, written_at, now)
            return
        self._news = weigh(self._news, self.usual.value, complaint)
        self._lately = self._lately.plus(complaint) if self._news else Share()
        if self._news >= ENOUGH:
            self._slow_down(self._lately, now - written_at, now)
        elif self._heard_since.answers >= self._look_after and self._heard_since.value > GONE:
            self._slow_down(self._heard_since, now - written_at, now)

    def _slow_down(self, before: Share, latency: float, now: float) -> None:
        """Somewhat slower than what the carrier has been taking: if it has a limit, that is below."""
        asked, taken = self._per_second(latency, now)
        self._trial = _Trial(self.rate, before, taken)
        if taken:
            self.rate = max(1.0, _BACK_TO * taken)
            self._changed(now)
        else:
            self.rate = max(1.0, (self.rate or asked) / 2)
            self._wait(now)

    def _look(self, trial: _Trial, complaint: bool, written_at: float, now: float) -> None:
        """One answer to the slower pace."""
        if complaint and not trial.since.answers:
            self._wait(now)
            return
        trial.since = trial.since.plus(complaint)
        verdict = judge(trial.before, trial.since)
        if verdict is None:
            return
        self._trial = None
        if verdict is Verdict.SHUT:
            self._slow_down(trial.since, now - written_at, now)
        elif verdict is Verdict.CHANCE:
            self.usual = trial.before.with_(trial.since)
            self._look_after = min(2 * self._look_after, _NO_DOUBTS)
            self.rate = trial.former
            self._goal = trial.former or math.inf
            self._changed(now)
        else:
            self._look_after = _DOUBTS
            self.usual = self.usual.half().with_(trial.since)
            self._obey(trial)

    def _obey(self, trial: _Trial) -> None:
        if not trial.taken:
            return
        would_take = trial.taken / (1 - self.usual.value)
        # how much it would take is not known before it has complained about a steady pace
        self._goal = math.inf if trial.former is None else _QUICKLY_TO * would_take
        self.rate = max(1.0, self.rate or 0.0, _BACK_TO * would_take)

    def _wait(self, now: float) -> None:
        """Nothing at all is taken: that is no share of complaints, the door is shut. One part knocks now and then."""
        self._changed(now)
        self._in_vain += 1
        self._next = self._risen_at = now + min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** max(0, self._in_vain - _PATIENT))

    def _changed(self, now: float) -> None:
        self._news, self._lately = 0.0, Share()
        self._next = self._risen_at = self._changed_at = now
        self._heard_since, self._at_goal = Share(), None

    def _per_second(self, latency: float, now: float) -> tuple[float, float]:
        """How many parts were asked, and how many were taken."""
        steady = self._at_goal is not None and now - self._at_goal[1] >= _SPANS[-1]
        for span in _SPANS if steady else _SPANS[:-1]:
            lately = [count for count in self._answers if count.since > now - span]
            asked = sum(count.answers for count in lately)
            if asked >= _ENOUGH:
                break
        # a connector that has only just begun had less time
        span = min(span, max(_CATCH_UP, now - lately[0].since + latency))
        return asked / span, (asked - sum(count.complaints for count in lately)) / span

    def _rise(self, now: float) -> None:
        if self.rate is None or now <= self._risen_at:
            return
        passed = now - self._risen_at
        self._risen_at = now
        if self._trial is not None:
            if now - self._changed_at >= _LONG and not self._in_vain:
                self._obey(self._trial)
                self._trial = None
        elif self.rate < self._goal:
            self.rate = min(self._goal, self.rate * 2 ** min(passed, 20.0))
            # so fast that nobody could have meant a limit
            if self.rate > 1e6:
                self.rate = None
        else:
            if self._at_goal is None:
                self._at_goal = self._heard_since.answers, now
            heard, since = self._at_goal
            steps = max((self._heard_since.answers - heard) / _STEP, (now - since) / _STEP_SECONDS)
            # the longer nobody complains, the further off the limit must be
            self.rate = self._goal * (1 + _PROBING * steps**3) + max(_CLIMB * self._goal, _LEAST) * steps
            if self.rate > _FORGOTTEN * self._goal:
                self.rate = None


@dataclass(slots=True)
class _Count:
    """The answers of a little while."""

    since: float
    answers: int = 0
    complaints: int = 0


@dataclass(slots=True)
class _Trial:
    """A slower pace, to see whether it helps."""

    former: float | None
    before: Share
    """The answers that made us slow down."""
    taken: float
    """Parts per second, then."""
    since: Share = field(default_factory=Share)
