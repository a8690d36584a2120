"""What is said right beside a text: what the check of the edition would find in it."""

from __future__ import annotations

from collections.abc import Iterable

from broadcaster.language import filled
from broadcaster.newspaper.lint import Remark, about_sentence, about_text


def beside_sentence(sms: str) -> list[tuple[str, str]]:
    """About the sentence of an item, in the reader's language: what it is, and what to do about it."""
    return _told(about_sentence(sms, ()))


def beside_text(body: str) -> list[tuple[str, str]]:
    """The same about the text of a variant that was written by hand."""
    return _told(about_text(body, (), ()))


def _told(remarks: Iterable[Remark]) -> list[tuple[str, str]]:
    return [(filled(each.message, each.fields), filled(each.hint, each.fields)) for each in remarks]
