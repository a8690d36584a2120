"""Reading a source runs nothing of it."""

from __future__ import annotations

import pytest

from broadcaster.templates.source import fields_of
from subscribers.errors import Invalid


def test_tells_the_fields_of_a_text_that_nobody_has_checked() -> None:
    source = "{{ name }}{{ nl }}{% if city %}x{% endif %}{% for column in columns %}{{ column.name }}{% endfor %}"
    assert fields_of(source) == {"name", "city", "columns"}
    assert fields_of("今天开会。") == frozenset()
    with pytest.raises(Invalid, match="cannot be read"):
        fields_of("{{ name")
    with pytest.raises(Invalid, match="nested too deeply"):
        fields_of("{{ " + "(" * 3_900 + " }}")
    assert fields_of("{{ name" + ".a" * 1_900 + " }}") == {"name"}


def test_nothing_is_worked_out_while_reading() -> None:
    assert fields_of("{{ name }}{{ 9 ** 9 ** 9 ** 9 }}{{ 'a' * 30000000000 }}") == {"name"}
