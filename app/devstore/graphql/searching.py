"""Shopify's search syntax, as far as the dev store goes: ``field:value``, ``field:>=value``, quotes, AND, OR, NOT,
``-``, parentheses, ``*`` at the end of a value, and words without a field.

    search = Search("updated_at:>='2026-11-01T00:00:00Z' status:open", fields)
    search.matches(order)      search.lower("updated_at") -> datetime | None

``fields`` maps a field's name to what it reads of a record: a string, number, boolean, datetime or list of strings. A
field the dev store does not know is an error, not a filter that is silently left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from graphql import GraphQLError

Reader = Callable[[Any], Any]
_TOKEN = re.compile(
    r"""\s*(?:(?P<open>\()|(?P<close>\))|(?P<minus>-(?=\S))
    |(?P<field>[A-Za-z_][\w.]*):(?P<operator>>=|<=|>|<)?(?:'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<bare>[^\s()]+))
    |'(?P<phrase1>[^']*)'|"(?P<phrase2>[^"]*)"|(?P<word>[^\s()]+))""",
    re.VERBOSE,
)


class Search:
    """A parsed query. ``words`` names what a word without a field is looked for in."""

    def __init__(self, query: str, fields: Mapping[str, Reader], words: Reader | None = None) -> None:
        self._fields, self._words = fields, words
        self._bounds: dict[str, datetime] = {}
        self._tokens = list(_tokens(query))
        self._at = 0
        self._test = self._any(top=True) if self._tokens else (lambda _: True)
        if self._at < len(self._tokens):
            raise _bad("an unmatched parenthesis")

    def matches(self, record: Any) -> bool:
        return bool(self._test(record))

    def lower(self, field: str) -> datetime | None:
        """A moment no match can be before, when the whole query demands one."""
        return self._bounds.get(field)

    def _any(self, *, top: bool = False) -> Reader:
        alternatives = [self._all(top=top)]
        while self._peek_word("OR"):
            self._at += 1
            alternatives.append(self._all())
        if len(alternatives) == 1:
            return alternatives[0]
        self._bounds.clear()
        return lambda record: any(test(record) for test in alternatives)

    def _all(self, *, top: bool = False) -> Reader:
        tests = []
        while self._at < len(self._tokens) and "close" not in self._tokens[self._at] and not self._peek_word("OR"):
            if self._peek_word("AND"):
                self._at += 1
                continue
            tests.append(self._one(top=top))
        return lambda record: all(test(record) for test in tests)

    def _one(self, *, top: bool = False) -> Reader:
        if self._peek_word("NOT") or "minus" in self._tokens[self._at]:
            self._at += 1
            if self._at >= len(self._tokens):
                raise _bad("nothing to negate")
            negated = self._one()
            return lambda record: not negated(record)
        token = self._tokens[self._at]
        self._at += 1
        if "open" in token:
            inner = self._any()
            if self._at >= len(self._tokens) or "close" not in self._tokens[self._at]:
                raise _bad("an unmatched parenthesis")
            self._at += 1
            return inner
        if "field" in token:
            return self._field(token, top)
        word = token.get("phrase1") or token.get("phrase2") or token.get("word") or ""
        return self._word(word)

    def _field(self, token: dict[str, str], top: bool) -> Reader:
        name = token["field"]
        if name not in self._fields:
            raise GraphQLError(f"not in the dev store: search by {name}", extensions={"code": "NOT_IN_THE_DEV_STORE"})
        read, operator = self._fields[name], token.get("operator", "")
        wanted = token.get("single") or token.get("double") or token.get("bare") or ""
        if top and operator in (">", ">="):
            bound = _moment(wanted)
            if bound:
                self._bounds[name] = bound
        return lambda record: _compare(read(record), operator, wanted)

    def _word(self, word: str) -> Reader:
        if self._words is None:
            raise GraphQLError("not in the dev store: search by words", extensions={"code": "NOT_IN_THE_DEV_STORE"})
        read, wanted = self._words, word.rstrip("*").lower()
        return lambda record: wanted in read(record).lower()

    def _peek_word(self, word: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at].get("word") == word


def _tokens(query: str) -> list[dict[str, str]]:
    found, at = [], 0
    text = query.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.end() == at:
            raise _bad(text[at:])
        found.append({name: value for name, value in match.groupdict().items() if value is not None})
        at = match.end()
    return found


def _compare(value: Any, operator: str, wanted: str) -> bool:
    if value is None:
        return wanted == "" and not operator
    if isinstance(value, list):
        return any(_compare(item, operator, wanted) for item in value)
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    if isinstance(value, datetime):
        return _compare_moment(value, operator, wanted)
    if isinstance(value, int):
        if not re.fullmatch(r"-?\d+", wanted):
            return False
        return _ordered(value, operator, int(wanted))
    if operator:
        return _ordered(value.lower(), operator, wanted.lower())
    if wanted.endswith("*"):
        return value.lower().startswith(wanted[:-1].lower())
    return value.lower() == wanted.lower()


def _compare_moment(value: datetime, operator: str, wanted: str) -> bool:
    moment = _moment(wanted)
    if moment is None:
        raise _bad(wanted)
    if not operator:  # a bare date is that day
        return (
            moment
            <= value
            < moment + timedelta(days=1 if len(wanted) == 10 else 0, seconds=0 if len(wanted) == 10 else 1)
        )
    return _ordered(value, operator, moment)


def _ordered(value: Any, operator: str, wanted: Any) -> bool:
    if operator == ">=":
        return value >= wanted
    if operator == ">":
        return value > wanted
    if operator == "<=":
        return value <= wanted
    if operator == "<":
        return value < wanted
    return value == wanted


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bad(where: str) -> GraphQLError:
    return GraphQLError(f"Invalid search query: {where}", extensions={"code": "BAD_REQUEST"})
