"""Taking an import back on every floor: nobody goes for whom a message is on record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign, CampaignVariant
from broadcaster.delivery.models import Message
from broadcaster.moving import PATHS
from broadcaster.newspaper.models import EditionPage
from subscribers import importing
from subscribers.actor import Actor, Right, needs
from subscribers.importing import Undone
from subscribers.importing.places import Elsewhere
from subscribers.importing.undo import on_record
from subscribers.models import ImportSpan, Member

#: whatever speaks of an organisation by its path of ids, or by its id in a rule
_ELSEWHERE = Elsewhere(PATHS, (Campaign.rule, CampaignVariant.rule, EditionPage.columns, EditionPage.readers))


@needs(Right.REGISTER)
def undo_import(
    session: Session, actor: Actor, import_id: int, *, now: datetime, progress: Callable[[int], None] | None = None
) -> Undone:
    """Take back an import of members. Raises as `subscribers.importing.undo`; `progress` is told members so far."""
    undone = importing.undo(session, actor, import_id, now=now, elsewhere=_ELSEWHERE, progress=progress)
    if undone.removed and _was_written_to(session, import_id):
        raise on_record(import_id)
    return undone


def _was_written_to(session: Session, import_id: int) -> bool:
    """Whether there is a message for one who is gone.

    A message names its member without a foreign key: each row of an audience would lock the member's, and write it. So
    it is looked for once, in the audiences that somebody of this import can be in.
    """
    spans = select(ImportSpan.first_id, ImportSpan.last_id).where(ImportSpan.import_run_id == import_id).subquery()
    since = select(Campaign.id).where(Campaign.audience_up_to >= select(func.min(spans.c.first_id)).scalar_subquery())
    theirs = exists().where(Message.member_id.between(spans.c.first_id, spans.c.last_id))
    gone = ~exists().where(Member.id == Message.member_id)
    found = select(Message.id).where(or_(Message.campaign_id.in_(since), Message.campaign_id.is_(None)), theirs, gone)
    return session.scalar(found.limit(1)) is not None
