"""The sends of an edition are found without looking at all the others."""

from __future__ import annotations

from alembic import op

from subscribers.errors import Conflict

revision = "r0044"
down_revision = "r0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_campaign_edition_id"), "campaign", ["edition_id"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
