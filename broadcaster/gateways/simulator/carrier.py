"""The simulated carrier: takes parts, lets its members' phones do what their fate says, and tells until it is heard.

It stands outside of the house, so it has a clock of its own. Everything that must survive it is in its file.
"""

from __future__ import annotations

import heapq
import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from broadcaster.gateways.simulator.fates import Behaviour, draw, fate
from broadcaster.gateways.simulator.journal import Journal, Line
from subscribers.clock import Now, utc_now

Wire = dict[str, Any]

#: what is submitted of a part, and kept in the file
PART_KEYS = {
    "source": str,
    "destination": str,
    "text": str,
    "reference": int,
    "part": int,
    "total": int,
    "client_reference": str,
}


class Carrier:
    """One carrier on one file. Safe for threads. Raises OSError when the file cannot be used."""

    def __init__(self, path: Path, behaviour: Behaviour, clock: Now = utc_now) -> None:
        self._behaviour = behaviour
        self._clock = clock
        self._journal = Journal(path)
        self._changed = threading.Condition()
        self._due: list[tuple[datetime, str]] = []
        self._untold: dict[str, tuple[datetime, Wire]] = {}
        self._submitted = self._accepted = self._refused = self._throttled = self._said = 0
        self.identity = ""
        try:
            self._go_on()
        except BaseException:
            self._journal.close()
            raise

    def _go_on(self) -> None:
        """Take up what the file says: which id is next, and who has not been told yet."""
        for line in self._journal.lines():
            match line["kind"]:
                case "opened":
                    self.identity = line["carrier"]
                case "part":
                    self._accepted += 1
                    self._expect_turns(line)
                case "said":
                    self._said += 1
                    self._expect_message(line)
                case "acknowledged":
                    for event_id in line["ids"]:
                        self._untold.pop(event_id, None)
        if not self.identity:
            # ids begin with it: those of another file are never taken for ours
            self.identity = os.urandom(3).hex()
            self._journal.append([{"kind": "opened", "carrier": self.identity, "time": self._clock().isoformat()}])
        self._due = [(due, event_id) for event_id, (due, _) in self._untold.items()]
        heapq.heapify(self._due)

    def submit(self, bind: int, parts: Sequence[Wire]) -> list[Wire]:
        """One answer per part, in order. What is answered as accepted stands in the file.

        Raises KeyError or TypeError when something is not a part: then none was taken.
        """
        for part in parts:
            for key, kind in PART_KEYS.items():
                if not isinstance(part[key], kind):
                    raise TypeError(f"{key} is no {kind.__name__}")
        with self._changed:
            now = self._clock()
            accepted: list[Line] = []
            answers = [self._answer(now, bind, part, accepted) for part in parts]
            try:
                self._journal.append(accepted)
            except OSError:
                # a full disk: nothing of this batch is in the file, so nothing of it was accepted
                self._throttled += len(accepted)
                return [self._too_fast() if answer["outcome"] == "accepted" else answer for answer in answers]
            self._accepted += len(accepted)
            for line in accepted:
                self._expect_turns(line)
            self._changed.notify_all()
            return answers

    def say(self, msisdn: str, text: str, destination: str, after: float) -> str:
        """A member's phone sends a message in `after` seconds. Returns its id."""
        with self._changed:
            said_id = f"{self.identity}-said-{self._said + 1}"
            due = self._clock() + timedelta(seconds=after)
            line = {"kind": "said", "id": said_id, "time": due.isoformat(), "source": msisdn}
            line |= {"destination": destination, "text": text}
            self._journal.append([line])
            self._said += 1
            self._expect_message(line)
            self._changed.notify_all()
            return said_id

    def take_due(self, limit: int, wait: float) -> list[Wire]:
        """The events that are due, or none after `wait` seconds. They are `acknowledge`d or `release`d by their ids."""
        with self._changed:
            if not self._due or self._due[0][0] > self._clock():
                ahead = (self._due[0][0] - self._clock()).total_seconds() if self._due else wait
                self._changed.wait(max(0.0, min(wait, ahead)))
            now = self._clock()
            events: list[Wire] = []
            while self._due and self._due[0][0] <= now and len(events) < limit:
                events.append(self._untold[heapq.heappop(self._due)[1]][1])
            return events

    def acknowledge(self, ids: Sequence[str]) -> None:
        """These have been heard and are not told again."""
        with self._changed:
            self._journal.append([{"kind": "acknowledged", "ids": list(ids)}])
            for event_id in ids:
                del self._untold[event_id]

    def release(self, ids: Sequence[str]) -> None:
        """Whoever was told these has gone without a word: the next listener hears them."""
        with self._changed:
            for event_id in ids:
                heapq.heappush(self._due, (self._untold[event_id][0], event_id))
            self._changed.notify_all()

    def stats(self) -> dict[str, int]:
        """Parts accepted in the life of the file; refused, throttled since the start; events not yet acknowledged."""
        with self._changed:
            counts = {"accepted": self._accepted, "refused": self._refused, "throttled": self._throttled}
            return counts | {"said": self._said, "untold": len(self._untold)}

    def close(self) -> None:
        """Let go of the file."""
        with self._changed:
            self._journal.close()

    def _answer(self, now: datetime, bind: int, part: Wire, accepted: list[Line]) -> Wire:
        self._submitted += 1
        # by count, not by number: who tries again must get through at some time
        if draw(self._behaviour.seed, "throttled", self._submitted) < self._behaviour.throttled:
            self._throttled += 1
            return self._too_fast()
        refusal = fate(self._behaviour, part["destination"], part["part"], part["total"]).refusal
        if refusal:
            self._refused += 1
            return {"outcome": "refused", "code": refusal}
        sequence = self._accepted + len(accepted) + 1
        message_id = f"{self.identity}-{sequence:07d}"
        line = {"kind": "part", "time": now.isoformat(), "bind": bind, "sequence": sequence, "id": message_id}
        accepted.append(line | {key: part[key] for key in PART_KEYS})
        return {"outcome": "accepted", "id": message_id}

    def _too_fast(self) -> Wire:
        return {"outcome": "throttled", "retry_after": self._behaviour.retry_after}

    def _expect_turns(self, line: Line) -> None:
        accepted_at = datetime.fromisoformat(line["time"])
        turns = fate(self._behaviour, line["destination"], line["part"], line["total"]).turns
        for number, turn in enumerate(turns):
            event_id = f"{line['id']}/{number}"
            due = accepted_at + timedelta(seconds=turn.after)
            event = {"id": event_id, "time": due.astimezone(UTC).isoformat()}
            if turn.reply:
                event |= {"event": "message", "source": line["destination"], "destination": line["source"]}
                event |= {"message_id": event_id, "text": turn.reply}
            else:
                event |= {"event": "receipt", "message_id": line["id"], "code": turn.code}
                event |= {"msisdn": line["destination"], "client_reference": line["client_reference"]}
            self._expect(due, event)

    def _expect_message(self, line: Line) -> None:
        event = {"event": "message", "message_id": line["id"]}
        event |= {key: line[key] for key in ("id", "time", "source", "destination", "text")}
        self._expect(datetime.fromisoformat(line["time"]), event)

    def _expect(self, due: datetime, event: Wire) -> None:
        self._untold[event["id"]] = (due, event)
        heapq.heappush(self._due, (due, event["id"]))
