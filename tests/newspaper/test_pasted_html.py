"""What Word and web pages hand over: headings, lists, bold and links stay, nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcaster.newspaper.pasted_html import as_markdown
from broadcaster.web.markdown import as_html

WORD = """<html xmlns:o="urn:schemas-microsoft-com:office:office">
<head><style>p {mso-style: x}</style><title>稿</title></head>
<body><!--StartFragment--><h1>取暖季<o:p></o:p></h1>
<p class=MsoNormal style='text-indent:2em'><b><span>今天</span></b><span lang=EN-US>
供暖</span>，请关好<i>窗户</i>。<o:p></o:p></p>
<ul><li>一</li><li>二<ol><li>甲</li></ol></li></ul><p>见<a href="https://example.org/a?b=1">网页</a><br>或来电</p>
<table><tr><td>甲</td><td>乙</td></tr></table><!--EndFragment--></body></html>"""


def test_from_word() -> None:
    assert as_markdown(WORD) == (
        "## 取暖季\n\n**今天** 供暖，请关好窗户。\n\n- 一\n- 二\n   1. 甲\n\n"
        "见[网页](https://example.org/a?b=1)\n或来电\n\n甲 | 乙"
    )


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("<p></p><p>&nbsp;</p>", ""),
        ("没有标签", "没有标签"),
        ('<b style="font-weight:normal">不粗<b>粗</b></b>', "不粗**粗**"),
        ("<b>甲</b><b>乙</b>", "**甲乙**"),
        ("<b> 甲 </b>乙", "**甲** 乙"),
        ("<b></b>甲", "甲"),
        ("<p><b>没有结束<p>下一段</b>", "没有结束\n\n下一段"),
        ("<h2><b>标题</b></h2>", "## 标题"),
        ("2*3*4 与 [x] 和 `y`", "2\\*3\\*4 与 \\[x\\] 和 \\`y\\`"),
        ("<script>alert(1)</script>甲<style>x</style>", "甲"),
        ("<script>没有结束", ""),
        ('<a href="javascript:alert(1)">甲</a>', "甲"),
        ('<a href="https://x.example/)[a](y">甲</a>', "甲"),
        ('<img src=x onerror="alert(1)">甲', "甲"),
        ("<li>散</li>", "- 散"),
        ("</ul></li></b></a>甲", "甲"),
        ("<!--[if gte mso 9]><xml>x</xml><![endif]-->甲", "甲"),
        ("<![if !supportLists]>1.<![endif]>甲", "1.甲"),
        ("&lt;b&gt;甲&lt;/b&gt;", "<b>甲</b>"),
        ("甲 < 乙 <丙", "甲 < 乙 <丙"),
        ("<![>甲", "<!\\[>甲"),
        # as Word writes a table: a paragraph in every cell
        (
            (
                "<table><tr><th><p>姓名</p></th><th><p>时间</p></th></tr>\n<tr><td><p>李敏</p></td>"
                "<td><p><b>周一</b></p><p>九点</p></td><td></td></tr></table>"
            ),
            "姓名 | 时间\n\n李敏 | **周一** 九点 |",
        ),
        # a table that only holds a text in its place
        (
            "<table><tr><td>&nbsp;</td><td><p>一段</p><p>二段</p><ul><li>甲</li></ul>后</td></tr></table>末",
            "一段\n\n二段\n\n- 甲\n\n后\n\n末",
        ),
        ("<table><tr><td>外<table><tr><td>甲</td><td>乙</td></tr></table>里</td></tr></table>", "外\n\n甲 | 乙\n\n里"),
        ("<tr><td>甲<br>乙<td>丙</tr>", "甲 乙 | 丙"),
        ("<td>甲</td><td>乙</td>", "甲\n\n乙"),
    ],
)
def test_pieces(html: str, text: str) -> None:
    assert as_markdown(html) == text


def test_what_is_deep_or_long() -> None:
    assert as_markdown("<ul><li>" * 3000 + "甲") == "- 甲"
    assert len(as_markdown("<p>长</p>" * 20_000)) == 60_000 - 2
    assert as_markdown("<b>" * 50_000 + "甲") == "甲"


@pytest.mark.parametrize("piece", ["<b>甲", "<!--", '<a a="', "</", "<![if x>", " ", "<!--[if "])
def test_what_never_ends_holds_nobody_up(piece: str) -> None:
    # each beginning that was followed to the end of the text took hours here
    as_markdown(piece * 40_000)


@given(st.text(alphabet=st.sampled_from("<>/bapuloi123 hrefhttps:'\"=&;#!-[]()*\n甲乙"), max_size=80))
def test_whatever_is_pasted_is_no_markup(html: str) -> None:
    page = str(as_html(as_markdown(html)))
    assert "<script" not in page
    assert "javascript:" not in page
    assert "<img" not in page
