"""Whose numbers they are: of a part of the tree or of no concern to it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from subscribers.db import in_bulk
from subscribers.models import Membership, Number, Organisation
from subscribers.organisations import in_subtree


def numbers_within(session: Session, under: str, msisdns: Collection[str]) -> set[str]:
    """Those of the numbers that a present member of this part of the tree has; all of them if `under` is empty."""
    if not under:
        return set(msisdns)
    found: set[str] = set()
    for portion in in_bulk(msisdns):
        found.update(
            session.scalars(
                select(Number.msisdn)
                .join(Membership, and_(Membership.member_id == Number.member_id, Membership.valid_until.is_(None)))
                .join(Organisation, Organisation.id == Membership.organisation_id)
                .where(Number.msisdn.in_(portion), in_subtree(Organisation.path, under))
            )
        )
    return found
