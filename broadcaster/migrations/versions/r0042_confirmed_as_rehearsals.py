"""Campaigns keep by which gateways nothing reached a phone when they were confirmed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0042"
down_revision = "r0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # of those that are open now nobody knows: they go on as before
    op.add_column("campaign", sa.Column("rehearsed", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
