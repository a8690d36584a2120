"""Proofs that were only rehearsed are known as such, whatever their gateway has become since."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0040"
down_revision = "r0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proof", sa.Column("rehearsed", sa.Boolean(), nullable=True))
    # asked for by whoever hands messages over that belong to no campaign
    op.create_index("ix_proof_message", "proof", ["message_id"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
