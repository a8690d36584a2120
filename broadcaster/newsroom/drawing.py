"""Pages of the newsroom: the frame around them, and the line that says what was just done."""

from __future__ import annotations

import base64
import hmac
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from broadcaster.language import translated
from broadcaster.newsroom.menu import entries_for, tabs_for
from broadcaster.runtime import Runtime
from broadcaster.web.doors import Posted
from broadcaster.web.figures import count, on_day, when
from broadcaster.web.markdown import as_html
from broadcaster.web.rendering import other_language, page, sheets
from broadcaster.web.told import told, without_place
from broadcaster.web.visits import Visit, give
from broadcaster.words import actor_word, place_words
from subscribers.errors import BroadsheetError, Outdated
from subscribers.seen import stamped

#: our own files, forms to us, and nothing that stands in a page itself
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
#: the cookie with what was just done
DONE = "done"
#: the field of a form with what it was opened with: see `subscribers.seen`
READ = "read"
#: characters of it, and of each field of a sentence when it would have more
_LARGEST, _CUT = 3_700, 200
_TEMPLATES = sheets(Path(__file__).parent / "html")
_TEMPLATES.globals |= {"as_html": as_html, "count": count, "on_day": on_day}
_TEMPLATES.filters["place_words"] = place_words


@dataclass(frozen=True, slots=True)
class Done:
    """What was just done, in words, and the form that takes it back."""

    words: str
    undo: str = ""
    fields: Mapping[str, str] | None = None


class Sent:
    """What somebody sent by a form that is refused: it stands in the fields of that form again.

    Without a path: what they sent by any button of a page with one form, refused or not.
    """

    def __init__(self, request: Request, status: int, outdated: Mapping[str, str] | None, now: datetime) -> None:
        form = getattr(request.state, "form", None)
        self._form = Posted(form) if form is not None else None
        self._path = request.url.path if status >= HTTPStatus.BAD_REQUEST else None
        self._outdated, self._now = outdated, now

    def by(self, path: str, /, **fields: object) -> bool:
        """Whether the form to this path (empty: any) was sent, with these in its fields."""
        if self._form is None or path not in ("", self._path):
            return False
        return all(self._form.text(name) == str(value) for name, value in fields.items())

    def was(self, path: str, name: str, otherwise: object = "", at: int = 0, /, **fields: object) -> object:
        """What was typed into a field of that form, the one after `at` others of its name; else what it has anyway."""
        given = self._form.texts(name) if self._form is not None and self.by(path, **fields) else []
        return given[at] if at < len(given) else otherwise

    def outdated(self, path: str, /, **fields: object) -> Mapping[str, str] | None:
        """Who saved something else since that form was opened (`who`, `time`), if it was refused for that."""
        return self._outdated if self.by(path, **fields) else None

    def read(self, path: str, mark: str, /, **fields: object) -> object:
        """What a form to this path carries of what it was opened with: of what stands there now, by its mark.

        One that was refused for anything but this keeps what it had.
        """
        given = "" if self._outdated else self.was(path, READ, "", **fields)
        return given or stamped(mark, self._now)

    def pairs(self, path: str, name: str, value: str) -> dict[str, str]:
        """Of that form, by each field of one name what was typed into the one of the other name beside it."""
        if self._form is None or not self.by(path):
            return {}
        return dict(zip(self._form.texts(name), self._form.texts(value), strict=False))


def draw(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """A page for who is there: its template extends `desk.html` (with the menu) or `card.html` (without)."""
    visit: Visit = request.state.visit
    house: Runtime = request.app.state.runtime
    before, now = _done(request, visit), house.clock()
    answer = page(
        template,
        templates=_TEMPLATES,
        status=status,
        headers={"Content-Security-Policy": POLICY},
        paper=house.settings.paper.name,
        visit=visit,
        menu=entries_for(visit.visitor, request.url.path),
        tabs=tabs_for(visit.visitor, request.url.path),
        other=other_language(request),
        # of a form there is no page to come back to
        stands_at=str(request.url.path) if request.method == "GET" else "/",
        done=before,
        sent=Sent(request, status, _outdated(values.get("trouble"), house, now), now),
        **{"trouble": None, **values},
    )
    if visit.is_new:
        give(answer, visit, visit.token)
    if before is not None:
        answer.delete_cookie(DONE, path="/")
    return answer


def compile_sheets() -> Iterator[str]:
    """Compile the template of each page; the next one when it is asked for."""
    for name in _TEMPLATES.list_templates():
        _TEMPLATES.get_template(name)
        yield name


def trouble(
    error: BroadsheetError, field: str = "", *, path: str = "", is_at_row: bool = False, is_typed: bool = True
) -> dict[str, Any]:
    """An error above a form, with a link to the field that it is about, or to the page (`path`) where it is mended.

    `is_at_row`: it is told at the field as well. `is_typed`: a rule that it may be about was typed by who reads it.
    """
    what, then = told(error)
    what = what if is_typed else without_place(what)
    outdated = error.fields if isinstance(error, Outdated) else None
    return {"what": what, "then": then, "field": field, "path": path, "is_at_row": is_at_row, "outdated": outdated}


def _outdated(told: Mapping[str, Any] | None, house: Runtime, now: datetime) -> dict[str, str] | None:
    fields = told and told.get("outdated")
    if not fields:
        return None
    at = fields.get("at")
    return {"who": actor_word(fields["who"]), "time": when(at, now, house.settings.zone) if at else ""}


def done(
    visit: Visit, path: str, words: str, *, undo: str = "", undo_fields: Mapping[str, str] | None = None, **fields: Any
) -> Response:
    """Go on to a page that says in its first line what was done. `words`: a `msgid`, `fields` fill it in.

    `undo`: where a form with `undo_fields` takes it back.
    """
    answer = RedirectResponse(path, 303)
    given = {name: str(value) for name, value in fields.items()}
    packed = _packed([words, given, undo, dict(undo_fields or {})])
    if len(packed) > _LARGEST:
        # browsers drop a cookie that is larger, and with it the word that it was done
        packed = _packed([words, {name: value[:_CUT] for name, value in given.items()}, "", {}])
    answer.set_cookie(
        DONE,
        f"{packed}.{visit.signature(f'{DONE} {packed}')}",
        max_age=60,
        httponly=True,
        secure=visit.is_secure,
        samesite="lax",
    )
    return answer


def _packed(told: object) -> str:
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(told).encode())).decode()


def _done(request: Request, visit: Visit) -> Done | None:
    packed, _, signature = request.cookies.get(DONE, "").partition(".")
    if not packed or not hmac.compare_digest(signature.encode(), visit.signature(f"{DONE} {packed}").encode()):
        return None
    words, fields, undo, undo_fields = json.loads(zlib.decompress(base64.urlsafe_b64decode(packed)))
    return Done(translated(words).format(**fields), undo, undo_fields)
