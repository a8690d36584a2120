from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.gateways.smpp.ids import ENOUGH, WORDS, Form, Ids, agree, candidates, normalise
from broadcaster.language import tr

A, B = "+8619900000001", "+8619900000002"


def forms(submit_id: str, receipt_id: str) -> list[Form]:
    """The forms by which the receipt's id is that of the answer."""
    if submit_id == receipt_id:
        return [Form.SAME]
    plain = normalise(submit_id)
    return [form for form, candidate in candidates(receipt_id) if candidate == plain]


@pytest.mark.parametrize(
    ("submit_id", "receipt_id", "expected"),
    [
        ("0123456789", "0123456789", [Form.SAME]),
        ("a1b2c3d4-11ee", "A1B2C3D4-11EE", [Form.LOOSE]),
        ("0000012345", "12345", [Form.LOOSE]),
        ("12345", "0000012345", [Form.LOOSE]),
        ("0x1f", "1F", [Form.LOOSE]),
        ("1f", " 1f ", [Form.LOOSE]),
        ("00000000", "0", [Form.LOOSE, Form.HEX_DECIMAL, Form.DECIMAL_HEX]),
        ("1A", "26", [Form.HEX_DECIMAL]),
        ("0000001a", "26", [Form.HEX_DECIMAL]),
        ("1A", "0000000026", [Form.HEX_DECIMAL]),
        ("26", "1A", [Form.DECIMAL_HEX]),
        ("0000000026", "0x1a", [Form.DECIMAL_HEX]),
        ("10", "16", [Form.HEX_DECIMAL]),
        ("16", "10", [Form.DECIMAL_HEX]),
        ("7", "07", [Form.LOOSE, Form.HEX_DECIMAL, Form.DECIMAL_HEX]),
        ("1A", "27", []),
        ("abc", "xyz", []),
        ("", "1", []),
        ("1", "", []),
    ],
)
def test_the_form_of_one_pair(submit_id: str, receipt_id: str, expected: list[Form]) -> None:
    assert forms(submit_id, receipt_id) == expected


Writer = Callable[[int], str]
#: how carriers write the id in the answer, and in the receipt
CARRIERS: list[tuple[Form, Writer, Writer]] = [
    (Form.SAME, str, str),
    (Form.SAME, lambda n: f"{n:08x}-smsc", lambda n: f"{n:08x}-smsc"),
    (Form.LOOSE, lambda n: f"{n:x}", lambda n: f"{n:08X}"),
    (Form.LOOSE, lambda n: f"{n:010d}", str),
    (Form.HEX_DECIMAL, lambda n: f"{n:x}", str),
    (Form.HEX_DECIMAL, lambda n: f"{n:08X}", lambda n: f"{n:010d}"),
    (Form.DECIMAL_HEX, str, lambda n: f"{n:x}"),
    (Form.DECIMAL_HEX, lambda n: f"{n:010d}", lambda n: f"{n:08X}"),
]
everyone = pytest.mark.parametrize(("form", "answer", "receipt"), CARRIERS)


@everyone
def test_pairs_tell_the_form(form: Form, answer: Writer, receipt: Writer) -> None:
    assert {forms(answer(n), receipt(n))[0] for n in range(0x00FA0000, 0x00FA0030)} == {form}


def test_pairs_that_disagree_tell_none() -> None:
    ids = Ids()
    for n in range(40):
        hexadecimal, decimal = f"{10_000_000 + n:x}", str(20_000_000 + n)
        ids.accepted(hexadecimal, A)
        ids.accepted(decimal, B)
        assert ids.resolve(str(10_000_000 + n), A) == hexadecimal
        assert ids.resolve(f"{20_000_000 + n:x}", B) == decimal
    assert ids.learned == (None, 80, 40)


@everyone
def test_a_carriers_receipts_find_their_parts_while_it_learns_and_after(
    form: Form, answer: Writer, receipt: Writer
) -> None:
    ids = Ids(remembered=1000)
    for n in range(10_000_000, 10_000_200):
        ids.accepted(answer(n), f"+86199{n:08d}")
    for n in range(10_000_000, 10_000_100):
        assert ids.resolve(receipt(n), f"+86199{n:08d}") == answer(n)
    assert ids.learned == (form, 100, 100)
    # of long ago, by the form alone
    assert ids.resolve(receipt(9_999_999), A) == answer(9_999_999)


def test_an_id_that_is_another_messages_in_another_form_is_told_by_the_number() -> None:
    ids = Ids()
    # "10" is the hexadecimal of 16, and "16" is an id of its own
    ids.accepted("10", A)
    ids.accepted("16", B)
    assert ids.resolve("16", A) == "10"
    assert ids.resolve("16", B) == "16"


def test_of_two_parts_to_one_number_the_form_seen_so_far_decides() -> None:
    ids = Ids()
    for n in range(0x1000, 0x1000 + ENOUGH):
        ids.accepted(f"{n:x}", B)
        ids.resolve(str(n), B)
    ids.accepted("10", A)
    ids.accepted("16", A)
    assert ids.resolve("16", A) == "10"
    assert ids.resolve("22", A) == "16"


def test_a_receipt_that_overtakes_its_answer_is_turned_once_the_form_is_known() -> None:
    ids = Ids(Form.HEX_DECIMAL)
    assert ids.resolve("4096", A) == "1000"
    assert Ids().resolve("4096", A) == "4096"


