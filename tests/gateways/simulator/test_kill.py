"""The carrier is killed at random moments while parts are submitted and receipts are heard."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time

from broadcaster.gateways.contract import Accepted, OutboundPart, Outcome, OutcomeUnknown, Unreachable
from broadcaster.gateways.errors import LinkDown
from broadcaster.gateways.events import Event, Receipt
from broadcaster.gateways.simulator.journal import accepted_parts
from broadcaster.gateways.testkit import make_parts

KILLS = 6
BATCH = 25
BEHAVIOUR = ("--failed", "0.1", "--late", "0", "--never", "0", "--delay", "0", "0.3", "--latency", "0.002")


class Submitter(threading.Thread):
    """Each part once, unless it is certain that it was not handed over."""

    def __init__(self, gateway) -> None:
        super().__init__()
        self._gateway = gateway
        self.stop = threading.Event()
        self.outcomes: list[tuple[OutboundPart, Outcome]] = []

    def run(self) -> None:
        waiting: list[OutboundPart] = []
        first = 1
        while not self.stop.is_set():
            fresh = make_parts(BATCH - len(waiting), first=first)
            first += len(fresh)
            batch = waiting + fresh
            answered = list(zip(batch, self._gateway.submit(batch), strict=True))
            waiting = [part for part, outcome in answered if isinstance(outcome, Unreachable)]
            self.outcomes += [pair for pair in answered if not isinstance(pair[1], Unreachable)]
            time.sleep(0.02 if waiting else 0)


class Listener(threading.Thread):
    """Comes again when the connection is lost, as the process that holds a bind does."""

    def __init__(self, gateway) -> None:
        super().__init__()
        self._gateway = gateway
        self.stop = threading.Event()
        self.heard: list[Event] = []

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self._gateway.listen(self.heard.extend, self.stop)
            except LinkDown:
                time.sleep(0.02)


def test_no_answered_part_is_lost_and_receipts_go_on(start_carrier, make_gateway) -> None:
    seed = random.randrange(10**6)
    sys.stdout.write(f"seed {seed}\n")
    moments = random.Random(seed)
    carrier = start_carrier(*BEHAVIOUR)
    gateway = make_gateway(port=carrier.port, answer_timeout=5)
    gateway.open()
    submitter, listener = Submitter(gateway), Listener(gateway)
    submitter.start()
    listener.start()
    for _ in range(KILLS):
        time.sleep(moments.uniform(0.02, 0.25))
        carrier.end(signal.SIGKILL)
        carrier.start()
    time.sleep(0.2)
    submitter.stop.set()
    submitter.join()

    record = accepted_parts(carrier.file)
    taken = {line["id"]: line["destination"] for line in record}
    assert len(taken) == len(record) > 100
    assert len({line["destination"] for line in record}) == len(record), "somebody was sent to twice"
    accepted = {o.message_id: part.msisdn for part, o in submitter.outcomes if isinstance(o, Accepted)}
    unknown = {part.msisdn for part, o in submitter.outcomes if isinstance(o, OutcomeUnknown)}
    assert len(accepted) + len(unknown) == len(submitter.outcomes)
    assert accepted.items() <= taken.items(), "an answered part is not in the file"
    assert set(taken.values()) - set(accepted.values()) <= unknown
    assert len(unknown) <= BATCH * KILLS

    deadline = time.monotonic() + 10
    while gateway.stats()["untold"] and time.monotonic() < deadline:
        time.sleep(0.05)
    listener.stop.set()
    listener.join()
    receipts = {event.message_id for event in listener.heard if isinstance(event, Receipt)}
    assert receipts == set(taken), "a receipt was lost, or comes from nowhere"
