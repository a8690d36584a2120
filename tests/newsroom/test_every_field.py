"""Every field of every form, read from the pages themselves, is met by naughty strings, each alone.

A string is kept and shown as text, or refused with a sentence; nothing that was typed is lost. In each run a field
meets some of the strings, and all of them in one; with `EVERY_STRING=1` in the environment it meets all.
"""

from __future__ import annotations

import inspect
import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from broadcaster.app import make_web
from broadcaster.runtime import Runtime
from broadcaster.settings import Settings
from broadcaster.web.doors import DECLARED
from tests.newsroom.forms import Element, Field, parsed
from tests.newsroom.naughty import FOR_CHOICES, NAUGHTY, TOGETHER, UNKEEPABLE, encode
from tests.newsroom.tours import Sent, Stand, Tour, touring

#: seconds; all strings in all fields take longer than anybody can say
PATIENCE = 0 if os.environ.get("EVERY_STRING") else 1200

pytestmark = [pytest.mark.parametrize("database_url", ["sqlite"], indirect=True), pytest.mark.timeout(PATIENCE)]

#: asked for anew, and never written into a page
SECRET = {"password", "old", "new", "again", "code", "recovery"}
#: forms that are not sent, and why
LEFT_OUT = {
    "/logout": "it ends the session, and has nothing but an errand, which tests of late forms send",
    "/editions/{id}/audience": "its page offers it for an item without a variant; its fields are those of /variants",
    "/members/import/{token}/take": "the fields are those of /look, from the same form",
}
#: forms that nobody can fill in here so that they are taken: they ask for a code that went to a phone
CODES = {"/login/code", "/account/code", "/account/recovery", "/account/phone/code", "/p/{number}/reader/code"}
#: one button of several asks for more than the form needs: a picture, a row of a rule
FURTHER = {"/items/new/picture", "/items/{id}/picture", "/items/new/places", "/items/{id}/places"}
#: a row that can be read is a box of its own on the next page
ROWS = {"value"}
#: what is typed there is for the moment, or for somebody who is not there
NOT_SHOWN = {
    ("/editions/{id}/who", "q"): "another button looks for it",
    ("/items/new", "place_q"): "another button looks for it",
    ("/items/{id}", "place_q"): "another button looks for it",
    ("/members/{id}/standing", "away_place"): "only of who lives away, which is a box of its own",
    ("/members/{id}/standing", "host_branch"): "only of who lives away, which is a box of its own",
    ("/members/{id}/standing", "on"): "nothing changes on that day: the status is as before",
    ("/members/organisations", "kind"): "it is kept, and no page shows it",
    ("/members/organisations/close", "on"): "nothing is shown of a day that is far off",
    ("/items/{id}/decide", "note"): "only who is sent back an item is told",
    ("/members/{id}/transfer", "reason"): "it is for the other side, and here there is none to ask",
}
#: the page has them for other forms, or for its script
NOT_READ = {
    ("/editions/{id}/here", "live"),
    ("/items/{id}/here", "live"),
    ("/editions/{id}/variants/{name}/look", "version"),
    ("/items/new", "saves"),
    ("/items/{id}", "item"),
    ("/items/{id}", "saves"),
    ("/items/{id}/places", "item"),
    ("/items/keep", "joined"),
    ("/items/{id}", "place_q"),
    ("/items/new", "place_q"),
    ("/members/{id}/standing", "away_place"),
    ("/members/{id}/standing", "host_branch"),
    ("/editions/{id}/place", "q"),
    ("/editions/{id}/who", "who"),
    ("/members/segments/build", "rule"),
    ("/members/segments/remove", "rule"),
    ("/members/import/{token}/look", "shared"),
}
#: fields of a form with several buttons, whose fields are met by one of these
LARGE = 8


def test_whatever_is_typed_is_kept_or_refused_and_never_lost(house: Runtime) -> None:
    wrong: list[str] = []
    unread: set[tuple[str, str]] = set()
    met: dict[tuple[str, str], int] = {}
    sent_in_all = 0
    with touring(house) as tour:
        wrong += [told for told in tour.settle() if not any(f"'{path}'" in told for path in CODES | FURTHER)]
        missing = {path for path in _with_fields() if all(each.form.door != ("POST", path) for each in tour.stands)}
        wrong += [f"no page has the form of {path}" for path in missing - LEFT_OUT.keys()]
        for stand in tour.stands:
            for name in stand.form.names:
                door, one = stand.form.door[1], stand.form.of(name)
                read = False
                is_new = (door, name) not in met
                if not is_new and len(stand.form.names) > LARGE and not os.environ.get("EVERY_STRING"):
                    continue
                for typed in _some(one, sent_in_all, is_new=is_new):
                    sent = tour.send(stand, stand.form.with_(name, typed))
                    sent_in_all += 1
                    read |= name in sent.read or stand.form.method == "GET"
                    wrong += [
                        f"{each}: {typed[:30]!r} in {name} of {door}" for each in _faults(tour, stand, one, typed, sent)
                    ]
                met[door, name] = met.get((door, name), 0) + read
                unread |= set() if met[door, name] else {(door, name)}
    wrong += [f"never read: {name} of {door}" for door, name in unread - NOT_READ if not met[door, name]]
    wrong = sorted(set(wrong))
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
    assert len(met) > 100, "the forms are found"
    print(f"{len(tour.stands)} forms, {len(met)} fields, {sent_in_all} strings sent")  # noqa: T201


