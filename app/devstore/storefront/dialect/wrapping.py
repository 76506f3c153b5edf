"""What tags with an end share: a node that holds what stands inside it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from liquid import RenderContext
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import KeywordArgument
from liquid.expression import Expression
from liquid.token import Token


class WrappedNode(Node):
    """A block with markup of the tag's own around what stands inside it."""

    __slots__ = ("arguments", "block", "first")

    def __init__(
        self, token: Token, block: BlockNode, first: Expression | None = None, arguments: Iterable[KeywordArgument] = ()
    ) -> None:
        super().__init__(token)
        self.block = block
        self.first = first
        self.arguments = list(arguments)
        self.blank = False

    def children(self, static_context: RenderContext, *, include_partials: bool = True) -> Iterable[Node]:
        """What stands inside."""
        yield self.block

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Only what stands inside."""
        return self.block.render(context, buffer)
