"""Whether the figures that are kept are the figures that can be counted."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from broadcaster.delivery import tally
from broadcaster.delivery.models import Kind, Message, Part, Tally
from broadcaster.delivery.tally import Cell, message_cell


def counted(session: Session) -> dict[Cell, int]:
    """Every message and every part of every campaign, counted one by one."""
    found: dict[Cell, int] = {}
    columns = (Message.campaign_id, Message.gateway, Message.state, Message.reason)
    messages = select(*columns, func.count()).where(Message.campaign_id.is_not(None)).group_by(*columns)
    for campaign_id, gateway, state, reason, n in session.execute(messages):
        cell = message_cell(campaign_id or 0, gateway, state, reason)
        found[cell] = found.get(cell, 0) + n
    parts = (
        select(Message.campaign_id, Part.gateway, Part.state, func.count())
        .join(Message, Message.id == Part.message_id)
        .where(Message.campaign_id.is_not(None))
        .group_by(Message.campaign_id, Part.gateway, Part.state)
    )
    for campaign_id, gateway, state, n in session.execute(parts):
        found[Cell(campaign_id or 0, Kind.PART, gateway, state)] = n
    return found


def kept(session: Session) -> dict[Cell, int]:
    """The same, as it was kept."""
    return dict(tally.figures(session, session.scalars(select(Tally.campaign_id).distinct()).all()))


def recount(session: Session) -> None:
    """Keep what can be counted: for messages that a test has written by itself."""
    session.flush()
    session.execute(delete(Tally))
    tally.add(session, counted(session))


def wrong(session: Session) -> list[str]:
    """Where the two differ."""
    true, told = counted(session), kept(session)
    return [
        f"campaign {cell.campaign_id}: {told.get(cell, 0)} instead of {true.get(cell, 0)} {cell.kind.name.lower()}s "
        f"of {cell.gateway or 'no gateway'} {cell.state.word} {cell.reason}"
        for cell in sorted(true.keys() | told.keys())
        if true.get(cell, 0) != told.get(cell, 0)
    ]
