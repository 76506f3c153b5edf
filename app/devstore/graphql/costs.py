"""What an operation costs, as Shopify counts since its costs stopped growing with page size one to one.

Fitted to recordings of the real API: scalars and plain value objects (money, addresses, counts) cost nothing, an object
with an id 1, a list of them 1, a connection 2 and its nodes' cost times max(1, floor(2 × ln(n))) for a page of n, a
``…Count`` field 10, a mutation 10 with what its payload names at first hand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLCompositeType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    value_from_ast_untyped,
)

CEILING = 1000
"""The most a single query may cost."""
_MUTATION = 10
_COUNT = 10


class Costs:
    """The cost of one operation: as asked for, and of what was answered."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.variables = {
            definition.variable.name.value: value_from_ast_untyped(definition.default_value)
            for definition in operation.variable_definitions or ()
            if definition.default_value
        } | dict(variables)
        self.fragments = {d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)}

    def requested(self) -> int:
        return self._root(None)

    def actual(self, data: Any) -> int:
        return self._root(data or {})

    def _root(self, data: Any) -> int:
        kind = self.operation.operation.value
        root = self.schema.mutation_type if kind == "mutation" else self.schema.query_type
        assert root is not None
        if kind == "query":
            return self._selections(self.operation.selection_set, root, data)
        return sum(self._mutation(field, root, data) for field in self._fields(self.operation.selection_set, root))

    def _mutation(self, field: tuple[FieldNode, GraphQLCompositeType], root: GraphQLObjectType, data: Any) -> int:
        node, _ = field
        payload = get_named_type(root.fields[node.name.value].type)
        cost = _MUTATION
        if node.selection_set is None or not isinstance(payload, GraphQLObjectType):
            return cost
        below = None if data is None else (data.get(_key(node)) or {})
        for inner, parent in self._fields(node.selection_set, payload):
            if inner.selection_set and inner.name.value in _fields_of(parent):
                named = get_named_type(_fields_of(parent)[inner.name.value].type)
                value = None if below is None else below.get(_key(inner))
                if below is None:
                    cost += self._selections(inner.selection_set, named, None)
                elif value:
                    cost += self._selections(inner.selection_set, named, value[0] if isinstance(value, list) else value)
        return cost

    def _selections(self, selections: SelectionSetNode | None, parent: Any, data: Any) -> int:
        """``data`` None: as requested; else what this object holds in the answer."""
        if selections is None:
            return 0
        return sum(self._field(node, kind, data) for node, kind in self._fields(selections, parent))

    def _field(self, node: FieldNode, parent: GraphQLCompositeType, data: Any) -> int:
        name = node.name.value
        if name not in _fields_of(parent):
            return 0
        named = get_named_type(_fields_of(parent)[name].type)
        if named.name == "Count":
            return 1 if name == "codesCount" else _COUNT
        if node.selection_set is None:
            return 0
        value = None if data is None else data.get(_key(node))
        if data is not None and value is None:
            return _weight(named)
        if named.name.endswith("Connection"):
            return self._connection(node, named, value)
        if isinstance(value, list):
            each = [self._selections(node.selection_set, named, item) for item in value if item is not None]
            return _weight(named) + max(each, default=0)
        return _weight(named) + self._selections(node.selection_set, named, value)

    def _connection(self, node: FieldNode, named: Any, value: Any) -> int:
        inner = [
            (field, parent)
            for field, parent in self._fields(node.selection_set, named)
            if field.name.value in ("nodes", "edges")
        ]
        size = int(self._argument(node, "first") or self._argument(node, "last") or 0)
        cost = 2
        for field, parent in inner:
            item = get_named_type(_fields_of(parent)[field.name.value].type)
            items = None if value is None else [i for i in value.get(_key(field)) or [] if i is not None]
            if not items:  # an empty page costs what was asked for
                items = None
            count = size if items is None else len(items)
            if field.name.value == "edges":
                below = self._edges(field, item, items)
            else:
                below = self._each(field.selection_set, item, items)
            cost += _scale(count) * (1 + below)
        return cost

    def _edges(self, field: FieldNode, edge: Any, items: list[Any] | None) -> int:
        for inner, parent in self._fields(field.selection_set, edge):
            if inner.name.value == "node":
                item = get_named_type(_fields_of(parent)["node"].type)
                nodes = None if items is None else [i.get(_key(inner)) or {} for i in items]
                return self._each(inner.selection_set, item, nodes)
        return 0

    def _each(self, selections: SelectionSetNode | None, item: Any, items: list[Any] | None) -> int:
        """The dearest of the items, or what one may cost."""
        if items is None:
            return self._selections(selections, item, None)
        return max((self._selections(selections, item, one) for one in items), default=0)

    def _fields(self, selections: SelectionSetNode | None, parent: Any) -> list[tuple[FieldNode, GraphQLCompositeType]]:
        """The fields of a selection with the type each is on; fragments are opened, @include and @skip obeyed."""
        found: list[tuple[FieldNode, GraphQLCompositeType]] = []
        for selection in selections.selections if selections else ():
            if not self._included(selection):
                continue
            if isinstance(selection, FieldNode):
                found.append((selection, parent))
                continue
            opened: Any = (
                self.fragments[selection.name.value] if isinstance(selection, FragmentSpreadNode) else selection
            )
            kind = self.schema.get_type(opened.type_condition.name.value) if opened.type_condition else parent
            found.extend(self._fields(opened.selection_set, kind))
        return found

    def _included(self, selection: SelectionNode) -> bool:
        for directive in selection.directives or ():
            wanted = {"include": True, "skip": False}.get(directive.name.value)
            if wanted is not None:
                conditions = [value_from_ast_untyped(a.value, self.variables) for a in directive.arguments or ()]
                if any(bool(condition) != wanted for condition in conditions):
                    return False
        return True

    def _argument(self, node: FieldNode, name: str) -> Any:
        for argument in node.arguments or ():
            if argument.name.value == name:
                return value_from_ast_untyped(argument.value, self.variables)
        return None


def _scale(count: int) -> int:
    return max(1, math.floor(2 * math.log(count))) if count > 0 else 0


def _weight(named: Any) -> int:
    """1 for a thing of its own, 0 for a plain value."""
    if isinstance(named, GraphQLUnionType):
        return 1
    valued = named.name.endswith(("MoneyBag", "MoneyV2", "PageInfo", "MailingAddress", "UserError"))
    return 0 if valued else 1


def _fields_of(parent: Any) -> dict[str, Any]:
    return parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}


def _key(node: FieldNode) -> str:
    return node.alias.value if node.alias else node.name.value
