"""What is tried at an account is counted beside the addresses, and apart for browsers that its owner has used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0019"
down_revision = "r0018"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.drop_column("app_user", "failures")
    op.drop_column("app_user", "failing_since")
    # nothing in it is older than a quarter of an hour
    op.drop_table("sign_in_try")
    op.create_table(
        "sign_in_try",
        sa.Column("counted", sa.String(length=60), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("counted", name=op.f("pk_sign_in_try")),
    )
    op.create_index(op.f("ix_sign_in_try_since"), "sign_in_try", ["since"], unique=False)


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
