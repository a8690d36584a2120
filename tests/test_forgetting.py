"""Whoever is forgotten is in no table of a dump any more; what was counted stays counted."""

from __future__ import annotations

import warnings
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import MetaData, event, func, select, update
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import Session

from broadcaster import forgetting, ingest
from broadcaster.campaigns.models import Campaign
from broadcaster.delivery import again, lots, orphans, tally
from broadcaster.delivery.models import Doubt, Message, Part
from broadcaster.delivery.states import State
from broadcaster.gateways.contract import OutcomeUnknown
from broadcaster.gateways.events import InboundMessage, InboundPart, Receipt, ReceiptState
from broadcaster.replies import router
from broadcaster.replies.models import Letter, LetterState
from subscribers import admissions, consent, membership, registry, transfers
from subscribers.actor import OPERATOR, Actor, Right
from subscribers.db import make_engine
from subscribers.errors import Conflict, Denied, NotFound
from subscribers.forgetting import stays_forgotten
from subscribers.models import ImportChange, ImportRun, Listed, Member, Membership, Number, PeopleList
from tests.databases import Clock, SqliteTemplate, Transactions
from tests.delivery.ledger import (
    WAYS,
    accept,
    apply,
    begin_sending,
    claim,
    draft,
    look,
    must_claim,
    owner,
    receipt,
    receive,
    record,
    states,
)
from tests.factories import NOW, MadeMember, generated_msisdn, make_member, make_organisation
from tests.replies.test_letters import DESK

# SQLite does not tell what an index over an expression is, and a dump needs none
pytestmark = pytest.mark.filterwarnings("ignore:.*expression-based index")

TODAY = NOW.date()
KEY = b"k" * 32
NUMBER = generated_msisdn(77_665_544)
EARLIER = generated_msisdn(77_665_500)
#: what must be nowhere: number (as carriers write it, too), name, words, ids
CANARIES = (
    "19977665544",
    "19977665500",
    "金丝雀",
    "jinsique",
    "canary-text",
    "canary-id",
    "canary-field",
    "canary-tag",
)


def dump(session: Session) -> dict[str, str]:
    """Every row of every table, as text."""
    meta = MetaData()
    with warnings.catch_warnings():
        # SQLAlchemy cannot read an index over an expression of SQLite; the rows are there all the same
        warnings.filterwarnings("ignore", "Skipped unsupported reflection", SAWarning)
        meta.reflect(session.connection())
    return {name: "\n".join(map(str, session.execute(select(table)).all())) for name, table in meta.tables.items()}


def found(begin: Transactions) -> set[tuple[str, str]]:
    tables = look(begin, dump)
    return {(table, canary) for table, text in tables.items() for canary in CANARIES if canary in text}


def forget(begin: Transactions, member_id: int, actor: Actor = OPERATOR) -> forgetting.Erased:
    with begin() as tx:
        return forgetting.forget(tx.session, actor, member_id, key=KEY, on=TODAY, now=tx.now)


def letter(begin: Transactions, text: str, number: str = NUMBER, n: int = 1) -> None:
    with begin() as tx:
        told = InboundMessage("carrier", f"mo-{n}", number, "10690000", text, raw=text)
        ingest.accept(tx.session, [told], {}, region="CN", now=tx.now)
    with begin() as tx:
        router.route(tx.session, DESK, now=tx.now)


def crowded(*told: Receipt) -> list[Receipt]:
    """These among so many others that they make a lot."""
    others = [receipt(f"other-{n}", msisdn=generated_msisdn(n), raw=f"to {n}") for n in range(lots.MANY)]
    return [*others[:7], *told, *others[7:]]


def lived(begin: Transactions) -> MadeMember:
    """A member with a trace in every table that could keep one."""
    with begin() as tx:
        session = tx.session
        member = make_member(
            session,
            name="金丝雀",
            msisdn=NUMBER,
            external_id="canary-id",
            tags=["canary-tag"],
            fields={"x": "canary-field"},
            birthday=date(1950, 1, 1),
        )
        session.get_one(Member, member.id).search_key = "jsq jinsique"
        make_organisation(session, "West")
        membership.update_status(session, OPERATOR, member.id, away_place="canary-text", on=TODAY, now=NOW)
        transfers.ask(session, OPERATOR, member.id, "West", reason="canary-text", on=TODAY, now=NOW)
        run = ImportRun(file_name="f", actor="a", at=NOW, created=0, updated=1, unchanged=0, refused=0)
        people = PeopleList(name="list", saved_by="a", saved_at=NOW)
        session.add_all([run, people])
        session.flush()
        session.add(ImportChange(import_run_id=run.id, member_id=member.id, before={"name": "金丝雀", "n": NUMBER}))
        session.add(Listed(list_id=people.id, member_id=member.id))
        session.flush()
        begin_sending(session, draft(session, "{{ name }}，您好。"), now=tx.now)
    mine = owner(begin)
    accept(begin, must_claim(begin, mine))
    part = look(begin, lambda s: s.scalars(select(Part.id)).one())
    receive(begin, receipt(f"id-{part}", msisdn=NUMBER, raw="8619977665544 canary-text"))
    # one that fits no part, and one whose carrier names nobody in its own column
    receive(begin, receipt("stray", msisdn=NUMBER, raw="{}"), receipt("stray-2", raw="to 8619977665544"))
    receive(begin, *crowded(receipt(f"id-{part}", msisdn=NUMBER, raw="8619977665544 canary-text")))
    for n, text in enumerate(["canary-text?", "加入 金丝雀", "加入 金丝雀二", "TD"]):
        letter(begin, text, n=n)
    with begin() as tx:
        half = InboundPart("carrier", NUMBER, "10690000", 7, 8, 2, 1, b"canary-text", "latin-1")
        ingest.accept(tx.session, [half], {}, region="CN", now=tx.now)
    while (turn := claim(begin, mine)) is not None:
        accept(begin, turn)
    return member


