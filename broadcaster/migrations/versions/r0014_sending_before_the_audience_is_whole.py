"""Sending begins before the audience is whole: who had come by the start is kept, as the last id there was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0014"
down_revision = "r0013"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    # one that was started before is written down to the last member there is, as it would have been
    op.add_column("campaign", sa.Column("audience_up_to", KEY, nullable=True))


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
