"""Receipts that wait, and those whose part is not known, stand beside the inbox, so that its rows are written once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0011"
down_revision = "r0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)

#: what `receipt_inbox.outcome` said of them until now
_PENDING, _APPLIED, _ORPHAN = 0, 1, 2


def upgrade() -> None:
    op.create_table(
        "receipt_waiting",
        sa.Column("inbox_id", KEY, autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_receipt_waiting")),
    )
    op.create_table(
        "receipt_orphan",
        sa.Column("inbox_id", KEY, autoincrement=False, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("due", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_receipt_orphan")),
    )
    op.create_index("ix_receipt_orphan_due", "receipt_orphan", ["due"])
    inbox = sa.table("receipt_inbox", sa.column("id"), sa.column("outcome"), sa.column("received_at"))
    waiting = sa.table("receipt_waiting", sa.column("inbox_id"))
    orphan = sa.table("receipt_orphan", sa.column("inbox_id"), sa.column("since"), sa.column("due"))
    op.execute(waiting.insert().from_select(["inbox_id"], sa.select(inbox.c.id).where(inbox.c.outcome == _PENDING)))
    op.execute(
        orphan.insert().from_select(
            ["inbox_id", "since", "due"],
            sa.select(inbox.c.id, inbox.c.received_at, inbox.c.received_at).where(inbox.c.outcome == _ORPHAN),
        )
    )
    op.execute(inbox.update().where(inbox.c.outcome.in_((_PENDING, _ORPHAN))).values(outcome=_APPLIED))
    op.drop_index("ix_receipt_inbox_open", "receipt_inbox")
    unknown = sa.text("unknown_in_a_row > 0")
    op.create_index("ix_number_unknown", "number", ["msisdn"], postgresql_where=unknown, sqlite_where=unknown)


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
