"""Liquid's objects: read-only mappings whose expensive or circular parts are worked out when a template asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any


class Drop(Mapping[str, Any]):
    """One Liquid object.

    `facts` are its plain properties, which are also what `| json` prints. `lazy` are computed on first
    use and left out of JSON, which is what keeps a product and its variants from naming each other for
    ever. `text` is what `{{ object }}` prints.
    """

    __slots__ = ("_facts", "_lazy", "_text")

    def __init__(
        self,
        facts: Mapping[str, Any],
        lazy: Mapping[str, Callable[[], Any]] | None = None,
        text: str = "",
    ) -> None:
        self._facts = dict(facts)
        self._lazy: dict[str, Callable[[], Any]] = dict(lazy or {})
        self._text = text

    def __getitem__(self, key: str) -> Any:
        if key in self._facts:
            return self._facts[key]
        value = self._lazy[key]()
        self._lazy[key] = lambda: value
        return value

    def __iter__(self) -> Iterator[str]:
        yield from self._facts

    def __len__(self) -> int:
        return len(self._facts)

    def __str__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return other == self._text if isinstance(other, str) else self is other

    def __hash__(self) -> int:
        return id(self)

    def as_json(self) -> dict[str, Any]:
        """What `| json` prints."""
        return self._facts
