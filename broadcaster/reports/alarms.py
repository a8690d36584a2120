"""What at the stages needs a person, in sentences with what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from broadcaster.campaigns.states import CampaignState
from broadcaster.language import listed, retold
from broadcaster.reports.stages import GatewayStage, Stages
from subscribers.errors import BroadsheetError, Unavailable

#: receipts that wait for longer are applied by nobody
APPLIED_WITHIN = timedelta(minutes=1)
#: a connection that is away for longer comes back by itself no more
BACK_WITHIN = timedelta(minutes=1)
#: of the newest ten thousand: more than a tenth of a percent
ORPHANS = 10


def alarms(stages: Stages, *, now: datetime) -> Iterator[BroadsheetError]:
    """One for each thing that should not be so. None of them is about a single member."""
    for gateway in stages.gateways:
        yield from _of_gateway(gateway, now)
    if stages.doubtful:
        yield Unavailable(
            "Campaigns with parts in doubt: {ids}.",
            hint="`broadsheet campaigns messages ID --state unknown` lists them; receipts settle most. What is left, a "
            "person settles: `broadsheet campaigns settle`.",
            # a number alone would be read as how many
            ids=listed(f"#{id_}" for id_ in stages.doubtful),
        )
    if stages.doubtful_answers:
        yield Unavailable(
            "Answers in doubt, to single members: {n}.",
            hint="`broadsheet replies doubts` lists them; receipts settle most. What is left, a person settles: "
            "`broadsheet replies settle`.",
            n=stages.doubtful_answers,
        )
    if stages.pending_since is not None and now - stages.pending_since > APPLIED_WITHIN:
        yield Unavailable(
            "Receipts wait to be applied for {seconds:.0f} seconds.",
            hint="Start `broadsheet worker`, or more of them; see whether the database is slow.",
            seconds=(now - stages.pending_since).total_seconds(),
        )
    if failed := stages.campaigns.get(CampaignState.FAILED, 0):
        yield Unavailable(
            "Campaigns that were stopped by a fault: {n}.",
            hint="`broadsheet campaigns show ID` tells why; mend it, then `campaigns resume` or `campaigns abort`.",
            n=failed,
        )


def _of_gateway(gateway: GatewayStage, now: datetime) -> Iterator[BroadsheetError]:
    if gateway.queued and not gateway.places:
        yield Unavailable(
            "About {n} messages wait for gateway {name}, and nobody sends for it.",
            hint="Start `broadsheet up`, or `broadsheet gateways run {name}` with a queue.",
            n=gateway.queued,
            name=gateway.name,
        )
    if gateway.left:
        yield Unavailable(
            "A process is gone, and nobody has taken over from it. Parts for gateway {name} that it had in hand: {n}.",
            hint="Start `broadsheet up` there, or `broadsheet worker` with a queue: what never left is sent, what was "
            "answered is written down, and the rest is told as in doubt.",
            n=gateway.left,
            name=gateway.name,
        )
    away = [
        place
        for place in gateway.places
        if place.bound_at is None and place.error_at is not None and now - place.since > BACK_WITHIN
    ]
    if away:
        yield Unavailable(
            "Gateway {name} has {down} of {n} connections down: {error}",
            hint="`broadsheet doctor` tries the way to it; ask the carrier if nothing is wrong here.",
            name=gateway.name,
            down=len(away),
            n=len(gateway.places),
            error=retold(away[-1].error or ""),
        )
    if gateway.orphans > ORPHANS:
        yield Unavailable(
            "{n} of the newest receipts of gateway {name} fit no part.",
            hint="Its receipts write ids in another form, or belong to another installation: see receipt_ids.",
            n=gateway.orphans,
            name=gateway.name,
        )
