"""Lets the invented readers speak: each line of the script once, also when the demo is killed and taken up again."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.delivery.models import Message
from broadcaster.delivery.states import WAITING, State
from broadcaster.demo.readers import Say, When, script
from broadcaster.gateways.simulator import SimulatorGateway


class Speakers:
    """The readers who will say something about one campaign, and who of them already has."""

    def __init__(self, gateway: SimulatorGateway, lines: Sequence[Say], file: Path) -> None:
        self._gateway = gateway
        self._lines = lines
        self._file = file
        self._said: set[str] = set(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else set()

    def speak(self, states: Mapping[str, State], *, over: bool) -> None:
        """Say what is due, given the state of each speaker's message; `over`: the sending has ended."""
        for line in self._lines:
            if line.msisdn in self._said:
                continue
            state = states.get(line.msisdn)
            early = line.when is When.BEFORE_THEIRS and state in WAITING
            if early or state is State.DELIVERED or over:
                self._say(line)

    def _say(self, line: Say) -> None:
        # noted first: a line that is lost to a kill does less harm than one that is said twice
        self._said.add(line.msisdn)
        self._file.write_text(json.dumps(sorted(self._said)), encoding="utf-8")
        self._gateway.say(line.msisdn, line.text, self._gateway.config.sender)


def write_script(session: Session, campaign_id: int, seed: int) -> list[Say]:
    """Who says what about this campaign; the same for the same seed, however often it is asked."""
    numbers = session.scalars(
        select(Message.msisdn)
        .where(Message.campaign_id == campaign_id, Message.msisdn.is_not(None))
        .order_by(Message.id)
    )
    rng = random.Random(f"{seed}-{campaign_id}")  # noqa: S311
    return script(rng, [number for number in numbers if number is not None])


def states_of(session: Session, campaign_id: int, lines: Sequence[Say]) -> dict[str, State]:
    """How far the messages of those are who have something to say."""
    rows = session.execute(
        select(Message.msisdn, Message.state).where(
            Message.campaign_id == campaign_id, Message.msisdn.in_([line.msisdn for line in lines])
        )
    )
    return {row.msisdn: row.state for row in rows}
