"""Codes that readers have asked for: sent to members, and to nobody else."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.access import readers
from broadcaster.campaigns.dress import Dress, cut, dressed, leaving
from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.delivery import trial
from broadcaster.logs import get
from broadcaster.replies.handling import reply_text
from broadcaster.runtime import Runtime
from subscribers.db import Tx
from subscribers.errors import BroadsheetError
from subscribers.models import Membership, Number, NumberKind
from subscribers.msisdn import operator
from subscribers.registry import standing_on

log = get(__name__)


def send_asked(runtime: Runtime) -> bool:
    """Send the codes that wait. Whether there may be more: never, it has looked."""
    while not runtime.stopping.is_set():
        with runtime.begin() as tx:
            asked = readers.next_asked(tx.session, runtime.secret, now=tx.now)
            if asked is None:
                break
            members = _members(runtime, tx, asked.msisdn)
            if members:
                _send(runtime, tx, asked, members)
    return False


def _members(runtime: Runtime, tx: Tx, msisdn: str) -> list[int]:
    on = tx.now.astimezone(runtime.settings.zone).date()
    query = (
        select(Number.member_id)
        .join(Membership, Membership.member_id == Number.member_id)
        .where(Number.msisdn == msisdn, Number.kind == NumberKind.MOBILE, Number.suspended_at.is_(None))
        .where(standing_on(on))
    )
    return sorted(tx.session.scalars(query)) if msisdn else []


def _send(runtime: Runtime, tx: Tx, asked: readers.Asked, members: list[int]) -> None:
    try:
        with tx.session.begin_nested():
            _queue(runtime, tx.session, tx, asked)
            readers.sent_to(tx.session, asked, members)
    except BroadsheetError as error:
        # whoever wants no messages gets none; nobody who asks is told of it
        log.info("a code for a reader was not sent", reason=type(error).__name__)


def _queue(runtime: Runtime, session: Session, tx: Tx, asked: readers.Asked) -> None:
    route = runtime.route(Campaign(lane=Lane.BULK))
    gateway = route.by_operator.get(operator(asked.msisdn) or "", route.default)
    desk = runtime.desk(tx).at(gateway)
    worn, can = Dress(desk.signature, place=desk.place), desk.gateways[gateway]
    split = cut(worn, dressed(worn, reply_text("reader_code", desk, code=asked.code)), can)
    trial.write(session, gateway, asked.msisdn, can.handed_over(leaving(worn, split)), split)
