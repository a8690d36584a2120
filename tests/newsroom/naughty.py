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
]
