"""What members wrote, counted by the campaign that it most likely answers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign
from broadcaster.replies.models import Letter, LetterState
from broadcaster.reports.scope import Scope
from subscribers.actor import Actor, Right, needs


@dataclass(frozen=True, slots=True)
class RepliesReport:
    """The letters of one campaign, or of none (`campaign` is None): what the machine took, and what waits."""

    campaign: int | None
    title: str
    received: int
    opted_out: int
    came_back: int
    #: for a person: waiting, answered, closed
    open: int
    answered: int
    closed: int


@needs(Right.SEE)
def replies(session: Session, actor: Actor, scope: Scope) -> list[RepliesReport]:
    """The letters received in the span, the newest campaign first."""
    scope = scope.seen_by(actor)
    rows = session.execute(
        select(
            Letter.campaign_id,
            Campaign.title,
            func.count(Letter.id),
            func.count().filter(Letter.handled_as == "opt_out"),
            func.count().filter(Letter.handled_as == "come_back"),
            _for_a_person(LetterState.OPEN),
            _for_a_person(LetterState.ANSWERED),
            _for_a_person(LetterState.CLOSED),
        )
        .select_from(Letter)
        .outerjoin(Campaign, Campaign.id == Letter.campaign_id)
        .where(scope.spans(Letter.received_at), scope.holds(Letter.member_id))
        .group_by(Letter.campaign_id, Campaign.title)
        .order_by(Letter.campaign_id.desc())
    )
    return [
        RepliesReport(campaign, title or "", received, opted_out, came_back, open_, answered, closed)
        for campaign, title, received, opted_out, came_back, open_, answered, closed in rows
    ]


def _for_a_person(state: LetterState) -> ColumnElement[int]:
    return func.count().filter(Letter.handled_as == "inbox", Letter.state == state)
