"""Lists that a worker looks at, takes in and takes back; refused rows in the database."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict

revision = "r0039"
down_revision = "r0038"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "list_job",
        sa.Column("id", KEY, nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("file_name", sa.String(length=100), nullable=False),
        sa.Column("import_run_id", KEY, nullable=True),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("runner", sa.String(length=16), nullable=False),
        sa.Column("begun", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("is_to_stop", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("trouble", sa.JSON(none_as_null=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_run.id"], name=op.f("fk_list_job_import_run_id_import_run")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_list_job")),
        sa.UniqueConstraint("token", name=op.f("uq_list_job_token")),
    )
    op.create_index("ix_list_job_state", "list_job", ["state"])
    op.create_table(
        "list_piece",
        sa.Column("job_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["list_job.id"], name=op.f("fk_list_piece_job_id_list_job")),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_list_piece")),
    )
    op.create_table(
        "refused_piece",
        sa.Column("import_run_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_run.id"], name=op.f("fk_refused_piece_import_run_id_import_run")
        ),
        sa.PrimaryKeyConstraint("import_run_id", "position", name=op.f("pk_refused_piece")),
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
