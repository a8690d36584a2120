"""The people of a rule, for other statements: a SELECT of their ids, or a condition to put into one."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from subscribers.db import is_sqlite
from subscribers.models import Member, Membership, Organisation
from subscribers.organisations import in_subtree
from subscribers.registry import standing_on
from subscribers.rules import Rule
from subscribers.segments.conditions import sql
from subscribers.segments.resolving import frozen_text, resolve


def compile_rule(session: Session, rule: str, *, on: date, within: str = "") -> Select[int]:
    """The ids of the members in a rule, as of a day: one SELECT with bound values, fit for INSERT ... SELECT.

    `Member`, `Membership` and `Organisation` are in its FROM, for further conditions. `within`: the part of the tree
    (a path of ids) of whoever asks; its names are known to the rule, others are not. Raises `Invalid` with the place
    in the rule: it cannot be read, names what does not exist, or asks too much.
    """
    return (
        select(Member.id)
        .join(Membership, Membership.member_id == Member.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(standing_on(on), condition(session, rule, on=on, within=within))
    )


def members_matching(session: Session, rule: str, *, on: date, within: str = "") -> Select[int]:
    """The audience of a rule as `compile_rule`, of one part of the tree (a path of ids; all of it if empty)."""
    return compile_rule(session, rule, on=on, within=within).where(in_subtree(Organisation.path, within))


def condition(session: Session, rule: str, *, on: date, within: str = "") -> ColumnElement[bool]:
    """A rule as a condition over `Member`, its `Membership` of that day and that one's `Organisation`.

    For a statement that sorts members into the first of several segments. `within` only says whose names are meant.
    """
    return sql(resolve(session, rule, within=within), on, on_sqlite=is_sqlite(session))


def resolved(session: Session, rule: str) -> Rule:
    """A rule that needs no `within`, for `held`. Raises `Invalid` for what is gone."""
    return resolve(session, rule, within="")


def check(session: Session, rule: str, *, within: str = "") -> None:
    """Raise `Invalid`, with the place in the rule, if it cannot be asked."""
    resolve(session, rule, within=within)


def frozen(session: Session, rule: str, *, within: str = "") -> str:
    """The rule as it is to be kept: saved segments written out, places and lists by their ids.

    Whatever is saved, renamed or removed later, it holds whom it would hold now; and it can be asked without a
    `within`. Raises `Invalid` as `compile_rule`.
    """
    return frozen_text(session, rule, within=within)
