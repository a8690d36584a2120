"""A map of keys says "no" only where there is none, and what it says never changes what an import does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from subscribers.importing.possible import Possible, RowsOfMembers, everything, possible
from tests.factories import make_consent, make_member

KEYS = st.lists(st.text(max_size=12), max_size=40)


@given(KEYS, KEYS, st.sampled_from([1, 2, 64, 1 << 16]))
def test_what_is_there_is_never_denied(known: list[str], asked: list[str], size: int) -> None:
    made = Possible(size)
    made.add(known)
    assert made.among(asked) >= {*known} & {*asked}


def test_most_of_what_is_missing_is_denied() -> None:
    made = Possible(1 << 16)
    made.add(f"known {n}" for n in range(16_000))
    # a few of ten thousand
    assert len(made.among(f"other {n}" for n in range(16_000))) < 80


def test_a_large_file_reads_all_keys_and_a_small_one_none(session: Session) -> None:
    member = make_member(session, external_id="E1")
    make_consent(session, "+8619900009999", subscribed=False)
    assert member.msisdn
    large = possible(session, file_bytes=1 << 30)
    asked = {member.msisdn, "E1", "+8619900009999", "+8619900008888"}
    assert large.among(asked) == asked - {"+8619900008888"}
    assert possible(session, file_bytes=0).among(asked) == everything().among(asked) == asked


@given(st.dictionaries(st.integers(1, 10**12), st.integers(1, 10**6), max_size=30), st.integers(1, 10**12))
def test_the_row_of_each_member_is_remembered(rows: dict[int, int], other: int) -> None:
    made = RowsOfMembers()
    for member_id, row in rows.items():
        made[member_id] = row
    assert {member_id: made[member_id] for member_id in rows} == rows
    assert made[other] == rows.get(other, 0)
