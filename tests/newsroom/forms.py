"""The forms of a page as a browser would send them: which fields there are, and where they go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

from broadcaster.web.doors import DECLARED

#: of the public pages, which are no doors of the newsroom
_SHOWN = ("/p", "/p/{number}")
_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
#: what carries no words that somebody typed
_NO_FIELD = frozenset({"submit", "button", "reset", "image"})
_TOKEN = "form_token"


@dataclass(frozen=True, slots=True)
class Field:
    """One name and value that is sent. `kind`: the type of an input, `textarea`, `select`, or `button`."""

    name: str
    value: str
    kind: str
    is_sent: bool = True

    @property
    def is_typed(self) -> bool:
        """Whether a browser lets anybody write whatever they like into it."""
        return self.kind in ("text", "search", "textarea", "tel", "number", "date", "email", "password")


@dataclass(frozen=True, slots=True)
class Form:
    """What one button, or one script, sends. `door`: method and path with its `{...}`."""

    method: str
    path: str
    fields: tuple[Field, ...]
    is_in_parts: bool = False
    #: a part of a page is asked for, not a page
    is_part: bool = False

    @property
    def door(self) -> tuple[str, str]:
        return self.method, door_of(self.method, self.path)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the fields, each once."""
        return tuple(dict.fromkeys(each.name for each in self.fields if each.name != _TOKEN))

    def pairs(self) -> list[tuple[str, str]]:
        """What is sent when nothing is changed."""
        return [(each.name, each.value) for each in self.fields if each.is_sent]

    def with_(self, name: str, value: str) -> list[tuple[str, str]]:
        """The same with another value in the first field of this name."""
        at = next((n for n, each in enumerate(self.fields) if each.name == name and each.is_sent), -1)
        if at < 0:
            at = next(n for n, each in enumerate(self.fields) if each.name == name)
        return [
            (each.name, value if n == at else each.value)
            for n, each in enumerate(self.fields)
            if each.is_sent or n == at
        ]

    def filled(self, given: dict[str, str]) -> Form:
        """The same with these values in the first empty fields of these names; "" ticks the first box."""
        fields = list(self.fields)
        for name, value in given.items():
            at = next(
                (n for n, each in enumerate(fields) if each.name == name and not (each.value and each.is_sent)), -1
            )
            if at >= 0:
                fields[at] = replace(fields[at], value=value or fields[at].value, is_sent=True)
        return replace(self, fields=tuple(fields))

    def of(self, name: str) -> Field:
        """The first field of this name."""
        return next(each for each in self.fields if each.name == name)


def door_of(method: str, path: str) -> str:
    """The path with its `{...}`, as it was declared."""
    found = [shown for asked, shown in DECLARED if asked == method] + list(_SHOWN)
    # the most exact first
    for shown in sorted(found, key=lambda each: (each.count("{"), each)):
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", shown), path):
            return shown
    raise LookupError(f"{method} {path}")


@dataclass
class Element:
    """One of a page, with what stands in it."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    def walk(self) -> Iterator[Element]:
        """This one and all in it."""
        yield self
        for each in self.children:
            if isinstance(each, Element):
                yield from each.walk()

    def text(self) -> str:
        """All text nodes in it."""
        return "".join(each if isinstance(each, str) else each.text() for each in self.children)

    def up(self, tag: str) -> Element | None:
        """The nearest of this kind around it."""
        at: Element | None = self
        while at is not None and at.tag != tag:
            at = at.parent
        return at


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.top = self.at = Element("", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.children.append(made)
        if tag not in _VOID:
            self.at = made

    def handle_endtag(self, tag: str) -> None:
        opened = self.at.up(tag)
        if opened is not None and opened.parent is not None:
            self.at = opened.parent

    def handle_data(self, data: str) -> None:
        self.at.children.append(data)


def parsed(page: str) -> Element:
    """A page, or a part of one."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.top


def forms_of(top: Element, at: str) -> list[Form]:
    """What can be sent from the page at this address: by each button of each form, and by what htmx sends."""
    found: list[Form] = []
    elements = list(top.walk())
    for form in (each for each in elements if each.tag == "form"):
        inside = [each for each in elements if _form_of(each, elements) is form]
        made = _made(form, at, [one for each in inside for one in _fields(each)])
        buttons = [
            each for each in inside if each.tag == "button" and each.attributes.get("type", "submit") == "submit"
        ]
        found += [_by_button(made, button, at) for button in buttons or [Element("button", {})]]
        found += [_by_htmx(each, made, elements, at) for each in inside if _asks(each)]
    alone = [each for each in elements if _asks(each) and _form_of(each, elements) is None]
    return found + [_by_htmx(each, None, elements, at) for each in alone]


def _asks(element: Element) -> bool:
    return "hx-post" in element.attributes or "hx-get" in element.attributes


def _form_of(element: Element, elements: list[Element]) -> Element | None:
    if name := element.attributes.get("form"):
        return next((each for each in elements if each.tag == "form" and each.attributes.get("id") == name), None)
    return element.up("form")


def _made(form: Element, at: str, fields: list[Field]) -> Form:
    address = urlsplit(urljoin(at, form.attributes.get("action", urlsplit(at).path)))
    method = form.attributes.get("method", "get").upper()
    return Form(method, address.path, tuple(fields), "enctype" in form.attributes)


def _by_button(form: Form, button: Element, at: str) -> Form:
    given = button.attributes
    path = urlsplit(urljoin(at, given["formaction"])).path if "formaction" in given else form.path
    own = (Field(given["name"], given.get("value", ""), "button"),) if given.get("name") else ()
    return replace(form, path=path, fields=form.fields + own, is_in_parts=form.is_in_parts or "formenctype" in given)


def _by_htmx(element: Element, around: Form | None, elements: list[Element], at: str) -> Form:
    given = element.attributes
    method = "POST" if "hx-post" in given else "GET"
    address = urlsplit(urljoin(at, given.get("hx-post") or given.get("hx-get") or at))
    fields = [Field(*pair.split("=", 1), "hidden") for pair in address.query.split("&") if "=" in pair]  # type: ignore[call-arg]
    if method == "POST" and around is not None:
        fields += around.fields
    else:
        fields += _fields(element)
    if given.get("hx-include", "").startswith("#"):
        (form,) = (each for each in elements if each.attributes.get("id") == given["hx-include"][1:])
        fields += [one for each in elements if _form_of(each, elements) is form for one in _fields(each)]
    for name, value in json.loads(given.get("hx-vals", "{}")).items():
        fields.append(Field(name, str(value), "hidden"))
    if element.tag == "button" and given.get("name"):
        fields.append(Field(given["name"], given.get("value", ""), "button"))
    return Form(method, address.path, tuple(fields), is_part=True)


def _fields(element: Element) -> list[Field]:
    given = element.attributes
    name = given.get("name", "")
    if not name or "disabled" in given:
        return []
    if element.tag == "textarea":
        # a browser drops the first line break
        return [Field(name, element.text().removeprefix("\n"), "textarea")]
    if element.tag == "select":
        options = [each for each in element.walk() if each.tag == "option"]
        chosen = [each for each in options if "selected" in each.attributes] or options[:1]
        return [Field(name, each.attributes.get("value", each.text()), "select") for each in chosen]
    kind = given.get("type", "text")
    if element.tag != "input" or kind in _NO_FIELD:
        return []
    is_sent = kind not in ("checkbox", "radio") or "checked" in given
    return [Field(name, given.get("value", "on" if kind == "checkbox" else ""), kind, is_sent)]
