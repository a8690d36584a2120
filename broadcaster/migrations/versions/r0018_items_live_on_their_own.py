"""Items and columns last longer than an edition; an edition refers to its items (docs/decisions/0016)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0018"
down_revision = "r0017"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
BYTEWISE = sa.String(length=400).with_variant(sa.String(length=400, collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "standing_column",
        sa.Column("id", KEY, nullable=False),
        sa.Column("parent_id", KEY, nullable=True),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("under", BYTEWISE, nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["standing_column.id"], name=op.f("fk_standing_column_parent_id_standing_column")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_column")),
    )
    op.add_column("edition", sa.Column("version", sa.Integer(), server_default=sa.text("0"), nullable=False))
    # the items of before stand aside while their table is made anew
    op.execute("CREATE TABLE item_before AS SELECT * FROM item")
    op.drop_table("item")
    with op.batch_alter_table("edition_column") as batch:
        batch.add_column(sa.Column("standing_id", KEY, nullable=True))
        batch.create_foreign_key(
            batch.f("fk_edition_column_standing_id_standing_column"), "standing_column", ["standing_id"], ["id"]
        )
    _make_items()
    _move_items()


def _make_items() -> None:
    op.create_table(
        "item",
        sa.Column("id", KEY, nullable=False),
        sa.Column("under", BYTEWISE, nullable=False),
        sa.Column("standing_id", KEY, nullable=True),
        sa.Column("headline", sa.String(length=100), nullable=False),
        sa.Column("sms", sa.Text(), nullable=False),
        sa.Column("full", sa.Text(), nullable=False),
        sa.Column("audience", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("corrects_id", KEY, nullable=True),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_by", sa.String(length=100), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["corrects_id"], ["item.id"], name=op.f("fk_item_corrects_id_item")),
        sa.ForeignKeyConstraint(
            ["standing_id"], ["standing_column.id"], name=op.f("fk_item_standing_id_standing_column")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item")),
    )
    op.create_index("ix_item_under", "item", ["under"])
    op.create_table(
        "placement",
        sa.Column("id", KEY, nullable=False),
        sa.Column("column_id", KEY, nullable=False),
        sa.Column("item_id", KEY, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["column_id"], ["edition_column.id"], name=op.f("fk_placement_column_id_edition_column")
        ),
        sa.ForeignKeyConstraint(["item_id"], ["item.id"], name=op.f("fk_placement_item_id_item")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_placement")),
        sa.UniqueConstraint("column_id", "item_id", name=op.f("uq_placement_column_id_item_id")),
    )
    op.create_index("ix_placement_item", "placement", ["item_id"])


def _move_items() -> None:
    op.execute(
        """
        INSERT INTO item (id, under, headline, sms, "full", audience, source, state, shared, note, version,
                          created_by, created_at, changed_by, changed_at)
        SELECT before.id, edition.under, before.headline, before.sms, before."full", before.audience, '', 'ready',
               false, '', 1, edition.created_by, edition.created_at, edition.created_by, edition.created_at
        FROM item_before AS before
        JOIN edition_column ON edition_column.id = before.column_id
        JOIN edition ON edition.id = edition_column.edition_id
        """
    )
    op.execute(
        "INSERT INTO placement (column_id, item_id, position) "
        "SELECT column_id, id, position FROM item_before ORDER BY column_id, position"
    )
    op.drop_table("item_before")
    if op.get_bind().dialect.name == "postgresql":
        # numbers go on behind those that were brought along
        op.execute("SELECT setval(pg_get_serial_sequence('item', 'id'), coalesce(max(id), 0) + 1, false) FROM item")


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
