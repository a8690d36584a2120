"""Where a file is cut into portions, and what is asked from memory, changes nothing; nor does anybody beside it."""

from __future__ import annotations

import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from subscribers import importing, tree_changes
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict
from subscribers.importing import importer, intake
from subscribers.importing.first_list import put_aside
from subscribers.importing.possible import everything, possible
from subscribers.importing.rows import NAME_LENGTH
from subscribers.models import Consent, Member, Membership, Number, Organisation, Subscription
from tests.databases import Transactions
from tests.factories import NOW, make_consent, make_member, make_organisation

HEAD = "name,msisdn,other_numbers,organisation,status,subscribed,external_id\n"
#: names in letters, one that is too long, one that is no name, one that only the long way reads
NAMES = st.sampled_from(["甲", "乙", "丙", "Ann Lee", "甲" * (NAME_LENGTH + 1), "合计", "甲（乙）"])
#: three that are on record, and two that are not
NUMBERS = st.sampled_from([""] + [f"1990000000{digit}" for digit in (1, 2, 3, 5, 6)])
ROWS = st.builds(
    lambda *cells: ",".join(cells),
    NAMES,
    NUMBERS,
    st.sampled_from(["", "", "19900000004"]),
    st.sampled_from(["", "East", "East/First", "Shut"]),
    st.sampled_from(["", "retired", "mobile"]),
    st.sampled_from(["", "yes", "no"]),
    st.sampled_from(["", "", "E1", "E2", "E3"]),
)


def registry_of(session: Session) -> dict[str, list[Any]]:
    """All of it, with names for ids that may differ."""
    session.expire_all()
    names = {member.id: member.name for member in session.scalars(select(Member))}
    # in the order of the file: an export of them is read beside it
    people = session.execute(select(Member.name, Member.external_id, Member.search_key).order_by(Member.id))
    numbers = session.execute(select(Number.member_id, Number.msisdn, Number.preferred, Number.shared))
    places = session.execute(
        select(Membership.member_id, Organisation.name, Membership.status, Membership.mobile).join(
            Organisation, Organisation.id == Membership.organisation_id
        )
    )
    wishes = session.execute(
        select(Subscription.msisdn, Subscription.wish, Consent.wording).join(
            Consent, Consent.id == Subscription.consent_id
        )
    )
    return {
        "people": list(map(str, people)),
        "numbers": sorted(str((names[member_id], *rest)) for member_id, *rest in numbers),
        "places": sorted(str((names[member_id], *rest)) for member_id, *rest in places),
        "wishes": sorted(str((msisdn, wish)) for msisdn, wish, _ in wishes),
    }


def taken_in(session: Session, path: Path, **given: Any) -> Any:
    with session.begin_nested() as attempt:
        result = importing.import_members(session, OPERATOR, path, now=NOW, **given)
        # why a row is refused may be told by the number, by the external id or by the person
        counts = (result.created, result.updated, result.unchanged, [one.row for one in result.refused])
        found = registry_of(session)
        attempt.rollback()
    session.expunge_all()
    unreached = {why: (one.people, one.rows) for why, one in result.unreached.items()}
    return (*counts, result.still_out, unreached), found


