"""The dated profiles of gateways: written, read and taken back; nothing is ever overwritten."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pydantic import ValidationError
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import ProfileChange
from broadcaster.campaigns.profiles import Profile, refuse_halfway
from broadcaster.mistakes import tell_mistake
from subscribers.actor import Actor, Right, needs
from subscribers.audit import note
from subscribers.clock import monotonic
from subscribers.errors import Invalid, NotFound

#: seconds for which a sender believes what it has read
_FRESH = 1.0


@needs(Right.OPERATE)
def write(
    session: Session, actor: Actor, gateway: str, given: Mapping[str, str], day: date, *, now: datetime
) -> ProfileChange:
    """Let these keys of a gateway's profile have these values from a day on. Raises `Invalid` for what cannot be set.

    A day that has passed is taken, too: a tariff may be told late. Campaigns that have started keep what they had.
    """
    try:
        profile = Profile.model_validate(given)
    except ValidationError as error:
        raise Invalid(
            "This profile cannot be used:\n{mistakes}",
            hint="The keys and their meaning are in docs/configuration.md.",
            mistakes="\n".join(
                tell_mistake(mistake, Profile.model_fields) for mistake in error.errors(include_input=False)
            ),
        ) from None
    refuse_halfway(profile.signature or "")
    change = ProfileChange(
        gateway=gateway,
        day=day,
        values=profile.model_dump(mode="json", exclude_unset=True),
        written_by=actor.name,
        written_at=now,
    )
    session.add(change)
    session.flush()
    keys = ",".join(change.values)
    note(session, actor, "gateways.profile", f"gateway {gateway}", people=0, now=now, day=day.isoformat(), keys=keys)
    return change


@needs(Right.OPERATE)
def undo(session: Session, actor: Actor, gateway: str, *, change_id: int | None = None, now: datetime) -> ProfileChange:
    """Take back the change that was written last, or the one of this id; it stays in the history.

    Raises `NotFound` when none stands.
    """
    which = [ProfileChange.gateway == gateway, ProfileChange.withdrawn_at.is_(None)]
    if change_id is not None:
        which.append(ProfileChange.id == change_id)
    change = session.scalar(
        select(ProfileChange).where(*which).order_by(ProfileChange.id.desc()).limit(1).with_for_update()
    )
    if change is None:
        raise NotFound(
            "Nothing is set in the profile of {gateway}: there is nothing to take back.",
            hint="`broadsheet gateways profile {gateway} --history` shows what there was.",
            gateway=gateway,
        )
    change.withdrawn_by, change.withdrawn_at = actor.name, now
    session.flush()
    note(session, actor, "gateways.profile.undo", f"gateway {gateway}", people=0, now=now, change=change.id)
    return change


@needs(Right.OPERATE)
def history(session: Session, actor: Actor, gateway: str) -> Sequence[ProfileChange]:
    """All that was ever set for a gateway, in the order in which it was written."""
    return session.scalars(
        select(ProfileChange).where(ProfileChange.gateway == gateway).order_by(ProfileChange.id)
    ).all()


# made once: every claim of a sender asks
_STANDING = select(ProfileChange).where(ProfileChange.withdrawn_at.is_(None)).order_by(ProfileChange.id)
_STANDING_OF_ONE = _STANDING.where(ProfileChange.gateway == bindparam("only"))


def by_gateway(session: Session, only: str | None = None) -> dict[str, list[ProfileChange]]:
    """The changes that stand, of each gateway or of one."""
    found: defaultdict[str, list[ProfileChange]] = defaultdict(list)
    for change in session.scalars(*((_STANDING,) if only is None else (_STANDING_OF_ONE, {"only": only}))):
        found[change.gateway].append(change)
    return found


class Lately:
    """The changes that stand of one gateway, read once a second: a sender claims forty times in it."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway
        self._read_at = -math.inf
        self._changes: Sequence[ProfileChange] = ()

    def __call__(self, session: Session) -> Sequence[ProfileChange]:
        """As they were at most a second ago; not to be written to."""
        if monotonic() - self._read_at >= _FRESH:
            self._read_at, self._changes = monotonic(), by_gateway(session, self._gateway).get(self._gateway, ())
        return self._changes
