"""A sender notes what leaves in a journal of its own; the row says which one is its."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0008"
down_revision = "r0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("owner", sa.Column("token", sa.String(length=32), nullable=True))
    op.add_column("turn", sa.Column("lane", sa.SmallInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
