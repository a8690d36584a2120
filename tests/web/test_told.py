"""Errors on pages: without commands, and without a mark under a place that stands elsewhere there."""

from __future__ import annotations

import pytest

from broadcaster.language import CATALOGUE, Language, read_catalogue, set_language
from broadcaster.language.collect import fields as fields_of
from broadcaster.web.told import told, without_place
from subscribers.errors import BroadsheetError, Invalid, NotFound
from subscribers.rules.faults import pointer


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NotFound("No.", hint="`broadsheet editions list` shows those there are."), ("No.", "")),
        (Invalid("No.", hint="Correct it. If two share it, say so with --shared."), ("No.", "Correct it.")),
        (Invalid("No.", hint="If two share it, say so (--shared)."), ("No.", "If two share it, say so.")),
        (Invalid("No.", hint="Choose another one, or open it: `broadsheet x reopen`."), ("No.", "")),
        (
            Invalid("No.", hint="Write it like 2026-11-25. See docs/x.md."),
            ("No.", "Write it like 2026-11-25. See docs/x.md."),
        ),
        (Invalid("At {column}.\n  {line}\n  {caret}", **pointer("age >", 5)), ("At 6.", "")),
        (Invalid("These:\n- a\n- b"), ("These:\n- a\n- b", "")),
    ],
)
def test_what_only_a_command_line_can_do_is_left_out(error: BroadsheetError, said: tuple[str, str]) -> None:
    set_language("en")
    assert told(error) == said


def test_in_chinese() -> None:
    set_language("zh")
    error = NotFound(
        "There is no edition {number}.", hint="`broadsheet editions list` shows those there are.", number=9
    )
    assert told(error) == ("没有第 9 期。", "")
    mixed = Invalid("x", hint="Correct the number or the name. If two people share the handset, say so (--shared).")
    what, then = told(mixed)
    assert what == "x"
    assert then == "请改正号码或姓名。如果两人共用一部手机，请注明。"
    assert "--" not in then


@pytest.mark.parametrize("tongue", ["zh", "en"])
def test_the_place_in_a_rule_is_left_out_for_who_has_not_typed_it(tongue: Language) -> None:
    set_language(tongue)
    of_rules = [each for each in read_catalogue(CATALOGUE) if "{caret}" in each and " from column " not in each]
    assert len(of_rules) > 10
    for message in of_rules:
        fields = dict.fromkeys(fields_of(message), "x") | pointer("age >", 5)
        words = without_place(told(Invalid(message, **fields))[0])
        assert not any(each in words for each in ("column", "列", "\n", "6")), words
