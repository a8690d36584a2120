"""Strings that somebody may type into any field."""

from __future__ import annotations

#: what breaks out of HTML, of SQL, of a rule, of a sentence with fields, of an address
NAUGHTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'; drop table member;--",
    "{name} {0} %s %(x)s {{ 7*7 }}",
    "../../../etc/passwd",
    "\u202e\u200b\ufeff",
    "a" * 5000,
    "李\U0001f600\u0301",
    "%00%0a%c0%af",
    "=cmd|' /C calc'!A0",
    "-1",
    "9" * 40,
    "(" * 300,
    # out of an attribute, of a text field, of a comment
    'x\' " naughty="1" onfocus=alert(1) autofocus </textarea></select></title><naughty>-->]]>',
    "javascript:alert(1)//&lt;naughty&gt;&#x6e;",
    "{% raw %}{{ config }}{% endraw %}${7*7}#{7*7}",
    "a' or '1'='1\\",
    # lines, and what some take for their end
    "一\r\nSet-Cookie: naughty=1\r\n\r\n二",
    "一\u2028二\u2029三\x85四\x0b五",
    " \t\u3000\u00a0",
    # what a terminal obeys; the other way round; what joins and what is put on top
    "\x1b[31m红\x1b[0m\x07\x08",
    "abc\u202edef\u2066ghi\u2069",
    "\U0001f469\U0001f3fd\u200d\U0001f680 \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1e8\U0001f1f3 5\ufe0f\u20e3",
    "Z\u0337\u0351\u0342a\u0335\u0328l\u0334g\u0335o\u0327",
    "مرحبا بالعالم",
    # what is taken for a number, or for none, by some
    "１２３４５",
    "²³",
    "٣",
    "9" * 5000,
    "NaN",
    "1e999",
    # for a day
    "0001-01-01",
    "9999-12-31",
    # the marks of a signature, and of another
    "【晨晖】】【",
    "\uffff\ufdd0\U0010ffff",
]
#: what no text can hold: half a pair, as a broken client sends it, and what ends a text elsewhere
UNKEEPABLE = ["半\ud83d个", "a\x00b"]
#: as much of it as one line takes
TOGETHER = " ".join(each for each in NAUGHTY if len(each) < 100 and each.isprintable())
#: of all these, those that break whoever reads a number, a day, a choice or a name that is not typed
FOR_CHOICES = [
    NAUGHTY[0],
    NAUGHTY[13],
    "-1",
    "9" * 40,
    "9" * 5000,
    "²³",
    "９",
    "",
    "a" * 5000,
    *UNKEEPABLE,
]


def encode(typed: str) -> bytes:
    """As it is sent: UTF-8, and half a pair as three bytes that are none."""
    return typed.encode("utf-8", "surrogatepass")
