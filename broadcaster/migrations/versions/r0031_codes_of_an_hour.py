"""Codes for readers are counted by the hour, of all numbers together."""

from __future__ import annotations

from alembic import op

from subscribers.errors import Conflict

revision = "r0031"
down_revision = "r0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_reader_code_asked_at", "reader_code", ["asked_at"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
