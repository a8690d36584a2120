"""The revisions make the schema that the models describe, once, whole, whoever else wants it at the same time."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

import broadcaster
from broadcaster import migrations
from broadcaster.delivery import lots
from broadcaster.delivery.states import State
from subscribers.db import Base, make_engine
from subscribers.errors import Conflict, Unavailable
from tests.databases import Clock, PostgresqlTemplate, Transactions
from tests.delivery.ledger import receipt, receive
from tests.rules import ROOT

for package in pkgutil.iter_modules(broadcaster.__path__, "broadcaster."):
    if package.ispkg and importlib.util.find_spec(f"{package.name}.models"):
        importlib.import_module(f"{package.name}.models")


@pytest.fixture
def empty_database(database_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    if database_url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: PostgresqlTemplate = request.getfixturevalue("postgresql_template")
    name = f"{server.prefix}_empty_{uuid.uuid4().hex[:8]}"
    server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def empty(empty_database: str) -> Iterator[Engine]:
    engine = make_engine(empty_database)
    yield engine
    engine.dispose()


@pytest.fixture
def upgraded(empty: Engine) -> Engine:
    migrations.upgrade(empty)
    return empty


def test_the_way_from_nothing(empty_database: str) -> None:
    assert migrations.revision(empty_database) is None
    assert migrations.upgrade(empty_database) == migrations.head() == migrations.revision(empty_database)


def test_a_second_upgrade_changes_nothing(upgraded: Engine) -> None:
    with upgraded.begin() as connection:
        connection.execute(
            text("INSERT INTO member (id, name, tags, fields, created_at) VALUES (1, 'A', '[]', '{}', :at)"),
            {"at": "2026-11-21 02:00:00"},
        )
        before = schema(connection)
    assert migrations.upgrade(upgraded) == migrations.head()
    with upgraded.connect() as connection:
        assert schema(connection) == before
        assert connection.scalar(text("SELECT count(*) FROM member")) == 1


def test_a_registry_of_an_earlier_program_is_taken_along(empty: Engine) -> None:
    """A table that others refer to cannot be made anew on SQLite: its rows would be missed."""
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), "r0022")
        connection.execute(
            text("INSERT INTO organisation (id, name, level, path, kind) VALUES (1, '东城', 0, '1/', '')")
        )
        below = "INSERT INTO organisation (id, parent_id, name, level, path, kind) VALUES (2, 1, '东街', 1, '1/2/', '')"
        connection.execute(text(below))
    migrations.upgrade(empty)
    with empty.connect() as connection:
        assert connection.execute(text("SELECT name FROM organisation ORDER BY id")).scalars().all() == ["东城", "东街"]


# SQLite tells of such an index that it is there and not what it is; the next test compares its words
@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_autogenerate_finds_nothing_to_add(upgraded: Engine) -> None:
    with upgraded.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_schema_is_the_models_to_the_letter(upgraded: Engine) -> None:
    """Predicates of partial indexes, fill factors and collations too, which autogenerate does not compare."""
    with upgraded.begin() as connection:
        migrated = schema(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        Base.metadata.drop_all(connection)
        assert schema(connection) == {}
        Base.metadata.create_all(connection)
        assert {name: made for name, made in migrated.items() if "alembic_version" not in name} == schema(connection)


def test_what_the_ledger_relies_on(upgraded: Engine) -> None:
    with upgraded.connect() as connection:
        told = schema(connection)
        postgresql = connection.dialect.name == "postgresql"
    for index, predicate in {
        "ix_batch_open": "not done",
        "ix_doubt_open": "settled_at is null",
        "ix_letter_new": "'new'",
        "ix_number_unknown": "unknown_in_a_row > 0",
    }.items():
        assert re.search(rf"where .*{predicate}", str(told[index]).lower()), told[index]
    if postgresql:
        assert told["message"]["options"] == told["part"]["options"] == ["fillfactor=50"]
        assert told["organisation.path"]["collation"] == "C"


def test_many_processes_at_once(empty_database: str) -> None:
    # each says that it is there, so that they set off together
    code = "import sys; from broadcaster import migrations; print(1, flush=True); input(); "
    code += "print(migrations.upgrade(sys.argv[1]))"
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, empty_database],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout and process.stdout.readline() == "1\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60) for process in processes]
    assert [out.strip() for out, _ in told] == [migrations.head()] * 3, "\n".join(err for _, err in told)


def test_a_failed_upgrade_leaves_nothing_behind(empty: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    real = command.upgrade

    def breaks_at_the_end(*given: Any) -> None:
        real(*given)
        raise RuntimeError("the power went")

    monkeypatch.setattr(command, "upgrade", breaks_at_the_end)
    with pytest.raises(RuntimeError, match="the power went"):
        migrations.upgrade(empty)
    assert migrations.revision(empty) is None
    assert inspect(empty).get_table_names() == []


def test_a_database_of_a_newer_program(upgraded: Engine) -> None:
    with upgraded.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
    with pytest.raises(
        Conflict, match=f"at revision r9999; this program knows revisions up to {migrations.head()}"
    ) as e:
        migrations.upgrade(upgraded)
    assert "backup" in e.value.hint
    assert migrations.revision(upgraded) == "r9999"


def test_an_earlier_revision_goes_on_to_the_newest(empty: Engine) -> None:
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), "r0001")
    assert migrations.revision(empty) == "r0001"
    assert not inspect(empty).has_table("campaign")
    assert migrations.upgrade(empty) == migrations.head()
    assert inspect(empty).has_table("campaign")


def test_members_of_an_earlier_revision_can_be_looked_for_by_pinyin(empty: Engine) -> None:
    names = ["张伟", "单雄信", "王㐂", "Zhou Lan"] * 520
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), "r0002")
        connection.execute(
            text("INSERT INTO member (id, name, tags, fields, created_at) VALUES (:id, :name, '[]', '{}', :at)"),
            [{"id": 3 * n + 1, "name": name, "at": "2026-11-21 02:00:00"} for n, name in enumerate(names)],
        )
    migrations.upgrade(empty)
    with empty.connect() as connection:
        keys = connection.scalars(text("SELECT search_key FROM member ORDER BY id")).all()
    assert keys == ["zw zhangwei", "sxx shanxiongxin", "w㐂 wang㐂", "zl zhoulan"] * 520


def test_campaigns_of_an_earlier_revision_stay_whole(empty: Engine) -> None:
    campaign = {"kind": "notice", "title": "-", "state": "sending", "generation": 1, "lane": 2, "rule": "everyone"}
    campaign |= {"under": "", "signature": "", "opt_out": "", "content_hash": "", "tariffs": "{}", "created_by": "-"}
    campaign |= {"created_at": "2026-11-21 02:00:00", "snapshot_cursor": 0, "note": "", "note_fields": "{}", "id": 1}
    variant = {"campaign_id": 1, "position": 0, "name": "-", "rule": "everyone", "source": "-", "context": "{}"}
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), "r0005")
        for table, row in {"campaign": campaign, "campaign_variant": variant}.items():
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)
    migrations.upgrade(empty)
    with empty.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM campaign_variant JOIN campaign ON id = campaign_id")) == 1
        assert connection.scalar(text("SELECT count(*) FROM campaign_dress")) == 0


def test_receipts_of_an_earlier_revision_wait_as_before(empty: Engine) -> None:
    row = {"gateway": "carrier", "state": "delivered", "done": "", "raw": "", "received_at": "2026-11-21 02:00:00"}
    names = (*row, "id", "provider_id", "outcome")
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), "r0006")
        insert = text(f"INSERT INTO receipt_inbox ({', '.join(names)}) VALUES ({', '.join(f':{n}' for n in names)})")
        # waiting, applied, an orphan, a conflict
        connection.execute(insert, [row | {"id": n, "provider_id": str(n), "outcome": n} for n in (0, 1, 2, 3)])
    migrations.upgrade(empty)
    with empty.connect() as connection:
        assert connection.scalars(text("SELECT inbox_id FROM receipt_waiting")).all() == [0]
        assert connection.scalars(text("SELECT inbox_id FROM receipt_orphan WHERE due = since")).all() == [2]
        assert connection.scalars(text("SELECT outcome FROM receipt_inbox ORDER BY id")).all() == [1, 1, 1, 3]


def test_receipts_that_wait_beside_lots(empty: Engine, clock: Clock) -> None:
    """What waited before there were lots is applied after them, and numbers go on."""
    rows = {
        "message": {"gateway": "carrier", "variant": 0, "state": 11, "attempt": 1, "parts": 1, "delivered_parts": 0},
        "part": {"message_id": 1, "attempt": 1, "number": 1, "state": 11, "gateway": "carrier"},
        "submission": {"part_id": 1, "gateway": "carrier", "provider_id": "ours"},
        "receipt_inbox": {"gateway": "carrier", "state": "delivered", "done": "", "raw": "", "outcome": 1},
        "receipt_waiting": {"inbox_id": 1},
    }
    rows["message"] |= {"msisdn": "+8619912345678"}
    rows["part"] |= {"encoding": "ucs2", "text": "-", "submitted_at": "2026-11-21 02:00:00"}
    rows["receipt_inbox"] |= {"provider_id": "ours", "received_at": "2026-11-21 02:00:00"}
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), "r0048")
        for table, row in rows.items():
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"), row)
    migrations.upgrade(empty)
    begin = Transactions(empty, clock)
    receive(begin, *[receipt(f"stranger-{n}") for n in range(lots.MANY)])
    with empty.connect() as connection:
        assert connection.scalar(text("SELECT state FROM part")) == State.DELIVERED
        assert connection.scalar(text("SELECT count(*) FROM receipt_waiting")) == 0
        assert connection.scalar(text("SELECT min(inbox_id) FROM receipt_orphan")) > 1
        assert connection.scalar(text("SELECT count(*) FROM receipt_orphan")) == lots.MANY


def test_items_of_an_earlier_revision_stand_where_they_stood(empty: Engine) -> None:
    edition = {
        "id": 1,
        "number": 128,
        "date": "2026-11-23",
        "title": "-",
        "source": "-",
        "under": "1/",
        "created_by": "li",
    }
    rows = [
        ("organisation", {"id": 1, "name": "-", "kind": "", "level": 1, "path": "1/"}),
        ("edition", edition | {"created_at": "2026-11-21 02:00:00"}),
        ("edition_column", {"id": 5, "edition_id": 1, "position": 0, "name": "要闻"}),
        ("variant", {"edition_id": 1, "position": 0, "name": "everyone"}),
    ]
    item = {"column_id": 5, "headline": "h", "full": "f", "audience": '["everyone"]'}
    rows += [("item", item | {"id": 7 - at, "position": at, "sms": f"s{at}"}) for at in (0, 1)]
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), "r0017")
        for table, row in rows:
            names = [f'"{name}"' for name in row]
            values = ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})"), row)
    migrations.upgrade(empty)
    placed = "SELECT item.sms FROM placement JOIN item ON item.id = item_id WHERE column_id = 5 ORDER BY position"
    with empty.begin() as connection:
        assert connection.scalars(text(placed)).all() == ["s0", "s1"]
        assert {tuple(row) for row in connection.execute(text("SELECT under, state, created_by FROM item"))} == {
            ("1/", "ready", "li")
        }
        assert connection.scalar(text("SELECT audience FROM item WHERE id = 7")) in ('["everyone"]', ["everyone"])
        # the next one gets a number of its own
        insert = (
            'INSERT INTO item (under, headline, sms, "full", audience, source, state, shared, note, version,'
            ' created_by, created_at, changed_by, changed_at) SELECT under, headline, sms, "full", audience, source,'
            " state, shared, note, version, created_by, created_at, changed_by, changed_at FROM item WHERE id = 7"
        )
        connection.execute(text(insert))
        assert connection.scalar(text("SELECT max(id) FROM item")) == 8


def test_drafts_of_an_earlier_revision_are_of_the_user_of_that_name(empty: Engine) -> None:
    with empty.begin() as connection:
        command.upgrade(migrations.config(connection), "r0033")
        user = "insert into app_user (name, role, password_hash, created_by, created_at)"
        connection.execute(text(f"{user} values ('li', 'writer', 'x', 'x', '2026-11-20 10:00:00')"))
        for name in ("li", "nobody"):
            draft = "insert into item_draft (version, saves, fields, written_by, saved_at)"
            fields = f'[["headline", "{name}"]]'
            connection.execute(
                text(f"{draft} values (0, 1, :fields, :name, '2026-11-20 10:00:00')"), {"fields": fields, "name": name}
            )
    migrations.upgrade(empty)
    with empty.connect() as connection:
        found = connection.execute(
            text("select app_user.name, characters from item_draft join app_user on app_user.id = user_id")
        ).all()
    assert [tuple(row) for row in found] == [("li", 20)]


def test_a_database_of_somebody_else(empty: Engine) -> None:
    with empty.begin() as connection:
        connection.execute(text("CREATE TABLE customers (id INTEGER PRIMARY KEY)"))
    with pytest.raises(Conflict, match="did not make: customers") as e:
        migrations.upgrade(empty)
    assert "[store]" in e.value.hint
    assert inspect(empty).get_table_names() == ["customers"]


def test_there_is_no_way_back(upgraded: Engine) -> None:
    for target in ("-1", "base"):
        with pytest.raises(Conflict, match="never taken back"), upgraded.begin() as connection:
            command.downgrade(migrations.config(connection), target)
    assert migrations.revision(upgraded) == migrations.head()
    assert inspect(upgraded).has_table("letter")


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://nobody@127.0.0.1:1/nothing", "sqlite:////nowhere/at/all/broadsheet.db"]
)
def test_a_database_that_is_not_there(url: str) -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        migrations.upgrade(url)


def schema(connection: Connection) -> dict[str, Any]:
    """What the database itself says about every table, column, index and constraint, by name."""
    if connection.dialect.name == "sqlite":
        # its own tables stay when ours are dropped
        query = (
            "SELECT name, sql FROM sqlite_master "
            "WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND type <> 'trigger'"
        )
        rows = connection.execute(text(query))
        # a table that was made anew has its name in quotes
        plain = {name: sql.replace('"', "") for name, sql in rows}
        return {
            # a column that was added later stands on the line of the one before it
            name: sorted(filter(None, (re.sub(r"\s+", " ", line).strip(" ,") for line in _lines(sql))))
            for name, sql in plain.items()
        }
    told = {}
    for query in (TABLES, COLUMNS, INDEXES, CONSTRAINTS):
        told.update({row.pop("name"): row for row in map(dict, connection.execute(text(query)).mappings())})
    return told


def _lines(sql: str) -> list[str]:
    return re.split(r"\n|, (?![^(]*\))", sql)


TABLES = """
    SELECT relname AS name, reloptions AS options FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
COLUMNS = """
    SELECT c.relname || '.' || a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type, a.attnotnull AS needed,
           pg_get_expr(d.adbin, d.adrelid) AS value, o.collname AS collation
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    LEFT JOIN pg_collation o ON o.oid = a.attcollation
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
"""
INDEXES = "SELECT indexname AS name, indexdef AS made FROM pg_indexes WHERE schemaname = 'public'"
CONSTRAINTS = """
    SELECT conname AS name, contype AS kind, pg_get_constraintdef(oid) AS made FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
"""
