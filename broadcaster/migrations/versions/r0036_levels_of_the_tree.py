"""One level of the tree is read in pages."""

from __future__ import annotations

from alembic import op

from subscribers.errors import Conflict

revision = "r0036"
down_revision = "r0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_organisation_parent", "organisation", ["parent_id", "id"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
