"""Rows for PostgreSQL, column by column: one text for each column that varies, a value for each that does not.

As JSON, every row would be read fourteen times over, once for each column; as arrays, the driver would look at each
value.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, Dialect, String

#: between two values, and for one that is not there: characters that nobody writes
_UNIT, _NOTHING = "\x1f", "\x1e"


def columnwise(
    columns: Sequence[ColumnElement[Any]], values: Sequence[Sequence[Any]], dialect: Dialect
) -> tuple[str, dict[str, Any]] | None:
    """A SELECT of these rows and its parameters; None where they cannot be written so.

    `values`: for each column those of all rows. A text that is too long for its column is refused, not cut.
    """
    if any(isinstance(column.type, JSON) for column in columns):
        return None
    told, varying, given = [], [], {}
    for column, all_ in zip(columns, values, strict=True):
        name = column.name
        # without its length: an explicit cast would cut to it
        kind = "text" if isinstance(column.type, String) else column.type.compile(dialect)
        if all_.count(all_[0]) == len(all_):
            given[name] = all_[0]
            told.append(f"%({name})s::{kind}")
            continue
        written = _written(all_)
        if written is None:
            return None
        given[name] = written
        told.append(f"given.{name}::{kind}")
        varying.append(name)
    if not varying:
        return None
    lists = ", ".join(f"string_to_array(%({name})s, '{_UNIT}', '{_NOTHING}')" for name in varying)
    return f"SELECT {', '.join(told)} FROM unnest({lists}) AS given({', '.join(varying)})", given  # noqa: S608


def _written(values: Sequence[Any]) -> str | None:
    missing = values.count(None)
    if missing or not isinstance(values[0], str):
        texts = [_NOTHING if value is None else _text(value) for value in values]
    else:
        texts = list(values)
    whole = _UNIT.join(texts)
    # somebody writes them all the same
    if whole.count(_UNIT) != len(texts) - 1 or whole.count(_NOTHING) != missing:
        return None
    return whole


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
