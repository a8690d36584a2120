"""Signing in at the web: where a sign-in was made, second factors, and tries by address."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0016"
down_revision = "r0015"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("app_user", sa.Column("code_seed", sa.String(40), nullable=True))
    op.add_column("app_user", sa.Column("code_since", INSTANT, nullable=True))
    op.add_column("app_user", sa.Column("code_step", sa.BigInteger, nullable=True))
    # those there are were all made at the command line
    op.add_column("sign_in", sa.Column("door", sa.String(10), nullable=False, server_default="shell"))
    op.add_column("sign_in", sa.Column("code_due", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "sign_in_try",
        sa.Column("address", sa.String(45), nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_sign_in_try")),
    )
    op.create_index(op.f("ix_sign_in_try_since"), "sign_in_try", ["since"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
