"""Pictures that stand beside an edition file: taken in with it, small, and refused by their names."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from broadcaster.newspaper import editions, pictures
from broadcaster.newspaper.edition_file import parse
from broadcaster.newspaper.edition_pictures import read_pictures
from broadcaster.newspaper.models import Edition, Item, ItemPicture, Picture
from subscribers.actor import OPERATOR
from subscribers.errors import Conflict, Invalid
from tests.pictures import drawn, encoded

FILE = """
number = 128
date = 2026-11-23
title = "供暖周"
variants = ["everyone"]
[[columns]]
name = "要闻"
[[columns.items]]
headline = "供暖了"
sms = "今天供暖。"
picture = "pictures/warm.jpg"
alt = "锅炉房门口的师傅"
[[columns.items]]
headline = "团聚"
sms = "周三团聚。"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/warm.jpg").write_bytes(encoded(drawn(3000, 2000)))
    return tmp_path


def taken_in(session: Session, folder: Path, now: datetime, source: str = FILE) -> Edition:
    made = read_pictures(source.encode(), folder)
    return editions.import_edition(session, OPERATOR, source, pictures=made, now=now)


def test_they_are_taken_in_small_with_their_words(session: Session, folder: Path, now: datetime) -> None:
    edition = taken_in(session, folder, now)
    session.expire_all()
    rows = session.execute(
        select(Item.headline, ItemPicture.alt, Picture.small_width, Picture.small_size)
        .outerjoin(ItemPicture, ItemPicture.item_id == Item.id)
        .outerjoin(Picture, Picture.id == ItemPicture.picture_id)
        .order_by(Item.id)
    ).all()
    assert [(row[0], row[1], row[2]) for row in rows] == [("供暖了", "锅炉房门口的师傅", 640), ("团聚", None, None)]
    assert rows[0].small_size <= 20_000
    kept = session.scalars(select(Picture.id)).one()
    assert pictures.look(session, OPERATOR, kept)[:2] == b"\xff\xd8"
    assert taken_in(session, folder, now) is edition, "the same file again changes nothing"
    assert session.scalars(select(Picture.id)).all() == [kept]


def test_another_picture_or_other_words_are_another_content(session: Session, folder: Path, now: datetime) -> None:
    taken_in(session, folder, now)
    with pytest.raises(Conflict):
        taken_in(session, folder, now, FILE.replace("师傅", "人"))
    (folder / "pictures/warm.jpg").write_bytes(encoded(drawn(3000, 2000, blue=7)))
    with pytest.raises(Conflict):
        taken_in(session, folder, now)


def test_what_is_not_beside_the_file(session: Session, folder: Path, now: datetime) -> None:
    (folder / "pictures/warm.jpg").unlink()
    with pytest.raises(Invalid, match=r"There is no picture pictures/warm\.jpg beside"):
        read_pictures(FILE.encode(), folder)
    with pytest.raises(Invalid, match=r"There is no picture pictures/warm\.jpg beside"):
        editions.import_edition(session, OPERATOR, FILE, now=now)
    (folder / "pictures/warm.jpg").mkdir()
    with pytest.raises(Invalid, match="There is no picture"):
        read_pictures(FILE.encode(), folder)


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        (
            b"\0\0\0\x18ftypheic" + b"\0" * 100,
            "warm.jpg cannot be used. This is a HEIC picture",
            "Most Compatible",
        ),
        (b"x" * 100, "warm.jpg cannot be used. This is no picture that can be used.", "Choose a JPEG"),
        (encoded(drawn(9000, 20)), "warm.jpg cannot be used. Of 9000 × 20 points", "Choose a larger picture"),
    ],
)
def test_what_is_no_picture_is_refused_by_its_name(folder: Path, content: bytes, said: str, hint: str) -> None:
    (folder / "pictures/warm.jpg").write_bytes(content)
    with pytest.raises(Invalid) as refused:
        read_pictures(FILE.encode(), folder)
    assert said in str(refused.value)
    assert hint in refused.value.hint.format(**refused.value.fields)


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ('alt = "锅炉房门口的师傅"\n', "", "lacks columns[1].items[1].alt."),
        ('picture = "pictures/warm.jpg"\n', "", "lacks columns[1].items[1].picture."),
        ("锅炉房门口的师傅", " ", "alt must be one line, and not empty."),
        ("锅炉房门口的师傅", "长" * 151, "alt has 151 characters; 150 are the most."),
        ("pictures/warm.jpg", "/etc/warm.jpg", "picture must be the name of a file beside the edition file."),
        ("pictures/warm.jpg", "pictures/../../warm.jpg", "picture must be the name of a file beside"),
        ("pictures/warm.jpg", "C:/warm.jpg", "picture must be the name of a file beside"),
        ("pictures/warm.jpg", "..\\\\warm.jpg", "picture must be the name of a file beside"),
    ],
)
def test_how_they_are_named(written: str, instead: str, said: str) -> None:
    assert written in FILE
    with pytest.raises(Invalid) as refused:
        parse(FILE.replace(written, instead))
    assert said in str(refused.value)
