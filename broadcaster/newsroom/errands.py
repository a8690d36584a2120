"""What somebody was about to do when they had to sign in first: where they go then, and what they had typed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from broadcaster.web.doors import KEPT, Posted, own_path

#: these are asked for anew, and never written into a page
_SECRET = frozenset({"password", "old", "new", "again", "code"})
_TOKEN = "form_token"  # noqa: S105 - the name of a field

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Errand:
    """It goes with the forms of signing in, from step to step."""

    #: the page to go on with
    next: str = "/"
    #: the path of a form that was sent too late, and its fields
    path: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    #: over the page that one was at: its script goes on by itself
    in_dialog: bool = False
    #: what the forms of that page carry: it tells whose page it is
    before: str = ""

    @property
    def packed(self) -> str:
        """The fields, to be carried along in one."""
        return json.dumps(self.fields, ensure_ascii=False) if self.path else ""


def told_by(form: Posted) -> Errand:
    """The errand that a form of signing in carries."""
    path, fields = own_path(form.text("path")), _unpacked(form.text("fields"))
    onward, before = own_path(form.text("next")), form.text("before")[:100]
    if not form.text("path") or fields is None:
        return Errand(onward, in_dialog=form.text("dialog") == "1", before=before)
    return Errand(onward, path, tuple(fields), before=before)


def of_form(path: str, pairs: Pairs, page: str) -> Errand | None:
    """The errand of a form that was sent too late; None if it has what must not be kept."""
    if any(name in _SECRET for name, _ in pairs):
        return None
    before = next((value for name, value in pairs if name == _TOKEN), "")[:100]
    return Errand(page, path, tuple((name, value) for name, value in pairs if name != _TOKEN), before=before)


def _unpacked(text: str) -> Pairs | None:
    if not text or len(text) > 2 * KEPT:
        return None
    try:
        pairs = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        return None
    return [(name, value) for name, value in pairs if name != _TOKEN]


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(each, str) for each in pair)
