"""What editions come to over their whole audience."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0027"
down_revision = "r0026"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
PATH = sa.String(400).with_variant(sa.String(400, collation="C"), "postgresql")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "edition_count",
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("under", PATH, nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("runner", sa.String(length=16), nullable=False),
        sa.Column("heard_at", INSTANT),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("about", sa.Integer(), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True)),
        sa.Column("counted_at", INSTANT),
        sa.Column("trouble", sa.JSON(none_as_null=True)),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_edition_count_edition_id_edition")),
        sa.PrimaryKeyConstraint("edition_id", "under", name=op.f("pk_edition_count")),
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
