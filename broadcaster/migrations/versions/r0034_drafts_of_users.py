"""Drafts and who is there belong to a user, whatever they are called; how long a draft is stands beside it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0034"
down_revision = "r0033"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
USER = "(select id from app_user where name = item_draft.written_by)"


def upgrade() -> None:
    op.add_column("item_draft", sa.Column("user_id", KEY, nullable=True))
    op.add_column("item_draft", sa.Column("characters", sa.Integer(), server_default="0", nullable=False))
    op.execute(f"update item_draft set user_id = {USER}, characters = length(cast(fields as text))")  # noqa: S608
    op.execute("delete from item_draft where user_id is null")
    op.drop_index("ix_item_draft_written_by", "item_draft")
    with op.batch_alter_table("item_draft") as table:
        table.alter_column("user_id", existing_type=KEY, nullable=False)
        table.alter_column("characters", existing_type=sa.Integer(), server_default=None)
        table.drop_column("written_by")
        table.create_foreign_key(op.f("fk_item_draft_user_id_app_user"), "app_user", ["user_id"], ["id"])
    op.create_index("ix_item_draft_user", "item_draft", ["user_id"])
    op.create_index("ix_item_draft_saved_at", "item_draft", ["saved_at"])
    # nobody is anywhere for longer than a page is open
    op.drop_table("presence")
    op.create_table(
        "presence",
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_presence_user_id_app_user")),
        sa.PrimaryKeyConstraint("place", "user_id", name=op.f("pk_presence")),
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
