"""What a page shows of members, to whom."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from subscribers import registry
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Denied, NotFound
from subscribers.models import Status, Wish
from subscribers.organisations import find_by_path
from tests.factories import generated_msisdn, make_member, make_organisation

TODAY = date(2026, 11, 21)


def test_a_profile_has_what_a_page_shows(session: Session) -> None:
    member = make_member(
        session,
        name="读者甲",
        organisation="East/First",
        status="retired",
        mobile=True,
        tags=["书画"],
        birthday=date(1950, 1, 2),
        subscribed=False,
    )
    profile = registry.get(session, OPERATOR, member.id, on=TODAY)
    assert (profile.name, profile.organisation, profile.status, profile.mobile) == (
        "读者甲",
        "East/First",
        Status.RETIRED,
        True,
    )
    assert (profile.msisdn, profile.kind, profile.wish) == (member.msisdn, "mobile", Wish.OUT)
    assert (profile.tags, profile.birthday) == (("书画",), date(1950, 1, 2))
    assert registry.get(session, OPERATOR, make_member(session, msisdn=None).id, on=TODAY).msisdn is None


def test_a_person_sees_only_their_own(session: Session) -> None:
    make_organisation(session, "East/First")
    western = make_member(session, name="读者西", organisation="West")
    east = Actor("e", frozenset({Right.SEE, Right.REGISTER}), under=find_by_path(session, OPERATOR, "East").path)
    assert registry.holders(session, east, [western.msisdn or ""], on=TODAY) == {}
    with pytest.raises(NotFound):
        registry.get(session, east, western.id, on=TODAY)
    with pytest.raises(Denied):
        registry.get(session, Actor("nobody", frozenset()), western.id, on=TODAY)


def test_both_holders_of_a_handset_are_named(session: Session) -> None:
    first = make_member(session, name="读者甲", shared=True)
    make_member(session, name="读者乙", msisdn=first.msisdn, shared=True, subscribed=None)
    assert first.msisdn
    held = registry.holders(session, OPERATOR, [first.msisdn, generated_msisdn(99_999_999)], on=TODAY)
    assert {number: [profile.name for profile in profiles] for number, profiles in held.items()} == {
        first.msisdn: ["读者甲", "读者乙"]
    }
