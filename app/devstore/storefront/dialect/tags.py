"""Shopify's own tags: schema, style, stylesheet, javascript, section, layout, and `render` of app blocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from liquid import RenderContext, TokenStream
from liquid.ast import Node
from liquid.builtin.expressions import Identifier, parse_primitive
from liquid.builtin.tags.render_tag import RenderNode, RenderTag
from liquid.expression import Expression
from liquid.parser import eat_block, get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_TAG, Token

from .drops import Drop
from .form_tag import FormTag
from .paginate_tag import PaginateTag
from .text import escape
from .wrapping import WrappedNode


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
