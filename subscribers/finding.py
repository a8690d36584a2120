"""Looking for members by whatever a person knows of them, the surest ways first, each by an index of its own.

Only when these find too few, everything in the actor's part of the tree is read for a part of the name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, or_, select, union
from sqlalchemy.orm import Session

from subscribers import msisdn, spelling
from subscribers.actor import Actor, Right, needs
from subscribers.errors import Invalid
from subscribers.models import NUMBER_END, Member, Number
from subscribers.names import search_key
from subscribers.registry import Profile, members_as_of, profiles

#: no name, number or external id is longer
LONGEST = 100
#: digits of the end of a number, as many as its index knows
FEWEST_DIGITS = 4
#: digits of the end of a number that everybody may see
SHOWN_DIGITS = 4
#: digits that may stand in a name
NAMED_DIGITS = 8
#: an id as the lists show it; no id has more digits
_ID = re.compile(r"#([0-9]{1,18})")
#: follows everything that a key can go on with
_LAST = "\U0010ffff"


@needs(Right.SEE)
def find(session: Session, actor: Actor, text: str, *, on: date, limit: int = 50, region: str = "CN") -> list[Profile]:
    """Members of a day by name, pinyin whole, half typed or in initials, number or its end, external id, or `#id`.

    At most `limit`: who is meant for sure first, then names that begin so, then the others; each by organisation.
    Numbers without a country code are read as those of `region`. Who may not see numbers finds nobody by more of an end
    than a masked one shows: asked digit by digit, a longer one would tell the rest. Raises `Invalid` for a text that
    can be nobody's.
    """
    wanted = _checked(text)
    found: list[tuple[int, Any]] = []
    end = LONGEST if Right.NUMBERS in actor.rights else SHOWN_DIGITS
    ways = (_is_meant(wanted, region), _begins(wanted), _ends(wanted, end), _has_within(wanted))
    for rank, condition in enumerate(ways):
        if condition is None or len(found) >= limit or (rank >= 2 and _is_known_by_number(wanted, region, found)):
            continue
        seen = [row.Member.id for _, row in found]
        query = members_as_of(actor.under, on).where(condition, Member.id.not_in(seen))
        order = Member.search_key if rank < 2 else Member.id
        rows: Sequence[Any] = session.execute(query.order_by(order, Member.id).limit(limit - len(found))).all()
        found += [(rank, row) for row in rows]
    ranks = {row.Member.id: rank for rank, row in found}
    return sorted(
        profiles(session, [row for _, row in found]),
        key=lambda each: (each.name != wanted, ranks[each.id], each.organisation, each.name, each.id),
    )


def _checked(text: str) -> str:
    wanted = text.strip()
    if not wanted or "\0" in wanted or wanted != wanted.encode(errors="ignore").decode():
        raise Invalid(
            "There is nothing to look for.",
            hint="Give a name, a phone number, or the id that another system has for them.",
        )
    if len(wanted) > LONGEST:
        raise Invalid(
            "This is longer than any name or number: {length} characters.",
            hint="Give a name, a phone number, or the id that another system has for them.",
            length=len(wanted),
        )
    return wanted


def _is_meant(wanted: str, region: str) -> ColumnElement[bool]:
    """Whoever has exactly this name, number or id. A union, because a condition with OR would use no index."""
    ways: list[Select[int]] = [select(Member.id).where(Member.external_id == wanted)]
    if match := _ID.fullmatch(wanted):
        ways.append(select(Member.id).where(Member.id == int(match[1])))
    if number := _number(wanted, region):
        ways.append(select(Number.member_id).where(Number.msisdn == number))
    if keys := spelling.read(wanted).keys:
        ways.append(select(Member.id).where(Member.search_key.in_(keys)))
    else:
        ways.append(select(Member.id).where(Member.search_key == search_key(wanted), Member.name == wanted))
    members: CompoundSelect[int] = union(*ways)
    return Member.id.in_(members)


def _begins(wanted: str) -> ColumnElement[bool] | None:
    """Names that begin so, or whose spelling does: ranges of the index on search keys."""
    if _ID.fullmatch(wanted):
        return None
    starts = spelling.read(wanted).starts
    if not starts:
        initials, _, syllables = search_key(wanted).partition(" ")
        if _is_without_case(wanted):
            # the index has the names. That their spelling begins so says no more, and a planner would take it for more
            return and_(_key_begins(initials), Member.name.startswith(wanted, autoescape=True))
        starts = (spelling.Start(initials, syllables),)
    ranges = [
        and_(_key_begins(start.initials), Member.search_key.contains(f" {start.syllables}", autoescape=True))
        for start in starts
    ]
    # all of them lie in one range: the database may walk it in order and stop at the limit
    first, last = starts[0].initials, starts[-1].initials[0] + _LAST
    return and_(Member.search_key >= first, Member.search_key < last, or_(*ranges))


def _ends(wanted: str, end: int) -> ColumnElement[bool] | None:
    """`end`: most digits that are looked for at the end of numbers."""
    digits = _digits(wanted)
    if digits is None or len(digits) > end:
        return None
    last: ColumnElement[bool] = NUMBER_END == digits[-FEWEST_DIGITS:]  # noqa: SIM300 - it is a column
    return Member.id.in_(select(Number.member_id).where(last, Number.msisdn.endswith(digits)))


def _has_within(wanted: str) -> ColumnElement[bool] | None:
    if _ID.fullmatch(wanted):
        return None
    if digits := _digits(wanted):
        # nobody is called by a whole number, and all names would be read for it
        return Member.name.contains(wanted, autoescape=True) if len(digits) <= NAMED_DIGITS else None
    if _is_without_case(wanted):
        return Member.name.contains(wanted, autoescape=True)
    spelled = spelling.letters_of(wanted) or search_key(wanted).partition(" ")[2]
    # one letter is within nearly every key
    return Member.search_key.contains(spelled, autoescape=True) if len(spelled) > 1 else None


def _is_known_by_number(wanted: str, region: str, found: list[tuple[int, Any]]) -> bool:
    """Whether the text is digits that somebody was found by, so that no more need be looked for."""
    return bool(found) and (_number(wanted, region) is not None or _digits(wanted) is not None)


def _key_begins(beginning: str) -> ColumnElement[bool]:
    return and_(Member.search_key >= beginning, Member.search_key < beginning + _LAST)


def _is_without_case(text: str) -> bool:
    """Whether this is written in a script in which a name is always written the same, as in Chinese."""
    return text.lower() == text.upper()


def _number(text: str, region: str) -> str | None:
    try:
        return msisdn.parse(text, region).msisdn
    except Invalid:
        return None


def _digits(text: str) -> str | None:
    """The digits to look for at the end of numbers, if there is nothing else in the text."""
    plain = unicodedata.normalize("NFKC", text)
    digits = "".join(character for character in plain if character in "0123456789")
    return digits if len(digits) >= FEWEST_DIGITS and re.fullmatch(r"[0-9\s+()\-]+", plain) else None
