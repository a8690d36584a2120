"""Reading pages for some of the members, who show by a code that a number is theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0028"
down_revision = "r0027"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    empty = sa.text("''")
    op.add_column("edition_page", sa.Column("readers", sa.Text(), server_default=empty, nullable=False))
    op.add_column(
        "edition_page", sa.Column("readers_named", sa.String(length=500), server_default=empty, nullable=False)
    )
    op.create_table(
        "reader_code",
        sa.Column("id", KEY, nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("msisdn", sa.String(length=20), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("tries", sa.SmallInteger(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reader_code")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_reader_code_token_digest")),
    )
    op.create_index("ix_reader_code_mark", "reader_code", ["mark"])
    op.create_table(
        "reader_device",
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token_digest", name=op.f("pk_reader_device")),
    )
    op.create_index("ix_reader_device_mark", "reader_device", ["mark"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
