"""Strategies for texts as people send them, and as they should not."""

from __future__ import annotations

from hypothesis import strategies as st

from broadcaster.sms import gsm7

BASIC = gsm7.BASIC.replace("\x1b", "")
EXTENSION = "".join(gsm7.EXTENSION)
CHINESE = "社区食堂周一起供应老年套餐取暖季用气安全，。：；？！（）“”、——……《》【】"
RARE = "𠮷𡈽𨋢𪚥"
EMOJI = ("👨‍👩‍👧‍👦", "🏳️‍🌈", "🇨🇳", "🇫🇷", "1️⃣", "👍🏽", "❤️", "😀", "e\u0301", "क्षि", "\r\n")
LINKS = ("https://example.org/p/214", "www.example.org/a?b=c", "example.cn/p/1", "【东城之声】", "拒收请回复R")
ODD = "\x00\x1b\t\ud83d\ude00\u200b\u200d\ufeff\xa0\u3000ＡｂＣ’"

gsm_texts = st.text(st.sampled_from(BASIC + EXTENSION * 3), max_size=700)
chinese_texts = st.text(st.sampled_from(CHINESE), max_size=400)


def _joined(pieces: tuple[str, ...] | str, most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(list(pieces)), max_size=most).map("".join)


# Long runs bring the borders of parts into play; the odd pieces between them land on the borders.
_runs = st.builds(lambda character, times: character * times, st.sampled_from("a社{é𠮷"), st.integers(50, 160))
_pieces = st.one_of(
    _runs,
    _joined(EMOJI, 12),
    _joined(LINKS, 3),
    _joined(RARE, 40),
    _joined(CHINESE, 40),
    _joined(BASIC, 40),
    _joined(EXTENSION, 20),
)
mixed_texts = st.lists(_pieces, max_size=8).map("".join)
any_texts = st.one_of(
    mixed_texts,
    st.lists(st.one_of(_pieces, _joined(ODD, 8)), max_size=8).map("".join),
    st.text(st.characters(exclude_categories=()), max_size=300),
)
