"""An import of members keeps which organisations it made, so that they go with it when it is undone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0046"
down_revision = "r0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import_run", sa.Column("places", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
