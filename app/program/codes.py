"""The discount codes an order used, and what each took off: ``(("K7QX…", 5_000_000), …)``.

Codes are in upper case, since Shopify's are the same in any case; amounts are in micros of shop money; sorted by code,
each code once.
"""

from __future__ import annotations

from collections.abc import Iterable

UsedCodes = tuple[tuple[str, int], ...]


def used_codes(named: Iterable[str], taken: Iterable[tuple[str, int]] = ()) -> UsedCodes:
    """The codes an order names, with the sum of what each took off: nothing, for one that was used all the same."""
    sums: dict[str, int] = {}
    for code, micro in [*((code, 0) for code in named), *taken]:
        if code := code.strip().upper():
            sums[code] = sums.get(code, 0) + micro
    return tuple(sorted(sums.items()))


def most_of_each(a: UsedCodes, b: UsedCodes) -> UsedCodes:
    """Every code of both, with the greater of its amounts: a join, for merging."""
    if not a or not b or a == b:
        return a or b
    most = dict(a)
    for code, micro in b:
        most[code] = max(micro, most.get(code, micro))
    return tuple(sorted(most.items()))
