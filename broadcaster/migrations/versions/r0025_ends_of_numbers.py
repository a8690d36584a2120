"""The last four digits of numbers have an index: without it, whoever looks for them reads all numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0025"
down_revision = "r0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_number_end", "number", [sa.text("substr(msisdn, length(msisdn) - 3)")])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
