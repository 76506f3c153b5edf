"""Tags of Shopify: schema, style, stylesheet, javascript, form, paginate, section, layout; `render` of app blocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

from liquid import RenderContext, TokenStream
from liquid.ast import BlockNode, Node
from liquid.builtin.expressions import Identifier, KeywordArgument, parse_primitive
from liquid.builtin.tags.render_tag import RenderNode, RenderTag
from liquid.exceptions import LiquidSyntaxError
from liquid.expression import Expression
from liquid.parser import eat_block, get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_COMMA, TOKEN_TAG, TOKEN_WORD, Token

from .drops import Drop
from .page import page_of
from .text import escape

PAGE_LIMIT = 50


class AppBlock(Drop):
    """A block of an app placed in a section: `{% render block %}` paints it."""

    def paint(self) -> str:
        """The block's HTML with the wrapper Shopify puts round it."""
        return str(self["html"])


class SilentNode(Node):
    """Paints nothing: `schema`, `stylesheet` and `javascript` are read from the source, not where they stand."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Nothing."""
        return 0


class SilentTag(Tag):
    """A block whose contents are not Liquid."""

    node_class = SilentNode

    def parse(self, stream: TokenStream) -> Node:
        """Skip to the end tag."""
        token = stream.eat(TOKEN_TAG)
        eat_block(stream, (self.end,))
        stream.expect(TOKEN_TAG, value=self.end)
        return self.node_class(token)


class SchemaTag(SilentTag):
    """`{% schema %}`: the block's or section's settings as JSON."""

    name = "schema"
    end = "endschema"


class StylesheetTag(SilentTag):
    """`{% stylesheet %}`: collected for the page's head."""

    name = "stylesheet"
    end = "endstylesheet"


class JavascriptTag(SilentTag):
    """`{% javascript %}`: collected for the page's head."""

    name = "javascript"
    end = "endjavascript"


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


class StyleNode(WrappedNode):
    """`{% style %}` is a style element whose contents are Liquid."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """The element."""
        buffer.write("<style data-shopify>")
        self.block.render(context, buffer)
        buffer.write("</style>")
        return True


class StyleTag(Tag):
    """`{% style %}`"""

    name = "style"
    end = "endstyle"

    def parse(self, stream: TokenStream) -> Node:
        """Everything up to `endstyle`."""
        token = stream.eat(TOKEN_TAG)
        block = get_parser(self.env).parse_block(stream, (self.end,))
        stream.expect(TOKEN_TAG, value=self.end)
        return StyleNode(token, block)


# form type -> (address below the shop's root, id, class)
_FORMS: dict[str, tuple[str, str, str]] = {
    "product": ("cart/add", "product_form", "shopify-product-form"),
    "cart": ("cart", "cart_form", "shopify-cart-form"),
    "customer_login": ("account/login", "customer_login", ""),
    "create_customer": ("account", "create_customer", ""),
    "localization": ("localization", "localization_form", "shopify-localization-form"),
}


class FormNode(WrappedNode):
    """`{% form 'product', product %}`: a form element that posts where that kind of form goes."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """The element, its hidden fields, and what stands inside."""
        kind = str(self.first.evaluate(context)) if self.first else ""
        if kind not in _FORMS:
            raise LiquidSyntaxError(f"unknown form type {kind!r}", token=self.token)
        address, element_id, css_class = _FORMS[kind]
        given = dict(argument.evaluate(context) for argument in self.arguments)
        attributes: dict[str, Any] = {
            "method": "post",
            "action": page_of(context).root + address,
            "id": element_id,
            "accept-charset": "UTF-8",
            "class": css_class or None,
            "enctype": "multipart/form-data" if kind == "product" else None,
        }
        return_to = given.pop("return_to", None)
        attributes.update(given)
        written = "".join(f' {name}="{escape(value)}"' for name, value in attributes.items() if value is not None)
        buffer.write(f'<form{written}><input type="hidden" name="form_type" value="{kind}">')
        buffer.write('<input type="hidden" name="utf8" value="✓">')
        if return_to:
            buffer.write(f'<input type="hidden" name="return_to" value="{escape(return_to)}">')
        with context.extend({"form": Drop({"errors": None, "posted_successfully?": False, "id": attributes["id"]})}):
            self.block.render(context, buffer)
        buffer.write("</form>")
        return True


class FormTag(Tag):
    """`{% form type [, object] [, attribute: value …] %}`"""

    name = "form"
    end = "endform"

    def parse(self, stream: TokenStream) -> Node:
        """The type, at most one object, then attributes."""
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token)
        kind = parse_primitive(self.env, tokens)
        # The object (a product, a customer) tells Shopify nothing our forms need.
        if tokens.current.kind == TOKEN_COMMA and not _is_keyword(tokens):
            next(tokens)
            parse_primitive(self.env, tokens)
        arguments = KeywordArgument.parse(self.env, tokens)
        block = get_parser(self.env).parse_block(stream, (self.end,))
        stream.expect(TOKEN_TAG, value=self.end)
        return FormNode(token, block, kind, arguments)


def _is_keyword(tokens: TokenStream) -> bool:
    """Whether `, name:` follows rather than `, object`. The stream stands on the comma."""
    after = tokens.tokens[tokens.pos + 2] if tokens.pos + 2 < len(tokens.tokens) else tokens.eof
    return tokens.peek.kind == TOKEN_WORD and after.value == ":"


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


class SectionNode(Node):
    """`{% section 'header' %}`: the file of that name under sections/, wrapped, with its `section` object."""

    __slots__ = ("name",)

    def __init__(self, token: Token, name: Expression) -> None:
        super().__init__(token)
        self.name = name
        self.blank = False

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """The section's wrapper and contents."""
        name = str(self.name.evaluate(context))
        template = context.env.get_template(f"sections/{name}", context=context, tag="section")
        sections = context.resolve("-sections", default=None)
        section = sections.get(name) if isinstance(sections, Mapping) else None
        section = section or Drop({"id": name, "settings": {}, "blocks": []}, text=name)
        buffer.write(f'<div id="shopify-section-{escape(name)}" class="shopify-section">')
        template.render_with_context(
            context.copy({"section": section}, template=template), buffer, partial=True, block_scope=True
        )
        buffer.write("</div>")
        return True


