from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from broadcaster.campaigns.dress import Dress, dressed
from broadcaster.campaigns.render import readers_of
from subscribers.nowhere import DEFAULT_ORGANISATION
from tests.factories import NOW, make_member


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("明天九点开会。", "【晨晖】明天九点开会。拒收请回复R"),
        ("收到请回复", "【晨晖】收到请回复 拒收请回复R"),
        ("Room 3", "【晨晖】Room 3 拒收请回复R"),
        ("谢谢！\n", "【晨晖】谢谢！拒收请回复R"),
    ],
)
def test_the_opt_out_line_does_not_run_into_the_text(body: str, text: str) -> None:
    assert dressed(Dress(signature="【晨晖】", opt_out="拒收请回复R"), body) == text


def test_without_an_opt_out_line_nothing_is_added() -> None:
    assert dressed(Dress(signature="", opt_out=""), "收到请回复") == "收到请回复"


def test_who_has_no_organisation_has_none_to_print(session: Session) -> None:
    alone = make_member(session, organisation=DEFAULT_ORGANISATION)
    below = make_member(session, organisation=f"East City/{DEFAULT_ORGANISATION}")
    readers = readers_of(session, [alone.id, below.id], on=NOW.date())
    assert readers[alone.id]["organisation"] is None
    assert readers[below.id]["organisation"] == DEFAULT_ORGANISATION


def test_only_what_is_asked_for_is_looked_up(session: Session) -> None:
    member = make_member(session, organisation="East City", fields={"seat": "A1"})
    whole = {"name": member.name, "organisation": "East City", "seat": "A1"}
    assert readers_of(session, [member.id], on=NOW.date()) == {member.id: whole}
    assert readers_of(session, [member.id], on=NOW.date(), fields={"seat", "organisation"}) == {member.id: whole}
    for fields in ({"name"}, set[str]()):
        [found] = readers_of(session, [member.id], on=NOW.date(), fields=fields).values()
        assert found == {"name": member.name, "organisation": None}
    [found] = readers_of(session, [member.id], on=NOW.date(), fields={"seat"}).values()
    assert found["seat"] == "A1"
