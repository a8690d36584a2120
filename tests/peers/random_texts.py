"""Texts by chance, the same for the same seed: plain alphabets, and pieces that are hard to cut."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from broadcaster.sms import gsm7

BASIC = gsm7.BASIC.replace("\x1b", "")
EXTENSION = "".join(gsm7.EXTENSION)
CHINESE = "社区食堂周一起供应老年套餐取暖季用气安全，。：；？！（）“”、——……《》Ab1"
RARE = "𠮷𡈽𨋢𪚥㐂䶮"
EMOJI = "😀🌕🎉👍🎂"
CLUSTERS = ("👨‍👩‍👧‍👦", "🏳️‍🌈", "🇨🇳", "🇫🇷", "1️⃣", "👍🏽", "❤️", "e\u0301", "क्षि", "각", "\r\n")
PHRASES = ("https://example.org/p/214", "www.example.cn/a?b=c", "【东城之声】", "拒收请回复R", "example.com")
ODD = ("\x00", "\x1b", "\t", "\x0b", "\u200b", "\ufeff", "\xa0", "\u3000", "Ａ", "’", "ç", "`", "\ud83d", "Ω")

#: in these a reader's character is one code point, and there is no phrase to keep: the cuts must be the same
PLAIN: dict[str, Sequence[str]] = {
    "GSM-7": BASIC.replace("\r", "").replace(".", ""),
    "extension": BASIC.replace("\r", "").replace(".", "") + EXTENSION * 5,
    "Chinese": CHINESE,
    "rare Han": CHINESE + RARE * 6,
    "emoji": CHINESE + EMOJI * 6,
}
PIECES = (*PLAIN.values(), CLUSTERS, PHRASES, ODD, (*CHINESE, *CLUSTERS), (*BASIC, *PHRASES))


def texts(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """So many pairs of a kind (of PLAIN, or "mixed") and a text."""
    chance = random.Random(seed)
    kinds = [*PLAIN, "mixed"]
    for _ in range(count):
        kind = chance.choice(kinds)
        if kind == "mixed":
            runs = (_run(chance, chance.choice(PIECES), chance.randint(0, 40)) for _ in range(chance.randint(1, 7)))
            yield kind, "".join(runs)
        else:
            yield kind, _run(chance, PLAIN[kind], _length(chance))


def _run(chance: random.Random, alphabet: Sequence[str], length: int) -> str:
    return "".join(chance.choices(alphabet, k=length))


def _length(chance: random.Random) -> int:
    """Mostly near where one part more is needed."""
    border = chance.choice((0, 35, 67, 70, 134, 153, 160, 201, 306))
    return max(0, border + chance.randint(-6, 6)) if chance.random() < 0.8 else chance.randint(0, 330)
