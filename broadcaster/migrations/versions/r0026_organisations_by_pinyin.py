"""Organisations are found by the pinyin of their names."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict
from subscribers.names import place_key

revision = "r0026"
down_revision = "r0025"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTEWISE = sa.String(length=400).with_variant(sa.String(length=400, collation="C"), "postgresql")
_BULK = 5_000


def upgrade() -> None:
    # not in a batch: SQLite would make the table anew, and others refer to its rows
    op.add_column("organisation", sa.Column("search_key", BYTEWISE, server_default=sa.text("''"), nullable=False))
    place = sa.table("organisation", sa.column("id", KEY), sa.column("name"), sa.column("search_key"))
    fill = sa.update(place).where(place.c.id == sa.bindparam("of")).values(search_key=sa.bindparam("key"))
    last = 0
    while rows := op.get_bind().execute(_portion(place, last)).all():
        op.get_bind().execute(fill, [{"of": row.id, "key": place_key(row.name)} for row in rows])
        last = rows[-1].id


def _portion(place: sa.TableClause, last: int) -> sa.Select[int, str]:
    return sa.select(place.c.id, place.c.name).where(place.c.id > last).order_by(place.c.id).limit(_BULK)


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
