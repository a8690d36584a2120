"""Messages refer to their member by number alone: each check locked the member's row, and so wrote it."""

from __future__ import annotations

from alembic import op

from subscribers.errors import Conflict

revision = "r0038"
down_revision = "r0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("message") as batch:
        batch.drop_constraint("fk_message_member_id_member", type_="foreignkey")


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
