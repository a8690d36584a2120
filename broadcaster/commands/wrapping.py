"""Where a line may end: Rich ends one at blanks, and Chinese has none; a stop never begins a line."""

from __future__ import annotations

import re

import rich._wrap

_HAN = "\u2e80-\u2fff\u3400-\u9fff\uf900-\ufaff"
_OPENS, _CLOSES = "（《〈【「『〔", "，。、；：？！）》〉】」』〕…"
_WORD = re.compile(
    rf"\s*(?:[{_OPENS}“]*(?:[{_HAN}]|[^\s{_HAN}{_OPENS}{_CLOSES}]+)[{_CLOSES}”]*|[{_OPENS}{_CLOSES}]+)\s*"
)


def between_characters() -> None:
    """Have texts end their lines between any two Chinese characters, in this process."""
    rich._wrap.re_word = _WORD
