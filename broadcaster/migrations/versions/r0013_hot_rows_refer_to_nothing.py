"""Parts and what carriers call them refer to their message and part by number alone: each check wrote to the log."""

from __future__ import annotations

from alembic import op

from subscribers.errors import Conflict

revision = "r0013"
down_revision = "r0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("part") as batch:
        batch.drop_constraint("fk_part_message_id_message", type_="foreignkey")
    with op.batch_alter_table("submission") as batch:
        batch.drop_constraint("fk_submission_part_id_part", type_="foreignkey")


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
