"""Whose numbers they are: of a part of the tree or of no concern to it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from subscribers.db import in_bulk
from subscribers.models import Membership, Number, Organisation
from subscribers.organisations import in_subtree


def numbers_within(session: Session, under: str, msisdns: Collection[str]) -> set[str]:
    """Those of the numbers that a member of this part of the tree has; all of them if `under` is empty.

    A member is of the place they belong to last, which may lie ahead or be over, as in `subscribers.holding`.
    """
    if not under:
        return set(msisdns)
    found: set[str] = set()
    for portion in in_bulk(msisdns):
        held = select(Number.msisdn).where(Number.msisdn.in_(portion), belongs_within(Number.member_id, under))
        found.update(session.scalars(held))
    return found


def belongs_within(member_id: SQLColumnExpression[int], under: str) -> ColumnElement[bool]:
    """The condition that a member's last place is in this part of the tree."""
    later = aliased(Membership)
    comes_after = or_(
        later.valid_from > Membership.valid_from,
        and_(later.valid_from == Membership.valid_from, later.id > Membership.id),
    )
    return exists().where(
        Membership.member_id == member_id,
        Organisation.id == Membership.organisation_id,
        in_subtree(Organisation.path, under),
        ~exists().where(later.member_id == Membership.member_id, comes_after),
    )
