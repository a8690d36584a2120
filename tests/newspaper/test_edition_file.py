"""Edition files: what can be written, and what is said of what cannot."""

from __future__ import annotations

import codecs
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcaster.newspaper.edition_file import (
    MAX_BYTES,
    MAX_SMS,
    ColumnText,
    EditionText,
    ItemText,
    decode,
    parse,
    stands_in,
)
from subscribers.errors import Invalid

FILE = """
number = 128
date = 2026-11-23
title = "供暖周"
variants = ["retired", "everyone"]
[[columns]]
name = "要闻"
[[columns.items]]
headline = "供暖了"
sms = "今天供暖。"
full = "**今天**\\n供暖。"
audience = ["everyone"]
[[columns.items]]
headline = "团聚"
sms = "周三团聚。"
audience = ["retired"]
"""

LINES = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=1, max_size=30)


def test_reads_what_is_written() -> None:
    assert parse(FILE) == EditionText(
        number=128,
        date=date(2026, 11, 23),
        title="供暖周",
        variants=("retired", "everyone"),
        columns=(
            ColumnText(
                "要闻",
                (
                    ItemText("供暖了", "今天供暖。", "**今天**\n供暖。", ("everyone",)),
                    ItemText("团聚", "周三团聚。", "", ("retired",)),
                ),
            ),
        ),
    )


def test_an_item_without_audience_is_for_everyone() -> None:
    edition = parse(FILE.replace('audience = ["everyone"]\n', ""))
    assert edition.columns[0].items[0].audience == ("everyone",)


def test_everyone_may_be_written_in_chinese() -> None:
    edition = parse(FILE.replace('"everyone"', '"所有人"'))
    assert edition.variants == ("retired", "所有人")
    assert stands_in("retired", edition.columns[0].items[0].audience)
    with pytest.raises(Invalid, match="stands before others"):
        parse(FILE.replace('["retired", "everyone"]', '["所有人", "retired"]'))


@settings(max_examples=100)
@given(st.lists(st.tuples(LINES, LINES), min_size=1, max_size=5), LINES)
def test_any_text_comes_out_as_it_was_written(items: list[tuple[str, str]], title: str) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    tables = "".join(f"[[columns.items]]\nheadline = {quoted(h)}\nsms = {quoted(s)}\n" for h, s in items)
    head = f'number = 1\ndate = 2026-11-23\ntitle = {quoted(title)}\nvariants = ["everyone"]\n'
    edition = parse(decode(f'{head}[[columns]]\nname = "x"\n{tables}'.encode()))
    assert edition.title == title
    assert [(item.headline, item.sms) for item in edition.columns[0].items] == items


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_tolerated(newline: str) -> None:
    source = codecs.BOM_UTF8 + FILE.replace("\n", newline).encode()
    assert decode(source)[0] == newline[0]
    assert parse(decode(source)) == parse(FILE) == parse("\ufeff" + FILE)


@pytest.mark.parametrize(
    ("encoding", "named"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("utf-32", "UTF-32"),
        ("gb18030", "GB18030"),
        ("gbk", "GB18030"),
    ],
)
def test_another_encoding_is_named_with_the_way_out(encoding: str, named: str) -> None:
    with pytest.raises(Invalid) as refused:
        decode(FILE.encode(encoding))
    assert str(refused.value) == f"The edition file is written in {named}, not in UTF-8."
    assert f"iconv -f {named} -t UTF-8" in refused.value.hint.format(**refused.value.fields)


@pytest.mark.parametrize("source", [b"\x89PNG\r\n\x1a\n\xff\xff\xff", b"\xff" * 50])
def test_what_is_no_text_is_refused_too(source: bytes) -> None:
    with pytest.raises(Invalid, match="not in UTF-8"):
        decode(source)


def test_a_file_without_end_is_refused_unread() -> None:
    with pytest.raises(Invalid, match="bytes"):
        decode(b"#" * (MAX_BYTES + 1))


