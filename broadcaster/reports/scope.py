"""What a report is about: a part of the tree, and a span of time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, func, literal, or_, true

from broadcaster.campaigns.models import Campaign
from subscribers.actor import Actor
from subscribers.errors import NotFound
from subscribers.models import Membership, Organisation
from subscribers.organisations import in_subtree


@dataclass(frozen=True, slots=True)
class Scope:
    """`under` is a path of ids, empty for the whole tree; `since` and `before` bound the instants, each or neither."""

    under: str = ""
    since: datetime | None = None
    before: datetime | None = None

    def seen_by(self, actor: Actor) -> Scope:
        """As much of it as lies in the actor's part of the tree. Raises `NotFound` if nothing does."""
        if self.under.startswith(actor.under):
            return self
        if actor.under.startswith(self.under):
            return replace(self, under=actor.under)
        raise NotFound("There is no such organisation.", hint="Look at the tree of organisations.")

    def spans(self, instant: SQLColumnExpression[datetime | None]) -> ColumnElement[bool]:
        """The condition that an instant lies in the span."""
        bounds = [instant >= self.since if self.since else true(), instant < self.before if self.before else true()]
        return and_(*bounds)

    def holds(self, member_id: SQLColumnExpression[int | None]) -> ColumnElement[bool]:
        """The condition that a member belonged to this part of the tree when the campaign's audience was frozen."""
        if not self.under:
            return true()
        # what belongs to no campaign is judged by where the member is now
        day = func.coalesce(Campaign.audience_on, literal(date.max))
        return exists().where(
            Membership.member_id == member_id,
            Membership.valid_from <= day,
            or_(Membership.valid_until.is_(None), Membership.valid_until > day),
            Organisation.id == Membership.organisation_id,
            in_subtree(Organisation.path, self.under),
        )


def days(first: date | None, last: date | None, zone: ZoneInfo, *, under: str = "") -> Scope:
    """The scope from one day to another, both included, where the paper is made."""
    return Scope(
        under,
        datetime.combine(first, time(), tzinfo=zone) if first else None,
        datetime.combine(last + timedelta(days=1), time(), tzinfo=zone) if last else None,
    )
