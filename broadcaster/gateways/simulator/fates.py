"""What will happen to a part: decided by seed and number alone, so that a run can be repeated. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from broadcaster.gateways.simulator.reasons import (
    BAD_NUMBER,
    BLACKLISTED,
    BUFFERED,
    DELIVERED,
    FAILURES,
)
from broadcaster.language import msgid

Fraction = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0)]


class Behaviour(BaseModel):
    """How the carrier behaves. Fractions are of the members' phones, times are in seconds."""

    seed: int = 1
    delay: Annotated[tuple[Seconds, Seconds], Field(description="receipts come after so many seconds")] = (0.3, 2.0)
    failed: Annotated[Fraction, Field(description="fraction that is not delivered, for one reason or another")] = 0.03
    late: Annotated[Fraction, Field(description="fraction whose receipts come late")] = 0.02
    late_delay: Annotated[tuple[Seconds, Seconds], Field(description="late receipts come after so many seconds")] = (
        4.0,
        8.0,
    )
    never: Annotated[Fraction, Field(description="fraction whose receipts never come")] = 0.01
    refused: Annotated[Fraction, Field(description="fraction refused when submitted")] = 0.0
    blacklisted: Annotated[Fraction, Field(description="fraction on the carrier's own list of refusals")] = 0.0
    intermediate: Annotated[Fraction, Field(description="fraction with a receipt on the way")] = 0.0
    throttled: Annotated[Fraction, Field(description="fraction of submits answered with 'too fast'")] = 0.0
    retry_after: Annotated[Seconds, Field(description="what 'too fast' asks the sender to wait")] = 0.2
    latency: Annotated[Seconds, Field(description="before submits are answered")] = 0.0
    replies: Annotated[Fraction, Field(description="fraction of those reached who answer the sender")] = 0.0
    reply_delay: Annotated[tuple[Seconds, Seconds], Field(description="answers come so long after delivery")] = (
        0.5,
        3.0,
    )
    reply_texts: Annotated[tuple[str, ...], Field(min_length=1, description="what they answer")] = ("收到", "谢谢")

    @model_validator(mode="after")
    def _can_happen(self) -> Self:
        if self.refused + self.blacklisted + self.failed + self.never + self.late > 1:
            raise ValueError(msgid("refused, blacklisted, failed, never and late together are more than 1"))
        for low, high in (self.delay, self.late_delay, self.reply_delay):
            if low > high:
                raise ValueError(msgid("a delay is written [shortest, longest]"))
        return self


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that happens after a part was accepted: a receipt with a code, or an answer from the member."""

    after: float
    code: str = ""
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """Refused with a code, or accepted and then these turns, in order of time."""

    refusal: str = ""
    turns: tuple[Turn, ...] = ()


def fate(behaviour: Behaviour, destination: str, number: int, total: int) -> Fate:
    """What becomes of part `number` of `total` to this number.

    A phone that is switched off is so for every part: what happens hangs on the number, when it happens on the part.
    """
    seed = behaviour.seed
    lot = draw(seed, "fate", destination)
    for fraction, code in ((behaviour.refused, BAD_NUMBER), (behaviour.blacklisted, BLACKLISTED)):
        if lot < fraction:
            return Fate(refusal=code)
        lot -= fraction
    if lot < behaviour.never:
        return Fate()
    lot -= behaviour.never
    code, delay = DELIVERED, behaviour.delay
    if lot < behaviour.failed:
        code = FAILURES[int(draw(seed, "reason", destination) * len(FAILURES))]
    elif lot - behaviour.failed < behaviour.late:
        delay = behaviour.late_delay
    done = _between(delay, draw(seed, "delay", destination, number))
    turns = []
    if draw(seed, "intermediate", destination) < behaviour.intermediate:
        turns.append(Turn(done * 0.3, code=BUFFERED))
    turns.append(Turn(done, code=code))
    if code == DELIVERED and number == total and draw(seed, "replies", destination) < behaviour.replies:
        which = int(draw(seed, "text", destination) * len(behaviour.reply_texts))
        wait = _between(behaviour.reply_delay, draw(seed, "reply", destination))
        turns.append(Turn(done + wait, reply=behaviour.reply_texts[which]))
    return Fate(turns=tuple(turns))


def draw(seed: int, *what: object) -> float:
    """A number in [0, 1) that is the same in every process: Python's own `hash` is not."""
    digest = hashlib.blake2b(repr((seed, *what)).encode(), digest_size=7).digest()
    return int.from_bytes(digest) / 2**56


def _between(span: tuple[float, float], at: float) -> float:
    return span[0] + (span[1] - span[0]) * at
