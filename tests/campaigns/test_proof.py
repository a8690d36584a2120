"""What a proof shows is what a check counts, and what is sent."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy.orm import Session

from broadcaster.campaigns import proof
from broadcaster.campaigns.check import check
from broadcaster.campaigns.compose import Text, create_draft
from broadcaster.campaigns.dress import Dress
from subscribers.actor import OPERATOR
from tests.delivery.ledger import ROUTE, WAYS, ZONE
from tests.factories import make_member, make_members

DRESS = Dress("【晨晖】", "拒收回复R")
TEXTS = [Text("retired", "retired", "{{ name }}：" + "长" * 70), Text("everyone", "everyone", "{{ name }}您好。")]


def test_it_agrees_with_the_check(session: Session, now: datetime) -> None:
    make_members(session, 5)
    for name in ("王\U0002000b", "欧阳子涵", "李"):
        make_member(session, name=name, status="retired")
    campaign = create_draft(session, OPERATOR, TEXTS, title="-", rule="everyone", dress=DRESS, now=now)
    on = now.astimezone(ZONE).date()
    members = proof.sample(session, OPERATOR, campaign, on=on).members
    retired, everyone = proof.look(session, OPERATOR, campaign, WAYS["carrier"], members, on=on)
    checked = check(session, OPERATOR, campaign, ROUTE, WAYS, zone=ZONE, now=now)
    for shown, counted in zip((retired, everyone), checked.variants, strict=True):
        each = counted.parts_each
        assert (shown.fewest, shown.most, shown.readers) == (each["min"], each["max"], counted.recipients)
        assert shown.is_whole
    assert retired.longest and retired.longest.reader == "欧阳子涵"
    assert retired.longest.text == "【晨晖】欧阳子涵：" + "长" * 70 + " 拒收回复R"
    assert retired.odd and retired.odd.reader == "王\U0002000b"


def test_who_lacks_a_value_is_named_and_nobody_at_all_is_told(session: Session, now: datetime) -> None:
    make_member(session, name="李", status="in_service", fields={"city": "东城"})
    make_member(session, name="王", status="in_service")
    texts = [Text("retired", "retired", "x"), Text("everyone", "everyone", "{{ city }}")]
    campaign = create_draft(session, OPERATOR, texts, title="-", rule="everyone", dress=DRESS, now=now)
    on = now.astimezone(ZONE).date()
    members = proof.sample(session, OPERATOR, campaign, on=on).members
    retired, everyone = proof.look(session, OPERATOR, campaign, WAYS["carrier"], members, on=on)
    assert (retired.readers, retired.longest) == (0, None)
    assert everyone.lacking == {"city": ["王"]}
    assert everyone.typical and everyone.typical.reader == "李"


def test_of_many_a_sample(session: Session, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "SAMPLE", 10)
    make_members(session, 30)
    campaign = create_draft(session, OPERATOR, TEXTS, title="-", rule="everyone", dress=DRESS, now=now)
    on = now.astimezone(ZONE).date()
    members = proof.sample(session, OPERATOR, campaign, on=on).members
    shown = proof.look(session, OPERATOR, campaign, WAYS["carrier"], members, on=on)[-1]
    assert (shown.readers, shown.is_whole) == (10, False)
