"""Receipts that say that somebody wants nothing: carriers may tell so after they have accepted a message."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("receipt_inbox") as batch:
        batch.add_column(sa.Column("opted_out", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
