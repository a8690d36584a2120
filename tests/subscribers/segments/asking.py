"""Asking a rule, as tests do it."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from subscribers import segments
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.organisations import find_by_path
from subscribers.segments import Count

TODAY = date(2026, 11, 21)


def matching(session: Session, rule: str, on: date = TODAY, within: str = "") -> set[int]:
    return set(session.scalars(segments.members_matching(session, rule, on=on, within=within)))


def count(session: Session, rule: str, on: date = TODAY, actor: Actor = OPERATOR) -> Count:
    return segments.count(session, actor, rule, on=on)


def clerk(session: Session, path: str) -> Actor:
    rights = frozenset({Right.SEE, Right.EDIT})
    return Actor("clerk", rights, under=find_by_path(session, OPERATOR, path).path)
