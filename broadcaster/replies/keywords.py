"""What a short text means. Pure.

An opt-out is recognised in every usual wording, because refusing must be easy; but only when the text is nothing else,
so that "R" in a sentence, or "退订手续怎么办" as a question, takes nobody off the list by mistake.
"""

from __future__ import annotations

import re
import unicodedata

_OUT = {
    "r", "t", "td", "tt", "n", "qx", "stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "remove",
    "退", "退订", "退訂", "取消", "取消订阅", "拒收", "拒绝", "不收", "不要", "不订", "不看", "停", "停发", "停止",
    "退订手机报", "我要退订", "我退订", "申请退订", "请退订", "取消手机报", "不想收", "不想收了", "不想再收",
    "退订吧", "退订了", "退订谢谢", "不收了", "不要了", "不订了", "不看了", "我要退订手机报", "取消手机报订阅",
    "unsubscribeme", "pleaseunsubscribe", "removeme", "pleaseremoveme",
}  # fmt: skip
#: the word that the answer to an opt-out names, by language
COME_BACK = {"zh": "订阅", "en": "START"}
#: characters of a text that may ask to join
LONGEST_JOINING = 150
_BACK = {"start", "unstop", "subscribe", "dy", "hf", "订阅", "恢复", "恢复订阅", "重新订阅", "订阅手机报", "我要订阅"}

#: short pleas that name the wish without one of the words above: 不要再发了, 别给我发短信了, please stop sending
_THING = r"(你们的|这个|这种|这些)?(短信|信息|消息|手机报|报纸|报|东西|广告)?(了|啦|吧)?(谢谢)?"
_PLEA = re.compile(
    r"(请|麻烦)?(你们|您们)?(不要|不用|别|勿|停止|莫)再?(给我|向我|跟我)?再?(发送|发|寄)来?(给我)?"
    + _THING
    + "(给我)?(了|谢谢)?"
)
_WISH = re.compile(r"我?(再也)?(不想|不要|不愿意|不愿|不用)再?(收到|收|看到|看|订)" + _THING)
_PLEA_ENGLISH = re.compile(
    r"(please)?(stop|stop(sending|texting|messaging)|(dont|donot)(send|text|message))(me|us)?"
    r"(messages|sms|texts|this|anymore|any)*"
)
#: 加入 张伟, 报名：张伟。, JOIN Zhou Lan: the word, something between, and nothing but a name
_JOIN = re.compile(
    r"(?:我要|我想|申请)?(?:加入|订阅|报名|join)[\s,;:、，；：+-]+"
    r"(?:(?:我是|我叫|姓名|叫|i am|i'm|this is|name is)[\s:：]*)?"
    r"(?P<name>[^\W\d_](?:[^\W\d_]|[ ·•'’.-](?=[^\W\d_]))*)[\s.。!！,，]*",
    re.IGNORECASE,
)
#: what stands for parts of a letter that never came: nobody knows what such a letter says as a whole
MISSING = "[…]"
_NOISE = re.compile(r"[\W_]+")


def normalise(text: str) -> str:
    """The text without case, width, blanks and punctuation: `Ｔ Ｄ。` is `td`."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text)).casefold()


def wants_out(text: str) -> bool:
    """Whether this says "send me no more", and nothing else."""
    if MISSING in text:
        return False
    plain = normalise(text)
    # "TD退订", "回复R", "R退订": the word of the opt-out line copied with what stands around it
    plain = re.sub(r"^(回复|回)", "", plain)
    if plain in _OUT or _is_joined(plain):
        return True
    return any(plea.fullmatch(plain) for plea in (_PLEA, _WISH, _PLEA_ENGLISH))


def wants_back(text: str) -> bool:
    """Whether this says "send me the paper again", and nothing else."""
    return MISSING not in text and normalise(text) in _BACK


def name_of_joiner(text: str) -> str | None:
    """The name under which somebody asks for the paper, if this asks for it and says nothing else.

    >>> name_of_joiner("加入 张伟"), name_of_joiner("JOIN Zhou Lan."), name_of_joiner("订阅")
    ('张伟', 'Zhou Lan', None)
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    asked = _JOIN.fullmatch(plain) if len(plain) <= LONGEST_JOINING and not wants_back(text) else None
    return asked["name"] if asked else None


def _is_joined(plain: str) -> bool:
    """A code and the word in a row: `td退订`, `退订r`. Not two words: 不要退订 asks to be kept on the list."""
    return any(code in _OUT and code.isascii() for code in (plain.removeprefix("退订"), plain.removesuffix("退订")))
