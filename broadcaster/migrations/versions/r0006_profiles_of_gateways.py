"""What operators demand of texts, dated; and how a campaign that started was dressed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None

#: SQLite numbers rows by itself only when the key is declared INTEGER
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "gateway_profile",
        sa.Column("id", KEY, nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.Column("written_by", sa.String(length=100), nullable=False),
        sa.Column("written_at", INSTANT, nullable=False),
        sa.Column("withdrawn_by", sa.String(length=100), nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_profile")),
    )
    op.create_index("ix_gateway_profile_gateway", "gateway_profile", ["gateway"])
    op.create_table(
        "campaign_dress",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("gateway", sa.String(length=40), nullable=False),
        sa.Column("signature", sa.String(length=40), nullable=False),
        sa.Column("place", sa.String(length=10), nullable=False),
        sa.Column("opt_out", sa.String(length=100), nullable=False),
        sa.Column("alphabet", sa.String(length=40), nullable=False),
        sa.Column("reference_bits", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_dress_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("campaign_id", "gateway", name=op.f("pk_campaign_dress")),
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
