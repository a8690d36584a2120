"""Texts of variants that end with the address of the reading page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0037"
down_revision = "r0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("variant_text", sa.Column("with_link", sa.Boolean(), server_default=sa.false(), nullable=False))


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
