"""Two neighbours under one roof: everything there is once inside of the actor's part of the tree, and once outside."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.access.models import Role, User
from broadcaster.campaigns.models import Campaign, CampaignVariant
from broadcaster.delivery.models import Doubt, Message, Part
from broadcaster.newspaper import columns, editions
from subscribers import segments
from subscribers.actor import Actor, Right
from subscribers.audit import note
from subscribers.db import Base
from subscribers.models import Admission, Member, Number, Transfer
from tests.factories import NOW, MadeMember, make_member, make_organisation
from tests.reports.ledger import make_campaign, make_letter, make_message

TODAY = date(2026, 11, 21)
KEY = b"k" * 32


@dataclass(frozen=True)
class Side:
    """One of the two. `mark` stands in every name and text of it, and in nothing else."""

    mark: str
    path: str
    names: str
    branch: str
    other_branch: str
    member: MadeMember
    left: MadeMember
    suspended: MadeMember
    edition: int
    column: int
    campaigns: Mapping[str, int]
    letter: int
    doubt: int
    admission: int
    transfer_in: int
    transfer_out: int
    closed_branch: str
    folder: Path

    @property
    def chief(self) -> Actor:
        """Who may do everything here."""
        return Actor(f"{self.mark}主编", frozenset(Right), self.path)

    @property
    def user(self) -> str:
        """The name of its user."""
        return self.mark

    def campaign(self, session: Session, state: str) -> Campaign:
        """Its campaign in this state."""
        return session.get_one(Campaign, self.campaigns[state])


@dataclass(frozen=True)
class World:
    """Who acts is of `inside`."""

    inside: Side
    outside: Side


def build(session: Session, folder: Path) -> World:
    """Both sides."""
    inside, outside = (_side(session, folder / mark, mark, n) for n, mark in enumerate(("东川", "西岭"), start=1))
    session.flush()
    return World(inside, outside)


def told(answer: Any) -> str:
    """All that an answer tells, however deep it stands."""
    if isinstance(answer, Base):
        return str({column.key: getattr(answer, column.key) for column in answer.__mapper__.columns})
    if dataclasses.is_dataclass(answer) and not isinstance(answer, type):
        return " ".join(told(getattr(answer, each.name)) for each in dataclasses.fields(answer))
    if isinstance(answer, Mapping):
        return " ".join(told(each) for pair in answer.items() for each in pair)
    if isinstance(answer, Iterable) and not isinstance(answer, (str, bytes)):
        return " ".join(told(each) for each in answer)
    return str(answer)


def rows(session: Session) -> dict[tuple[str, object], object]:
    """Every row of every table, by table and key."""
    session.flush()
    return {
        (table.name, tuple(row[key] for key in range(len(row)) if list(table.columns)[key].primary_key)): tuple(
            map(str, row)
        )
        for table in Base.metadata.sorted_tables
        for row in session.execute(select(table))
    }


def _side(session: Session, folder: Path, mark: str, n: int) -> Side:
    folder.mkdir(parents=True)
    branch, other_branch, closed = f"{mark}/{mark}一支部", f"{mark}/{mark}二支部", f"{mark}/{mark}旧支部"
    top = make_organisation(session, mark)
    chief = Actor(f"{mark}主编", frozenset(Right), top.path)
    other = make_organisation(session, other_branch)
    make_organisation(session, closed).closed_on = TODAY - timedelta(days=9)
    member = make_member(
        session, name=f"{mark}读者", organisation=branch, birthday=date(1950, 1, 1), fields={f"{mark}身份": "教师"}
    )
    second = make_member(session, name=f"{mark}甲", organisation=branch)
    third = make_member(session, name=f"{mark}乙", organisation=branch)
    left = make_member(session, name=f"{mark}旧人", organisation=branch, left_on=TODAY - timedelta(days=30))
    suspended = make_member(session, name=f"{mark}待核", organisation=branch, suspended_at=NOW)
    edition = editions.import_edition(session, chief, _edition(mark, n), now=NOW).number
    column = columns.add(session, chief, f"{mark}栏", now=NOW).id
    campaigns = {state: _campaign(session, top.path, mark, state) for state in ("draft", "sending", "paused", "sent")}
    sent = session.get_one(Campaign, campaigns["sent"])
    make_message(session, sent, "failed", organisation=branch)
    make_message(session, sent, "unknown", organisation=branch)
    doubt = _answer_in_doubt(session, branch)
    for number in session.scalars(select(Member).where(Member.name.like("读者%"))):
        number.name = f"{mark}{number.name}"
    letter = make_letter(session, member, sent, text=f"{mark}几点？").id
    segments.save(session, chief, f"{mark}老人", "retired", now=NOW)
    session.add(
        User(
            name=mark,
            role=Role.EDITOR,
            organisation_id=top.id,
            password_hash="-",
            created_by=f"{mark}主编",
            created_at=NOW,
        )
    )
    admission = Admission(
        msisdn=f"+861990008{n:04d}",
        name=f"{mark}读者",
        wording="订阅",
        state="waiting",
        organisation_id=top.id,
        asked_at=NOW,
    )
    session.add(admission)
    transfers = [
        Transfer(
            member_id=who.id,
            from_organisation_id=who.organisation_id,
            to_organisation_id=other.id,
            state="asked",
            reason=mark,
            asked_by="somebody",
            asked_at=NOW,
            expires_at=NOW + timedelta(days=30),
        )
        for who in (second, third)
    ]
    session.add_all(transfers)
    session.flush()
    note(session, chief, "members.export", mark, people=3, now=NOW)
    return Side(
        mark=mark,
        path=top.path,
        names=mark,
        branch=branch,
        other_branch=other_branch,
        member=member,
        left=left,
        suspended=suspended,
        edition=edition,
        column=column,
        campaigns=campaigns,
        letter=letter,
        doubt=doubt,
        admission=admission.id,
        transfer_in=transfers[0].id,
        transfer_out=transfers[1].id,
        closed_branch=closed,
        folder=folder,
    )


def _answer_in_doubt(session: Session, branch: str) -> int:
    member = make_message(session, None, "unknown", organisation=branch)
    part = session.scalars(
        select(Part).join(Message, Message.id == Part.message_id).where(Message.msisdn == member.msisdn)
    ).one()
    session.add(Doubt(part_id=part.id, gateway="carrier", msisdn=member.msisdn, since=NOW))
    return part.message_id


def _campaign(session: Session, under: str, mark: str, state: str) -> int:
    campaign = make_campaign(
        session,
        under=under,
        state=state,
        title=f"{mark}{state}",
        started_at=None if state == "draft" else NOW,
        prepared_at=NOW,
        created_by=f"{mark}主编",
        variants=[CampaignVariant(position=0, name="everyone", rule="everyone", source=f"{mark}通知", context={})],
    )
    return campaign.id


def _edition(mark: str, n: int) -> str:
    return f"""
number = {n}
date = 2026-11-23
title = "{mark}报"
variants = ["everyone"]
[[columns]]
name = "{mark}要闻"
[[columns.items]]
headline = "{mark}开会"
sms = "{mark}周五下午三点开会。"
"""


def number_of(session: Session, member: MadeMember) -> str:
    """The number of a member."""
    return session.scalars(select(Number.msisdn).where(Number.member_id == member.id)).one()
