"""Figures of campaigns that are kept instead of counted; those of the campaigns that are there are counted once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0009"
down_revision = "r0008"
branch_labels = None
depends_on = None

#: SQLite numbers rows by itself only when the key is declared INTEGER
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
#: what has failed, was rejected, has expired or was skipped tells why
MESSAGES = """
    INSERT INTO tally (campaign_id, kind, gateway, state, reason, n)
    SELECT campaign_id, 1, coalesce(gateway, ''), state,
           CASE WHEN state IN (6, 7, 8, 13) THEN coalesce(reason, '') ELSE '' END, count(*)
    FROM message WHERE campaign_id IS NOT NULL GROUP BY 1, 3, 4, 5
"""
PARTS = """
    INSERT INTO tally (campaign_id, kind, gateway, state, reason, n)
    SELECT message.campaign_id, 2, part.gateway, part.state, '', count(*)
    FROM part JOIN message ON message.id = part.message_id WHERE message.campaign_id IS NOT NULL GROUP BY 1, 3, 4
"""


def upgrade() -> None:
    op.create_table(
        "tally",
        sa.Column("id", KEY, nullable=False),
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("state", sa.SmallInteger(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tally")),
    )
    op.create_index("ix_tally_campaign", "tally", ["campaign_id"])
    for count in (MESSAGES, PARTS):
        op.execute(count)


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
