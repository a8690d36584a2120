"""Signature and opt-out line around a body, and the parts that leave us where the carrier adds the signature."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.campaigns.dress import Dress, Place, cut, dressed, handed_over, leaving
from broadcaster.gateways.contract import Capabilities
from broadcaster.sms import ASCII, Encoding, user_data

BY_CARRIER = Dress("【晨晖】", "拒收请回复R", "carrier")


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("front", "【晨晖】明天开会。拒收请回复R"),
        ("tail", "明天开会。拒收请回复R【晨晖】"),
        ("carrier", "明天开会。拒收请回复R【晨晖】"),
    ],
)
def test_where_the_signature_stands(place: Place, text: str) -> None:
    assert dressed(Dress("【晨晖】", "拒收请回复R", place), "明天开会。") == text


@given(body=st.text("开会a1。😀", min_size=1, max_size=300), bits=st.sampled_from([8, 16]))
def test_what_the_carrier_adds_is_counted_and_never_handed_over(body: str, bits: int) -> None:
    can = Capabilities(reference_bits=16 if bits == 16 else 8)
    text = dressed(BY_CARRIER, body)
    counted = cut(BY_CARRIER, text, can)
    out = leaving(BY_CARRIER, counted)
    assert "".join(counted.parts) == text
    assert "".join(out.parts) + "【晨晖】" == text
    # the carrier adds it to a part that there is, and has room for it
    assert all(out.parts)
    room = counted.capacity_single if len(out.parts) == 1 else counted.capacity_part
    assert len(user_data(out.parts[-1] + "【晨晖】", Encoding.UCS2)) // 2 <= room


def test_a_latin_text_is_counted_as_the_carrier_will_send_it() -> None:
    assert cut(BY_CARRIER, dressed(BY_CARRIER, "x" * 66), Capabilities()).encoding == Encoding.UCS2
    latin = Dress("[CH]", "", "carrier")
    for length, parts in ((156, 1), (157, 2)):
        assert len(cut(latin, dressed(latin, "x" * length), Capabilities(alphabet=ASCII)).parts) == parts


def test_who_cuts_by_itself_is_given_one_text_without_the_signature() -> None:
    can = Capabilities(whole_messages=True)
    text = dressed(BY_CARRIER, "开会" * 60)
    assert can.handed_over(leaving(BY_CARRIER, cut(BY_CARRIER, text, can))) == (text.removesuffix("【晨晖】"),)


@given(
    bodies=st.lists(st.text("开会a1。😀", max_size=200), max_size=4),
    place=st.sampled_from(["front", "tail", "carrier"]),
    signature=st.sampled_from(["", "[CH]", "【晨晖】"]),
    whole=st.booleans(),
)
def test_many_leave_as_each_would_by_itself(bodies: list[str], place: Place, signature: str, whole: bool) -> None:
    dress, can = Dress(signature, "拒收请回复R", place), Capabilities(whole_messages=whole)
    each = [cut(dress, dressed(dress, body), can) for body in bodies]
    alone = [(one.encoding, can.handed_over(leaving(dress, one))) for one in each]
    assert handed_over(dress, bodies, can) == alone
