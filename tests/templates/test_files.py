"""Template files: those that come with the house, and a user's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from broadcaster.sms import split
from broadcaster.templates import compile_template, load, names
from broadcaster.templates.files import BUILT_IN, without_layout
from subscribers.errors import Invalid, NotFound

HEAD = "{#\nfields: name\nlanguage: zh\nparts: 2\n\nA greeting.\n#}\n"
FILLED = {
    "code": "012345",
    "name": "欧阳秀兰",
    "paper": "晨晖手机报",
    "come_back": "DY",
    "opt_out": "拒收请回复R",
    "text": "周三活动中心检修电路，全天不开门，棋牌、书画都改到周四。",
    "contact": "分会联络员",
    "number": 128,
    "date": "2026-11-23",
    "columns": [{"name": "要闻", "items": [{"headline": "一", "sms": "供暖了。"}]}],
}


def test_every_text_is_there_in_both_languages() -> None:
    by_language = {language: {name for name, spoken in names() if spoken == language} for language in ("zh", "en")}
    assert by_language["zh"] == by_language["en"]
    assert by_language["zh"] >= {"headlines", "notice", "replies/opted_out", "replies/received", "replies/come_back"}


@pytest.mark.parametrize(("name", "language"), names())
def test_every_text_prints_within_its_parts_with_and_without_what_may_be_left_out(name: str, language: str) -> None:
    file = load(name, language)
    template = compile_template(file.source, file.fields)
    assert template.fields == file.fields - ({"paper"} if name == "replies/received" else set())
    for left_out in ({"come_back", "opt_out", "contact"}, set()):
        filled = {field: value for field, value in FILLED.items() if field not in left_out}
        [text] = template.render_many(filled, [{}])
        assert text == text.strip()
        assert not re.search(r"\s\s", text)
        assert len(split(f"【晨晖手机报】{text}拒收请回复R").parts) <= file.max_parts


def test_every_file_is_found() -> None:
    assert len(list(BUILT_IN.rglob("*.txt"))) == len(names())


def test_layout_is_left_out_and_what_is_written_stays() -> None:
    source = "{# one\ntwo #}\n  {{ name }} 您好，\n\n\t今天  开会。 \n{{ nl }}{% if name %}\n  带书\n{% endif %}\n"
    assert without_layout(source) == "{{ name }} 您好，今天  开会。{{ nl }}{% if name %}带书{% endif %}"


def test_a_users_text_stands_before_the_built_in_one(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "birthday.zh.txt").write_text(HEAD + "{{ name }}生日快乐！", encoding="utf-8")
    (tmp_path / "notice.zh.txt").write_text("\ufeff" + HEAD + "{{ name }}，\n  你好", encoding="utf-8")
    (tmp_path / "README.txt").write_text("not a template", encoding="utf-8")
    assert load("own/birthday", "zh", tmp_path).source == "{{ name }}生日快乐！"
    notice = load("notice", "zh", tmp_path)
    assert (notice.source, notice.fields, notice.max_parts) == ("{{ name }}，你好", frozenset({"name"}), 2)
    assert load("notice", "zh").source != notice.source
    assert {("own/birthday", "zh"), ("notice", "zh"), ("headlines", "en")} <= set(names(tmp_path))


@pytest.mark.parametrize("name", ["notise", "../notice", "/etc/passwd", "notice.zh", ""])
def test_an_unknown_name_offers_those_there_are(name: str) -> None:
    with pytest.raises(NotFound) as refused:
        load(name, "zh")
    assert "notice" in refused.value.hint.format(**refused.value.fields)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{{ name }}", "must begin with a head"),
        (HEAD.replace("zh", "en").encode() + b"{{ name }}", "must begin with a head"),
        (HEAD.encode() + b"x\n{{ nmae }}", "Line 9: nobody fills in the field nmae. Write name."),
        (HEAD.encode(), "prints nothing"),
        ("你好".encode("gb18030"), "not written in UTF-8"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "mine.zh.txt").write_bytes(content)
    with pytest.raises(Invalid) as refused:
        load("mine", "zh", tmp_path)
    assert "mine.zh.txt" in str(refused.value)
    assert said in str(refused.value)
