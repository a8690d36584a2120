"""Numbers: what people write, what is wrong with it, and what may be shown of it."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import carrier

from subscribers import msisdn
from subscribers.errors import Invalid
from subscribers.models import NumberKind
from subscribers.operators import BY_PREFIX
from tests.factories import generated_msisdn

FULL_WIDTH = str.maketrans("0123456789+-", "０１２３４５６７８９＋－")
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
prefixes = st.sampled_from(["", "+86", "0086", "86", "+86 ", "86-", "(+86)"])
separators = st.sampled_from(["", " ", "-", "\u00a0", "\u3000", "–", "\u200b", "\u202d"])


@st.composite
def written(draw: st.DrawFn) -> str:
    """A Chinese mobile as people, phones and spreadsheets write it."""
    digits, between = draw(mobiles), draw(separators)
    text = draw(prefixes) + between.join([digits[:3], digits[3:7], digits[7:]])
    return text.translate(FULL_WIDTH) if draw(st.booleans()) else text


@given(written())
@example("13800002231")
@example("17900001234")
def test_both_ways_agree(text: str) -> None:
    short = msisdn.parse_chinese_mobile(text)
    if short is not None:
        assert msisdn.parse_any(text) == short
    else:
        # 179 dials abroad; brackets are for the long way
        assert "179" in text.translate({ord(c): None for c in " -"}) or "(" in text or "１７９" in text


@given(mobiles.filter(lambda digits: not digits.startswith("179")), prefixes, separators)
def test_every_form_is_one_number(digits: str, prefix: str, between: str) -> None:
    text = prefix + between.join([digits[:3], digits[3:7], digits[7:]])
    assert msisdn.parse(text) == msisdn.Parsed(f"+86{digits}", NumberKind.MOBILE)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_refused_without_showing_it(text: str) -> None:
    try:
        parsed = msisdn.parse(text)
    except Invalid as error:
        assert error.hint
        shown = "".join(c for c in str(error.fields.get("number", "")) if c.isdigit())
        assert len(shown) <= 8
    else:
        assert msisdn.parse(parsed.msisdn) == parsed


@given(st.sampled_from(["GB", "US", "DE", "IT", "CN", "SG"]))
def test_numbers_of_other_countries_come_back_from_e164(region: str) -> None:
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert number is not None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    local = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    assert msisdn.parse(e164).msisdn == e164
    assert msisdn.parse(local, region).msisdn == e164
    assert msisdn.parse(msisdn.national(e164), region).msisdn == e164


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1380000223", "too short by one digit"),
        ("138000022", "too short by 2 digits"),
        ("138000022311", "too long by one digit"),
        ("1380000223112", "too long by 2 digits"),
        ("1.38E10", "lost its digits"),
        ("1.38e+10", "lost its digits"),
        ("", "empty"),
        ("  ", "empty"),
        ("none", "not a telephone number"),
        ("138 0000 2231(妻)", "not a telephone number"),
        ("13800002231/13900002231", "more than one number"),
        ("13800002231、13900002231", "more than one number"),
        ("400-800-1234", "service number"),
        ("+999123456", "no country code"),
        ("12", "too short"),
        ("1" * 30, "30 digits"),
        ("+44 1111 111111", "no range"),
    ],
)
def test_what_is_wrong_is_said_in_plain_words(text: str, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        msisdn.parse(text)


@pytest.mark.parametrize("text", ["13800002231.0", "1.3800002231E10", "1.3800002231e+10", "013800002231"])
def test_what_a_spreadsheet_did_to_it_is_undone(text: str) -> None:
    assert msisdn.parse(text).msisdn == "+8613800002231"


@pytest.mark.parametrize("text", ["010-12345678", "(010) 12345678", "+86 10 1234 5678", "０１０－１２３４５６７８"])
def test_a_landline_is_known_as_one(text: str) -> None:
    assert msisdn.parse(text) == msisdn.Parsed("+861012345678", NumberKind.LANDLINE)


def test_elsewhere_only_the_country_code_makes_it_chinese() -> None:
    assert msisdn.parse("+8613800002231", "GB").msisdn == "+8613800002231"
    with pytest.raises(Invalid):
        msisdn.parse("13800002231", "GB")


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+8613800002231", "138****2231"),
        ("+447700900123", "+44******123"),
        ("+861012345678", "+86******678"),
        ("+12025550123", "+1******123"),
        ("106900001234", "******234"),
        ("12345", "*****"),
        ("", ""),
    ],
)
def test_a_mask_shows_little(number: str, masked: str) -> None:
    assert msisdn.mask(number) == masked


def test_national_forms_are_digits_only() -> None:
    assert msisdn.national("+8613800002231") == "13800002231"
    assert msisdn.national("+861012345678") == "01012345678"
    assert msisdn.national("+447700900123") == "07700900123"


@given(mobiles)
def test_the_operator_is_the_one_of_an_independent_table(digits: str) -> None:
    theirs = carrier.name_for_number(phonenumbers.parse(f"+86{digits}"), "en")
    names = {"China Mobile": "mobile", "China Unicom": "unicom", "China Telecom": "telecom"}
    ours = msisdn.operator(f"+86{digits}")
    if theirs in names and ours is not None:
        assert ours == names[theirs]


def test_operators_of_each_kind() -> None:
    assert [msisdn.operator(f"+86{first}00002231") for first in ("138", "186", "189", "192", "154")] == [
        "mobile",
        "unicom",
        "telecom",
        "broadnet",
        None,
    ]
    assert msisdn.operator("+447700900123") is None
    assert msisdn.operator(generated_msisdn(0)) == "telecom"
    assert set(BY_PREFIX.values()) == {"mobile", "unicom", "telecom", "broadnet"}