class SectionTag(Tag):
    """`{% section 'name' %}`"""

    block = False
    name = "section"

    def parse(self, stream: TokenStream) -> Node:
        """A name."""
        token = stream.eat(TOKEN_TAG)
        return SectionNode(token, parse_primitive(self.env, stream.into_inner(tag=token, eat=False)))


class LayoutNode(Node):
    """`{% layout 'checkout' %}` or `{% layout none %}`: noted for whoever paints the page."""

    __slots__ = ("name",)

    def __init__(self, token: Token, name: Expression | None) -> None:
        super().__init__(token)
        self.name = name

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """Note the name; nothing is painted."""
        chosen = context.resolve("-layout", default=None)
        if isinstance(chosen, dict):
            chosen["name"] = str(self.name.evaluate(context)) if self.name else None
        return 0


class LayoutTag(Tag):
    """`{% layout name %}`"""

    block = False
    name = "layout"

    def parse(self, stream: TokenStream) -> Node:
        """A name in quotes, or the bare word `none`."""
        token = stream.eat(TOKEN_TAG)
        tokens = stream.into_inner(tag=token, eat=False)
        if tokens.current.value == "none":
            return LayoutNode(token, None)
        return LayoutNode(token, parse_primitive(self.env, tokens))


class RenderBlockNode(RenderNode):
    """`{% render 'snippet' %}`, and `{% render block %}` for a block of an app."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """An app block paints itself; everything else is Liquid's own."""
        if isinstance(self.name, Identifier):
            block = context.resolve(self.name, token=self.token, default=None)
            if isinstance(block, AppBlock):
                buffer.write(block.paint())
                return True
        return super().render_to_output(context, buffer)


class RenderBlockTag(RenderTag):
    """`{% render %}`"""

    node_class = RenderBlockNode


TAGS: tuple[type[Tag], ...] = (
    SchemaTag,
    StylesheetTag,
    JavascriptTag,
    StyleTag,
    FormTag,
    PaginateTag,
    SectionTag,
    LayoutTag,
    RenderBlockTag,
)
