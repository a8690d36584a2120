"""What every handler of letters has to do with: its answer, and the texts that are sent back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from broadcaster.replies.answer import Desk
from broadcaster.replies.keywords import COME_BACK
from broadcaster.replies.models import Letter
from broadcaster.templates import compile_template, load


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler made of a letter: its own name, what to send back if anything, whether a person must look."""

    handled_as: str
    text: str = ""
    for_a_person: bool = False


Handler = Callable[[Session, Desk, Letter, datetime], Reply | None]


def reply_text(template: str, desk: Desk, **fields: str) -> str:
    """A text of `templates_sms/replies` in the paper's language."""
    file = load(f"replies/{template}", desk.language)
    context = {"paper": desk.paper, "opt_out": desk.opt_out, "come_back": COME_BACK[desk.language]}
    return compile_template(file.source, file.fields).render_many(context, [fields])[0]
