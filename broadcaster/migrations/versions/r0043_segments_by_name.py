"""A campaign keeps the rule of its audience as it was asked for, so that a segment that was changed since is told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0043"
down_revision = "r0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("campaign", sa.Column("asked", sa.Text(), nullable=False, server_default=sa.text("''")))


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