def test_a_form_of_the_settings_is_kept() -> None:
    ids = Ids(Form.DECIMAL_HEX)
    assert ids.learned.form is Form.DECIMAL_HEX
    assert ids.resolve("not hex", A) == "not hex"


def test_a_carrier_that_changes_its_form_is_learned_anew() -> None:
    ids = Ids()
    for n in range(5000, 5100):
        ids.accepted(str(n), A)
        ids.resolve(str(n), A)
    assert ids.learned.form is Form.SAME
    for n in range(5100, 12_000):
        ids.accepted(f"{n:x}", A)
        assert ids.resolve(str(n), A) == f"{n:x}"
    assert ids.learned.form is Form.HEX_DECIMAL


def test_ids_that_differ_only_in_capitals_are_kept_apart() -> None:
    ids = Ids()
    ids.accepted("Ab", A)
    ids.accepted("aB", A)
    assert ids.resolve("Ab", A) == "Ab"
    assert ids.resolve("aB", A) == "aB"


def test_a_receipt_for_an_unknown_id_stays_as_it_is() -> None:
    ids = Ids()
    ids.accepted("10", A)
    for receipt_id in ("99", "", "\x00", "١٦", "f" * 500, "9" * 500, "-1", "0x", "ⅷ"):
        assert ids.resolve(receipt_id, A) == receipt_id
        assert ids.resolve(receipt_id, None) == receipt_id


def test_a_receipt_with_another_number_is_not_ours() -> None:
    ids = Ids()
    ids.accepted("1A", A)
    assert ids.resolve("26", B) == "26"
    assert ids.learned.pairs == 0


def test_no_more_is_remembered_than_was_asked_for() -> None:
    ids = Ids(remembered=10)
    for n in range(1000):
        ids.accepted(f"{n:04x}", A)
    assert len(ids._numbers) == len(ids._spelled) == 10
    assert ids.resolve(str(999), A) == "03e7"


def test_an_id_that_comes_again_is_remembered_once() -> None:
    """A carrier that counts round gives it to another number."""
    ids = Ids(remembered=2)
    for message_id, msisdn in (("7", A), ("7", B), ("8", A)):
        ids.accepted(message_id, msisdn)
    assert ids.resolve("7", B) == "7"
    assert list(ids._order) == list(ids._numbers) == ["7", "8"]


def test_forgetting_an_id_does_not_take_away_one_that_looks_like_it() -> None:
    ids = Ids(remembered=2)
    for message_id in ("0A", "a", "b"):
        ids.accepted(message_id, A)
    assert ids.resolve("A", A) == "a"


def test_ids_of_128_bits_have_forms_and_longer_ones_only_their_own() -> None:
    most = 2**128 - 1
    assert forms(f"{most:x}", str(most)) == [Form.HEX_DECIMAL]
    assert forms(f"{10**39:x}", str(10**39)) == []


@pytest.mark.parametrize(
    ("told", "same"),
    [
        (A, True),
        ("8619900000001", True),
        ("19900000001", True),
        ("019900000001", True),
        ("008619900000001", True),
        (None, True),
        ("", True),
        (B, False),
        ("1", False),
        ("0001", False),
        ("+4419900000001", False),
    ],
)
def test_numbers_that_can_be_the_same(told: str | None, same: bool) -> None:
    assert agree(A, told) is same


@given(st.text(max_size=40), st.text(max_size=40))
def test_nothing_raises(submit_id: str, receipt_id: str) -> None:
    normalise(submit_id)
    candidates(receipt_id)
    forms(submit_id, receipt_id)
    ids = Ids()
    ids.accepted(submit_id, A)
    ids.resolve(receipt_id, A)


def test_each_form_is_said_in_words() -> None:
    assert set(WORDS) == set(Form)
    assert "hexadecimal" in tr(WORDS[Form.HEX_DECIMAL])


@everyone
def test_what_was_learned_serves_the_next_process(form: Form, answer: Writer, receipt: Writer) -> None:
    before = Ids()
    for n in range(0x00FA0000, 0x00FA0000 + ENOUGH):
        before.accepted(answer(n), A)
        before.resolve(receipt(n), A)
    after = Ids()
    after.recall(before.kept())
    assert after.kept() == before.kept()
    # a part of before, of which this process knows nothing
    assert after.resolve(receipt(0x00FA1234), A) == answer(0x00FA1234)


@pytest.mark.parametrize("kept", ["", "hex_decimal", "base64 0", "hex_decimal x", "hex_decimal 9999", " ", "same -1"])
def test_a_text_that_makes_no_sense_teaches_nothing(kept: str) -> None:
    ids = Ids()
    ids.recall(kept)
    assert ids.kept() == ""
    assert ids.learned.form is None


def test_settings_and_what_was_seen_are_believed_first() -> None:
    fixed = Ids(Form.SAME)
    fixed.recall("hex_decimal 0")
    assert fixed.resolve("26", A) == "26"
    assert fixed.kept() == ""
    seen = Ids()
    seen.accepted("26", A)
    seen.resolve("26", A)
    seen.recall("hex_decimal 0")
    assert seen.learned.form is None


def test_a_carrier_that_has_changed_meanwhile_is_learned_anew() -> None:
    ids = Ids()
    ids.recall("hex_decimal 0")
    for n in range(1000, 1500):
        ids.accepted(str(n), A)
        assert ids.resolve(str(n), A) == str(n)
    assert ids.learned.form is Form.SAME
