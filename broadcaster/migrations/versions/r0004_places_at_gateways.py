"""Places at gateways: who sends for which one, with which connection."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None

#: SQLite numbers rows by itself only when the key is declared INTEGER
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("place", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("owner_id", KEY, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("bound_at", INSTANT, nullable=True),
        sa.Column("error", sa.String(length=300), nullable=True),
        sa.Column("error_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["owner.id"], name=op.f("fk_lease_owner_id_owner")),
        sa.PrimaryKeyConstraint("gateway", "place", name=op.f("pk_lease")),
        sa.UniqueConstraint("gateway", "owner_id", name=op.f("uq_lease_gateway_owner_id")),
    )
    op.create_index("ix_lease_owner_id", "lease", ["owner_id"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
