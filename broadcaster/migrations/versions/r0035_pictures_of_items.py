"""Pictures of items, and those that they had when their editions were published."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0035"
down_revision = "r0034"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "picture",
        sa.Column("id", KEY, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("small", sa.LargeBinary(), nullable=False),
        sa.Column("small_width", sa.SmallInteger(), nullable=False),
        sa.Column("small_height", sa.SmallInteger(), nullable=False),
        sa.Column("small_size", sa.Integer(), nullable=False),
        sa.Column("large", sa.LargeBinary(), nullable=False),
        sa.Column("large_width", sa.SmallInteger(), nullable=False),
        sa.Column("large_height", sa.SmallInteger(), nullable=False),
        sa.Column("large_size", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=100), nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture")),
        sa.UniqueConstraint("made_by", "digest", name=op.f("uq_picture_made_by_digest")),
    )
    op.create_index("ix_picture_used_at", "picture", ["used_at"])
    op.create_table(
        "item_picture",
        sa.Column("item_id", KEY, nullable=False),
        sa.Column("picture_id", KEY, nullable=False),
        sa.Column("alt", sa.String(length=150), nullable=False),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_item_picture_item_id_item")),
        sa.ForeignKeyConstraint(["picture_id"], ["picture.id"], name=op.f("fk_item_picture_picture_id_picture")),
        sa.PrimaryKeyConstraint("item_id", name=op.f("pk_item_picture")),
    )
    op.create_index("ix_item_picture_picture", "item_picture", ["picture_id"])
    op.create_table(
        "page_picture",
        sa.Column("edition_id", KEY, nullable=False),
        sa.Column("item_id", KEY, nullable=False),
        sa.Column("picture_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["edition_page.edition_id"], name=op.f("fk_page_picture_edition_id_edition_page")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_page_picture_item_id_item")),
        sa.ForeignKeyConstraint(["picture_id"], ["picture.id"], name=op.f("fk_page_picture_picture_id_picture")),
        sa.PrimaryKeyConstraint("edition_id", "item_id", name=op.f("pk_page_picture")),
    )
    op.create_index("ix_page_picture_picture", "page_picture", ["picture_id"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
