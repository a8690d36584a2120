"""What was typed and not saved, and who has a page open."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0024"
down_revision = "r0023"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "item_draft",
        sa.Column("id", KEY, nullable=False),
        sa.Column("item_id", KEY, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("saves", sa.Integer(), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.Column("discarded_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_draft_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_draft")),
    )
    op.create_index("ix_item_draft_written_by", "item_draft", ["written_by"])
    op.create_table(
        "presence",
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("place", "name", name=op.f("pk_presence")),
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
