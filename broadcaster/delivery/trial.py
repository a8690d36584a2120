"""One message that an operator sends to see whether a gateway works: in the ledger like any other, and followed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Lane
from broadcaster.delivery import transitions
from broadcaster.delivery.control import submit_queue
from broadcaster.delivery.models import Batch, Message, Part, Submission
from broadcaster.delivery.pieces import Sender
from broadcaster.delivery.states import State
from broadcaster.sms import Split
from subscribers import consent
from subscribers.actor import Actor, Right, needs
from subscribers.audit import note
from subscribers.db import wake
from subscribers.errors import Conflict
from subscribers.models import Wish


@dataclass(frozen=True, slots=True)
class Trial:
    """A message that was queued for a test, and the batch that it is alone in."""

    message_id: int
    batch_id: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What has become of a test message so far."""

    state: State
    provider_id: str | None
    code: str | None
    reason: str | None


@needs(Right.OPERATE)
def queue(session: Session, actor: Actor, sender: Sender, msisdn: str, split: Split, *, now: datetime) -> Trial:
    """Queue one message for this number, ahead of every broadcast. Raises `Conflict` when its holder has refused."""
    made = write(session, sender.gateway, msisdn, sender.capabilities.handed_over(split), split)
    note(session, actor, "gateways.test", f"gateway {sender.gateway}", people=1, now=now, message=made.message_id)
    return made


def write(
    session: Session, gateway: str, msisdn: str, pieces: Sequence[str], split: Split, *, reaches: bool = True
) -> Trial:
    """A step of the verbs that have asked: one message of these pieces, ahead of every broadcast.

    Raises `Conflict` when the holder of the number wants nothing; where no phone is reached, that is not looked at.
    """
    if reaches:
        refuse_opted_out(session, msisdn)
    message = Message(msisdn=msisdn, gateway=gateway, state=State.QUEUED, attempt=1, parts=len(pieces))
    session.add(message)
    session.flush()
    common = {"message_id": message.id, "attempt": 1, "state": State.QUEUED, "gateway": gateway}
    session.execute(
        insert(Part),
        [
            {**common, "number": number, "encoding": split.encoding.value, "text": piece}
            for number, piece in enumerate(pieces, start=1)
        ],
    )
    batch = Batch(gateway=gateway, lane=Lane.ANSWER, low=message.id, high=message.id, cursor=message.id)
    session.add(batch)
    session.flush()
    wake(session, submit_queue(gateway))
    return Trial(message.id, batch.id)


def refuse_opted_out(session: Session, msisdn: str) -> None:
    """Raise `Conflict` when whoever has this number wants nothing: a test is a message, too."""
    # whoever may test a gateway may send to everybody; the registry is only asked for a refusal
    present = consent.wishes(session, [msisdn]).get(msisdn)
    if present is not None and present.wish == Wish.OUT:
        raise Conflict(
            "The holder of this number wants no messages.",
            hint="Test with a telephone of your own, or have the holder come back by SMS.",
        )


def fate(session: Session, trial: Trial) -> Fate:
    """What has become of it: the least of its parts."""
    row = session.execute(
        select(Part.state, Submission.provider_id, Part.code, Part.reason)
        .outerjoin(Submission, Submission.part_id == Part.id)
        .where(Part.message_id == trial.message_id)
        .order_by(Part.state, Part.number)
        .limit(1)
    ).one()
    return Fate(row.state, row.provider_id, row.code, row.reason)


def withdraw(session: Session, trial: Trial, *, now: datetime) -> None:
    """What has not left will not leave: nobody waits for it any more."""
    session.execute(
        update(Batch)
        .where(Batch.gateway.in_(select(Message.gateway).where(Message.id == trial.message_id)))
        .where(Batch.campaign_id.is_(None), Batch.low == trial.message_id, Batch.high == trial.message_id)
        .values(done=True)
        .execution_options(synchronize_session=False)
    )
    transitions.withdraw(session, [trial.message_id], State.CANCELLED, now=now)
