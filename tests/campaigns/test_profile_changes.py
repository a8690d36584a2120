"""Profiles as they are kept, checked with, frozen by a start, and handed over by."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.campaigns import profile_changes, schedule
from broadcaster.campaigns.check import Check, check
from broadcaster.campaigns.compose import content_hash
from broadcaster.campaigns.models import Campaign
from broadcaster.campaigns.profiles import Profile, profile_on
from broadcaster.delivery import preparing
from subscribers.actor import OPERATOR, Actor
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.models import Audit
from tests.databases import Transactions
from tests.delivery.ledger import CAN, ROUTE, WAYS, ZONE, draft, must_claim, owner
from tests.factories import NOW, make_members

TODAY = date(2026, 11, 21)


def write(session: Session, day: date = TODAY, **given: str) -> int:
    return profile_changes.write(session, OPERATOR, "carrier", given, day, now=NOW).id


def checked(session: Session, campaign: Campaign, **profile: Any) -> Check:
    ways = WAYS | {"carrier": WAYS["carrier"].on(Profile.model_validate(profile))}
    return check(session, OPERATOR, campaign, ROUTE, ways, zone=ZONE, now=NOW)


def blocked(session: Session, campaign: Campaign, **profile: Any) -> list[str]:
    return [each.message.format(**each.fields) for each in checked(session, campaign, **profile).blocking]


def test_what_was_written_holds_from_its_day_on_until_it_is_taken_back(session: Session) -> None:
    write(session, price="0.05")
    write(session, TODAY + timedelta(days=5), price="0.06", reference_bits="16")
    profile_changes.write(session, OPERATOR, "other", {"price": "9"}, TODAY, now=NOW)
    rows = profile_changes.by_gateway(session)["carrier"]
    assert profile_on(rows, TODAY) == Profile(price=Decimal("0.05"))
    assert profile_on(rows, date(2027, 1, 1)) == Profile(price=Decimal("0.06"), reference_bits=16)
    profile_changes.undo(session, OPERATOR, "carrier", now=NOW)
    left = profile_changes.by_gateway(session, "carrier")
    assert profile_on(left["carrier"], date(2027, 1, 1)) == Profile(price=Decimal("0.05"))
    assert "other" not in left
    assert [bool(each.withdrawn_at) for each in profile_changes.history(session, OPERATOR, "carrier")] == [False, True]


def test_it_is_written_in_the_audit_without_its_texts(session: Session) -> None:
    write(session, opt_out="回TD退订", price="0.05")
    profile_changes.undo(session, OPERATOR, "carrier", now=NOW)
    deeds = session.scalars(select(Audit).where(Audit.deed.startswith("gateways.")).order_by(Audit.id)).all()
    assert [(each.deed, each.thing) for each in deeds] == [
        ("gateways.profile", "gateway carrier"),
        ("gateways.profile.undo", "gateway carrier"),
    ]
    assert deeds[0].details == {"day": "2026-11-21", "keys": "opt_out,price"}


def test_what_cannot_be_written(session: Session) -> None:
    with pytest.raises(Invalid, match=r"max_parts.*\n.*colour|colour.*\n.*max_parts"):
        write(session, colour="red", max_parts="many")
    # the same at every door: the newsroom's page and the command line write by this
    with pytest.raises(Invalid, match="does not stand in brackets"):
        write(session, price="0.05", signature="晨晖")
    with pytest.raises(NotFound):
        profile_changes.undo(session, OPERATOR, "carrier", now=NOW)
    with pytest.raises(Denied):
        profile_changes.write(session, Actor("x", frozenset()), "carrier", {"price": "1"}, TODAY, now=NOW)
    assert not profile_changes.history(session, OPERATOR, "carrier")


def test_a_check_reckons_with_the_profile(session: Session) -> None:
    make_members(session, 2)
    campaign = draft(session, "明天开会★" + "，请带学习材料" * 12)
    assert not blocked(session, campaign)
    found = checked(session, campaign, price="0.05", currency="EUR", opt_out="退订回T", signature_place="tail")
    assert (found.cost, found.currency) == (Decimal("0.05") * found.parts, "EUR")
    assert found.variants[0].text.startswith("明天开会★")
    assert found.variants[0].text.endswith("退订回T【晨晖】")
    assert ["★" in each for each in blocked(session, campaign, forbidden="★#")] == [True]
    assert ["2 parts" in each and "1" in each for each in blocked(session, campaign, max_parts=1)] == [True]
    assert ["3-8" in each for each in blocked(session, campaign, signature_length="3-8")] == [True]
    # signature and opt-out line may have what a body may not
    assert not blocked(session, campaign, forbidden="【】拒")
    halves = checked(session, campaign, signature="晨晖").findings
    assert [(each.message[:13], each.blocking) for each in halves] == [("The signature", False)]
    bare = checked(session, campaign, opt_out="", signature="")
    assert {each.message[:8] for each in bare.findings} == {"There is", "The text"}


def test_the_alphabet_and_the_reference_change_the_parts(session: Session) -> None:
    make_members(session, 1)
    campaign = draft(session, "会" * 118)
    assert checked(session, campaign).parts == 2
    assert checked(session, campaign, signature="【晨晖报】", opt_out="拒收回复R").parts == 2
    chinese = draft(session, "会" * (134 - len("【晨晖】") - len(" 拒收回复R")))
    assert (checked(session, chinese).parts, checked(session, chinese, reference_bits=16).parts) == (2, 3)
    latin = draft(session, "x" * 100)
    plain = {"signature": "", "opt_out": ""}
    assert checked(session, latin, **plain).parts == 1
    assert checked(session, latin, **plain, alphabet="ucs2").parts == 2


def start(begin: Transactions, text: str, **profile: Any) -> Campaign:
    ways = WAYS | {"carrier": WAYS["carrier"].on(Profile.model_validate(profile))}
    with begin() as tx:
        make_members(tx.session, 1)
        campaign = draft(tx.session, text)
        before = campaign.content_hash
        people = check(tx.session, OPERATOR, campaign, ROUTE, ways, zone=ZONE, now=tx.now).recipients
        schedule.start(tx.session, OPERATOR, campaign, people, ROUTE, ways, zone=ZONE, now=tx.now)
        assert campaign.content_hash == content_hash(campaign) != before
        assert preparing.prepare(tx.session, campaign.id, lambda _: ROUTE, now=tx.now)
    return campaign


def test_what_started_keeps_what_it_was_checked_with(begin: Transactions) -> None:
    text = "会" * 131
    mine = owner(begin)
    dress = {"signature": "【报】", "opt_out": "", "signature_place": "tail"}
    campaign = start(begin, text, **dress, reference_bits=16, price="0.07")
    with begin() as tx:
        # whatever is set afterwards
        write(tx.session, signature="【别的】", price="9", reference_bits="8")
        while preparing.prepare(tx.session, campaign.id, lambda _: ROUTE, now=tx.now):
            pass
    turn = must_claim(begin, mine)
    assert "".join(part.text for part in turn.parts) == f"{text}【报】"
    assert [len(part.text) for part in turn.parts] == [66, 65, 3]
    assert {part.reference_bits for part in turn.parts} == {16}
    assert campaign.tariffs["carrier"] == ["0.07", "CNY", "parts"]


def test_the_hash_covers_the_profile(begin: Transactions) -> None:
    one, other = (start(begin, "开会", opt_out=wording) for wording in ("退订回T", "回TD退订"))
    assert content_hash(one) == one.content_hash != content_hash(one, other.dresses)


def test_what_the_carrier_adds_is_not_handed_over(begin: Transactions) -> None:
    mine = owner(begin)
    campaign = start(begin, "会" * 61, signature_place="carrier")
    with begin() as tx:
        while preparing.prepare(tx.session, campaign.id, lambda _: ROUTE, now=tx.now):
            pass
    parts = must_claim(begin, mine).parts
    # 61 + 1 + 5 fit a part by themselves, but not with the signature
    assert len(parts) == 2
    assert "".join(part.text for part in parts) == "会" * 61 + " 拒收回复R"
    assert all(part.text for part in parts)


def test_a_profile_that_blocks_starts_nothing(begin: Transactions) -> None:
    with pytest.raises(Conflict):
        start(begin, "明天★", forbidden="★")
    assert CAN.forbidden == ""
