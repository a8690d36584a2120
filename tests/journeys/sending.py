"""A process that sends, to be killed: runtime, embedded worker and listeners, as `up` has them.

It is forked from a server that has imported everything already, so that twenty restarts take seconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from typing import Any

from broadcaster import binds, ingest
from broadcaster.campaigns.models import Lane
from broadcaster.delivery import batches, press, recording
from broadcaster.delivery.press import Press
from broadcaster.gateways.contract import Unreachable, settled
from broadcaster.gateways.events import Event
from broadcaster.runtime import make_runtime
from broadcaster.settings import Settings
from broadcaster.tasks import make_app, running
from subscribers.ending import asked_to_end, wait_for
from tests.journeys.forks import FORKS


def start(settings: Settings, mutant: str = "") -> BaseProcess:
    """A sending process for these settings; `mutant` names what is wrong with it."""
    process = FORKS.Process(target=send, args=(settings, mutant))
    process.start()
    return process


def send(settings: Settings, mutant: str = "") -> None:
    """Send, listen and sweep until SIGTERM."""
    with asked_to_end() as ending:
        if mutant:
            MUTANTS[mutant]()
        runtime = make_runtime(settings)
        app = make_app(runtime)
        for gateway in runtime.gateways.values():
            gateway.open()
        with binds.holding(runtime), running(app, runtime):
            wait_for(ending)
        runtime.close()


def _commit_the_claim_after_the_submit() -> None:
    def run(press_: Press, *, limit: int | None = None) -> bool:
        for _ in range(limit or 20):
            with press_.begin() as tx:
                turn = batches.claim(
                    tx.session, press_.ownership.id, press_.sender, parts=16, up_to=Lane.BULK, now=tx.now
                )
                outcomes = press_.gateway.submit(turn.parts) if turn else []
            if turn is None:
                return False
            with press_.begin() as tx:
                recording.record(tx.session, turn, settled(turn.parts, outcomes), now=tx.now)
        return True

    press.run = run  # type: ignore[assignment]


def _acknowledge_before_the_commit() -> None:
    accept = ingest.accept
    late: list[tuple[Any, Any]] = []

    def accept_next_time(session: Any, events: Sequence[Event], reasons: Any, *, region: str, now: Any) -> None:
        late.append((events, reasons))
        while len(late) > 1:
            accept(session, *late.pop(0), region=region, now=now)

    binds.ingest.accept = accept_next_time  # type: ignore[assignment]


def _send_again_what_the_dead_had() -> None:
    """What most senders do: whoever died with a part in hand did not send it."""
    from broadcaster.delivery import owners

    owners._became = lambda *_: Unreachable("its sender died")


MUTANTS: dict[str, Callable[[], None]] = {
    "claim_after_submit": _commit_the_claim_after_the_submit,
    "acknowledge_early": _acknowledge_before_the_commit,
    "resend_in_doubt": _send_again_what_the_dead_had,
}


def kill(process: BaseProcess) -> None:
    """`kill -9`."""
    process.kill()
    process.join(10)
    process.close()


def wait_until(true: Callable[[], object], seconds: float) -> bool:
    """Whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