def test_nothing_of_them_is_left_in_a_dump(begin: Transactions) -> None:
    member = lived(begin)
    assert {canary for _, canary in found(begin)} == set(CANARIES) - {"19977665500"}
    assert {table for table, _ in found(begin)} >= {
        "member", "number", "consent", "subscription", "admission", "import_change", "transfer", "membership",
        "message", "part", "receipt_inbox", "receipt_lot", "letter", "letter_part",
    }  # fmt: skip
    before = look(begin, lambda s: s.execute(select(Message.state, func.count()).group_by(Message.state)).all())
    erased = forget(begin, member.id)
    assert erased.msisdns == {NUMBER}
    assert found(begin) == set()
    after = look(begin, lambda s: s.execute(select(Message.state, func.count()).group_by(Message.state)).all())
    assert sorted(before) == sorted(after)
    assert look(begin, lambda s: set(s.scalars(select(Letter.state)))) <= {LetterState.HANDLED, LetterState.CLOSED}
    # yesterday they were a member, today they are none
    held = look(begin, lambda s: s.execute(select(Membership.valid_from, Membership.valid_until)).all())
    assert held == [(date(2020, 1, 1), TODAY), (TODAY, TODAY)]
    assert look(begin, lambda s: s.scalars(select(Listed.member_id)).all()) == []
    with begin() as tx:
        assert stays_forgotten(tx.session, [NUMBER, EARLIER], KEY) == {NUMBER}
        assert stays_forgotten(tx.session, [NUMBER], b"x" * 32) == set()
        with pytest.raises(NotFound):
            registry.get(tx.session, OPERATOR, member.id, on=TODAY)
    with pytest.raises(NotFound):
        forget(begin, member.id)


def test_their_own_word_brings_them_back(begin: Transactions) -> None:
    member = lived(begin)
    forget(begin, member.id)
    letter(begin, "加入 金丝雀", n=9)
    with begin() as tx:
        [waiting] = admissions.listing(tx.session, OPERATOR)
        admissions.accept(tx.session, OPERATOR, waiting.id, organisation="West", on=TODAY, now=tx.now)
        assert consent.is_reachable(tx.session, NUMBER)
        assert stays_forgotten(tx.session, [NUMBER], KEY) == set()


def test_what_others_share_with_them_stays_theirs(begin: Transactions) -> None:
    with begin() as tx:
        gone = make_member(tx.session, name="金丝雀", msisdn=NUMBER, shared=True)
        stays = make_member(tx.session, name="读者乙", msisdn=NUMBER, shared=True, subscribed=None)
    assert forget(begin, gone.id).msisdns == frozenset()
    assert {canary for _, canary in found(begin)} == {"19977665544"}
    with begin() as tx:
        assert consent.is_reachable(tx.session, NUMBER)
        assert stays_forgotten(tx.session, [NUMBER], KEY) == set()
        assert tx.session.execute(select(Number.member_id, Number.shared)).all() == [(stays.id, False)]


def test_an_earlier_number_is_looked_for_too(begin: Transactions) -> None:
    with begin() as tx:
        member = make_member(tx.session, msisdn=EARLIER)
        begin_sending(tx.session, draft(tx.session, "{{ name }}"), now=tx.now)
    accept(begin, must_claim(begin, owner(begin)))
    with begin() as tx:
        consent.opt_out(tx.session, OPERATOR, EARLIER, source="operator", wording="", now=tx.now)
        tx.session.execute(Number.__table__.update().values(msisdn=NUMBER))
    forget(begin, member.id)
    assert found(begin) == set()
    assert look(begin, lambda s: stays_forgotten(s, [NUMBER, EARLIER], KEY)) == {NUMBER, EARLIER}


