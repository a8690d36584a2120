"""One number: its history whole and in order, and wishes said on its holder's behalf."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from subscribers import consent, consent_files, forgetting
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.column_wishes import SaidOfColumn, record_columns
from subscribers.errors import Conflict, Denied, Invalid, NotFound
from subscribers.models import Audit, ForgottenNumber, ImportRun, Subscription, Wish
from subscribers.organisations import find_by_path
from tests.factories import NOW, generated_msisdn, make_consent, make_member

KEY = b"k" * 32
A, B = (generated_msisdn(n) for n in (401, 402))


def say(session: Session, number: str, wish: Wish, actor: Actor = OPERATOR, **given: str) -> bool:
    words = {"wording": "by telephone"} | given
    return consent_files.say(session, actor, number, wish, key=KEY, now=NOW, **words)


def test_a_history_has_all_that_was_said_in_order(session: Session) -> None:
    run = ImportRun(
        kind="members", file_name="x", actor="x", at=NOW, created=0, updated=0, unchanged=0, refused=0, undone_at=NOW
    )
    session.add(run)
    session.flush()
    make_consent(session, B, subscribed=True)
    consent.record_many(session, OPERATOR, [consent.Said(A, Wish.IN, "import", "list", run.id)], now=NOW)
    consent.opt_out(session, OPERATOR, A, source="sms", wording="R", now=NOW + timedelta(days=1))
    say(session, A, Wish.OUT, topic="要闻")
    told = consent_files.history(session, OPERATOR, f"0086 {A[3:]}")
    assert [(one.wish, one.topic, one.source, one.wording, one.counts, one.undone) for one in told] == [
        ("in", "", "import", "list", False, True),
        ("out", "", "sms", "R", True, False),
        ("out", "要闻", "operator", "by telephone", True, False),
    ]
    assert told[0].import_id == run.id
    assert told[1].at == NOW + timedelta(days=1)


def test_what_was_said_of_many_is_in_the_history_of_each(session: Session) -> None:
    many = consent.said_of_many(
        session, OPERATOR, Wish.IN, source="import", wording="assembly", import_run_id=None, now=NOW
    )
    session.add(Subscription(msisdn=A, wish=Wish.IN, since=NOW, consent_id=many))
    session.flush()
    assert [one.wording for one in consent_files.history(session, OPERATOR, A)] == ["assembly"]
    assert consent_files.history(session, OPERATOR, B) == []
    say(session, A, Wish.OUT)
    assert [one.wording for one in consent_files.history(session, OPERATOR, A)] == ["assembly", "by telephone"]


def test_on_somebodys_behalf(session: Session) -> None:
    assert say(session, A, Wish.IN, wording=" by letter ")
    assert not say(session, A, Wish.IN)
    assert consent.is_reachable(session, A)
    assert say(session, A, Wish.OUT, topic=" 要 闻 ")
    assert consent.is_reachable(session, A)
    assert say(session, A, Wish.OUT)
    assert not consent.is_reachable(session, A)
    noted = session.execute(select(Audit.deed, Audit.details).order_by(Audit.id)).all()
    assert [tuple(row) for row in noted] == [
        ("consent.in", {"of_column": False}),
        ("consent.out", {"of_column": True}),
        ("consent.out", {"of_column": False}),
    ]
    assert consent_files.history(session, OPERATOR, A)[1].topic == "要 闻"


def test_it_takes_evidence_and_a_number(session: Session) -> None:
    with pytest.raises(Invalid, match="no evidence"):
        say(session, A, Wish.OUT, wording="  ")
    with pytest.raises(Invalid, match="too short"):
        say(session, "199000000", Wish.OUT)
    with pytest.raises(Invalid, match="column is too long"):
        say(session, A, Wish.OUT, topic="x" * 101)


@pytest.mark.parametrize("topic", ["", "要闻"])
def test_nobody_is_brought_back_against_their_own_word(session: Session, topic: str) -> None:
    if topic:
        consent_files.say(session, OPERATOR, A, Wish.OUT, wording="R", topic=topic, key=KEY, now=NOW)
        said = [SaidOfColumn(topic, consent.Said(A, Wish.OUT, "sms", "R"))]
        record_columns(session, OPERATOR, said, now=NOW)
    else:
        consent.opt_out(session, OPERATOR, A, source="sms", wording="R", now=NOW)
    with pytest.raises(Conflict, match="own word") as refused:
        say(session, A, Wish.IN, topic=topic)
    assert A[3:] not in str(refused.value)
    session.add(ForgottenNumber(digest=forgetting.digest(B, KEY), at=NOW))
    session.flush()
    with pytest.raises(Conflict, match="own word"):
        say(session, B, Wish.IN, topic=topic)


def test_numbers_of_another_part_of_the_tree_do_not_exist(session: Session) -> None:
    make_member(session, msisdn=A, organisation="East")
    make_member(session, msisdn=B, organisation="West")
    under = find_by_path(session, OPERATOR, "East").path
    clerk = Actor("clerk", frozenset({Right.SEE, Right.REGISTER}), under=under)
    assert say(session, A, Wish.OUT, clerk)
    assert len(consent_files.history(session, clerk, A)) == 2
    for number in (B, generated_msisdn(499)):
        with pytest.raises(NotFound, match="no member's number here"):
            say(session, number, Wish.OUT, clerk)
        with pytest.raises(NotFound, match="no member's number here"):
            say(session, number, Wish.OUT, clerk, topic="要闻")
        with pytest.raises(NotFound, match="no member's number here"):
            consent_files.history(session, clerk, number)
    with pytest.raises(Denied):
        say(session, A, Wish.OUT, Actor("v", frozenset({Right.SEE})))
    with pytest.raises(Denied):
        consent_files.history(session, Actor("v", frozenset({Right.WRITE})), A)
