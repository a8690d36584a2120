"""Numbers that are known roughly, as people read them."""

from __future__ import annotations

import pytest

from broadcaster.language import Language, set_language
from broadcaster.web.figures import about


@pytest.mark.parametrize(
    ("tongue", "n", "told"),
    [
        ("zh", 1_304_121, "130 万"),
        ("zh", 24_900, "2.5 万"),
        ("zh", 9_871, "9900"),
        ("zh", 9_971, "1 万"),
        ("zh", 12, "12"),
        ("en", 1_304_121, "1.3 million"),
        ("en", 130_412, "130,000"),
        ("en", 0, "0"),
    ],
)
def test_about(tongue: Language, n: int, told: str) -> None:
    set_language(tongue)
    assert about(n) == told
