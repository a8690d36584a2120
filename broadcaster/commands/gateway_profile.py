"""The profile of a gateway as it is typed, as a document and as people read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import RenderableType

from broadcaster.campaigns.dress import Dress
from broadcaster.campaigns.models import ProfileChange
from broadcaster.campaigns.profiles import dress_at, profile_on, standing
from broadcaster.commands.output import local, table
from broadcaster.language import tr
from broadcaster.runtime import Runtime
from subscribers.errors import Invalid


def read_settings(given: Sequence[str]) -> dict[str, str]:
    """`key=value` each; what stands behind the first sign is the value, with nothing taken away."""
    pairs = [one.partition("=") for one in given]
    for key, equals, _ in pairs:
        if not equals or not key:
            raise Invalid("--set is written KEY=VALUE.", hint="For example --set price=0.048")
    return {key: value for key, _, value in pairs}


def profile_document(house: Runtime, name: str, changes: Sequence[ProfileChange], day: date) -> dict[str, Any]:
    """What holds on a day, since when what is not of the configuration, and everything that was ever set."""
    mine = standing(changes)
    return {
        "gateway": name,
        "on": day,
        "profile": _values(house, name, mine, day),
        "since": {key: each.day for each in mine if each.day <= day for key in each.values},
        "to_come": [{"from": each.day, "values": each.values} for each in mine if each.day > day],
        "history": [
            {
                "id": each.id,
                "from": each.day,
                "values": each.values,
                "by": each.written_by,
                "at": each.written_at,
                "withdrawn_by": each.withdrawn_by,
                "withdrawn_at": each.withdrawn_at,
            }
            for each in changes
        ],
    }


def shown_profile(document: Mapping[str, Any]) -> list[RenderableType]:
    """A line for each key, and what is to come."""
    since = document["since"]
    rows = [(key, value, since.get(key, tr("configuration"))) for key, value in document["profile"].items()]
    shown: list[RenderableType] = [table(tr("key"), tr("value"), tr("valid from"), rows=rows)]
    if document["to_come"]:
        coming = [(each["from"], _told(each["values"])) for each in document["to_come"]]
        shown.append(table(tr("valid from"), tr("to come"), rows=coming))
    return shown


def shown_history(house: Runtime, document: Mapping[str, Any]) -> list[RenderableType]:
    """All changes in the order in which they were written."""
    zone = house.settings.zone
    rows = [
        (
            each["from"],
            _told(each["values"]),
            f"{each['by']}, {local(each['at'], zone)}",
            f"{each['withdrawn_by']}, {local(each['withdrawn_at'], zone)}" if each["withdrawn_at"] else "",
        )
        for each in document["history"]
    ]
    return [table(tr("valid from"), tr("set"), tr("by"), tr("taken back"), rows=rows)] if rows else []


def _values(house: Runtime, name: str, changes: Sequence[ProfileChange], day: date) -> dict[str, Any]:
    profile, paper, gateway = profile_on(changes, day), house.settings.paper, house.gateways[name]
    dress, can = dress_at(Dress(paper.signature, paper.opt_out), profile), gateway.capabilities
    return {
        "signature": dress.signature,
        "signature_place": dress.place,
        "signature_length": profile.signature_length or "",
        "opt_out": dress.opt_out,
        "sending_window": profile.sending_window or "",
        "forbidden": can.forbidden if profile.forbidden is None else profile.forbidden,
        "max_parts": profile.max_parts or can.max_parts,
        "alphabet": profile.alphabet or can.alphabet.name,
        "reference_bits": profile.reference_bits or can.reference_bits,
        "price": gateway.config.price if profile.price is None else profile.price,
        "currency": profile.currency or gateway.config.currency,
        "bill": profile.bill or can.bill,
    }


def _told(values: Mapping[str, Any]) -> str:
    return "  ".join(f"{key}={value}" for key, value in values.items())
