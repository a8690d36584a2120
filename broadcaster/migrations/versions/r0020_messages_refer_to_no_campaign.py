"""Messages refer to their campaign by number alone: while it is sent, each of the checks queued at its one row."""

from __future__ import annotations

from alembic import op

from subscribers.errors import Conflict

revision = "r0020"
down_revision = "r0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("message") as batch:
        batch.drop_constraint("fk_message_campaign_id_campaign", type_="foreignkey")


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
