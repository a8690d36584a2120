"""What operators demand of texts, dated; and how a campaign that started was dressed."""

from __future__ import annotations

from typing import Literal

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None

#: SQLite numbers rows by itself only when the key is declared INTEGER
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "gateway_profile",
        sa.Column("id", KEY, nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("withdrawn_by", sa.String(length=100), nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_profile")),
    )
    op.create_index("ix_gateway_profile_gateway", "gateway_profile", ["gateway"])
    # SQLite puts an added column behind the constraints, where a fresh table does not have it
    recreate: Literal["always", "never"] = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    with op.batch_alter_table("campaign", recreate=recreate) as batch:
        batch.add_column(sa.Column("dresses", sa.JSON(), nullable=True))


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