@pytest.fixture
def known(session: Session) -> Session:
    make_member(session, name="甲", msisdn="+8619900000001", external_id="E1", organisation="East")
    make_member(session, name="丁", msisdn="+8619900000003", subscribed=False)
    make_consent(session, "+8619900000002", subscribed=False, source="sms")
    make_organisation(session, "Shut")
    tree_changes.close(session, OPERATOR, "Shut", on=date(2026, 1, 1), now=NOW)
    return session


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, min_size=1, max_size=9), st.booleans(), st.integers(1, 4))
@example(["甲（乙）,19900000005,,Shut,,,"], False, 1)
@example([f"{'甲' * (NAME_LENGTH + 1)},19900000005,,East,,,", "甲（乙）,19900000006,,East,,,"], False, 2)
def test_the_size_of_portions_changes_nothing(
    known: Session, tmp_path_factory: pytest.TempPathFactory, rows: list[str], shared: bool, size: int
) -> None:
    path = tmp_path_factory.mktemp("portions") / "list.csv"
    path.write_text(HEAD + "\n".join(rows), encoding="utf-8")
    whole = taken_in(known, path, shared=shared)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importer, "PORTION", size)
        assert taken_in(known, path, shared=shared) == whole
        patch.setattr(importer, "possible", lambda *_: everything())
        assert taken_in(known, path, shared=shared) == whole
        # as for a file that is large beside the registry: plain rows are read a column at a time
        patch.setattr(importer, "possible", lambda session, _bytes: possible(session, 1 << 30))
        assert taken_in(known, path, shared=shared) == whole
        patch.setattr(intake, "MOST_HELD", size)
        assert taken_in(known, path, shared=shared) == whole
        patch.setattr(importer, "PORTION", 1000)
        assert taken_in(known, path, shared=shared) == whole


def test_somebody_registered_meanwhile(begin: Transactions, tmp_path: Path) -> None:
    """On PostgreSQL others write while a long import runs; on SQLite they wait."""
    path = tmp_path / "list.csv"
    path.write_text(HEAD + "甲,19900000001,,East,,yes,\n乙,19900000002,,East,,yes,\n", encoding="utf-8")
    with begin() as tx:
        if tx.session.get_bind().dialect.name == "sqlite":
            pytest.skip("SQLite has one writer")
        # or they would wait for the import, which makes them
        make_organisation(tx.session, "East")
        make_organisation(tx.session, "West")

    def register(_rows: int) -> None:
        def beside() -> None:
            with begin() as other:
                make_member(other.session, name="丙", msisdn="+8619900000002", organisation="West", subscribed=None)

        thread = threading.Thread(target=beside)
        thread.start()
        thread.join()

    with pytest.raises(Conflict, match="registered"), begin() as tx:
        # large beside the registry: the map is read once, at the start
        importing.import_members(tx.session, OPERATOR, path, now=NOW, progress=register)
    with begin() as tx:
        assert tx.session.scalars(select(Member.name)).all() == ["丙"]


def test_somebody_opted_out_meanwhile(begin: Transactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "list.csv"
    path.write_text(HEAD + "甲,19900000001,,East,,yes,\n", encoding="utf-8")
    with begin() as tx:
        if tx.session.get_bind().dialect.name == "sqlite":
            pytest.skip("SQLite has one writer")

    def opted_out(*given: Any) -> Any:
        with begin() as other:
            make_consent(other.session, "+8619900000001", subscribed=False, source="sms")
        return put_aside(*given)

    # after all that is read beforehand, before the first row
    monkeypatch.setattr(importer, "put_aside", opted_out)
    with pytest.raises(Conflict, match="changed while"), begin() as tx:
        importing.import_members(tx.session, OPERATOR, path, now=NOW)
    with begin() as tx:
        assert tx.session.scalars(select(Subscription.wish)).all() == ["out"]
        assert tx.session.scalars(select(Member.id)).all() == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_pages_are_planned_for_whoever_has_just_come(engine: Engine, tmp_path: Path) -> None:
    """PostgreSQL counts a table when it likes, and who is being written is nobody to it: pages took minutes."""
    path = tmp_path / "list.csv"
    path.write_text(HEAD + "".join(f"甲,1990000{n:04d},,East,,yes,\n" for n in range(300)), encoding="utf-8")

    def count_meanwhile(_rows: int) -> None:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
            other.execute(text("ANALYZE member, number, membership"))

    with Session(engine) as session, session.begin():
        importing.import_members(session, OPERATOR, path, now=NOW, progress=count_meanwhile)
    with engine.connect() as connection:
        believed = dict(connection.execute(text("SELECT relname, reltuples FROM pg_class")).all())
    assert {believed[name] for name in ("member", "number", "membership", "subscription")} == {300}
