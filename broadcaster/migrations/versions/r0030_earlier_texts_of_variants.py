"""Texts of variants that gave way to others: they can be taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0030"
down_revision = "r0029"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "variant_text_earlier",
        sa.Column("id", KEY, nullable=False),
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("composed", sa.Text(), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["edition.id"], name=op.f("fk_variant_text_earlier_edition_id_edition")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant_text_earlier")),
    )
    op.create_index("ix_variant_text_earlier_edition", "variant_text_earlier", ["edition_id", "name"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
