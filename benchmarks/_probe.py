"""What most who send SMS from a queue write first: one Celery task for each message, smpplib, one row, one commit.

The window is one: each task waits for its answer. Receipts are read while the next answer is awaited, and written down
one by one. TCP_NODELAY is set, which smpplib does not do itself and which is worth almost half as much again.

python -m benchmarks._probe PORT BROKER DATABASE PARTS      is the worker
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import smpplib.client
import smpplib.consts
from celery import Celery

from benchmarks import _product
from benchmarks._carrier import SENDER, carrier
from benchmarks._processes import cpu_seconds, family_cpu_seconds
from tests import servers

ROOT = Path(__file__).parents[1]
TABLE = (
    "CREATE TABLE message (id bigint PRIMARY KEY, msisdn text, state text DEFAULT 'queued', provider_id text); "
    "CREATE INDEX ON message (provider_id); "
    "INSERT INTO message SELECT n, (8619900000000 + n)::text FROM generate_series(1, %d) n"
)


def make_app(port: int, broker: str, database: str, text: bytes) -> Celery:
    """The application of the worker and of whoever sends tasks."""
    app = Celery("probe", broker=broker)
    app.conf.update(worker_prefetch_multiplier=4, broker_connection_retry_on_startup=True, task_ignore_result=True)

    @cache
    def connection() -> psycopg.Connection[Any]:
        return psycopg.connect(database)

    @cache
    def client() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = smpplib.client.Client("127.0.0.1", port, allow_unknown_opt_params=True)
        made.connect()
        made._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.bind_transceiver(system_id="bench", password="")
        made.set_message_sent_handler(answered)
        made.set_message_received_handler(told)
        return made

    waiting: dict[int, int] = {}

    def answered(pdu: Any) -> None:
        id_ = waiting.pop(pdu.sequence)
        provider_id = pdu.message_id.decode()
        connection().execute("UPDATE message SET state = 'sent', provider_id = %s WHERE id = %s", (provider_id, id_))
        connection().commit()

    def told(pdu: Any) -> None:
        provider_id = pdu.receipted_message_id.decode()
        connection().execute("UPDATE message SET state = 'delivered' WHERE provider_id = %s", (provider_id,))
        connection().commit()

    @app.task(name="send")  # type: ignore[untyped-decorator]
    def send(id_: int) -> None:
        row = connection().execute("SELECT msisdn FROM message WHERE id = %s AND state = 'queued'", (id_,)).fetchone()
        if row is None:
            return
        pdu = client().send_message(
            source_addr_ton=smpplib.consts.SMPP_TON_UNK,
            source_addr=SENDER,
            dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
            dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
            destination_addr=row[0],
            data_coding=8,
            short_message=text,
            registered_delivery=True,
        )
        waiting[pdu.sequence] = id_
        while waiting:
            client().read_once()

    @app.task(name="drain")  # type: ignore[untyped-decorator]
    def drain(seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            client().read_once()

    return app


def run(parts: int, text: bytes, receipt_delay: float) -> dict[str, float]:
    """Messages of one part, from the first at the carrier until all are `delivered` in PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="bench-probe-") as place, carrier(receipt_delay) as there:
        folder = Path(place)
        folder.chmod(0o755)
        for name in ("queue", "server"):
            (folder / name).mkdir()
        with (
            servers.valkey(folder / "queue") as broker,
            servers.postgresql(folder / "server", *_product.SETTINGS) as url,
            psycopg.connect(_product.plain(url), autocommit=True) as connection,
        ):
            connection.execute(TABLE % parts)  # type: ignore[call-overload]
            words = [str(there.port), broker, _product.plain(url), text.hex()]
            app = make_app(there.port, broker, words[2], text)
            for id_ in range(1, parts + 1):
                app.send_task("send", (id_,))
            app.send_task("drain", (600,))
            postmaster = int((folder / "server" / "data" / "postmaster.pid").read_text().split()[0])
            used = family_cpu_seconds(postmaster)
            quiet = subprocess.DEVNULL
            worker = subprocess.Popen(
                [sys.executable, "-m", "benchmarks._probe", *words], cwd=ROOT, stdout=quiet, stderr=quiet
            )
            try:
                there.wait(lambda: there.submitted > 0, 120, "a first part")
                before = cpu_seconds(worker.pid)
                open_message = "SELECT 1 FROM message WHERE state <> 'delivered' LIMIT 1"
                there.wait(lambda: there.acknowledged >= parts, 600, "all receipts")
                there.wait(lambda: connection.execute(open_message).fetchone() is None, 60, "all delivered")
                passed = time.monotonic() - there.first_submit
                spent = cpu_seconds(worker.pid) - before + family_cpu_seconds(postmaster) - used
            finally:
                worker.kill()
                worker.wait()
    return {"parts_per_second": parts / passed, "cpu_s_per_1000": spent / parts * 1000}


if __name__ == "__main__":
    PORT, BROKER, DATABASE, TEXT = sys.argv[1:]
    make_app(int(PORT), BROKER, DATABASE, bytes.fromhex(TEXT)).worker_main(
        [
            "worker",
            "--pool",
            "solo",
            "--loglevel",
            "ERROR",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
