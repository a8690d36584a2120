"""What the tests of the rows share: a campaign at work, one fault, and the judge at its end."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.installation import WINDOW, Installation, installed, wait_until
from tests.chaos.judge import Verdict
from tests.chaos.run import TEXT, Outcome, campaign, finish, members

#: three parts in UCS-2
LONG = TEXT + "明天上午九点在社区礼堂开会，不能来的同志请提前告诉小组长，谢谢大家的配合。" * 4


@dataclass
class Row:
    """An installation with a campaign that has been started, and its audience."""

    on: Installation
    audience: set[str]
    campaign: int
    chance: random.Random = field(default_factory=random.Random)

    def dies(self, role: str, at: str) -> None:
        """Start this process so that it dies there, and wait until it has."""
        self.on.broken = at
        self.on.start(role)
        self.on.broken = ""
        died = wait_until(lambda: not self.on.processes[role].is_alive(), 90)
        assert died, f"{role} did not come to {at}\n{self.on.logged()}"
        self.on.kill(role)

    def sent(self, parts: int, seconds: float = 90) -> None:
        """Wait until the carrier has so many."""
        assert wait_until(lambda: self.on.log.parts >= parts, seconds), f"{self.on.log.parts}\n{self.on.logged()}"

    def judged(self, *, in_doubt: int = WINDOW, patience: float = 90, but_for: Sequence[str] = ()) -> Verdict:
        """After quiet: nothing lost, nothing twice, and no more in doubt than that. `but_for`: words of what may be."""
        outcome = Outcome(0)
        finish(self.on, outcome, self.audience, patience, in_doubt)
        faults = [fault for fault in outcome.verdict.faults if not any(words in fault for words in but_for)]
        assert not faults, "\n".join([*faults[:10], f"{len(faults)} in all", self.on.logged()])
        return outcome.verdict


@contextlib.contextmanager
def at_work(folder: Path, *, messages: int = 100, text: str = TEXT, **given: Any) -> Iterator[Row]:
    """A campaign to so many members, started; no process runs yet. `given`: see `installed`."""
    with installed(folder, **given) as on:
        audience = members(on, messages)
        yield Row(on, audience, campaign(on, text))
