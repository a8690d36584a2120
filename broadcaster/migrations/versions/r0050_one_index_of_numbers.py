"""Messages have one index that begins with the number instead of two that hold it: each costs as much as the row."""

from __future__ import annotations

from alembic import op

from subscribers.errors import Conflict

revision = "r0050"
down_revision = "r0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("message") as batch:
        # in this order, so that nothing is without an index while a server rebuilds them one by one
        batch.create_unique_constraint("uq_message_msisdn_campaign_id", ["msisdn", "campaign_id"])
        batch.create_index("ix_message_campaign", ["campaign_id"])
        batch.drop_constraint("uq_message_campaign_id_msisdn", type_="unique")
        batch.drop_index("ix_message_msisdn")


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
