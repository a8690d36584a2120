"""What an editor should look at before an edition goes out: sentence by sentence. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from broadcaster.language import msgid
from broadcaster.newspaper import own_words
from broadcaster.newspaper.edition_file import EVERYONE, stands_in
from broadcaster.newspaper.models import Item, ItemState, VariantText
from broadcaster.sms import find_lookalikes

#: fields of templates and of other programs, which nobody fills in here
_FIELD = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\$\{.*?\}|\{ ?\w{1,30} ?\}|%\w{1,20}%|"
    r"[\[〔【（(](?:姓名|名字|组织|name|organisation)[\]〕】）)]"
)
#: what is written where something is to come
_LEFT_OVER = re.compile(
    r"<\w{1,20}>|[\[〔【（(](?:日期|时间|地点|链接|date|time|place|link)[\]〕】）)]|"
    r"[xX×＊*]{2,}[年月日时点分元人号]|待定|待补|TODO|TBD|XXX",
)
#: what fills in the text of a notice, and what nobody reads of it
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_LINK = re.compile(r"(?:https?://|www\.)[^\s\u3000-\u303f\uff00-\uffef]+", re.IGNORECASE)
_VARIABLE = re.compile(r"[{}$<>\[\]]|%7[bd]", re.IGNORECASE)
_SHORTENED = re.compile(
    r"(?:https?://)?(?:www\.)?(?:bit\.ly|t\.cn|dwz\.cn|url\.cn|suo\.im|tinyurl\.com)/", re.IGNORECASE
)
_HAN = re.compile("[\u3400-\u9fff]")
#: carriers take what stands in these for the signature
_BRACKETS = re.compile("【[^】]*】?|】")

_SEEMS = msgid("This looks like a field, and nobody fills it in: {what}")


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about an edition: a sentence of the catalogue and its fields. `stops`: it must not go out so."""

    message: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    hint: str = ""
    stops: bool = False
    item: Item | None = None
    #: there is another sentence for the item in which this is mended
    can_repair: bool = False
    #: for whom it may be meant: somebody has to say
    audiences: Sequence[Sequence[str]] = ()
    #: segments that would have to have a variant
    lacking: Sequence[str] = ()


def about_link(pages: str, *, is_published: bool) -> Iterator[Remark]:
    """Remarks on a text that ends with the address of its reading page. `pages`: where those stand; "": nowhere."""
    if not pages:
        yield Remark(
            msgid("It ends with the address of the reading page, and it is not set where pages are found."),
            hint=msgid("Ask the operator to set it (web.public_url), or take the address out of the text."),
            stops=True,
        )
    elif not is_published:
        yield Remark(
            msgid("It ends with the address of the reading page, which is not published."),
            hint=msgid("Publish the reading page, or take the address out of the text."),
            stops=True,
        )


def about_full_texts(
    items: Sequence[Item], variants: Sequence[str], own: Mapping[str, VariantText], pages: str
) -> Iterator[Remark]:
    """A remark on what stands on the reading page only, where no text leads. `own`: what was decided about the texts of
    variants, by name; `pages`: see `about_link`.
    """
    unread = [item.headline for item in items if _is_unread(item, variants, own)]
    if unread:
        hint = msgid("Choose at the text of a variant that it ends with the address of the reading page.")
        nowhere = msgid("There is no address of pages yet: ask the operator to set it.")
        yield Remark(
            msgid(
                "The full text or picture of these items is on the reading page only, and no text leads there: {names}."
            ),
            {"names": unread},
            hint if pages else nowhere,
        )


def _is_unread(item: Item, variants: Sequence[str], own: Mapping[str, VariantText]) -> bool:
    theirs = [own[name] for name in variants if name in own and stands_in(name, item.audience)]
    if item.state == ItemState.WITHDRAWN or any(each.with_link for each in theirs):
        return False
    is_in_texts = any(each.in_full and each.body is None for each in theirs)
    return item.picture is not None or bool(item.full and not is_in_texts)


def lint(
    items: Sequence[Item], variants: Sequence[str], *, day: date, forbidden: Collection[str], words: Collection[str]
) -> list[Remark]:
    """Remarks on the items of an edition, the worst first. `forbidden`: characters that a gateway refuses."""
    found = [remark for item in items for remark in _about(item, variants, day, forbidden, words)]
    standing = [item for item in items if item.state != ItemState.WITHDRAWN]
    found += [
        Remark(
            msgid("The variant {variant} has no item."),
            {"variant": variant},
            msgid("Put an item for it or for everyone into a column, or take it out of the variants."),
            stops=True,
        )
        for variant in variants
        if not any(stands_in(variant, item.audience) for item in standing)
    ]
    return sorted(found, key=lambda remark: not remark.stops)


def bearers(items: Sequence[Item], variants: Sequence[str]) -> set[str]:
    """The variants by which alone an item reaches anybody; where earlier ones have all their people, nobody has it."""
    theirs = [[name for name in variants if stands_in(name, item.audience)] for item in items]
    return {names[0] for names in theirs if len(names) == 1}


