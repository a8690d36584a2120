"""The words of an item: as they were typed, cleaned and held to what a page and an SMS have room for. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from broadcaster.newspaper.edition_file import MAX_ALT, MAX_FULL, MAX_HEADLINE, MAX_SMS
from broadcaster.newspaper.pasted import clean_line, clean_text
from broadcaster.newspaper.values import MAX_ENTRIES
from broadcaster.words import segment_name
from subscribers.errors import Invalid

MAX_SOURCE = 100


class Unfit(Invalid):
    """One of the words is missing, too long, or does not agree with another one."""

    #: which of `Words`
    at = ""


class Undescribed(Invalid):
    """There is a picture without words for it."""


class Unaddressed(Invalid):
    """It is not said for whom it is, or said in two ways."""


class Unmeant(Invalid):
    """A line of those for whom it is, which says nobody."""


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody writes in an item."""

    headline: str
    #: what stands in the SMS: one line
    sms: str
    #: Markdown for the reading page; may be empty
    full: str = ""
    audience: tuple[str, ...] = ("everyone",)
    #: the organisation or person that it comes from
    source: str = ""
    #: the column in which it wants to stand
    standing_id: int | None = None
    valid_from: date | None = None
    valid_to: date | None = None
    picture_id: int | None = None
    #: what is in the picture, for who cannot see it
    alt: str = ""


def checked(words: Words) -> Words:
    """The same without what came along from Word. Raises `Invalid`, naming what is missing or too long."""
    clean = replace(
        words,
        headline=clean_line(words.headline),
        sms=clean_line(words.sms),
        full=clean_text(words.full),
        source=clean_line(words.source),
        alt=clean_line(words.alt) if words.picture_id else "",
        audience=tuple(dict.fromkeys(segment_name(name) for name in map(clean_line, words.audience) if name))
        or ("everyone",),
    )
    if not clean.headline:
        raise at_field("headline", Unfit("The headline is missing.", hint="Write a headline."))
    if not clean.sms:
        raise at_field(
            "sms", Unfit("The sentence for the SMS is missing.", hint="Write one sentence that says it all.")
        )
    if clean.picture_id and not clean.alt:
        raise Undescribed(
            "It is not said what is in the picture.",
            hint="Write it in one sentence, for who cannot see the picture or does not load it.",
        )
    for name, limit in (
        ("headline", MAX_HEADLINE),
        ("sms", MAX_SMS),
        ("full", MAX_FULL),
        ("source", MAX_SOURCE),
        ("alt", MAX_ALT),
    ):
        text = getattr(clean, name)
        if len(text) > limit:
            long = Unfit(
                "“{beginning}…” has {length} characters; {limit} are the most here.",
                hint="Shorten it, or make two items of it."
                if name == "full"
                else "Long texts belong into the full text, which stands on the reading page.",
                beginning=text[:20],
                length=len(text),
                limit=limit,
            )
            raise at_field(name, long)
    if len(clean.audience) > MAX_ENTRIES:
        raise Invalid("An item can be for {limit} segments at most.", limit=MAX_ENTRIES)
    if clean.valid_from and clean.valid_to and clean.valid_to < clean.valid_from:
        raise at_field("valid_to", Unfit("The item would end before it begins.", hint="Change one of the two days."))
    return clean


def at_field(name: str, error: Unfit) -> Unfit:
    """The error, about this field of `Words`."""
    error.at = name
    return error
