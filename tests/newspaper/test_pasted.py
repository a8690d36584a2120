"""What Word, web pages and chats bring along, and what is left alone."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.newspaper.pasted import clean_line, clean_text


@pytest.mark.parametrize(
    ("pasted", "clean"),
    [
        ("第一段\r\n第二段\r第三段", "第一段\n第二段\n第三段"),
        ("\u3000\u3000首行缩进\r\n\xa0\xa0又一段", "首行缩进\n又一段"),
        ("行内\v换行\f换页\u2028再来", "行内\n换行\n换页\n再来"),
        ("\uf0b7\t第一条\n\uf0a7 第二条\n•\t第三条", "- 第一条\n- 第二条\n- 第三条"),
        ("1.\t先登记\n2、\t再领取\n3)\t回家", "1. 先登记\n2. 再领取\n3. 回家"),
        ("so\xadft\u200b hy\ufeffphen\u2060", "soft hyphen"),
        ("图\ufffc在这里\x07\x00", "图在这里"),
        ("表\t格\t行", "表 格 行"),
        ("空行\n\n\n\n太多  \n", "空行\n\n太多"),
        ("<!--[if gte mso 9]><xml>\n<w:Word/></xml><![endif]-->正文<o:p></o:p>", "正文"),
        ("Cafe\u0301", "Café"),
        ("- 一\n  - 二\n    普通缩进", "- 一\n  - 二\n普通缩进"),
        # meant
        ("“引号”——破折号…… 全角ＡＢＣ１２３", "“引号”——破折号…… 全角ＡＢＣ１２３"),
        ("**粗体** 和 [链接](https://example.org)", "**粗体** 和 [链接](https://example.org)"),
        ("欧阳\U0002000b\U0001f600", "欧阳\U0002000b\U0001f600"),
        ("", ""),
    ],
)
def test_a_text(pasted: str, clean: str) -> None:
    assert clean_text(pasted) == clean


@pytest.mark.parametrize(
    ("pasted", "clean"),
    [
        ("供暖从今天\n开始，\n请留意", "供暖从今天开始，请留意"),
        ("heating begins\r\ntoday", "heating begins today"),
        ("  a \t b\xa0 c ", "a b c"),
        ("\n\n", ""),
    ],
)
def test_a_line(pasted: str, clean: str) -> None:
    assert clean_line(pasted) == clean


@pytest.mark.parametrize("piece", [" ", "<!--[if ", "<?xml:namespace ", "中\n "])
def test_what_never_ends_holds_nobody_up(piece: str) -> None:
    # each beginning that was followed to the end of the text took hours here
    assert len(clean_line(piece * 100_000 + "x")) > 0


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_whatever_is_pasted(pasted: str) -> None:
    clean = clean_text(pasted)
    assert clean_text(clean) == clean
    assert not any(unicodedata.category(each) in ("Cc", "Cs") for each in clean if each != "\n")
    assert "\n" not in clean_line(pasted)
