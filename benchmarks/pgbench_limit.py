"""The floor under any server that commits each update by itself: pgbench writes the same rows, without HTTP.

One prepared statement, so one round trip, for an update: the call is found, locked and changed, its two changes, its
receipt and the receipt's payload are inserted. The texts that Ringback works out are constants here; they were taken
from a receipt that Ringback wrote. Nobody is authenticated and nothing is decided.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from benchmarks.contest import Meter, Turn, UnverifiedError
from benchmarks.stage import Stage

CLIENTS = 16

TEXTS = ("route", "result", "code", "method", "path", "content_type", "ip", "body", "understood", "decided", "changed")

SCRIPT = """\
\\set number random(1, {calls})
\\set cents random(1, 99999999)
\\set tail random(1, 9000000000000000000)
WITH given AS (
    SELECT (md5(CAST(:number AS text)))::uuid AS uuid,
        CAST(:cents AS bigint) * 10000 AS revenue,
        'Ada ' || CAST(:cents AS text) AS first_name,
        (lpad(to_hex(CAST(date_part('epoch', clock_timestamp()) * 1000 AS bigint)), 12, '0') || '7000'
            || lpad(to_hex(CAST(:tail AS bigint)), 16, '0'))::uuid AS receipt_id,
        CAST(date_part('epoch', clock_timestamp()) * 1000000 AS bigint) AS now
), old AS (
    SELECT calls.* FROM calls JOIN given ON calls.uuid = given.uuid WHERE account_id = {account_id} FOR UPDATE OF calls
), new AS (
    UPDATE calls SET changes = old.changes + 2, updated_at = given.now, buyer_converted = true, offer_converted = true,
        revenue = given.revenue, contact_fields = '{{"first_name":"' || given.first_name || '"}}'
    FROM old, given WHERE calls.account_id = old.account_id AND calls.uuid = old.uuid
), changed AS (
    INSERT INTO call_changes (account_id, call_uuid, seq, attribute, field, before, after, origin, receipt_id,
        received_at, changed_at)
    SELECT {account_id}, old.uuid, old.changes + 1, 'revenue', NULL::text, '"' || old.revenue || '"',
        '"' || given.revenue || '"', 'update', receipt_id, now, now FROM old, given
    UNION ALL
    SELECT {account_id}, old.uuid, old.changes + 2, 'contact_fields', 'first_name', old.contact_fields,
        '"' || first_name || '"', 'update', receipt_id, now, now FROM old, given
), receipt AS (
    INSERT INTO receipts (account_id, id, received_at, decided_at, call_uuid, call_ref, user_id, token_id, route,
        result, code, dry_run)
    SELECT {account_id}, receipt_id, now, now, old.uuid, CAST(old.uuid AS text), {user_id}, '{token_id}',
        {route}, {result}, {code}, false FROM old, given
)
INSERT INTO receipt_payloads (account_id, receipt_id, method, path, content_type, ip, body, understood, decided,
    changed)
SELECT {account_id}, receipt_id, {method}, {path}, {content_type}, {ip}, convert_to({body}, 'UTF8'), {understood},
    {decided}, {changed} FROM old, given;
"""


class PgbenchContender:
    """The limit as a contender; ``sample`` is a receipt with its payload, by column."""

    def __init__(self, name: str, stage: Stage, pgbench: Path, folder: Path, sample: Mapping[str, Any]) -> None:
        self.name = name
        self._stage = stage
        self._pgbench = pgbench
        self._script = folder / "update.sql"
        self._script.write_text(script(sample, len(stage.uuids)))

    def turn(self, seconds: float) -> Turn:
        """As many updates as 16 clients get through."""
        meter = Meter(self._stage)
        address = urlsplit(self._stage.url)
        connection = ["-h", parse_qs(address.query)["host"][0], "-U", address.username or "", address.path.strip("/")]
        options = ["-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "1", "-T", str(max(1, round(seconds)))]
        command = [str(self._pgbench), *options, "-f", str(self._script), *connection]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        done, tps = _number(r"actually processed: (\d+)", told), _number(r"tps = ([\d.]+) \(without", told)
        return Turn(tps, meter.figures(round(done)))


def script(sample: Mapping[str, Any], calls: int) -> str:
    """The statement, with the texts of a receipt that Ringback wrote."""
    texts = {name: _literal(sample[name]) for name in TEXTS}
    numbers = {name: sample[name] for name in ("account_id", "user_id", "token_id")}
    return SCRIPT.format(calls=calls, **texts, **numbers)


def _literal(value: str | bytes) -> str:
    """A text as SQL; its colons are escaped, since pgbench takes them for the beginning of a variable."""
    text = value.decode() if isinstance(value, bytes) else value
    return "E'" + text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3A") + "'"


def _number(pattern: str, text: str) -> float:
    found = re.search(pattern, text)
    if found is None:
        raise UnverifiedError(f"pgbench said: {text}")
    return float(found[1])
