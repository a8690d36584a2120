"""The life of a campaign as a table, and the one way to move along it."""

from __future__ import annotations

from enum import StrEnum


class CampaignState(StrEnum):
    """Where a campaign is in its life."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    APPROVED = "approved"
    SCHEDULED = "scheduled"
    #: the audience is being written down
    PREPARING = "preparing"
    SENDING = "sending"
    PAUSED = "paused"
    #: every part was handed over
    SENT = "sent"
    #: every part is final or past its receipt deadline
    CLOSED = "closed"
    #: stopped before anything left
    CANCELLED = "cancelled"
    #: stopped when some had left
    ABORTED = "aborted"
    #: its window passed
    MISSED = "missed"
    FAILED = "failed"


_S = CampaignState

#: from each state, where it may go
MOVES: dict[CampaignState, frozenset[CampaignState]] = {
    _S.DRAFT: frozenset({_S.IN_REVIEW, _S.APPROVED, _S.SCHEDULED, _S.PREPARING, _S.CANCELLED}),
    _S.IN_REVIEW: frozenset({_S.APPROVED, _S.CHANGES_REQUESTED, _S.DRAFT, _S.CANCELLED}),
    _S.CHANGES_REQUESTED: frozenset({_S.DRAFT, _S.IN_REVIEW, _S.CANCELLED}),
    _S.APPROVED: frozenset({_S.DRAFT, _S.SCHEDULED, _S.PREPARING, _S.CANCELLED}),
    _S.SCHEDULED: frozenset({_S.DRAFT, _S.PREPARING, _S.MISSED, _S.CANCELLED}),
    _S.PREPARING: frozenset({_S.SENDING, _S.PAUSED, _S.CANCELLED, _S.FAILED}),
    _S.SENDING: frozenset({_S.PAUSED, _S.SENT, _S.CANCELLED, _S.ABORTED, _S.FAILED}),
    _S.PAUSED: frozenset({_S.PREPARING, _S.SENDING, _S.CANCELLED, _S.ABORTED}),
    # a resend opens it again
    _S.SENT: frozenset({_S.SENDING, _S.CLOSED}),
    _S.CLOSED: frozenset({_S.SENDING}),
    _S.MISSED: frozenset({_S.SCHEDULED, _S.PREPARING, _S.CANCELLED}),
    _S.CANCELLED: frozenset(),
    _S.ABORTED: frozenset(),
    _S.FAILED: frozenset({_S.PREPARING, _S.SENDING, _S.CANCELLED, _S.ABORTED}),
}

#: where an audience is written down: before its first piece, and while that is being sent already
UNDER_WAY = frozenset({_S.PREPARING, _S.SENDING})

#: nothing has been handed over or frozen yet: texts and audience may still change
EDITABLE = frozenset({_S.DRAFT, _S.CHANGES_REQUESTED})


def may_move(state: str, to: CampaignState) -> bool:
    """Whether a campaign in `state` may become `to`."""
    return to in MOVES[CampaignState(state)]


def sources(to: CampaignState) -> frozenset[CampaignState]:
    """The states from which `to` can be reached: the guard of a compare-and-set."""
    return frozenset(state for state, targets in MOVES.items() if to in targets)
