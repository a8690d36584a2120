"""Numbers: what people write, what is wrong with it, and what may be shown of it."""

from __future__ import annotations

import contextlib

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import carrier

from benchmarks.msisdn import compare
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
        ("张三13800002231", "not a telephone number"),
        ("13800002231 张三", "not a telephone number"),
        ("13800002231(妻13900002231)", "not a telephone number"),
        ("1380000ABCD", "not a telephone number"),
        ("1380000223①", "not a telephone number"),
        ("13800002231¹", "not a telephone number"),
        ("NaN", "not a telephone number"),
        ("1" * 101, "not a telephone number"),
        ("13800002231 13900002231", "more than one number"),
        ("13800002231或13900002231", "more than one number"),
        ("1.380000223E10", "lost its digits"),
        ("1.38000022315E+9", "lost its digits"),
        ("1380000223.1", "a quantity with a fraction"),
        ("13800002231转1", "more digits behind"),
        ("13800002231,123", "more digits behind"),
        ("13800002231-801", "too long by 3 digits"),
        ("13800002231/8", "too long by one digit"),
        ("4008001234", "service number"),
        ("800-810-8888", "service number"),
        ("12345", "service number"),
        ("955 88", "service number"),
        ("+86 95588", "service number"),
        ("110", "service number"),
        ("10086", "service number"),
        ("1069000012345", "service number"),
        ("+44 7070 123456", "service number"),
        ("+1 900 555 1234", "service number"),
        ("12345678", "no range"),
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


@pytest.mark.parametrize(
    "text",
    [
        *("13800002231.0", "13800002231.00", "1.3800002231E10", "1.3800002231e+10", "1.38000022310E+10"),
        *("13,800,002,231", '="13800002231"', "'13800002231", "’13800002231", "`13800002231", "\ufeff13800002231"),
    ],
)
def test_what_a_spreadsheet_did_to_it_is_undone(text: str) -> None:
    assert msisdn.parse(text).msisdn == "+8613800002231"


@pytest.mark.parametrize(
    "text",
    [
        *("013800002231", "+86 0138 0000 2231", "0086 (0)138 0000 2231", "(+86)138-0000-2231", "8613800002231"),
        *("138.0000.2231", "138_0000_2231", "138—0000—2231", "138－0000－2231", "138 0000 2231"),
        *("１３８００００２２３１", "١٣٨٠٠٠٠٢٢٣١", "१३८००००२२३१", "一三八〇〇〇〇二二三一", "幺三八零零零零二二三幺"),
        *("Tel:13800002231", "tel. 138 0000 2231", "Mobile 13800002231", "M: 13800002231", "手机：13800002231"),
        *("联系电话 138 0000 2231", "手机号码:13800002231", "电话13800002231", "\u202d+86 138-0000-2231\u202c"),
        *("13800002231(家)", "13800002231 （本人）", "13800002231【手机】(妻)", "13800002231*", "13800002231;"),
    ],
)
def test_every_way_a_person_writes_a_mobile(text: str) -> None:
    assert msisdn.parse(text) == ("+8613800002231", NumberKind.MOBILE)


@pytest.mark.parametrize(
    "text",
    [
        *("010-12345678", "(010) 12345678", "+86 10 1234 5678", "０１０－１２３４５６７８", "电话: 010 1234 5678"),
        *("010-12345678转801", "010-12345678-801", "(010)12345678-8", "010-12345678 ext. 801", "01012345678 x12"),
        *("010-12345678#801", "010-12345678（办）"),
    ],
)
def test_a_landline_is_known_as_one(text: str) -> None:
    assert msisdn.parse(text) == msisdn.Parsed("+861012345678", NumberKind.LANDLINE)


BAD = (
    # service numbers, ports of companies
    *(f"{first}{n:07d}" for first in ("400", "800") for n in range(0, 10_000_000, 100_003)),
    *(f"9{first}{n:03d}" for first in "56" for n in range(0, 1000, 11)),
    *(f"106{n:08d}" for n in range(0, 90_000_000, 900_001)),
    *(str(n) for n in (*range(200), 10000, 10010, 10086, 12306, 12345)),
    # too short, too long, no range, an operator's way abroad
    *(f"138{n:07d}" for n in range(0, 10_000_000, 200_003)),
    *(f"138{n:09d}" for n in range(0, 1_000_000_000, 20_000_003)),
    *(f"1{n}00002231" for n in (*range(30), 79)),
    # premium lines and numbers that ring wherever their owner likes
    *(f"+1900{n}0000" for n in range(200, 300)),
    *(f"+4490{n:08d}" for n in range(50)),
    *(f"+4470{n:08d}" for n in range(0, 10**8, 2_000_003)),
    *(f"+39899{n:06d}" for n in range(50)),
    *(f"+882{n:09d}" for n in range(50)),
    # landlines
    *(f"010{n}" for n in range(60_000_000, 60_000_100)),
    # debris
    *("", " ", "-", "+", "+86", "None", "NULL", "#N/A", "#REF!", "0", "1.38E10", "1.4E+10", "\0", "😀", "一", "(家)"),
    *("13800002231/13900002231", "13800002231 13900002231", "13800002231,13900002231", "1380000223x", "=1+1"),
)


def test_no_bad_number_can_be_sent_to() -> None:
    sendable = []
    for text in BAD:
        with contextlib.suppress(Invalid):
            if msisdn.parse(text).kind is NumberKind.MOBILE:
                sendable.append(text)
    assert len(BAD) >= 1000
    assert sendable == []


def test_both_ways_agree_on_many(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = compare(20_000, seed=3)
    assert figures["differences"] == 0
    assert figures["read_the_short_way"] > 5_000
    # the comparison sees a difference where there is one
    monkeypatch.setattr(msisdn, "parse_any", lambda text: msisdn.Parsed(text, NumberKind.LANDLINE))
    assert compare(100, seed=3)["differences"] > 0


def test_elsewhere_only_the_country_code_makes_it_chinese() -> None:
    assert msisdn.parse("+8613800002231", "GB").msisdn == "+8613800002231"
    with pytest.raises(Invalid):
        msisdn.parse("13800002231", "GB")


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+8613800002231", "138****2231"),
        ("+447700900123", "+44******123"),
        ("+861012345678", "010****5678"),
        ("+8675512345678", "075*****5678"),
        ("+86123456", "+86******456"),
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
