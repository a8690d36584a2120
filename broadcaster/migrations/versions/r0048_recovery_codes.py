"""Codes with which a user signs in once without their phone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0048"
down_revision = "r0047"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "recovery_code",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("mark", sa.String(length=1), nullable=False),
        sa.Column("code_hash", sa.String(length=300), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_recovery_code_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("user_id", "mark", name=op.f("uq_recovery_code_user_id_mark")),
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
