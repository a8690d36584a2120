"""Refusing must be easy, and nobody is taken off the list by a sentence that only contains the word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.replies.keywords import COME_BACK, normalise, wants_back, wants_out

OUT = """
R r Ｒ r. 【R】 回复R 回R R退订 T TD td Ｔ ＴＤ！ T.D. 回复TD 回复TD退订
退订 退訂 退 退订。 退订！！ 退订TD TD退订 QX qx N n 取消 取消订阅 拒收 拒绝 不收 不要
停 停发 停止 不订 不看 我要退订 我退订 申请退订 请退订 退订手机报 取消手机报 我要退订手机报
取消手机报订阅 不想收 不想收了 不想再收 退订吧 退订了 退订谢谢 不收了 不要了 不订了 不看了 不要再发了
别再发了 不要给我发短信了 请不要再给我发短信 别给我发了 请勿再发 不要再发短信给我 别发了 停止发送
不想再收到你们的短信 我不想再收到短信了 我不想看了 麻烦你们别再发了谢谢 不要再给我发手机报了 STOP
Stop stop. stop! STOPALL unsubscribe UNSUBSCRIBE cancel
END quit opt-out OPTOUT remove
""".split()  # noqa: SIM905 - a table to be read
OUT_ENGLISH = [
    "STOP ALL",
    "opt out",
    "Unsubscribe me",
    "please unsubscribe",
    "remove me",
    "please stop",
    "stop sending me messages",
    "please stop texting me",
    "Don't send me this any more",
    "do not message me",
    "T D",
    "退 订",
    "退订\n",
    "\u3000Ｒ\u3000",
    "回复 R。",
]
STAYS = """
收到 谢谢 好 好的 知道了 不去 来 请假 R型血 RR T恤尺码 TDD N95 退订手续怎么办 怎么退订
如何退订？ 我不退订 不要退订 别退订 不退 谁说要退订了 停电了吗 停车位在哪 停课了吗 取消会议了吗
会议取消了？ 取消报名 不要忘记开会 不要紧 不要来了吗 不要发脾气 别发火 拒绝腐败 不想去 不想开会
我不要紧 不看电视 请发给我 再发一次 请再发一遍 没收到 没有收到短信 收不到 请不要发错人 订阅 恢复
start 你好
""".split()  # noqa: SIM905 - a table to be read
STAYS_ENGLISH = [
    "",
    "   ",
    "?",
    "please stop by tomorrow",
    "the bus stop is closed",
    "is this the end",
    "I cannot cancel my other appointment",
    "don't",
    "don't worry",
    "please don't",
    "do not forget",
    "R u there",
    "no",
    "N/A",
    "when does it stop?",
    "I don't want to unsubscribe",
]


@pytest.mark.parametrize("text", OUT + OUT_ENGLISH)
def test_refused(text: str) -> None:
    assert wants_out(text)
    assert not wants_back(text)


@pytest.mark.parametrize("text", STAYS + STAYS_ENGLISH)
def test_not_refused(text: str) -> None:
    assert not wants_out(text)


@pytest.mark.parametrize("text", ["订阅", "订阅。", "START", "start!", "恢复订阅", "DY", *COME_BACK.values()])
def test_back(text: str) -> None:
    assert wants_back(text)
    assert not wants_out(text)


@pytest.mark.parametrize("text", ["怎么订阅", "不订阅", "退订", "start the meeting", ""])
def test_not_back(text: str) -> None:
    assert not wants_back(text)


@given(st.text(max_size=200))
def test_any_text_is_read_quickly_and_means_one_thing(text: str) -> None:
    assert not (wants_out(text) and wants_back(text))
    assert normalise(normalise(text)) == normalise(text)


@given(st.sampled_from(OUT), st.text(" .,!。，！～…\n\t", max_size=5))
def test_blanks_and_punctuation_do_not_matter(word: str, noise: str) -> None:
    assert wants_out(noise + word + noise)