@pytest.mark.parametrize(
    ("written", "instead", "said", "hint"),
    [
        ('title = "供暖周"', "title = “供暖周”", "Line 4: this is not TOML: Invalid value.", "straight quotes"),
        ('name = "要闻"', 'name = "要闻', "Line 7: this is not TOML", ""),
        ("number = 128", "number = 128\nnumber = 129", "Line 3: this is not TOML", ""),
        ("number = 128", "x = " + "[" * 5_000, "nested too deeply", ""),
        ("number = 128", "numbre = 128", "An edition file has no key numbre.", "Did you mean number?"),
        ('sms = "周三', 'smss = "周三', "no key columns[1].items[2].smss.", "Did you mean sms?"),
        ('name = "要闻"', 'name = "要闻"\nowner = "x"', "no key columns[1].owner.", "Known here are: name, items."),
        ("number = 128\n", "", "The edition file lacks number.", "Write number = 128."),
        ("date = 2026-11-23\n", "", "The edition file lacks date.", "Write date = 2026-11-23."),
        ('sms = "周三团聚。"\n', "", "lacks columns[1].items[2].sms.", 'Write sms = "...".'),
        ("number = 128", 'number = "128"', "number must be a whole number from 1 to 1000000.", "without quotes"),
        ("number = 128", "number = 0", "number must be a whole number", ""),
        ("number = 128", "number = true", "number must be a whole number", ""),
        ("number = 128", "number = 128.0", "number must be a whole number", ""),
        ("2026-11-23", '"2026-11-23"', "date must be a date without a time.", "without quotes"),
        ("2026-11-23", "2026-11-23T10:00:00", "date must be a date without a time.", ""),
        ("2026-11-23", "2026-11-31", "Line 3: this is not TOML", ""),
        ('title = "供暖周"', 'title = " "', "title must be one line, and not empty.", ""),
        ('title = "供暖周"', "title = 7", "title must be text.", "straight quotes"),
        ('"今天供暖。"', '"""今天\n供暖。"""', "columns[1].items[1].sms must be one line", ""),
        ('"今天供暖。"', '"今天\\u0000供暖。"', "sms holds the control character U+0000.", "copied"),
        ('"今天供暖。"', f'"{"长" * (MAX_SMS + 1)}"', "sms has 501 characters; 500 are the most.", "full"),
        ('["retired", "everyone"]', '"everyone"', "variants must be a list of segments", "For example"),
        ('["retired", "everyone"]', "[]", "variants must be a list of segments", ""),
        ('["retired", "everyone"]', "[1]", "variants[1] must be text.", ""),
        ('["retired", "everyone"]', '["retired", "retired"]', "variants names retired twice.", ""),
        ('["retired", "everyone"]', '["everyone", "retired"]', "for everyone stands before others", "at the end"),
        ('["retired"]', '["retierd"]', "团聚 is for retierd, but the edition has no such variant.", "mean retired?"),
        ('["retired"]', '["in_service"]', "团聚 is for in_service", "Name it in variants too"),
        ('["everyone"]\n', '["retired"]\n', "The variant everyone has no item.", "take it out"),
        (
            FILE[FILE.index("[[columns.items]]") :],
            "[columns.items]",
            "columns[1].items must be a list",
            "[[columns.items]]",
        ),
        (FILE[FILE.index("[[columns.items]]") :], "", "lacks columns[1].items.", "Write [[columns.items]]."),
        (FILE[FILE.index("[[columns]]") :], "[columns]", "columns must be a list of tables", "[[columns]]"),
        (FILE[FILE.index("[[columns]]") :], "columns = [1]", "columns must be a list of tables", ""),
        (FILE[FILE.index("[[columns]]") :], "columns = []", "columns must be a list of tables, from 1 to 30.", ""),
    ],
)
def test_says_what_is_wrong_and_what_to_write(written: str, instead: str, said: str, hint: str) -> None:
    assert written in FILE
    with pytest.raises(Invalid) as refused:
        parse(FILE.replace(written, instead, 1))
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert hint in refused.value.hint.format(**refused.value.fields)
