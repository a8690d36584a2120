"""A campaign on its way, step by step, by the functions that the tasks call."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.campaigns import compose, schedule
from broadcaster.campaigns.audience import Route
from broadcaster.campaigns.check import Way, check
from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.delivery import batches, preparing, receipts, recording
from broadcaster.delivery.locks import Locks, locks_for
from broadcaster.delivery.models import (
    InboxState,
    Lease,
    Message,
    Owner,
    Part,
    ReceiptInbox,
    ReceiptLot,
    ReceiptLotWaiting,
    ReceiptOrphan,
    ReceiptWaiting,
)
from broadcaster.delivery.pieces import Sender
from broadcaster.delivery.recording import ClaimedTurn, Recorded
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Accepted, Capabilities, OutboundPart, Outcome, settled
from broadcaster.gateways.events import Receipt, ReceiptState
from subscribers.actor import OPERATOR
from tests.databases import Transactions
from tests.factories import NOW, MadeMember, make_members

ZONE = ZoneInfo("Asia/Shanghai")
CAN = Capabilities(window=50, inbound=True)
SENDER = Sender("carrier", "10690000", CAN, rehearses=False)
WAYS = {name: Way(name, CAN, rehearses=False) for name in ("carrier", "other")}
ROUTE = Route("carrier")
ONE_PART = "{{ name }}，您好。"
THREE_PARTS = "{{ name }}，您好：" + "明天上午九点在社区礼堂开会，请带上学习材料，不能来的请提前告诉小组长。" * 5


def draft(session: Session, text: str = ONE_PART, rule: str = "everyone", **more: Any) -> Campaign:
    return compose.draft_notice(
        session, OPERATOR, text, rule=rule, dress=Dress("【晨晖】", "拒收回复R"), now=NOW, **more
    )


def begin_sending(
    session: Session,
    campaign: Campaign,
    route: Route = ROUTE,
    now: datetime = NOW,
    *,
    ways: Mapping[str, Way] = WAYS,
) -> None:
    """Start it with the right number and write its audience down."""
    checked = check(session, OPERATOR, campaign, route, ways, zone=ZONE, now=now)
    schedule.start(session, OPERATOR, campaign, checked.recipients, route, ways, zone=ZONE, now=now)
    while preparing.prepare(session, campaign.id, lambda _: route, now=now):
        pass


def sending(begin: Transactions, count: int = 3, text: str = ONE_PART, **more: Any) -> tuple[int, list[MadeMember]]:
    """A campaign that is being sent to so many new members; its id and them."""
    with begin() as tx:
        members = make_members(tx.session, count)
        campaign = draft(tx.session, text, **more)
        begin_sending(tx.session, campaign, now=tx.now)
        return campaign.id, members


def owner(begin: Transactions) -> int:
    """Somebody who hands parts over, with a place at the gateway."""
    with begin() as tx:
        row = Owner(host="test", pid=os.getpid(), started_at=tx.now)
        tx.session.add(row)
        tx.session.flush()
        tx.session.add(Lease(gateway="carrier", place=row.id, owner_id=row.id, since=tx.now))
        return row.id


def locks_of(begin: Transactions) -> Locks:
    """Where those who hand parts over to this database hold the locks that say they live."""
    return locks_for(begin.engine, Path(begin.engine.url.database or "").parent / "locks")


@contextlib.contextmanager
def living(begin: Transactions) -> Iterator[int]:
    """As `owner`, alive for the length of the block; then it is dead, and nobody has noticed."""
    mine = owner(begin)
    held = locks_of(begin).take(mine)
    assert held is not None
    try:
        yield mine
    finally:
        held.release()


def claim(
    begin: Transactions, owner_id: int, parts: int = 50, *, up_to: Lane = Lane.BULK, sender: Sender = SENDER
) -> ClaimedTurn | None:
    # what a sender has learned of a campaign is of another one in the next test
    sender = replace(sender, shortest={})
    with begin() as tx:
        return batches.claim(tx.session, owner_id, sender, parts=parts, up_to=up_to, now=tx.now)


def must_claim(begin: Transactions, owner_id: int, parts: int = 50, **more: Any) -> ClaimedTurn:
    turn = claim(begin, owner_id, parts, **more)
    assert turn is not None
    return turn


def record(begin: Transactions, turn: ClaimedTurn, outcomes: Sequence[Outcome]) -> Recorded:
    with begin() as tx:
        return recording.record(tx.session, turn, settled(turn.parts, outcomes), now=tx.now)


def accept(begin: Transactions, turn: ClaimedTurn) -> None:
    """The carrier took all of it; it calls part 7 `id-7`."""
    record(begin, turn, [Accepted(f"id-{part.part_id}") for part in turn.parts])


def sent(begin: Transactions, count: int = 3, text: str = ONE_PART) -> tuple[int, list[OutboundPart]]:
    """A campaign whose parts the carrier has all taken; its id and they."""
    campaign, _ = sending(begin, count, text)
    mine = owner(begin)
    parts: list[OutboundPart] = []
    while (turn := claim(begin, mine)) is not None:
        accept(begin, turn)
        parts += turn.parts
    return campaign, parts


def receipt(message_id: str, state: ReceiptState = ReceiptState.DELIVERED, **more: Any) -> Receipt:
    told: dict[str, Any] = {"gateway": "carrier", "code": "000", "raw": "{}", "done_at": NOW}
    return Receipt(message_id=message_id, state=state, **told | more)


def receive(begin: Transactions, *told: Receipt) -> None:
    """Take receipts in, and apply all that there are."""
    with begin() as tx:
        receipts.record(tx.session, told, {}, now=tx.now)
    apply(begin)


def apply(begin: Transactions) -> None:
    more = 1
    while more:
        with begin() as tx:
            more = receipts.apply(tx.session, now=tx.now)


def look(begin: Transactions, of: Callable[[Session], Any]) -> Any:
    with begin() as tx:
        return of(tx.session)


def states(begin: Transactions, campaign_id: int | None) -> dict[str, int]:
    """Messages by state."""
    query = select(Message.state, func.count()).group_by(Message.state)
    query = query.where(Message.campaign_id.is_not_distinct_from(campaign_id))
    return {state.word: n for state, n in look(begin, lambda s: s.execute(query).all())}


def part_states(begin: Transactions) -> Counter[str]:
    return Counter(state.word for state in look(begin, lambda s: s.scalars(select(Part.state)).all()))


def state_of(begin: Transactions, part_id: int) -> State:
    state: State = look(begin, lambda s: s.scalar(select(Part.state).where(Part.id == part_id)))
    return state


def inbox(begin: Transactions) -> Counter[str]:
    """Receipts by what became of them; of those in lots, the ones that wait and the ones that were left over."""
    with begin() as tx:
        waiting = set(tx.session.scalars(select(ReceiptWaiting.inbox_id)))
        orphans = set(tx.session.scalars(select(ReceiptOrphan.inbox_id)))
        assert not waiting & orphans
        found = Counter(
            "waiting" if id_ in waiting else "orphan" if id_ in orphans else InboxState(outcome).name.lower()
            for id_, outcome in tx.session.execute(select(ReceiptInbox.id, ReceiptInbox.outcome))
        )
        in_lots = sum(tx.session.scalars(select(ReceiptLotWaiting.receipts)))
        return found + Counter(waiting=in_lots)


def kept(begin: Transactions) -> set[tuple[str, str, str]]:
    """Gateway, carrier's id and state of all that came, by itself or in a lot."""
    by_itself = select(ReceiptInbox.gateway, ReceiptInbox.provider_id, ReceiptInbox.state)
    with begin() as tx:
        found = {tuple(row) for row in tx.session.execute(by_itself)}
        # once: the carrier tells of each at one moment
        assert len(found) == tx.session.scalar(select(func.count()).select_from(ReceiptInbox))
        for gateway, told in tx.session.execute(select(ReceiptLot.gateway, ReceiptLot.told)):
            kinds, of, ids, *_ = json.loads(told)
            found |= {(gateway, name, kinds[place][0]) for name, place in zip(ids, of, strict=True)}
    return found


def campaign_state(begin: Transactions, campaign_id: int) -> str:
    return str(look(begin, lambda s: s.scalar(select(Campaign.state).where(Campaign.id == campaign_id))))
