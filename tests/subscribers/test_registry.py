"""Finding members, and their standing from a day on."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy.orm import Session

from subscribers import registry
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.errors import Denied, Invalid, NotFound
from subscribers.models import Status, Wish
from subscribers.organisations import find_by_path
from tests.factories import generated_msisdn, make_member

TODAY = date(2026, 11, 21)


def found(session: Session, text: str, actor: Actor = OPERATOR) -> list[str]:
    return [profile.name for profile in registry.find(session, actor, text, on=TODAY)]


def test_members_are_found_by_name_number_and_external_id(session: Session) -> None:
    make_member(session, name="读者甲", msisdn=generated_msisdn(12345678), external_id="A-1")
    make_member(session, name="Reader B", msisdn=generated_msisdn(87654321))
    for text in ("甲", "读者", "19912345678", "+86 199 1234 5678", "5678", "A-1"):
        assert found(session, text) == ["读者甲"], text
    assert found(session, "reader b") == ["Reader B"]
    for text in ("678", "%", "_", "A-", "nobody", "1234"):
        assert found(session, text) == [], text


@pytest.mark.parametrize("text", ["", "  ", "a\0"])
def test_looking_for_nothing_is_refused(session: Session, text: str) -> None:
    with pytest.raises(Invalid):
        registry.find(session, OPERATOR, text, on=TODAY)


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


def test_a_person_finds_only_their_own(session: Session) -> None:
    make_member(session, name="读者东", organisation="East/First")
    western = make_member(session, name="读者西", organisation="West")
    east = Actor("e", frozenset({Right.SEE, Right.REGISTER}), under=find_by_path(session, OPERATOR, "East").path)
    assert found(session, "读者", east) == ["读者东"]
    assert registry.holders(session, east, [western.msisdn or ""], on=TODAY) == {}
    with pytest.raises(NotFound):
        registry.get(session, east, western.id, on=TODAY)
    with pytest.raises(Denied):
        found(session, "读者", Actor("nobody", frozenset()))


def test_both_holders_of_a_handset_are_named(session: Session) -> None:
    first = make_member(session, name="读者甲", shared=True)
    make_member(session, name="读者乙", msisdn=first.msisdn, shared=True, subscribed=None)
    assert first.msisdn
    held = registry.holders(session, OPERATOR, [first.msisdn, generated_msisdn(99_999_999)], on=TODAY)
    assert {number: [profile.name for profile in profiles] for number, profiles in held.items()} == {
        first.msisdn: ["读者甲", "读者乙"]
    }
