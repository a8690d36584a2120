"""The index on search keys has the names, too: what begins with a character is told by it, without a look at each."""

from __future__ import annotations

from alembic import op

from subscribers.errors import Conflict

revision = "r0041"
down_revision = "r0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_member_search_key", "member")
    op.create_index(
        "ix_member_search_key",
        "member",
        ["search_key", "id", "name"],
        # by which a beginning is looked for, whatever the collation of the database
        postgresql_ops={"name": "varchar_pattern_ops"},
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
