"""Every statement on a tenant's table names its shop: a probe on what SQLAlchemy sends to the database.

It reads SQL texts, so it sees hand-written statements as well as the ORM's. ``EXCEPTIONS`` lists the few questions
asked across shops on purpose (DESIGN §5: `due_shops`; who owns a domain; what health, schedule and operators count).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Engine

from .dumps import counting_statements, tenant_tables

TENANTS = {table.name for table in tenant_tables()} - {"erasures"}

# A statement one of these matches need not name a shop. Each says who asks it.
EXCEPTIONS = {
    "the pick of the next shop": r"^(SELECT|UPDATE|WITH) .*\bdue_shops\b.*\b(ORDER BY due_shops\.last_served|LIMIT)",
    "who owns a domain": r"^SELECT .* FROM shops WHERE shops\.domain = ",
    "a webhook's shop, by its domain": r"^(INSERT INTO|WITH) .*\b(shops\.)?domain = ",
    "schedule: shops to reconcile": r"^SELECT shops\.shop_id FROM shops WHERE shops\.uninstalled_at IS NULL",
    "schedule: tokens to keep alive": r"^SELECT shop_tokens\.shop_id FROM shop_tokens WHERE shop_tokens\.refreshed_at",
    "schedule: what to forget": r"^SELECT DISTINCT deliveries\.shop_id FROM deliveries WHERE deliveries\.received_at <",
    "schedule: rewards to see to": r"^SELECT (DISTINCT discounts|redemptions)\.shop_id.* JOIN shops ON .*"
    r" WHERE shops\.uninstalled_at IS NULL AND (discounts\.removed_at|redemptions\.state)",
    "metrics and readyz": r"^SELECT ((deliveries|jobs)\.state, )?(count\(\*\)|min\(deliveries\.received_at\)) AS \w+ "
    r"FROM (deliveries|jobs|shops|due_shops)\b(?!.*shop_id = )",
    "operator: list of shops": r"^SELECT shops\..* FROM shops ORDER BY shops\.",
    "operator: keys rotate": r"^SELECT (shops|shop_tokens|deliveries)\..* FROM (shops|shop_tokens|deliveries)"
    r"( WHERE deliveries\.state = \S+)?$",
}

_TABLE = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO|USING|ONLY)\s+\"?([a-z_]+)\"?", re.I)
_BOUND = re.compile(r"\bshop_id\s*(?:=|IN|==)\s*(?:\(?\s*)(?:%\(|%s|\?|:|\$|CAST\()", re.I)
_BETWEEN = re.compile(r"\bshop_id\s*=\s*\"?[a-z_0-9]+\"?\.\"?shop_id\b", re.I)
_INSERTED = re.compile(r"\bINSERT INTO \"?(\w+)\"? \(([^)]*)\)", re.I)


def unscoped(statement: str) -> str | None:
    """Why a statement is not bound to one shop; None when it is, or touches no tenant."""
    text = " ".join(statement.split())
    touched = {name for name in _TABLE.findall(text) if name in TENANTS}
    if not touched or any(re.search(pattern, text, re.S) for pattern in EXCEPTIONS.values()):
        return None
    inserted = _INSERTED.search(text)
    if inserted and "shop_id" not in inserted[2].replace('"', "").replace(" ", "").split(","):
        return "inserts without a shop"
    others = touched - ({inserted[1]} if inserted else set())
    if not others:
        return None
    ties = len(_BOUND.findall(text)) + len(_BETWEEN.findall(text))
    if not _BOUND.search(text):
        return "names no shop"
    return None if ties >= len(others) else f"ties {ties} of {sorted(others)} to the shop"


@dataclass
class Probe:
    """What was seen: filled when the block ends."""

    looked_at: int = 0
    unscoped: list[str] = field(default_factory=list)


@contextmanager
def probing(*engines: Engine) -> Iterator[Probe]:
    """Watch these engines for statements that are not bound to a shop."""
    probe = Probe()
    with counting_statements(*engines) as seen:
        yield probe
    probe.looked_at = len(seen)
    for statement in dict.fromkeys(seen):
        if reason := unscoped(statement):
            probe.unscoped.append(f"{reason}: {' '.join(statement.split())[:600]}")
