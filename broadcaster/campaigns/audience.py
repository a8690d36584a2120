"""Who a campaign goes to: one SELECT gives each person a variant, a number and a gateway, or a reason for skipping."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sqlalchemy import Select, String, case, func, literal, null, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import Subquery

from broadcaster.campaigns.models import Campaign
from subscribers import segments
from subscribers.db import among
from subscribers.models import Member, Membership, Number, NumberKind, Organisation, Subscription, Wish
from subscribers.organisations import in_subtree
from subscribers.registry import standing_on


class SkipReason(StrEnum):
    """Why a person of the audience is not sent to."""

    OPTED_OUT = "opted_out"
    #: never agreed to receive the paper: what is sent needs consent
    NO_CONSENT = "no_consent"
    NO_NUMBER = "no_number"
    INVALID_NUMBER = "invalid_number"
    LANDLINE = "landline"
    DUPLICATE_HANDSET = "duplicate_handset"
    LEFT_SEGMENT = "left_segment"
    TRANSFERRED = "transferred"
    WINDOW_MISSED = "window_missed"
    CAP_REACHED = "cap_reached"
    SUSPENDED = "suspended"
    BUDGET = "budget"
    #: lost a value that its text needs between the check and the send
    MISSING_VALUE = "missing_value"


@dataclass(frozen=True, slots=True)
class Route:
    """Which gateway takes a number: by its operator where one is named, else the default."""

    default: str
    by_operator: Mapping[str, str] = field(default_factory=dict)
    #: where to go on, in order, when nothing leaves through one of those
    then: tuple[str, ...] = ()

    @property
    def gateways(self) -> tuple[str, ...]:
        """Every gateway that this route may use."""
        return tuple(dict.fromkeys((self.default, *self.by_operator.values(), *self.then)))

    def after(self, gateway: str, blocked: Container[str]) -> str | None:
        """Where to go on when nothing leaves through this one; None when there is nowhere else."""
        line = (self.default, *self.then) if self.then else ()
        return next((each for each in line if each != gateway and each not in blocked), None)


def select_audience(
    session: Session,
    campaign: Campaign,
    route: Route,
    *,
    on: date,
    after: int = 0,
    up_to: int | None = None,
    only: Sequence[int] | None = None,
) -> Select[int, int, str | None, str, str | None, bool | None]:
    """Rows `member_id, variant, msisdn, gateway, reason, shared`, one per person; `reason` is null for a recipient.

    `after` and `up_to` bound the member ids, so that a large audience is taken in pieces. Of people who share a
    handset the one with the smallest id gets the copy; across pieces the messages already written decide. `only`: of
    these members.
    """
    people = _people(session, campaign, on=on, after=after, up_to=up_to, only=only)
    first = (people.c.suspended_at.is_not(None), people.c.member_id)
    rank = func.row_number().over(partition_by=people.c.msisdn, order_by=first)
    # who gets no variant takes nobody's copy away
    taking_part = people.c.variant.is_not(None), people.c.choice == 1
    numbered = select(people, rank.label("rank")).where(*taking_part).subquery()
    reason = case(
        (numbered.c.msisdn.is_(None), literal(SkipReason.NO_NUMBER.value)),
        (numbered.c.kind == NumberKind.LANDLINE, literal(SkipReason.LANDLINE.value)),
        (Subscription.wish == Wish.OUT, literal(SkipReason.OPTED_OUT.value)),
        (Subscription.wish.is_(None), literal(SkipReason.NO_CONSENT.value)),
        (numbered.c.suspended_at.is_not(None), literal(SkipReason.SUSPENDED.value)),
        (numbered.c.rank > 1, literal(SkipReason.DUPLICATE_HANDSET.value)),
        else_=null(),
    )
    operators = [(numbered.c.operator == name, literal(gateway)) for name, gateway in route.by_operator.items()]
    gateway: ColumnElement[str] = (
        case(*operators, else_=literal(route.default)) if operators else literal(route.default)
    )
    return (
        select(
            numbered.c.member_id,
            numbered.c.variant,
            numbered.c.msisdn,
            gateway.label("gateway"),
            reason.cast(String).label("reason"),
            numbered.c.shared,
        )
        .select_from(numbered)
        .outerjoin(Subscription, Subscription.msisdn == numbered.c.msisdn)
    )


def _people(
    session: Session, campaign: Campaign, *, on: date, after: int, up_to: int | None, only: Sequence[int] | None
) -> Subquery:
    """Each member of the audience with their variant and numbers; the one with `choice` 1 is used for them."""
    best = (Number.preferred.desc(), (Number.kind == NumberKind.MOBILE).desc(), Number.id)
    variant = case(
        *[(segments.condition(session, v.rule, on=on), v.position) for v in campaign.variants],
        else_=null(),
    )
    people = (
        select(
            Member.id.label("member_id"),
            variant.label("variant"),
            Number.msisdn,
            Number.kind,
            Number.suspended_at,
            Number.operator,
            Number.shared,
            # ranked and not looked up: one walk along an index for all numbers of a piece
            func.row_number().over(partition_by=Member.id, order_by=best).label("choice"),
        )
        .join(Membership, Membership.member_id == Member.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .outerjoin(Number, Number.member_id == Member.id)
        .where(
            Member.id > after,
            standing_on(on),
            in_subtree(Organisation.path, campaign.under),
            segments.condition(session, campaign.rule, on=on),
        )
    )
    if up_to is not None:
        people = people.where(Member.id <= up_to)
    if only is not None:
        people = people.where(among(session, Member.id, only))
    return people.subquery()


@dataclass(frozen=True, slots=True)
class Audience:
    """How many, before anything is written."""

    recipients: int
    by_variant: Mapping[int, int]
    skipped: Mapping[str, int]
    gateways: Sequence[str]


def count_audience(session: Session, campaign: Campaign, route: Route, *, on: date) -> Audience:
    """The audience in figures; one statement."""
    rows = select_audience(session, campaign, route, on=on).subquery()
    counted = session.execute(
        select(rows.c.variant, rows.c.gateway, rows.c.reason, func.count()).group_by(
            rows.c.variant, rows.c.gateway, rows.c.reason
        )
    ).all()
    by_variant: dict[int, int] = {}
    skipped: dict[str, int] = {}
    gateways: dict[str, None] = {}
    for variant, gateway, reason, n in counted:
        if reason is None:
            by_variant[variant] = by_variant.get(variant, 0) + n
            gateways[gateway] = None
        else:
            skipped[reason] = skipped.get(reason, 0) + n
    return Audience(sum(by_variant.values()), by_variant, dict(sorted(skipped.items())), tuple(gateways))
