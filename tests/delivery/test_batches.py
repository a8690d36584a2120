"""What goes out next: the right lane, nobody who refused, nothing of what was stopped, never more than a window."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from broadcaster.campaigns.models import Campaign, Lane
from broadcaster.campaigns.profiles import Profile
from broadcaster.delivery import batches, control
from broadcaster.delivery.batches import CannotGoOn
from broadcaster.delivery.models import Batch, Message, Part, Turn
from broadcaster.delivery.pieces import Waiting
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import Accepted, OutcomeUnknown, Throttled
from broadcaster.replies.answer import Desk, queue_reply
from broadcaster.replies.models import Letter
from subscribers.actor import OPERATOR
from subscribers.models import Member
from tests.databases import Transactions
from tests.delivery.ledger import (
    CAN,
    ONE_PART,
    SENDER,
    THREE_PARTS,
    accept,
    begin_sending,
    claim,
    draft,
    look,
    must_claim,
    owner,
    part_states,
    record,
    sending,
    states,
)
from tests.factories import make_consent, make_member, make_members


def test_a_turn_holds_whole_messages_within_the_window(begin: Transactions) -> None:
    campaign, _ = sending(begin, 10, THREE_PARTS)
    mine = owner(begin)
    sizes = []
    while (turn := claim(begin, mine, 8)) is not None:
        sizes.append(len(turn.parts))
        assert len(set(turn.message_ids)) * 3 == len(turn.parts)
        accept(begin, turn)
    assert sizes == [6, 6, 6, 6, 6]
    assert states(begin, campaign) == {"submitted": 10}


def test_a_message_larger_than_the_window_still_goes(begin: Transactions) -> None:
    sending(begin, 2, THREE_PARTS)
    assert len(must_claim(begin, owner(begin), 1).parts) == 3


def test_what_is_claimed_stands_in_the_ledger_before_it_goes(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2, THREE_PARTS)
    mine = owner(begin)
    turn = must_claim(begin, mine)
    assert states(begin, campaign) == {"submitting": 2}
    parts = look(begin, lambda s: s.scalars(select(Part).order_by(Part.id)).all())
    assert [(p.id, p.text, p.number) for p in parts] == [(o.part_id, o.text, o.number) for o in turn.parts]
    assert {(p.owner_id, p.state) for p in parts} == {(mine, State.SUBMITTING)}
    assert {(o.total, o.client_reference[1:]) for o in turn.parts} == {(3, str(o.part_id)) for o in turn.parts}
    open_ = look(begin, lambda s: s.scalars(select(Turn)).one())
    assert (open_.parts, open_.owner_id) == (6, mine)
    # both parts of the text are joined on the handset by one reference
    assert len({o.reference for o in turn.parts}) == 1


def test_the_opt_out_after_the_snapshot_is_honoured(begin: Transactions) -> None:
    campaign, members = sending(begin, 4)
    with begin() as tx:
        make_consent(tx.session, str(members[1].msisdn), subscribed=False)
    turn = must_claim(begin, owner(begin))
    assert members[1].msisdn not in {part.msisdn for part in turn.parts}
    assert states(begin, campaign) == {"submitting": 3, "skipped": 1}
    assert look(begin, lambda s: s.scalars(select(Message.reason).where(Message.state == State.SKIPPED)).all()) == [
        "opted_out"
    ]


def test_the_opt_out_between_two_tries_stops_the_rest(begin: Transactions) -> None:
    campaign, members = sending(begin, 1, THREE_PARTS)
    mine = owner(begin)
    turn = must_claim(begin, mine)
    record(begin, turn, [Accepted("a"), Throttled(0), Throttled(0)])
    with begin() as tx:
        make_consent(tx.session, str(members[0].msisdn), subscribed=False)
    assert claim(begin, mine) is None
    assert part_states(begin) == {"submitted": 1, "skipped": 2}
    # it is what its one part is, not "never sent"
    assert states(begin, campaign) == {"submitted": 1}


def test_everyone_refused_means_nothing_to_send(begin: Transactions) -> None:
    campaign, members = sending(begin, 3)
    with begin() as tx:
        make_consent(tx.session, *(str(m.msisdn) for m in members), subscribed=False)
    assert claim(begin, owner(begin)) is None
    assert states(begin, campaign) == {"skipped": 3}


@pytest.mark.parametrize("act", [control.pause, control.abort])
def test_nothing_of_what_was_stopped(begin: Transactions, act: object) -> None:
    campaign, _ = sending(begin, 10)
    mine = owner(begin)
    accept(begin, must_claim(begin, mine, 4))
    with begin() as tx:
        act(tx.session, OPERATOR, tx.session.get(Campaign, campaign), now=tx.now)  # type: ignore[operator]
    assert claim(begin, mine) is None
    assert states(begin, campaign)["submitted"] == 4


def test_what_was_stopped_does_not_hold_up_the_others(begin: Transactions) -> None:
    stopped, _ = sending(begin, 2)
    going, _ = sending(begin, 2)
    with begin() as tx:
        control.pause(tx.session, OPERATOR, tx.session.get_one(Campaign, stopped), now=tx.now)
    turn = must_claim(begin, owner(begin))
    assert turn.campaign_id == going


def test_answers_before_urgent_before_the_rest(begin: Transactions) -> None:
    bulk, members = sending(begin, 2)
    urgent, _ = sending(begin, 1, urgent=True)
    _answer(begin, members[0].id, str(members[0].msisdn))
    mine = owner(begin)
    order = [must_claim(begin, mine).campaign_id for _ in range(3)]
    assert order == [None, urgent, bulk]


def test_only_the_rest_waits_for_the_quiet_hours_to_end(begin: Transactions) -> None:
    sending(begin, 2)
    urgent, members = sending(begin, 1, urgent=True)
    _answer(begin, members[0].id, str(members[0].msisdn))
    mine = owner(begin)
    assert must_claim(begin, mine, up_to=Lane.URGENT).campaign_id is None
    assert must_claim(begin, mine, up_to=Lane.URGENT).campaign_id == urgent
    assert claim(begin, mine, up_to=Lane.URGENT) is None


def test_an_answer_goes_to_who_refused_the_paper(begin: Transactions) -> None:
    with begin() as tx:
        member = make_member(tx.session, subscribed=False)
    _answer(begin, member.id, str(member.msisdn))
    turn = must_claim(begin, owner(begin))
    assert [part.msisdn for part in turn.parts] == [member.msisdn]
    accept(begin, turn)
    assert states(begin, None) == {"submitted": 1}


def test_what_was_refused_for_now_waits_until_its_time(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2)
    mine = owner(begin)
    record(begin, must_claim(begin, mine), [Throttled(5), Throttled(9)])
    assert claim(begin, mine) is None
    begin.clock.advance(seconds=8)
    assert claim(begin, mine) is None
    begin.clock.advance(seconds=1)
    accept(begin, must_claim(begin, mine))
    assert states(begin, campaign) == {"submitted": 2}


def test_what_is_put_off_again_and_again_goes_in_one_claim(begin: Transactions) -> None:
    campaign, _ = sending(begin, 6)
    mine = owner(begin)
    turns = [must_claim(begin, mine, 2) for _ in range(3)]
    for pause, turn in zip((5, 0, 1), turns, strict=True):
        record(begin, turn, [Throttled(pause), Accepted(str(turn.id))])
    assert claim(begin, mine) is None
    begin.clock.advance(seconds=5)
    turn = must_claim(begin, mine)
    assert [part.part_id for part in turn.parts] == sorted(turn.parts[0].part_id for turn in turns)
    accept(begin, turn)
    assert states(begin, campaign) == {"submitted": 6}


def test_only_the_parts_that_were_not_taken_go_again(begin: Transactions) -> None:
    campaign, _ = sending(begin, 1, THREE_PARTS)
    mine = owner(begin)
    first = must_claim(begin, mine)
    record(begin, first, [Accepted("a"), Throttled(0), Accepted("c")])
    assert states(begin, campaign) == {"queued": 1}
    second = must_claim(begin, mine)
    assert [(p.part_id, p.number, p.total) for p in second.parts] == [(first.parts[1].part_id, 2, 3)]
    assert second.parts[0].reference == first.parts[0].reference
    accept(begin, second)
    assert states(begin, campaign) == {"submitted": 1}


def test_nothing_in_doubt_is_claimed_again(begin: Transactions) -> None:
    campaign, _ = sending(begin, 3)
    mine = owner(begin)
    record(begin, must_claim(begin, mine), [OutcomeUnknown("gone")] * 3)
    with begin() as tx:
        tx.session.execute(update(Batch).values(done=False, cursor=Batch.low))
    assert claim(begin, mine) is None
    assert states(begin, campaign) == {"unknown": 3}


def test_overlapping_batches_send_nobody_twice(begin: Transactions) -> None:
    campaign, _ = sending(begin, 9)
    with begin() as tx:
        whole = tx.session.scalars(select(Batch)).one()
        for low in (whole.low, whole.low + 3):
            tx.session.add(Batch(campaign_id=campaign, gateway="carrier", lane=2, low=low, high=whole.high, cursor=low))
    mine = owner(begin)
    seen: Counter[str] = Counter()
    while (turn := claim(begin, mine, 2)) is not None:
        seen.update(part.msisdn for part in turn.parts)
        accept(begin, turn)
    assert len(seen) == 9
    assert set(seen.values()) == {1}


def test_many_claimers_at_once_share_nothing(begin: Transactions, engine: Engine) -> None:
    campaign, _ = sending(begin, 120)
    with begin() as tx:
        low, high = tx.session.execute(select(Batch.low, Batch.high)).one()
        for start in range(low, high, 7):
            tx.session.add(Batch(campaign_id=campaign, gateway="carrier", lane=2, low=start, high=high, cursor=start))
    taken: list[str] = []
    owners = [owner(begin) for _ in range(4)]

    def work(mine: int) -> None:
        own = Transactions(engine, begin.clock)
        while (turn := claim(own, mine, 5)) is not None:
            taken.extend(part.msisdn for part in turn.parts)
            accept(own, turn)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in owners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # a claimer that finds every batch in other hands has nothing to do; the rest is for the next hint
    work(owners[0])
    assert len(taken) == len(set(taken)) == 120
    assert states(begin, campaign) == {"submitted": 120}


def test_a_value_that_was_lost_since_the_check_skips_one(begin: Transactions) -> None:
    with begin() as tx:
        members = make_members(tx.session, 3, fields={"seat": "A1"})
        campaign = draft(tx.session, "{{ name }}：{{ seat }}")
        begin_sending(tx.session, campaign)
        number = campaign.id
        tx.session.execute(update(Member).where(Member.id == members[0].id).values(fields={}))
    assert len(must_claim(begin, owner(begin)).parts) == 2
    assert states(begin, number) == {"submitting": 2, "skipped": 1}


def test_a_value_that_cannot_be_printed_names_the_campaign(begin: Transactions) -> None:
    with begin() as tx:
        members = make_members(tx.session, 2, fields={"seat": "A1"})
        campaign = draft(tx.session, "{{ name }}：{{ seat }}")
        begin_sending(tx.session, campaign)
        number = campaign.id
        tx.session.execute(update(Member).where(Member.id == members[0].id).values(fields={"seat": "x" * 5000}))
    with pytest.raises(CannotGoOn) as trouble:
        claim(begin, owner(begin))
    assert trouble.value.campaign_id == number
    assert states(begin, number) == {"queued": 2}


def test_a_batch_is_done_when_nothing_of_it_waits(begin: Transactions) -> None:
    campaign, _ = sending(begin, 2, ONE_PART)
    mine = owner(begin)
    accept(begin, must_claim(begin, mine))
    assert claim(begin, mine) is None
    assert look(begin, lambda s: s.scalars(select(Batch.done)).all()) == [True]
    assert states(begin, campaign) == {"submitted": 2}


DESK = Desk("晨晖", "【晨晖】", "", "zh", {"carrier": CAN})


def _answer(begin: Transactions, member_id: int, msisdn: str, desk: Desk = DESK, text: str = "收到，谢谢。") -> None:
    with begin() as tx:
        letter = Letter(
            gateway="carrier",
            provider_id=f"mo-{msisdn}",
            msisdn=msisdn,
            destination="10690000",
            text="?",
            received_at=tx.now - timedelta(seconds=1),
            member_id=member_id,
        )
        tx.session.add(letter)
        tx.session.flush()
        queue_reply(tx.session, desk, letter, text)


def test_outside_of_the_operators_window_only_answers_go(begin: Transactions) -> None:
    _, members = sending(begin, 1, urgent=True)
    _answer(begin, members[0].id, str(members[0].msisdn))
    mine = owner(begin)
    assert must_claim(begin, mine, up_to=Lane.ANSWER).campaign_id is None
    assert claim(begin, mine, up_to=Lane.ANSWER) is None


def test_where_the_carrier_signs_an_answer_goes_without_the_signature(begin: Transactions) -> None:
    with begin() as tx:
        member = make_member(tx.session)
    profile = Profile(signature="【报】", signature_place="carrier")
    desk = Desk("晨晖", "【晨晖】", "", "zh", {"carrier": CAN}, profiles={"carrier": profile})
    _answer(begin, member.id, str(member.msisdn), desk, "会" * 68)
    # 68 fit a part, but not with what the carrier adds
    assert [len(part.text) for part in must_claim(begin, owner(begin)).parts] == [67, 1]


@pytest.mark.parametrize(("text", "asked"), [(THREE_PARTS, [12, 4, 4]), (ONE_PART, [12])])
def test_what_does_not_fit_is_not_made_in_vain(
    begin: Transactions, monkeypatch: pytest.MonkeyPatch, text: str, asked: list[int]
) -> None:
    """Texts of messages that are left for the next turn were the greater part of what a claim of long ones cost."""
    campaign, _ = sending(begin, 12, text)
    mine, sender, limits = owner(begin), replace(SENDER, shortest={}), []
    of_next = batches._next_messages

    def next_messages(session: Session, batch: Any, *, limit: int) -> list[Waiting]:
        limits.append(limit)
        return of_next(session, batch, limit=limit)

    monkeypatch.setattr(batches, "_next_messages", next_messages)
    parts = []
    while len(parts) < 12 * (3 if text == THREE_PARTS else 1):
        with begin() as tx:
            turn = batches.claim(tx.session, mine, sender, parts=12, up_to=Lane.BULK, now=tx.now)
        assert turn is not None
        assert len(turn.parts) == 12
        parts += turn.parts
    assert limits == asked
    assert sender.shortest == {campaign: 3 if text == THREE_PARTS else 1}
    assert len({part.part_id for part in parts}) == len(parts)


def test_shorter_messages_than_before_go_all_the_same(begin: Transactions) -> None:
    campaign, _ = sending(begin, 12)
    mine, sender = owner(begin), replace(SENDER, shortest=dict.fromkeys(range(100), 3))
    sizes = []
    with begin() as tx:
        while turn := batches.claim(tx.session, mine, sender, parts=12, up_to=Lane.BULK, now=tx.now):
            sizes.append(len(turn.parts))
    assert sizes == [4, 8]
    assert sender.shortest[campaign] == 1
