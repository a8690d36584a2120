"""The text of a variant as an editor writes it: with fields as 〔姓名〕, and no sign of a template. Pure."""

from __future__ import annotations

import re

from broadcaster.newspaper.pasted import clean_text
from subscribers.errors import Invalid

#: as they are written in a text -> the field of a template
FIELDS = {"姓名": "name", "name": "name", "组织": "organisation", "organisation": "organisation"}
MAX_BODY = 1_500
#: what stands for a field where a text is looked through for links
FIELD_IN_LINK = "{}"
_CHIP = re.compile(rf"〔({'|'.join(FIELDS)})〕")
_BRACKETED = re.compile("〔[^〔〕\n]{0,30}〕")
#: signs of templates, here and in other programs
_BRACES = re.compile("[{}]+")
_MARKS = re.compile(r"(?<!\*)\*\*(?=\S)|(?<=\S)\*\*(?!\*)|^#{1,6} +", re.MULTILINE)
# neither may begin again within itself: from each beginning the whole rest would be read
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]*)\)")


def checked(body: str) -> str:
    """The text, cleaned. Raises `Invalid` for one that is empty, too long, or has signs of a template."""
    body = clean_text(body)
    if not body:
        raise Invalid("The text is empty.", hint="Write what the members should read.")
    if len(body) > MAX_BODY:
        raise Invalid("A text has {limit} characters at most.", hint="Shorten it.", limit=MAX_BODY)
    if found := _BRACES.search(body):
        raise Invalid(
            "{sign} has no meaning in a text.",
            hint="Two fields are there: 〔姓名〕 (or 〔name〕) and 〔组织〕 (or 〔organisation〕). Write them just so.",
            sign=found[0],
        )
    return body


def as_template(body: str) -> str:
    """The source of a template that says just this."""
    source = _CHIP.sub(lambda chip: f"{{{{ {FIELDS[chip[1]]} }}}}", body)
    return source.replace("\n", "{{ nl }}")


def without_fields(body: str) -> str:
    """The words alone."""
    return _CHIP.sub("", body)


def marked(body: str) -> str:
    """The words, with a sign in the place of each field that no link can hold.

    >>> marked("见 https://example.org/〔姓名〕")
    '见 https://example.org/{}'
    """
    return _CHIP.sub(FIELD_IN_LINK, body)


def unknown_fields(body: str) -> list[str]:
    """What stands in the brackets of a field and is none; numbers of documents stand in these, too.

    >>> unknown_fields("〔姓名〕和〔电话〕，见京发〔2026〕15号")
    ['〔电话〕']
    """
    return all_bracketed(_CHIP.sub("", body))


def all_bracketed(body: str) -> list[str]:
    """What stands in the brackets of a field, whether or not it is one; without the numbers of documents."""
    return list(dict.fromkeys(each for each in _BRACKETED.findall(body) if not each[1:-1].isdigit()))


def plain(full: str) -> str:
    """A full text as it stands in an SMS: without the signs of its headings, of what is strong, of links.

    >>> plain("## 供暖\\n**今天**供暖，见[通知](https://example.org/1)。")
    '供暖\\n今天供暖，见通知 https://example.org/1 。'
    """
    text = _LINK.sub(lambda link: f"{link[1]} {link[2]} ".lstrip(), _MARKS.sub("", full))
    return re.sub(r"\n{2,}", "\n", text).strip()
