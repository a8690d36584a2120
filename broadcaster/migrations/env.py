"""Run by alembic for every command: on the caller's connection, in the caller's transaction."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import JSON, False_, True_
from sqlalchemy.types import TypeDecorator

import subscribers.models  # noqa: F401
from subscribers.db import Base


def as_the_database_has_it(kind: str, item: Any, _autogenerate: AutogenContext) -> str | Literal[False]:
    """How a revision writes down a part of a model, so that it holds on both databases and when our types change."""
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{item.impl_instance!r}"
    if kind == "type" and isinstance(item, JSON):
        return "sa.JSON()"
    if kind == "server_default" and isinstance(item.arg, True_ | False_):
        return f"sa.{item.arg}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    # our SQLite engine begins for itself, so that tables are made and undone like rows
    transactional_ddl=True,
    render_item=as_the_database_has_it,
)
with context.begin_transaction():
    context.run_migrations()
