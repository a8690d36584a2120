"""Full texts on a page: what has a meaning, and what has none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.web.markdown import as_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("一\n二\n\n三", "<p>一<br />\n二</p>\n<p>三</p>\n"),
        ("# 大\n\n###### 小", "<h3>大</h3>\n<h3>小</h3>\n"),
        ("- **一**\n- 二", "<ul>\n<li><strong>一</strong></li>\n<li>二</li>\n</ul>\n"),
        (
            "[看](https://example.org/a?b=1&c=2)",
            '<p><a href="https://example.org/a?b=1&amp;c=2" rel="noopener nofollow">看</a></p>\n',
        ),
        ("[打电话](tel:+8610000)", '<p><a href="tel:+8610000" rel="noopener nofollow">打电话</a></p>\n'),
        ("<b>x</b><script>alert(1)</script>", "<p>&lt;b&gt;x&lt;/b&gt;&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("[x](//evil.example)", '<p><a rel="noopener nofollow">x</a></p>\n'),
        ("[x](data:text/html,x)", "<p>[x](data:text/html,x)</p>\n"),
    ],
)
def test_a_text(text: str, html: str) -> None:
    assert as_html(text) == html


@pytest.mark.parametrize(
    "text", ["[x](javascript:alert(1))", "![x](https://evil.example/pixel)", "<img src=x onerror=a>"]
)
def test_what_leads_astray(text: str) -> None:
    html = as_html(text)
    assert "<img" not in html
    assert 'href="javascript' not in html


@pytest.mark.parametrize("sign", ["[", "*", ">", "`", "![", "- ", "_a", "<!--", "\\", "&"])
def test_a_text_made_to_take_long(sign: str) -> None:
    # a page that took minutes would end the test
    assert as_html(sign * (20_000 // len(sign)))


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab<>&\"'[]()*_#`-:/!\n\\", max_size=120))
def test_no_markup_of_ones_own(text: str) -> None:
    html = as_html(text)
    for tag in ("<script", "<img", "<iframe", "<style", "<svg"):
        assert tag not in html.lower()
