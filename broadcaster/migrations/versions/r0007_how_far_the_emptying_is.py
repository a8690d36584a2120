"""How far the emptying of old words has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0007"
down_revision = "r0006"
branch_labels = None
depends_on = None

#: SQLite numbers rows by itself only when the key is declared INTEGER
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "emptying",
        sa.Column("what", sa.String(length=20), nullable=False),
        sa.Column("of", KEY, autoincrement=False, nullable=False),
        sa.Column("cursor", KEY, nullable=False),
        sa.Column("done_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("what", "of", name=op.f("pk_emptying")),
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
