"""A gateway as a document and as people read it: what it can do, who holds its connections, how its receipts come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import RenderableType
from rich.text import Text

from broadcaster.commands.checked import duration
from broadcaster.commands.output import facts, local, verdict
from broadcaster.commands.program import typed_again
from broadcaster.delivery.leases import Holder
from broadcaster.delivery.standing import Receipts
from broadcaster.gateways.contract import Capabilities, Gateway, ListeningGateway
from broadcaster.language import clauses, listed, ntr, retold, tr, translated
from broadcaster.trial import STEPS, Step
from broadcaster.web.figures import price

#: what is kept of what a gateway has learned, and since when
Known = tuple[str, datetime]


def gateway_document(
    gateway: Gateway, held: Sequence[Holder], receipts: Receipts, learned: Known | None
) -> dict[str, Any]:
    """All of it."""
    config, can = gateway.config, gateway.capabilities
    return {
        "name": gateway.name,
        "kind": gateway.kind,
        "sender": config.sender,
        "price": config.price,
        "currency": config.currency,
        "bill": config.bill,
        "parts_per_second": config.parts_per_second,
        "window": can.window,
        "alphabet": can.alphabet.name,
        "receipts": can.receipts,
        "inbound": can.inbound,
        "max_parts": can.max_parts,
        "places": config.binds if isinstance(gateway, ListeningGateway) else None,
        "binds": [
            {
                "place": each.place,
                "host": each.host,
                "pid": each.pid,
                "since": each.since,
                "bound": each.bound_at is not None,
                "bound_at": each.bound_at,
                "error": retold(each.error) if each.error else None,
                "error_at": each.error_at,
            }
            for each in held
        ],
        "receipts_lag": receipts.lag,
        "last_receipt_at": receipts.last_at,
        "learned": explained(gateway, learned) or None,
        "learned_at": learned[1] if learned else None,
    }


def shown_gateway(
    gateway: Gateway, held: Sequence[Holder], receipts: Receipts, learned: Known | None, zone: ZoneInfo
) -> list[RenderableType]:
    """The name, and what stands for it; whoever holds a connection on a line of their own."""
    config = gateway.config
    rate = tr("{rate:g} parts a second at most", rate=config.parts_per_second)
    lines = facts(
        (tr("kind"), gateway.kind),
        (tr("sender"), config.sender),
        (tr("can"), listed(_abilities(gateway.capabilities))),
        (tr("rate"), rate if config.parts_per_second else tr("no limit of our own")),
        (tr("price"), tr("{price} a part", price=price(config.price, config.currency)) if config.price else ""),
        (tr("receipts"), _told_receipts(receipts, zone)),
        (tr("learned"), _told_learned(gateway, learned, zone)),
        *((tr("connection {place}", place=each.place), _told_holder(gateway, each, zone)) for each in held),
        (tr("connection"), "" if held else typed_again(_nobody(gateway))),
    )
    return [Text(gateway.name, style="bold"), lines, Text()]


def shown_step(step: Step) -> RenderableType:
    """A line for a step, and one more for what to do."""
    took = tr(" ({seconds:.1f} s)", seconds=step.seconds) if step.seconds >= 0.05 else ""
    return verdict(
        step.ok, tr("{name}: {value}", name=translated(STEPS[step.name]), value=f"{step.words}{took}"), step.hint
    )


_ALPHABETS = {"gsm": "GSM-7", "latin1": "Latin-1", "ascii": "ASCII", "ucs2": "UCS-2"}


def _abilities(can: Capabilities) -> list[str]:
    alphabet = _ALPHABETS.get(can.alphabet.name, can.alphabet.name)
    told = [tr("texts in {alphabet}", alphabet=alphabet), ntr("{n} part at most", "{n} parts at most", can.max_parts)]
    told.append(tr("receipts") if can.receipts else tr("no receipts"))
    told.append(tr("letters") if can.inbound else tr("no letters"))
    if can.bill == "chars_70_67":
        told.append(tr("bills 70/67 characters"))
    return told


def _told_receipts(receipts: Receipts, zone: ZoneInfo) -> str:
    if receipts.last_at is None:
        return ""
    last = tr("the last one at {time}", time=local(receipts.last_at, zone))
    if receipts.lag is None:
        return last
    return clauses(tr("after {time} as a rule", time=duration(receipts.lag)), last)


def explained(gateway: Gateway, learned: Known | None) -> str:
    """What this gateway has found out about its carrier, in a sentence; empty: nothing."""
    words = gateway.explain(learned[0]) if learned and isinstance(gateway, ListeningGateway) else ""
    return translated(words) if words else ""


def _told_learned(gateway: Gateway, learned: Known | None, zone: ZoneInfo) -> str:
    words = explained(gateway, learned)
    return tr("{words} Known since {time}.", words=words, time=local(learned[1], zone)) if words and learned else ""


def _told_holder(gateway: Gateway, holder: Holder, zone: ZoneInfo) -> str:
    who = tr("process {pid} on {host}", pid=holder.pid, host=holder.host)
    if not isinstance(gateway, ListeningGateway):
        how = tr("sends since {time}", time=local(holder.since, zone))
    elif holder.bound_at is not None:
        how = tr("stands since {time}", time=local(holder.bound_at, zone))
    else:
        how = tr("does not stand")
    error = retold(holder.error or "")
    last = tr("{time}: {error}", time=local(holder.error_at, zone), error=error) if error else ""
    return clauses(who, how, last)


def _nobody(gateway: Gateway) -> str:
    if isinstance(gateway, ListeningGateway):
        return tr("nobody holds it; `broadsheet gateways run {name}` does, or `broadsheet up`", name=gateway.name)
    return tr("made when there is something to send")