def _about(
    item: Item, variants: Sequence[str], day: date, forbidden: Collection[str], words: Collection[str]
) -> Iterator[Remark]:
    if item.state == ItemState.WITHDRAWN:
        yield Remark(msgid("It was withdrawn, and nobody gets it."), hint=msgid("Take it out."), item=item)
        return
    if item.state != ItemState.READY:
        yield Remark(
            msgid("It was sent back, and nobody has accepted it since."),
            hint=msgid("Accept it on its page, or take it out."),
            stops=True,
            item=item,
        )
    others = [name for name in item.audience if name not in EVERYONE]
    if others and len(others) < len(item.audience):
        yield Remark(
            msgid("It is for everyone and for {others} as well: everyone would get it."),
            {"others": others},
            msgid("Say which of the two is meant."),
            stops=True,
            item=item,
            audiences=(["everyone"], others),
        )
    if not any(stands_in(variant, item.audience) for variant in variants):
        yield Remark(
            msgid("No variant of this edition is for {audience}: nobody gets it."),
            {"audience": list(item.audience)},
            msgid("Add the variant, or say on the page of the item for whom it is."),
            stops=True,
            item=item,
            lacking=item.audience,
        )
    if item.valid_to is not None and item.valid_to < day:
        message = msgid("It is good until {day} only.")
        yield Remark(message, {"day": item.valid_to}, msgid("Take it out, or change the day."), item=item)
    if item.valid_from is not None and item.valid_from > day:
        message = msgid("It is good from {day} on only.")
        yield Remark(message, {"day": item.valid_from}, msgid("Take it out, or change the day."), item=item)
    more = (
        *about_sentence(item.sms, forbidden),
        *_about_words(f"{item.headline}\n{item.sms}\n{item.full}", words),
        *_about_lookalikes(item.sms),
    )
    yield from (replace(remark, item=item) for remark in more)


def about_sentence(text: str, forbidden: Collection[str]) -> Iterator[Remark]:
    """Remarks on what stands in an SMS as it was written, wherever it comes from."""
    if fields := list(dict.fromkeys(_FIELD.findall(_LINK.sub("", text)))):
        yield Remark(
            msgid("Nobody fills in a field in an item: {what}"),
            {"what": fields},
            msgid("The greeting has the member's name already. Write the words themselves, for all who read it."),
            stops=True,
        )
    if seeming := [each for each in own_words.unknown_fields(text) if each not in fields]:
        yield Remark(_SEEMS, {"what": seeming}, msgid("Members would read it as it stands."))
    yield from _about_rest(text, text, forbidden)


def about_notice(source: str) -> Iterator[Remark]:
    """Remarks on the text of a notice, with its fields in two braces: what looks like a field to whoever wrote it."""
    text = _LINK.sub("", _TEMPLATE.sub("", source))
    if seeming := [*dict.fromkeys([*_FIELD.findall(text), *own_words.all_bracketed(text)])]:
        hint = msgid("Members would read it as it stands. A field is written in two braces: {{{{ name }}}}.")
        yield Remark(_SEEMS, {"what": seeming}, hint)


def about_text(body: str, forbidden: Collection[str], words: Collection[str]) -> Iterator[Remark]:
    """Remarks on the text of a variant that was written by hand, with its fields as 〔姓名〕."""
    text = own_words.without_fields(body)
    unknown = own_words.unknown_fields(text)
    for each in unknown:
        text = text.replace(each, "")
    if fields := [*unknown, *dict.fromkeys(_FIELD.findall(_LINK.sub("", text)))]:
        yield Remark(
            msgid("There is no such field: {what}"),
            {"what": fields},
            msgid(
                "Two fields are there: 〔姓名〕 (or 〔name〕) and 〔组织〕 (or 〔organisation〕), written just so. "
                "Put other words into （）."
            ),
            stops=True,
        )
    yield from _about_rest(text, own_words.marked(body), forbidden)
    yield from _about_words(text, words)
    yield from _about_lookalikes(body)


def _about_rest(text: str, linked: str, forbidden: Collection[str]) -> Iterator[Remark]:
    """`linked`: the text with a sign in it wherever a field stands."""
    if left := list(dict.fromkeys(_LEFT_OVER.findall(_LINK.sub("", text)))):
        yield Remark(
            msgid("Something is still to be filled in: {what}"),
            {"what": left},
            msgid("Members would read it as it stands."),
            stops=True,
        )
    refused = sorted(set(text) & set(forbidden))
    if refused:
        yield Remark(
            msgid("Carriers do not take these characters: {characters}"),
            {"characters": " ".join(map(_visible, refused))},
            msgid("Write it without them."),
            stops=True,
        )
    elif _BRACKETS.search(text):
        yield Remark(
            msgid("There are 【】 in the sentence; carriers take these for the signature."),
            hint=msgid("Write “” or () instead."),
        )
    for link in _LINK.findall(linked):
        if _VARIABLE.search(link):
            message, stops = msgid("A link has a field in it, and leads nowhere: {link}"), True
        elif _HAN.search(link):
            message, stops = msgid("The words behind a link become part of it: {link}"), True
        elif _SHORTENED.match(link):
            message, stops = msgid("A shortened link is taken for a fraud by carriers: {link}"), False
        else:
            continue
        yield Remark(
            message,
            {"link": link.replace(own_words.FIELD_IN_LINK, "〔…〕")[:80]},
            msgid("A space ends a link."),
            stops=stops,
        )


def _about_words(text: str, words: Collection[str]) -> Iterator[Remark]:
    text = text.casefold()
    if there := [word for word in words if word.casefold() in text]:
        yield Remark(
            msgid("Words of your list stand in it: {words}"),
            {"words": there},
            msgid("The list is under Settings, Words."),
        )


def _about_lookalikes(text: str) -> Iterator[Remark]:
    if looks := find_lookalikes(text):
        yield Remark(
            msgid("Characters that look like others ({count}): {characters}"),
            {"count": len(looks), "characters": " ".join(dict.fromkeys(_visible(each.character) for each in looks))},
            msgid("They are hard to read, or cost more."),
            can_repair=True,
        )


def _visible(character: str) -> str:
    return character if character.isprintable() and not character.isspace() else f"U+{ord(character):04X}"
