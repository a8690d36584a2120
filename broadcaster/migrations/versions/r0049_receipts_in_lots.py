"""Receipts that come together are kept in one row."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0049"
down_revision = "r0048"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "receipt_lot",
        sa.Column("id", KEY, autoincrement=False, nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt_lot")),
    )
    kept = sa.text("told <> ''")
    op.create_index("ix_receipt_lot_kept", "receipt_lot", ["received_at"], postgresql_where=kept, sqlite_where=kept)
    op.create_table(
        "receipt_lot_waiting",
        sa.Column("lot_id", KEY, autoincrement=False, nullable=False),
        sa.Column("receipts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("lot_id", name=op.f("pk_receipt_lot_waiting")),
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