def test_what_waits_for_them_is_not_sent_and_what_failed_not_sent_again(begin: Transactions) -> None:
    with begin() as tx:
        first, second = make_member(tx.session, msisdn=NUMBER), make_member(tx.session)
        campaign = draft(tx.session, "{{ name }}")
        begin_sending(tx.session, campaign, now=tx.now)
    forget(begin, first.id)
    assert states(begin, campaign.id) == {"skipped": 1, "queued": 1}
    accept(begin, must_claim(begin, owner(begin)))
    part = look(begin, lambda s: s.scalars(select(Part.id)).one())
    receive(begin, receipt(f"id-{part}", ReceiptState.FAILED))
    assert states(begin, campaign.id) == {"skipped": 1, "failed": 1}
    forget(begin, second.id)
    with begin() as tx:
        again.resend_failed(tx.session, OPERATOR, tx.session.get_one(Campaign, campaign.id), 0, WAYS, now=tx.now)


def test_whoever_was_forgotten_while_the_audience_was_written_down_gets_nothing(begin: Transactions) -> None:
    """Forgetting cannot see a piece of the audience that is not committed yet."""
    with begin() as tx:
        member = make_member(tx.session, name="金丝雀", msisdn=NUMBER)
        make_member(tx.session, msisdn=generated_msisdn(1))
        begin_sending(tx.session, draft(tx.session, "{{ name }}，您好。"), now=tx.now)
        late = tx.session.scalars(select(Message).where(Message.member_id == member.id)).one()
        kept = {column.name: getattr(late, column.name) for column in Message.__table__.columns}
    forget(begin, member.id)
    with begin() as tx:
        # as the piece would have left it, and its figures with it
        tx.session.execute(update(Message).where(Message.id == kept["id"]).values(**kept))
        for state, n in ((State.SKIPPED, -1), (State.QUEUED, 1)):
            cell = tally.message_cell(kept["campaign_id"], kept["gateway"], state, "opted_out")
            tally.add(tx.session, {cell: n})
    turn = must_claim(begin, owner(begin))
    assert [part.msisdn for part in turn.parts] == [generated_msisdn(1)]
    accept(begin, turn)
    assert states(begin, kept["campaign_id"]) == {"submitted": 1, "skipped": 1}
    assert not {each for each in found(begin) if each[1] == "19977665544"}


def test_what_is_in_the_hands_of_a_sender_must_be_waited_for(begin: Transactions) -> None:
    with begin() as tx:
        member = make_member(tx.session, msisdn=NUMBER)
        campaign = draft(tx.session, "{{ name }}")
        begin_sending(tx.session, campaign, now=tx.now)
    turn = must_claim(begin, owner(begin))
    with pytest.raises(Conflict, match="at this moment"):
        forget(begin, member.id)
    record(begin, turn, [OutcomeUnknown("no answer")])
    forget(begin, member.id)
    assert found(begin) == set()
    assert look(begin, lambda s: s.execute(select(Doubt.msisdn, Doubt.settled_by)).all()) == [("", "operator")]
    assert states(begin, campaign.id) == {"unknown": 1}
    with begin() as tx:
        orphans.retry(tx.session, now=tx.now)
    apply(begin)


#: how often each is read as a whole
_MILLIONS = {"message": 1, "part": 0, "submission": 0, "doubt": 0, "receipt_inbox": 1, "receipt_lot": 1}


@pytest.mark.sqlite
def test_what_may_be_millions_is_read_once(tmp_path: Path, sqlite_template: SqliteTemplate) -> None:
    # SQLite tells what it reads whole, however little there is; PostgreSQL reads all little tables whole
    begin = Transactions(make_engine(sqlite_template.copy(tmp_path)), Clock(NOW))
    member = lived(begin)
    with begin() as tx:
        tx.session.add(Number(member_id=member.id, msisdn=EARLIER, kind="mobile", preferred=False))
    scans: Counter[str] = Counter()

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE", "DELETE")) and not isinstance(parameters, list):
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            scans.update(row[3].split()[1] for row in plan if row[3].startswith("SCAN "))

    event.listen(begin.engine, "before_cursor_execute", explain)
    forget(begin, member.id)
    begin.engine.dispose()
    assert {table: scans[table] for table in _MILLIONS} == _MILLIONS


def test_a_person_forgets_only_their_own(begin: Transactions) -> None:
    with begin() as tx:
        western: Any = make_member(tx.session, organisation="West", msisdn=NUMBER)
        east = make_organisation(tx.session, "East").path
    for id_ in (western.id, 4711):
        with pytest.raises(NotFound, match="There is no member"):
            forget(begin, id_, Actor("clerk", frozenset({Right.REGISTER}), east))
    with pytest.raises(Denied):
        forget(begin, western.id, Actor("reader", frozenset({Right.SEE})))
    assert found(begin)
