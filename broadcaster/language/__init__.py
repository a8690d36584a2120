"""What people read, in their language.

An English sentence with named fields is its own key. Chinese stands in `broadcaster/locale/zh_CN/LC_MESSAGES/
broadsheet.po`; a sentence missing there is shown in English, and `tests/test_language.py` fails for it.
`python -m broadcaster.language --missing` prints what is still to be translated.
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Literal

from subscribers.errors import BroadsheetError

Language = Literal["zh", "en"]

CATALOGUE = Path(__file__).parents[1] / "locale" / "zh_CN" / "LC_MESSAGES" / "broadsheet.po"

_chosen: ContextVar[Language | None] = ContextVar("language", default=None)
#: the first of these that is set decides, as in POSIX
_VARIABLES = ("BROADSHEET_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
#: ends of sentences that are as wide as two letters, the blank behind them being in them
_WIDE_ENDS = ("。", "！", "？", "：", "；")
_ENTRY = re.compile(
    r"""^msgid[ ](?P<msgid>(?:".*"\n)+)
        (?:msgid_plural[ ](?:".*"\n)+)?
        msgstr(?:\[0\])?[ ](?P<msgstr>(?:".*"\n)+)""",
    re.MULTILINE | re.VERBOSE,
)


def set_language(language: Language | None) -> None:
    """Speak this language from here on, in this thread or request only; None: what the environment says again."""
    _chosen.set(language)


def language() -> Language:
    """The language of whoever reads: the one that was set, else that of the environment, else English."""
    chosen = _chosen.get()
    if chosen is not None:
        return chosen
    wish = next((os.environ[name] for name in _VARIABLES if os.environ.get(name)), "")
    return "zh" if wish.lower().startswith("zh") else "en"


def translated(message: str) -> str:
    """The sentence in the reader's language, its fields still empty; itself where the catalogue does not have it."""
    if language() == "en":
        return message
    return read_catalogue(CATALOGUE).get(message) or message


def tr(message: str, /, **fields: object) -> str:
    """The sentence in the reader's language, its named fields filled in."""
    return translated(message).format(**fields)


def filled(message: str, fields: Mapping[str, object]) -> str:
    """The same for a sentence that was kept; a list among its fields stands as the reader's language lists things."""
    told = {name: listed(map(str, value)) if isinstance(value, list) else value for name, value in fields.items()}
    return translated(message).format(**told)


def msgid(message: str, /) -> str:
    """Mark a sentence that is kept now and translated later, so that the catalogue gets it; it comes back as it is."""
    return message


def ntr(singular: str, plural: str, n: int, /, **fields: object) -> str:
    """The sentence for a count; `{n}` is the count. English has two forms, Chinese one."""
    chinese = read_catalogue(CATALOGUE).get(singular) if language() == "zh" else None
    return (chinese or (singular if n == 1 else plural)).format(n=n, **fields)


class Phrase(str):
    """A field of an error's sentence that is itself a phrase of the catalogue, told in the reader's language."""


#: what the operating system says by itself, always in English; fields of ours have it as it came
_OF_THE_SYSTEM = frozenset(map(os.strerror, errno.errorcode))


def tell(error: BroadsheetError) -> tuple[str, str]:
    """What happened and what to do about it, in the reader's language; the second is "" when there is no hint."""
    fields = {
        name: translated(value) if isinstance(value, str) and _is_phrase(value) else value
        for name, value in error.fields.items()
    }
    return filled(error.message, fields), filled(error.hint, fields)


def _is_phrase(value: str) -> bool:
    return isinstance(value, Phrase) or value in _OF_THE_SYSTEM


def kept(error: BroadsheetError, room: int) -> str:
    """An error as a text of at most so many characters, from which `retold` makes a sentence in any language.

    What there is to do about it is kept as well, where there is room.
    """
    sentence = str(error)
    plain = (int, float, list)
    fields = {name: value if isinstance(value, plain) else str(value) for name, value in error.fields.items()}
    phrases = [name for name, value in error.fields.items() if isinstance(value, Phrase)]
    for more in ((error.hint,), ()):
        text = json.dumps([error.message, fields, phrases, *more], ensure_ascii=False)
        if len(text) <= room:
            return text
    return sentence[:room]


def retold(text: str) -> str:
    """What `kept` made, in the reader's language; any other text as it is."""
    return _retold(text)[0]


def retold_hint(text: str) -> str:
    """What to do about it, as far as `kept` had room for it."""
    return _retold(text)[1]


def retold_whole(text: str) -> str:
    """Both, one behind the other."""
    return in_a_row(*_retold(text))


def in_a_row(*sentences: str) -> str:
    """Sentences one behind the other, without those that are empty; no blank stands behind a Chinese full stop.

    >>> in_a_row("One.", "", "Two."), in_a_row("一。", "二。")
    ('One. Two.', '一。二。')
    """
    row = ""
    for sentence in sentences:
        row += " " * bool(row and sentence and not row.endswith(_WIDE_ENDS)) + sentence
    return row


def listed(items: Iterable[str]) -> str:
    """Things one after the other, as the reader's language lists them.

    >>> listed(["a", "b"])
    'a, b'
    """
    return ("、" if language() == "zh" else ", ").join(items)


def clauses(*parts: str) -> str:
    """Parts of a sentence one after the other, without those that are empty, as the reader's language sets them apart.

    >>> clauses("a", "", "b")
    'a; b'
    """
    return ("；" if language() == "zh" else "; ").join(filter(None, parts))


def _retold(text: str) -> tuple[str, str]:
    try:
        message, fields, phrases, *more = json.loads(text)
        told = {n: Phrase(v) if n in phrases else v for n, v in fields.items()}
        return tell(BroadsheetError(message, hint="".join(more), **told))
    except (ValueError, TypeError, LookupError, AttributeError):
        return text, ""


@cache
def read_catalogue(file: Path) -> dict[str, str]:
    """The translations in a .po file by English sentence; a sentence with plural forms by its singular.

    Babel reads the same in 90 ms, most of it its own import: too long for every command that speaks Chinese.
    """
    entries = _ENTRY.finditer(file.read_text(encoding="utf-8"))
    translations = {_unquoted(entry["msgid"]): _unquoted(entry["msgstr"]) for entry in entries}
    translations.pop("", None)  # the file's own head
    return translations


def _unquoted(lines: str) -> str:
    return "".join(json.loads(line) for line in lines.splitlines())
