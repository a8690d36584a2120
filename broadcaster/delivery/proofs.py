"""Proofs: variants of an edition on the phone of whoever makes it, in the ledger like any other message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.dress import Dress, cut, leaving
from broadcaster.delivery import trial
from broadcaster.delivery.models import Message, Part, Proof
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Capabilities
from broadcaster.newspaper import editions
from subscribers.actor import Actor, Right, needs
from subscribers.audit import note
from subscribers.errors import Conflict

#: proofs of an edition that a page tells of
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class ProofText:
    """One variant as it stands on the page, and how the gateway dresses and cuts it."""

    variant: str
    text: str
    dress: Dress
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class SentProof:
    """What has become of a proof."""

    message_id: int
    variant: str
    sent_at: datetime
    state: State
    parts: int
    delivered_parts: int
    #: by which it goes
    gateway: str
    reason: str
    #: None: it was not written down
    rehearsed: bool | None


@needs(Right.EDIT)
def send(
    session: Session,
    actor: Actor,
    number: int,
    texts: Sequence[ProofText],
    gateway: str,
    msisdn: str,
    *,
    reaches: bool = True,
    rehearsed: bool = False,
    now: datetime,
) -> list[int]:
    """Queue these texts of an edition for one's own phone. Returns the ids of their messages.

    Whose number it is, is the caller's to know. Raises `Conflict` when its holder has refused messages, `NotFound` for
    an edition of others. `reaches`: false where the gateway rehearses; then nobody is disturbed, nor asked for.
    `rehearsed`: the gateway rehearses; should it be another one before they have left, they are held back.
    """
    edition = editions.get(session, actor, number)
    made = []
    if reaches:
        _refuse_opted_out(session, msisdn)
    for each in texts:
        split = cut(each.dress, each.text, each.capabilities)
        pieces = each.capabilities.handed_over(leaving(each.dress, split))
        queued = trial.write(session, gateway, msisdn, pieces, split, reaches=reaches)
        session.add(
            Proof(
                edition_id=edition.id,
                variant=each.variant,
                message_id=queued.message_id,
                rehearsed=rehearsed,
                by=actor.name,
                sent_at=now,
            )
        )
        made.append(queued.message_id)
    note(session, actor, "editions.proof", f"edition {number}", people=1, now=now, variants=len(made), gateway=gateway)
    session.flush()
    return made


def _refuse_opted_out(session: Session, msisdn: str) -> None:
    """Raise `Conflict`, in words for whose own phone it is, when they want nothing."""
    try:
        trial.refuse_opted_out(session, msisdn)
    except Conflict:
        raise Conflict(
            "Your phone wants no messages: it has opted out.",
            hint="Come back by an SMS from it, or name another number.",
        ) from None


@needs(Right.EDIT)
def send_code(
    session: Session, actor: Actor, text: str, worn: Dress, can: Capabilities, gateway: str, msisdn: str
) -> None:
    """Queue the code that shows whose phone it is. Raises `Conflict` when the holder has refused messages."""
    split = cut(worn, text, can)
    trial.write(session, gateway, msisdn, can.handed_over(leaving(worn, split)), split)


@needs(Right.SEE)
def sent(session: Session, actor: Actor, number: int, *, since: datetime) -> list[SentProof]:
    """The newest proofs of an edition that went to the actor's own phone; of one time, in the order of variants."""
    edition = editions.get(session, actor, number)
    query = (
        select(
            Message.id,
            Proof.variant,
            Proof.sent_at,
            Message.state,
            Message.parts,
            Message.delivered_parts,
            Message.gateway,
            Message.reason,
            Proof.rehearsed,
        )
        .join(Message, Message.id == Proof.message_id)
        .where(Proof.edition_id == edition.id, Proof.by == actor.name, Proof.sent_at >= since)
        .order_by(Proof.sent_at.desc(), Proof.id)
        .limit(_SHOWN)
    )
    return [SentProof(*row[:-3], row[-3] or "", row[-2] or "", row[-1]) for row in session.execute(query)]


@needs(Right.SEE)
def texts(session: Session, actor: Actor, number: int, *, since: datetime) -> dict[int, list[str]]:
    """The parts of what `sent` tells of, as they left, by message. A text that is not kept any more has none."""
    messages = [each.message_id for each in sent(session, actor, number, since=since)]
    query = (
        select(Part.message_id, Part.text)
        .join(Message, and_(Message.id == Part.message_id, Message.attempt == Part.attempt))
        .where(Part.message_id.in_(messages), Part.text != "")
        .order_by(Part.message_id, Part.number)
    )
    found: dict[int, list[str]] = {}
    for message, text in session.execute(query):
        found.setdefault(message, []).append(text)
    return found
