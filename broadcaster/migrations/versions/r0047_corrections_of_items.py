"""What puts an item right is found without looking at all items."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0047"
down_revision = "r0046"
branch_labels = None
depends_on = None

_PUTS_RIGHT = sa.text("corrects_id IS NOT NULL")


def upgrade() -> None:
    op.create_index("ix_item_corrects", "item", ["corrects_id"], postgresql_where=_PUTS_RIGHT, sqlite_where=_PUTS_RIGHT)


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
