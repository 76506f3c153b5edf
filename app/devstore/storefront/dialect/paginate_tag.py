"""`{% paginate %}`: one page of an array, and the `paginate` object that knows the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TextIO

from liquid import RenderContext, TokenStream
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import parse_primitive
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.parser import get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_TAG, Token

from .drops import Drop
from .wrapping import WrappedNode

PAGE_LIMIT = 50
"""The most items a page has, as on Shopify."""


class PaginateNode(WrappedNode):
    """`{% paginate collection.products by 12 %}`: the `paginate` object, and the array cut to this page."""

    __slots__ = ("path", "size")

    def __init__(
        self, token: Token, block: BlockNode, path: Sequence[str], array: Expression, size: Expression
    ) -> None:
        super().__init__(token, block, array)
        self.path = list(path)
        self.size = size

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """What stands inside, with the array replaced by this page's part of it."""
        items = list(self.first.evaluate(context) or ()) if self.first else []  # type: ignore[call-overload]
        size = max(1, min(PAGE_LIMIT, int(str(self.size.evaluate(context)))))
        pages = max(1, -(-len(items) // size))
        asked = context.resolve("-page-number", default=1)
        number = min(pages, max(1, asked if isinstance(asked, int) else 1))
        shown = items[(number - 1) * size : number * size]
        scope = {"paginate": _paginate(number, pages, size, len(items)), **self._replaced(context, shown)}
        with context.extend(scope):
            return self.block.render(context, buffer)

    def _replaced(self, context: RenderContext, shown: list[Any]) -> dict[str, Any]:
        """`collection.products` lives in `collection`: a copy of the owner with the shorter array."""
        if len(self.path) == 1:
            return {self.path[0]: shown}
        owner = context.resolve(self.path[0], default=None)
        if not isinstance(owner, Drop):
            return {}
        return {self.path[0]: Drop({**owner.as_json(), self.path[1]: shown}, {}, str(owner))}


class PaginateTag(Tag):
    """`{% paginate array by size %}`"""

    name = "paginate"
    end = "endpaginate"

    def parse(self, stream: TokenStream) -> Node:
        """An array, the word `by`, a number."""
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token)
        array = parse_primitive(self.env, tokens)
        if tokens.current.value != "by":
            raise LiquidSyntaxError("expected 'by'", token=tokens.current)
        next(tokens)
        size = parse_primitive(self.env, tokens)
        block = get_parser(self.env).parse_block(stream, (self.end,))
        stream.expect(TOKEN_TAG, value=self.end)
        return PaginateNode(token, block, str(array).split("."), array, size)


def _paginate(number: int, pages: int, size: int, items: int) -> Drop:
    def part(page: int, title: str) -> dict[str, Any]:
        return {"title": title, "url": f"?page={page}", "is_link": page != number}

    return Drop(
        {
            "current_page": number,
            "current_offset": (number - 1) * size,
            "items": items,
            "pages": pages,
            "page_size": size,
            "page_param": "page",
            "parts": [part(page, str(page)) for page in range(1, pages + 1)] if pages > 1 else [],
            "previous": part(number - 1, "&laquo; Previous") if number > 1 else None,
            "next": part(number + 1, "Next &raquo;") if number < pages else None,
        }
    )
