"""What people see of one member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from broadcaster.language import listed, tr
from broadcaster.web.figures import on_day
from broadcaster.words import actor_word, happening_word, place_words, source_word, standing_words
from subscribers.models import NumberKind, Wish
from subscribers.records import Happening, NumberOnRecord, Record


def told_record(record: Record, on: date) -> dict[str, Any]:
    """A member as finished text: opted out before all else, data, numbers, history with what is planned."""
    standing = _standing(record) or tr("no member now")
    facts = [
        (tr("status"), standing),
        (tr("organisation"), place_words(record.organisation)),
        (tr("lives in"), record.away_place),
        (tr("looked after by"), record.host_branch),
        (tr("birthday"), on_day(record.birthday) if record.birthday else ""),
        (tr("id in another system"), record.external_id),
        (tr("tags"), listed(record.tags)),
        *record.fields.items(),
    ]
    now = (place_words(record.organisation), standing, record.away_place, record.host_branch)
    return {
        "id": record.id,
        "name": record.name,
        "birthday": record.birthday or "",
        "external_id": record.external_id or "",
        "tags": listed(record.tags),
        "fields": record.fields,
        "organisation": record.organisation,
        "status": record.status,
        "is_away": record.mobile,
        "away_place": record.away_place or "",
        "host_branch": record.host_branch or "",
        "out": _out(record.numbers),
        "now": " · ".join(filter(None, now)),
        "facts": [(name, value) for name, value in facts if value],
        "numbers": [_number(number) for number in record.numbers],
        "history": [_happening(each, on) for each in reversed(record.history)],
    }


def _out(numbers: Sequence[NumberOnRecord]) -> str:
    """Why nothing is sent to them: their wish, and how it is known; "" if they want it, or nobody has asked."""
    # the one that a send takes
    used = min(numbers, key=lambda each: (not each.preferred, each.kind != NumberKind.MOBILE), default=None)
    if used is None or used.wish != Wish.OUT:
        return ""
    match used.source:
        case "sms":
            return tr("They opted out by an SMS of their own: nothing is sent to them until they write another one.")
        case "carrier":
            return tr("Their carrier says that they opted out: nothing is sent to them until they write an SMS.")
        case "operator":
            return tr("They told us that they do not want the paper: nothing is sent to them.")
        case "import":
            return tr("A list says that they do not want the paper: nothing is sent to them.")
    return tr("They do not want the paper ({source}): nothing is sent to them.", source=source_word(used.source))


def _number(number: NumberOnRecord) -> dict[str, Any]:
    wish = tr("not said") if number.wish is None else tr("yes") if number.wish == Wish.IN else tr("no")
    remarks = (
        tr("used") if number.preferred else "",
        tr("shared") if number.shared else "",
        tr("to be verified") if number.suspended_at else "",
        tr("landline") if number.kind == NumberKind.LANDLINE else "",
    )
    return {
        "number": number.msisdn,
        # a masked one is named by what it shows of itself
        "ending": number.msisdn.rpartition("*")[2],
        "wish": wish,
        "remarks": " · ".join(filter(None, remarks)),
        "is_used": number.preferred,
        "is_to_be_verified": number.suspended_at is not None,
    }


def _happening(each: Happening, on: date) -> dict[str, str]:
    standing = standing_words(each.status, away=each.mobile) if each.status else ""
    by = source_word(each.by) if each.what in set(Wish) else actor_word(each.by)
    details = (
        each.organisation and place_words(each.organisation),
        standing,
        each.away_place,
        each.host_branch,
        by,
        each.wording,
    )
    return {
        "day": on_day(each.day),
        "what": tr("{what} (planned)", what=happening_word(each.what)) if each.day > on else happening_word(each.what),
        "details": " · ".join(detail for detail in details if detail),
    }


def _standing(record: Record) -> str:
    return standing_words(record.status, away=record.mobile) if record.status else ""
