"""People and rights: users, audit, transfers, admissions; a registry that takes in a province (docs/decisions/0006)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers.errors import Conflict
from subscribers.names import search_key

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None

#: SQLite numbers rows by itself only when the key is declared INTEGER
KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
BYTEWISE = sa.String(length=400).with_variant(sa.String(length=400, collation="C"), "postgresql")
#: members whose keys are filled in by one call
BATCH = 1000


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("under", BYTEWISE, nullable=False),
        sa.Column("deed", sa.String(length=60), nullable=False),
        sa.Column("thing", sa.String(length=200), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"])

    op.create_table(
        "column_wish",
        sa.Column("msisdn", sa.String(length=20), nullable=False),
        sa.Column("topic", sa.String(length=100), nullable=False),
        sa.Column("wish", sa.String(length=3), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("consent_id", KEY, nullable=False),
        sa.PrimaryKeyConstraint("msisdn", "topic", name=op.f("pk_column_wish")),
    )
    op.create_table(
        "forgotten_number",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_forgotten_number")),
    )
    op.create_table(
        "people_list",
        sa.Column("id", KEY, nullable=False),
        sa.Column("organisation_id", KEY, nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("saved_by", sa.String(length=100), nullable=False),
        sa.Column("saved_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_people_list_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people_list")),
        sa.UniqueConstraint("organisation_id", "name", name=op.f("uq_people_list_organisation_id_name")),
    )
    _make_unique_without("people_list", "organisation_id", "uq_people_list_everywhere")
    op.create_table(
        "admission",
        sa.Column("id", KEY, nullable=False),
        sa.Column("msisdn", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("wording", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", KEY, nullable=True),
        sa.Column("member_id", KEY, nullable=True),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_admission_member_id_member")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_admission_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admission")),
    )
    op.create_index("ix_admission_msisdn", "admission", ["msisdn"])
    op.create_index("ix_admission_state", "admission", ["state", "id"])
    op.create_index(
        "uq_admission_waiting",
        "admission",
        ["msisdn", "name"],
        unique=True,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )

    op.create_table(
        "app_user",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("organisation_id", KEY, nullable=True),
        sa.Column("password_hash", sa.String(length=300), nullable=False),
        sa.Column("must_change", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("failures", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failing_since", INSTANT, nullable=True),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("disabled_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_app_user_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("name", name=op.f("uq_app_user_name")),
    )
    op.create_table(
        "import_span",
        sa.Column("import_run_id", KEY, nullable=False),
        sa.Column("first_id", KEY, nullable=False),
        sa.Column("last_id", KEY, nullable=False),
        sa.Column("last_number_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_run.id"], name=op.f("fk_import_span_import_run_id_import_run")
        ),
        sa.PrimaryKeyConstraint("import_run_id", "first_id", name=op.f("pk_import_span")),
    )
    op.create_table(
        "listed",
        sa.Column("list_id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["list_id"], ["people_list.id"], name=op.f("fk_listed_list_id_people_list")),
        sa.PrimaryKeyConstraint("list_id", "member_id", name=op.f("pk_listed")),
    )
    op.create_index("ix_listed_member", "listed", ["member_id"])
    op.create_table(
        "transfer",
        sa.Column("id", KEY, nullable=False),
        sa.Column("member_id", KEY, nullable=False),
        sa.Column("from_organisation_id", KEY, nullable=False),
        sa.Column("to_organisation_id", KEY, nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("asked_by", sa.String(length=100), nullable=False),
        sa.Column("by_destination", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("decided_at", INSTANT, nullable=True),
        sa.Column("effective_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["from_organisation_id"], ["organisation.id"], name=op.f("fk_transfer_from_organisation_id_organisation")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_transfer_member_id_member")),
        sa.ForeignKeyConstraint(
            ["to_organisation_id"], ["organisation.id"], name=op.f("fk_transfer_to_organisation_id_organisation")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
    )
    op.create_index("ix_transfer_member", "transfer", ["member_id"])
    op.create_index("ix_transfer_state", "transfer", ["state", "expires_at"])
    op.create_index(
        "uq_transfer_open",
        "transfer",
        ["member_id"],
        unique=True,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )

    op.create_table(
        "sign_in",
        sa.Column("id", KEY, nullable=False),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("token_digest", sa.String(length=64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("last_used_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_sign_in_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
        sa.UniqueConstraint("token_digest", name=op.f("uq_sign_in_token_digest")),
    )
    op.create_index("ix_sign_in_user", "sign_in", ["user_id"])

    # first, so that the table it refers to can be made anew on SQLite
    with op.batch_alter_table("subscription") as batch:
        batch.drop_constraint(batch.f("fk_subscription_consent_id_consent"), type_="foreignkey")

    with op.batch_alter_table("consent") as batch:
        batch.add_column(sa.Column("topic", sa.String(length=100), server_default=sa.text("''"), nullable=False))
        batch.alter_column("msisdn", existing_type=sa.VARCHAR(length=20), nullable=True)

    with op.batch_alter_table("edition") as batch:
        batch.add_column(sa.Column("under", BYTEWISE, server_default=sa.text("''"), nullable=False))

    with op.batch_alter_table("import_run") as batch:
        batch.add_column(sa.Column("kind", sa.String(length=20), server_default=sa.text("'members'"), nullable=False))

    with op.batch_alter_table("member") as batch:
        batch.add_column(sa.Column("search_key", BYTEWISE, server_default=sa.text("''"), nullable=False))
        batch.add_column(sa.Column("forgotten_at", INSTANT, nullable=True))
        batch.drop_index(batch.f("ix_member_name"))
    _fill_search_keys()
    op.create_index("ix_member_search_key", "member", ["search_key"])

    with op.batch_alter_table("membership") as batch:
        batch.add_column(sa.Column("away_place", sa.String(length=100), nullable=True))
        batch.add_column(sa.Column("host_branch", sa.String(length=200), nullable=True))
        batch.drop_index(batch.f("ix_membership_organisation"))
        batch.create_index(
            "ix_membership_organisation",
            ["organisation_id", "status", "valid_from", "valid_until", "mobile", "member_id"],
        )
        batch.drop_constraint(batch.f("fk_membership_member_id_member"), type_="foreignkey")
        batch.drop_constraint(batch.f("fk_membership_organisation_id_organisation"), type_="foreignkey")

    with op.batch_alter_table("number") as batch:
        batch.add_column(sa.Column("operator_told_at", INSTANT, nullable=True))
        batch.add_column(sa.Column("unknown_in_a_row", sa.SmallInteger(), server_default=sa.text("0"), nullable=False))
        batch.drop_constraint(batch.f("fk_number_member_id_member"), type_="foreignkey")
        batch.create_index(
            "ix_number_suspended",
            ["suspended_at"],
            sqlite_where=sa.text("suspended_at IS NOT NULL"),
            postgresql_where=sa.text("suspended_at IS NOT NULL"),
        )

    with op.batch_alter_table("receipt_inbox") as batch:
        batch.add_column(sa.Column("unknown_number", sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table("segment") as batch:
        batch.add_column(sa.Column("organisation_id", KEY, nullable=True))
        batch.create_foreign_key(
            batch.f("fk_segment_organisation_id_organisation"), "organisation", ["organisation_id"], ["id"]
        )
        batch.drop_constraint(batch.f("uq_segment_name"), type_="unique")
        batch.create_unique_constraint(batch.f("uq_segment_organisation_id_name"), ["organisation_id", "name"])
    _make_unique_without("segment", "organisation_id", "uq_segment_everywhere")

    op.create_index("ix_organisation_name", "organisation", ["name"])
    _make_unique_without("organisation", "parent_id", "uq_organisation_top")

    _make_audit_insert_only()


def _make_unique_without(table: str, column: str, index: str) -> None:
    """Names are unique also among the rows that a unique constraint lets be alike: those without `column`."""
    nothing = sa.text(f"{column} IS NULL")
    op.create_index(index, table, ["name"], unique=True, sqlite_where=nothing, postgresql_where=nothing)


def _fill_search_keys() -> None:
    """Members who are there already can be looked for by pinyin too."""
    member = sa.table("member", sa.column("id", KEY), sa.column("name"), sa.column("search_key"))
    fill = sa.update(member).where(member.c.id == sa.bindparam("of")).values(search_key=sa.bindparam("key"))
    portion = sa.select(member.c.id, member.c.name).order_by(member.c.id).limit(BATCH)
    last = 0
    while rows := op.get_bind().execute(portion.where(member.c.id > last)).all():
        op.get_bind().execute(fill, [{"of": row.id, "key": search_key(row.name)} for row in rows])
        last = rows[-1].id


def _make_audit_insert_only() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for deed in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_only_grows_{deed.lower()} BEFORE {deed} ON audit "
                "BEGIN SELECT RAISE(ABORT, 'the audit only grows'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the audit only grows'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows()"
    )


def downgrade() -> None:
    raise Conflict("A database is never taken back to an earlier revision.", hint="Restore the backup from before it.")
