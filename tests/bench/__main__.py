"""`python -m tests.bench`: every figure of the table in the README, in one run."""

from __future__ import annotations

from . import ingest, memory, redeem, refill, settle, shopper

AT_LEAST = {
    "ingest_ratio": "≥ 1.3 × a bare Flask route",
    "cpu_ratio": "≤ 1.5 × that route's",
    "settle_ratio": "≥ 0.05 of COPY and one statement",
    "shopper_ratio": "≤ 1.5",
    "redeem_ratio": "≥ 0.5 × a bare Flask route",
    "mutations": "≤ 45 for 10,000 codes",
    "demo_mb": "≤ 250 MB",
}


def main() -> None:
    for part in (ingest, settle, shopper, redeem, refill, memory):
        print(part.__name__.rsplit(".", 1)[1])
        for name, figure in part.measure().items():
            print(f"  {name:28} {figure:12.3f}  {AT_LEAST.get(name, '')}")


if __name__ == "__main__":
    main()
