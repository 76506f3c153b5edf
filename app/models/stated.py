"""States written into a statement.

Both databases use a partial index only where they can read in the statement that it holds what is asked for: SQLite
never where the state is a value of its own, PostgreSQL not in a plan that it keeps.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ColumnElement, literal
from sqlalchemy.orm import InstrumentedAttribute

S = TypeVar("S", bound=StrEnum)


def stated(column: InstrumentedAttribute[S], *states: S) -> ColumnElement[bool]:
    """The column is one of these states, in the order in which the index names them."""
    written = [literal(state, column.type, literal_execute=True) for state in states]
    return column == written[0] if len(written) == 1 else column.in_(written)
