"""`python -m tests.gauntlet.table`: the README's table, from the `gauntlet.json` the last run of the tests wrote."""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEGIN, END = "<!-- gauntlet -->", "<!-- /gauntlet -->"
WHAT = {
    "G2": "any order of arrival ends in the same balances as the oracle's",
    "G3": "books read while written; balances at past moments; flipped bytes found; entries never change",
    "G4": "sixty-four redemptions of one account at once, over HTTP at four processes: as many as there are points for",
    "G5": "everything that can happen to one account at the same moment; the books add up after every round",
    "G6": "stock, shares, budgets and codes wanted by sixty-four at once: as many have them as there are",
    "G11": "rewards at a Shopify that fails three calls in ten: one code, or the points back",
    "G12": "one key, one effect: repeated, at once, after a restart, in another shop",
    "G13": "refund arithmetic against the oracle, to the point",
    "G14": "attackers who redeem, return, cancel and merge have no more than they earned",
    "G16": "forged webhooks refused",
    "G16b": "true bodies under other headers award nobody twice and nobody else",
    "G17": "forged storefront requests refused",
    "G18": "one signed thing presented as another refused",
    "G19": "forged session tokens refused; weak keys refuse to boot",
    "G20": "shop names, states, redirects, refresh races",
    "G21": "cookies, framing, headers of every page",
    "G22": "every route as every kind of caller",
    "G23": "shops with colliding ids never meet",
    "G25": "hostile text in pages stays text",
    "G26": "hostile bodies: no 500, none lost",
    "G27": "poison deliveries parked, good ones flow",
    "G28b": "guesses at redemptions and rewards are few a minute; a million codes, even and all different",
    "G29": "a forgotten customer is nowhere in the files",
}


def table() -> str:
    records = {record["id"]: record for record in json.loads((ROOT / "gauntlet.json").read_text(encoding="utf-8"))}
    lines = ["| | | cases | failures |", "| --- | --- | ---: | ---: |"]
    for name, what in WHAT.items():
        record = records.get(name)
        cases, failures = (f"{record['n']:,}", str(record["failures"])) if record else ("not run", "")
        lines.append(f"| {name} | {what} | {cases} | {failures} |")
    return "\n".join(lines)


def main() -> None:
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    written = re.sub(f"{BEGIN}.*{END}", lambda _: f"{BEGIN}\n{table()}\n{END}", text, flags=re.DOTALL)
    readme.write_text(written, encoding="utf-8")


if __name__ == "__main__":
    main()
