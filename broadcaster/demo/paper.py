"""The demo's newspaper: three written editions that come round again, so that there is always a next one."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from broadcaster.newspaper import editions
from broadcaster.newspaper.models import Edition
from subscribers.actor import OPERATOR

FILES = Path(__file__).parent / "editions"


def next_edition(session: Session, *, now: datetime) -> Edition:
    """Take in the edition after the last one."""
    return editions.import_edition(
        session, OPERATOR, source_of(session.scalar(select(func.max(Edition.number)))), now=now
    )


def source_of(last: int | None) -> str:
    """The edition file that follows number `last`: written for this number, or an earlier round's with a later date."""
    files = sorted(FILES.glob("*.toml"))
    first = int(files[0].stem)
    number = first if last is None else last + 1
    rounds, place = divmod(number - first, len(files))

    def later(found: re.Match[str]) -> str:
        day = date.fromisoformat(found[1]) + timedelta(weeks=rounds * len(files))
        return f"date = {day.isoformat()}"

    source = files[place].read_text(encoding="utf-8")
    source = re.sub(r"^number = \d+$", f"number = {number}", source, flags=re.MULTILINE)
    return re.sub(r"^date = (\S+)$", later, source, flags=re.MULTILINE)
