"""Rows for tests: plain functions with keyword defaults; say only what your test is about.

    branch = make_organisation(session, "East City/First Branch")
    reader = make_member(session, organisation=branch, status="retired")
    make_members(session, 500, organisation=branch)

Everybody here is generated. Numbers come from `generated_msisdn`: +86 199 0000 0000 and up, counted, so that none
repeats within a test run and a glance tells that nobody was copied from life.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from subscribers.db import reserve_ids
from subscribers.models import Consent, Member, Membership, Number, NumberKind, Organisation, Subscription, Wish
from subscribers.names import search_key

#: the instant and the day at which these rows came to be, unless a test says otherwise
NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
JOINED_ON = date(2020, 1, 1)
ORGANISATION = "East City/First Branch"

_counter = itertools.count()


@dataclass(frozen=True, slots=True)
class MadeMember:
    """A member that was made: what tests ask for most."""

    id: int
    name: str
    msisdn: str | None
    organisation_id: int


def generated_msisdn(n: int | None = None) -> str:
    """A number of the generated block, the next one or the n-th."""
    return f"+86199{next(_counter) if n is None else n:08d}"


def make_organisation(session: Session, path: str = ORGANISATION, *, opened_on: date | None = None) -> Organisation:
    """The organisation at a path of names with `/`; what is missing of it is made."""
    node: Organisation | None = None
    for level, name in enumerate(path.split("/")):
        parent_id = None if node is None else node.id
        under_parent = Organisation.parent_id.is_not_distinct_from(parent_id)
        found = session.scalar(select(Organisation).where(under_parent, Organisation.name == name))
        if found is None:
            found = Organisation(parent_id=parent_id, name=name, level=level, opened_on=opened_on)
            session.add(found)
            session.flush()
            found.path = f"{'' if node is None else node.path}{found.id}/"
            session.flush()
        node = found
    assert node is not None
    return node


def make_member(session: Session, **given: Any) -> MadeMember:
    """One member; the keywords of `make_members`, with `name`, `msisdn` and `external_id` of its own."""
    return make_members(session, 1, **given)[0]


def make_members(
    session: Session,
    count: int,
    *,
    name: str | None = None,
    msisdn: str | None = "",
    organisation: Organisation | str = ORGANISATION,
    status: str = "in_service",
    mobile: bool = False,
    subscribed: bool | None = True,
    birthday: date | None = None,
    tags: Sequence[str] = (),
    fields: Mapping[str, Any] | None = None,
    external_id: str | None = None,
    kind: str = NumberKind.MOBILE,
    operator: str | None = None,
    shared: bool = False,
    suspended_at: datetime | None = None,
    joined_on: date = JOINED_ON,
    left_on: date | None = None,
    now: datetime = NOW,
) -> list[MadeMember]:
    """Members alike in all but number and name, written in bulk.

    `msisdn`: "" for a generated number, None for a member without one. `subscribed`: True in, False out, None for a
    number about whose holder's wish nothing is known.
    """
    branch = make_organisation(session, organisation) if isinstance(organisation, str) else organisation
    names = [name or f"读者{next(_counter)}" for _ in range(count)]
    ids = reserve_ids(session, Member, count)
    people = [
        {
            "id": id_,
            "name": called,
            "search_key": search_key(called),
            "external_id": external_id,
            "birthday": birthday,
            "tags": list(tags),
            "fields": dict(fields or {}),
            "created_at": now,
        }
        for id_, called in zip(ids, names, strict=True)
    ]
    numbers = [generated_msisdn() if msisdn == "" else msisdn for _ in ids]
    place = {
        "organisation_id": branch.id,
        "status": status,
        "mobile": mobile,
        "valid_from": joined_on,
        "valid_until": left_on,
    }
    line = {"kind": kind, "shared": shared, "operator": operator, "suspended_at": suspended_at}
    written = [{"member_id": id_, "msisdn": number, **line} for id_, number in zip(ids, numbers, strict=True) if number]
    # no objects: some tests make thousands
    for table, rows in (
        (Member, people),
        (Membership, [{"member_id": id_, **place} for id_ in ids]),
        (Number, written),
    ):
        if rows:
            session.execute(insert(table), rows)
    if subscribed is not None:
        make_consent(session, *dict.fromkeys(n for n in numbers if n is not None), subscribed=subscribed, now=now)
    return [MadeMember(id_, called, number, branch.id) for id_, called, number in zip(ids, names, numbers, strict=True)]


def make_consent(
    session: Session, *msisdns: str, subscribed: bool, source: str = "import", wording: str = "", now: datetime = NOW
) -> None:
    """The wish of each number, with its evidence; a wish already on record is replaced."""
    wish = Wish.IN if subscribed else Wish.OUT
    if not msisdns:
        return
    said = dict(zip(msisdns, reserve_ids(session, Consent, len(msisdns)), strict=True))
    evidence = {"wish": wish, "source": source, "wording": wording, "actor": "test", "at": now}
    session.execute(insert(Consent), [{"id": id_, "msisdn": n, **evidence} for n, id_ in said.items()])
    session.execute(delete(Subscription).where(Subscription.msisdn.in_(msisdns)))
    since = {"wish": wish, "since": now}
    session.execute(insert(Subscription), [{"msisdn": n, "consent_id": id_, **since} for n, id_ in said.items()])
