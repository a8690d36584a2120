"""What people see of one member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rich.console import RenderableType

from broadcaster.commands.output import facts, table
from broadcaster.language import listed, tr
from broadcaster.words import happening_word, place_words, source_word, standing_words
from subscribers.models import NumberKind, Status, Wish
from subscribers.records import Happening, NumberOnRecord, Record


def shown_record(record: Record, on: date) -> list[RenderableType]:
    """A member as a page: data, numbers, history; what lies behind the day `on` is planned."""
    told: list[RenderableType] = [
        facts(
            (tr("id"), record.id),
            (tr("name"), record.name),
            (tr("status"), _standing(record.status, mobile=record.mobile) or tr("no member now")),
            (tr("organisation"), place_words(record.organisation)),
            (tr("lives in"), record.away_place),
            (tr("looked after by"), record.host_branch),
            (tr("birthday"), record.birthday),
            (tr("id in another system"), record.external_id),
            (tr("tags"), listed(record.tags)),
            *((name, value) for name, value in record.fields.items()),
        )
    ]
    if record.numbers:
        told.append(numbers_table(record))
    told.append(_history_table(record.history, on))
    return told


def numbers_table(record: Record) -> RenderableType:
    """The numbers of a member."""
    rows = [
        (
            one.msisdn,
            "✓" if one.preferred else "",
            "✓" if one.shared else "",
            _operator(one.operator),
            _wish(one.wish),
            _state(one),
        )
        for one in record.numbers
    ]
    headings = (tr("number"), tr("used"), tr("shared"), tr("operator"), tr("wants the paper"), tr("remark"))
    return table(*headings, rows=rows)


def _operator(name: str | None) -> str:
    names = {"mobile": "China Mobile", "unicom": "China Unicom", "telecom": "China Telecom", "broadnet": "Broadnet"}
    return tr(names[name]) if name else ""


def _history_table(happened: Sequence[Happening], on: date) -> RenderableType:
    rows = [
        (
            one.day,
            tr("{what} (planned)", what=happening_word(one.what)) if one.day > on else happening_word(one.what),
            one.organisation and place_words(one.organisation),
            " ".join(filter(None, (_standing(one.status, mobile=one.mobile), one.away_place, one.host_branch))),
            source_word(one.by) if one.what in set(Wish) else one.by,
        )
        for one in happened
    ]
    return table(tr("day"), tr("happened"), tr("organisation"), tr("status"), tr("by"), rows=rows)


def _standing(status: Status | None, *, mobile: bool) -> str:
    if status is None:
        return ""
    return standing_words(status, away=mobile)


def _wish(wish: Wish | None) -> str:
    if wish is None:
        return tr("not said")
    return tr("yes") if wish == Wish.IN else tr("no")


def _state(number: NumberOnRecord) -> str:
    if number.suspended_at is not None:
        return tr("to be verified")
    return tr("landline") if number.kind == NumberKind.LANDLINE else ""
