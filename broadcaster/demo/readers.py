"""What the invented readers answer, and when: decided by a seed, so that a run that is taken up again says the same."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class When(StrEnum):
    """What a reader waits for."""

    #: said while the sending runs and this reader's own message still waits in the queue
    BEFORE_THEIRS = "before_theirs"
    #: said once the message is on the handset; if it never gets there, when the sending is over
    AFTER_DELIVERY = "after_delivery"


@dataclass(frozen=True, slots=True)
class Say:
    """One message from a reader. Number and words stay out of `repr`."""

    msisdn: str = field(repr=False)
    text: str = field(repr=False)
    when: When


#: three of these are said; all mean the same
OPT_OUTS = ("退订", "R", "TD", "不要再发了", "请不要再给我发短信了", "拒收", "ｒ")

LETTERS = (
    "收到，谢谢。",
    "收到了，辛苦编辑们！",
    "已收到",
    "谢谢，内容很实用。",
    "手机报办得不错，每期都看。",
    "老伴也爱看，念给她听了。",
    "好的，知道了",
    "👍",
    "字数正好，不用戴老花镜也看得清。",
    "建议多登一些养生保健的内容。",
    "能不能每期加一条天气提醒？",
    "建议早上八点以后再发，太早了容易吵醒老人。",
    "上一期的菜谱很好，希望再来一个。",
    "希望多介绍几位身边的好人好事。",
    "我们分会也有稿件，往哪里投？",
    "请问活动在哪里报名？",
    "请问会费今年怎么交，还是交到分会吗？",
    "体检是哪一天？要空腹吗",
    "我在外地，能不能网上参加？",
    "请问全文在哪里看，链接打不开。",
    "我换新号码了，下月起用另一个号，怎么改？",
    "搬到城北去了，关系要转过去吗？",
    "我是新来的，以前的几期还能看到吗？",
    "楼道的灯坏了一个星期了，请分会帮忙反映一下。",
    "腿脚不方便，领东西能不能请人代领？",
    "您好，上次反映的事有结果了吗？谢谢",
    "我父亲眼睛不好，有没有能听的？",
    "你们是哪个单位？",
)

#: one reader in so many writes a letter
_ONE_IN = 45
_WHO_OPT_OUT = 3


def script(rng: random.Random, msisdns_in_order: Sequence[str]) -> list[Say]:
    """Who says what: letters from some, and three opt-outs in different words, fewer where there are fewer readers.

    `msisdns_in_order` is the order in which messages leave, each number once. One opt-out comes before the member's own
    message leaves, from near the end of that order; the list begins with it. Nobody writes twice.
    """
    count = len(msisdns_in_order)
    if count == 0:
        return []
    early = count - 1 - rng.randrange(max(1, count // 50))
    others = [i for i in range(count) if i != early]
    letters = max(1, count // _ONE_IN)
    writers = rng.sample(others, min(len(others), letters + _WHO_OPT_OUT - 1))
    words = rng.sample(OPT_OUTS, _WHO_OPT_OUT)
    texts = words[1:] + _letters(rng, letters)
    said = [Say(msisdns_in_order[i], text, When.AFTER_DELIVERY) for i, text in zip(writers, texts, strict=False)]
    rng.shuffle(said)
    return [Say(msisdns_in_order[early], words[0], When.BEFORE_THEIRS), *said]


def _letters(rng: random.Random, count: int) -> list[str]:
    """So many letters, none twice before all were written once."""
    texts: list[str] = []
    while len(texts) < count:
        texts += rng.sample(LETTERS, len(LETTERS))
    return texts[:count]