def _with_fields() -> Iterator[str]:
    """The forms whose handlers ask for anything that was typed."""
    app = make_web(SimpleNamespace(settings=Settings()))  # type: ignore[arg-type]
    for context in iter_route_contexts(app.routes):
        if ("POST", context.path) in DECLARED and "POST" in (context.methods or ()):
            handler: Callable[..., object] = context.route.endpoint
            yield from [context.path] if "form" in inspect.signature(handler).parameters else []


def _some(one: Field, turn: int, *, is_new: bool) -> Sequence[str]:
    """Of all strings those that this field meets."""
    strings = [*NAUGHTY, *UNKEEPABLE] if one.is_typed else FOR_CHOICES
    if os.environ.get("EVERY_STRING"):
        return [TOGETHER, *strings]
    at = [strings[(turn * 5 + n * 7) % len(strings)] for n in range(2 if is_new else 1)]
    return [TOGETHER if one.is_typed else strings[0], *at] if is_new else at


def _faults(tour: Tour, stand: Stand, one: Field, typed: str, sent: Sent) -> Iterator[str]:
    """What is wrong with how this was answered."""
    answer, end, door = sent.answer, sent.end, stand.form.door[1]
    for each in (answer, end):
        if each.status_code >= 500:
            yield f"{each.status_code}"
        elif found := _alive(each):
            yield f"{found} came of it"
    if any(each.startswith("naughty") for each in answer.headers.get_list("set-cookie")):
        yield "a header came of it"
    if stand.form.is_part or typed in UNKEEPABLE or end.status_code >= 500:
        return
    if one.name in SECRET:
        if len(typed) > 3 and typed in answer.text:
            yield "a secret stands in the page"
    elif end.status_code >= 400:
        page = parsed(end.text)
        if not any(each.tag == "h1" or "trouble" in each.attributes.values() for each in page.walk()):
            yield f"{end.status_code} without a sentence"
        if one.is_typed:
            yield from _lost(page, stand, one, typed)
    elif one.is_typed and (door, one.name) not in NOT_SHOWN:
        # a user is found however their name is typed: it is kept in small letters
        seen = folded(typed)[:40].casefold()
        if seen not in words_of(end).casefold() and seen not in words_of(tour.page_of(stand)).casefold():
            yield "not shown anywhere"


def _lost(page: Element, stand: Stand, one: Field, typed: str) -> Iterator[str]:
    for name in stand.form.names:
        other = stand.form.of(name)
        value = typed if other is one else other.value
        if not other.is_typed or name in SECRET | ROWS:
            continue
        if folded(value) not in [folded(_value(each)) for each in page.walk() if each.attributes.get("name") == name]:
            yield "lost" if other is one else f"lost with it: {name}"


def _value(element: Element) -> str:
    return element.text() if element.tag == "textarea" else element.attributes.get("value", "")


def folded(text: str) -> str:
    """Without blanks, lines and what draws nothing, and with one form of each sign, as the product may keep it."""
    plain = unicodedata.normalize("NFKC", encode(text).decode("utf-8", "replace"))
    return "".join(each for each in plain if not each.isspace() and unicodedata.category(each)[0] != "C")


def words_of(answer: httpx2.Response) -> str:
    """All text nodes of a page, and all values of attributes."""
    page = parsed(answer.text)
    values = [value for each in page.walk() for value in each.attributes.values()]
    return folded(page.text()) + " ".join(map(folded, values))


def _alive(answer: httpx2.Response) -> str:
    """An element that came of a string."""
    if "text/html" not in answer.headers.get("content-type", ""):
        return ""
    for each in parsed(answer.text).walk():
        given = each.attributes
        if each.tag == "naughty" or any(name == "naughty" or name.startswith("on") for name in given):
            return f"<{each.tag}>"
        if (each.tag == "script" and "src" not in given) or given.get("src") == "x":
            return f"<{each.tag}>"
        if any(given.get(name, "").strip().lower().startswith("javascript:") for name in ("href", "action", "src")):
            return f"<{each.tag}> with a script"
    return ""
