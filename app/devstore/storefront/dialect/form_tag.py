"""`{% form %}`: a form element that posts where Shopify's form of that type goes."""

from __future__ import annotations

from typing import Any, TextIO

from liquid import RenderContext, TokenStream
from liquid.ast import Node
from liquid.builtin.expressions import KeywordArgument, parse_primitive
from liquid.exceptions import LiquidSyntaxError
from liquid.parser import get_parser
from liquid.tag import Tag
from liquid.token import TOKEN_COMMA, TOKEN_TAG, TOKEN_WORD

from .drops import Drop
from .page import page_of
from .text import escape
from .wrapping import WrappedNode

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
