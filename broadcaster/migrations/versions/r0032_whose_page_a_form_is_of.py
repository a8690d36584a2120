"""Whose page a form was sent from is known, also after that sign-in is over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0032"
down_revision = "r0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_in", sa.Column("form_digest", sa.String(64), nullable=True))
    op.create_index(op.f("ix_sign_in_form_digest"), "sign_in", ["form_digest"])


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
