"""The judge of a run: the carrier's own log against the ledger, in plain SQL. It shares no code with the sender."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import psycopg

#: the ledger's states, written down once more: the judge does not ask the accused
WORDS = {
    1: "queued",
    2: "held",
    3: "submitting",
    4: "unknown",
    5: "cancelled",
    6: "failed",
    7: "rejected",
    8: "expired",
    9: "no_receipt",
    10: "in_network",
    11: "submitted",
    12: "delivered",
    13: "skipped",
}
MOVING = {"queued", "held", "submitting", "in_network", "submitted"}
NEVER_LEFT = {"rejected", "cancelled", "skipped"}
CELLS = ("accepted_once", "never_sent", "unknown")

#: what never left and was written anew, for another gateway, is judged as it was written then
_PARTS = (
    "SELECT message.msisdn, part.number, part.text, part.state, part.id FROM part "
    "JOIN message ON message.id = part.message_id WHERE message.campaign_id IS NOT NULL "
    "AND NOT (part.attempt < message.attempt AND part.state = 5)"
)
_MESSAGES = (
    "SELECT msisdn, state, parts, delivered_parts, id FROM message WHERE campaign_id IS NOT NULL AND msisdn IS NOT NULL"
)


class LedgerPart(NamedTuple):
    """A part as the ledger has it."""

    msisdn: str
    number: int
    text: str
    state: str
    id: int


class LedgerMessage(NamedTuple):
    """A message as the ledger has it."""

    msisdn: str
    state: str
    parts: int
    delivered_parts: int
    id: int


@dataclass
class Verdict:
    """Each part in its cell, and everything that is wrong, in sentences."""

    cells: Counter[str] = field(default_factory=Counter)
    doubled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        """All of it, the worst first."""
        return [*self.doubled, *self.lost, *self.wrong]


def read(url: str) -> tuple[list[LedgerPart], list[LedgerMessage]]:
    """The ledger of every campaign."""
    parts, messages = (rows(url, query) for query in (_PARTS, _MESSAGES))
    return (
        [LedgerPart(m, n, text, WORDS[state], id_) for m, n, text, state, id_ in parts],
        [LedgerMessage(m, WORDS[state], parts, delivered, id_) for m, state, parts, delivered, id_ in messages],
    )


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a database at this address answers. `url` as the settings have it."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as file:
            return file.execute(query).fetchall()
    with psycopg.connect(url.replace("+psycopg", ""), connect_timeout=5) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload, no-any-return]


def judge(
    parts: Sequence[LedgerPart],
    messages: Sequence[LedgerMessage],
    accepted: Iterable[Mapping[str, Any]],
    audience: Collection[str],
    ends: Mapping[str, str] | None = None,
) -> Verdict:
    """Compare after quiet. `accepted`: the lines of the carrier's log; `ends`: what it told of each number, at last."""
    verdict = Verdict()
    log = Counter((f"+{line['destination']}", int(line["number"]), str(line["text"])) for line in accepted)
    for (msisdn, number, _), n in log.items():
        if n > 1:
            verdict.doubled.append(f"accepted {n} times: part {number} to {msisdn}")
    known = {part[:3] for part in parts}
    verdict.wrong += [f"accepted, and in no ledger: part {key[1]} to {key[0]}" for key in log if key not in known]
    written = Counter(message.msisdn for message in messages)
    verdict.lost += [f"{msisdn} has {written[msisdn]} messages" for msisdn in audience if written[msisdn] != 1]
    for part in parts:
        _place(part, log[part[:3]], verdict, (ends or {}).get(part.msisdn))
    _whole(messages, parts, verdict)
    return verdict


def _place(part: LedgerPart, accepted: int, verdict: Verdict, end: str | None) -> None:
    """The one cell of a part; or what is wrong with it."""
    what = f"part {part.id} to {part.msisdn}"
    if part.state in MOVING:
        verdict.lost.append(f"{what} is still {part.state}")
    elif part.state == "unknown":
        verdict.cells["unknown"] += 1
        if accepted and end:
            verdict.wrong.append(f"{what} was accepted and is {end}, and is in doubt after all receipts")
    elif accepted:
        verdict.cells["accepted_once"] += accepted == 1
        if part.state in NEVER_LEFT and part.state != end:
            verdict.lost.append(f"{what} was accepted, and is {part.state}")
        elif end and part.state != end:
            verdict.wrong.append(f"{what} is {part.state}; the carrier said {end}")
    elif part.state in NEVER_LEFT:
        verdict.cells["never_sent"] += 1
    else:
        verdict.lost.append(f"{what} is {part.state}, and was never accepted")


def _whole(messages: Sequence[LedgerMessage], parts: Sequence[LedgerPart], verdict: Verdict) -> None:
    """Nobody counts as reached who has not got every part, and nobody waits."""
    delivered = Counter(part.msisdn for part in parts if part.state == "delivered")
    for message in messages:
        what = f"message {message.id} to {message.msisdn}"
        if message.state in MOVING:
            verdict.lost.append(f"{what} is still {message.state}")
        if message.state == "delivered" and not message.parts == message.delivered_parts == delivered[message.msisdn]:
            verdict.wrong.append(f"{what} counts as delivered with {delivered[message.msisdn]} of {message.parts}")
