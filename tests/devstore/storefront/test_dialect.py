"""Shopify's filters and tags, with literals."""

import json
from pathlib import Path

import pytest
from liquid.exceptions import LiquidSyntaxError

from app.devstore.storefront.dialect import HIDDEN_NAME, AppBlock, Drop, LiquidFolder, Page

NASTY = "<b onload=x>\"R&D\" 'n'</b>"


@pytest.fixture
def folder(tmp_path: Path) -> LiquidFolder:
    for name in ("snippets", "locales", "assets", "sections"):
        (tmp_path / name).mkdir()
    words = {
        "hello": "Hello {{ name }}",
        "points": {"one": "{{ count }} point", "other": "{{ count }} points"},
        "date_formats": {"day": "%-d %B"},
    }
    (tmp_path / "locales/en.default.json").write_text(json.dumps(words), encoding="utf-8")
    polish = {"points": {"one": "{{ count }} punkt", "few": "{{ count }} punkty", "many": "{{ count }} punktów"}}
    (tmp_path / "locales/pl.json").write_text(json.dumps(polish), encoding="utf-8")
    (tmp_path / "locales/en.default.schema.json").write_text('{"hello": "for the editor"}', encoding="utf-8")
    (tmp_path / "snippets/name.liquid").write_text("[{{ name | escape }}]", encoding="utf-8")
    (tmp_path / "sections/foot.liquid").write_text(
        "{{ section.id }} {% schema %}{'x'}{% endschema %}", encoding="utf-8"
    )
    (tmp_path / "assets/a.svg").write_text("<svg/>", encoding="utf-8")
    return LiquidFolder(tmp_path, "", "snippets")


def render(folder: LiquidFolder, source: str, page: Page | None = None, **data: object) -> str:
    return folder.from_string(source).render(**{HIDDEN_NAME: page or Page(), **data})


def test_nothing_is_escaped_by_itself(folder):
    assert render(folder, "{{ x }}", x=NASTY) == NASTY


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ x | escape }}", "&lt;b onload=x&gt;&quot;R&amp;D&quot; &#39;n&#39;&lt;/b&gt;"),
        ("{{ 'R&amp;D <' | escape_once }}", "R&amp;D &lt;"),
        ("{{ x | json }}", '"\\u003cb onload=x\\u003e\\"R\\u0026D\\" \'n\'\\u003c/b\\u003e"'),
        ("{{ 'Supper bowl, Céladon!' | handleize }}", "supper-bowl-celadon"),
        ("{{ 'points-block' | camelize }}", "PointsBlock"),
        ("{{ 1 | pluralize: 'item', 'items' }} {{ 2 | pluralize: 'item', 'items' }}", "item items"),
        ("{{ 'a b&c=d' | url_param_escape }}", "a%20b%26c%3Dd"),
        ("{{ 'hello' | t: name: 'Nora' }}", "Hello Nora"),
        ("{{ 'points' | t: count: 1 }}, {{ 'points' | t: count: 0 }}", "1 point, 0 points"),
        ("{{ 'nope.nope' | t }}", "Translation missing: en.nope.nope"),
        ("{{ '2026-12-03T00:00:00Z' | date: '%-d %B %Y' }}", "3 December 2026"),
        ("{{ '2026-12-03T00:00:00Z' | date: format: 'day' }}", "3 December"),
        ("{{ 'not a date' | date: '%Y' }}", "not a date"),
        ("{{ 'a.svg' | inline_asset_content }}", "<svg/>"),
        ("{{ '../locales/pl.json' | inline_asset_content }}", ""),
        ("{% render 'name', name: x %}", "[&lt;b onload=x&gt;&quot;R&amp;D&quot; &#39;n&#39;&lt;/b&gt;]"),
        ("{% style %}a{ b: {{ 1 }} }{% endstyle %}", "<style data-shopify>a{ b: 1 }</style>"),
        ('a{% schema %}{ "available_if": "{{ app.x }}" }{% endschema %}b', "ab"),
        ("{% javascript %}if (a < b) { }{% endjavascript %}", ""),
        ("{% section 'foot' %}", '<div id="shopify-section-foot" class="shopify-section">foot </div>'),
    ],
)
def test_filters_and_tags(folder, source, text):
    assert render(folder, source, x=NASTY) == text


def test_plurals_go_by_the_languages_own_categories(folder):
    source = "{% for n in counts %}{{ 'points' | t: count: n }} {% endfor %}"
    assert render(folder, source, Page(locale="pl"), counts=[1, 2, 5, 22]) == "1 punkt 2 punkty 5 punktów 22 punkty "


def test_a_language_without_the_sentence_falls_back_to_the_default(folder):
    assert render(folder, "{{ 'hello' | t: name: 'Ola' }}", Page(locale="pl-PL")) == "Hello Ola"


def test_dates_are_in_the_shops_zone_and_language(folder):
    page = Page(locale="de", timezone="Europe/Amsterdam")
    assert render(folder, "{{ '2026-12-31T23:30:00Z' | date: '%-d. %B %Y' }}", page) == "1. Januar 2027"


def test_image_url_keeps_the_address_and_adds_the_size(folder):
    image = Drop({"src": "/cdn/mug.svg"}, text="/cdn/mug.svg")
    product = Drop({"title": "Mug", "featured_image": image})
    assert render(folder, "{{ product | image_url: width: 200 }}", product=product) == "/cdn/mug.svg?width=200"


def test_a_form_posts_below_the_shops_root(folder):
    page = Page(root="/acme.myshopify.com/")
    html = render(folder, "{% form 'product', product, class: 'x' %}in{% endform %}", page, product=Drop({"id": 1}))
    assert html.startswith('<form method="post" action="/acme.myshopify.com/cart/add" id="product_form"')
    assert 'class="x"' in html
    assert html.endswith("in</form>")


def test_a_form_can_have_attributes_and_no_object(folder):
    html = render(folder, "{% form 'create_customer', return_to: '/cart' %}{% endform %}")
    assert '<input type="hidden" name="return_to" value="/cart">' in html


def test_paginate_cuts_the_array_and_knows_its_pages(folder):
    inside = "{{ c.products | join: ',' }} {{ paginate.current_page }}/{{ paginate.pages }}"
    source = "{% paginate c.products by 2 %}" + inside + "{% endpaginate %}"
    data = {"c": Drop({"products": [1, 2, 3, 4, 5], "title": "All"}), "-page-number": 3}
    assert render(folder, source, **data) == "5 3/3"


def test_an_app_block_paints_itself(folder):
    block = AppBlock({"type": "@app", "html": "<p>points</p>"})
    assert render(folder, "{% render block %}", block=block) == "<p>points</p>"


def test_a_syntax_error_stops_at_once(folder):
    with pytest.raises(LiquidSyntaxError):
        render(folder, "{% if %}x{% endif %}")


def test_objects_print_as_json_without_what_is_lazy(folder):
    drop = Drop({"id": 1, "tags": ["a"]}, {"product": lambda: {"never": "asked"}})
    assert render(folder, "{{ x | json }}", x=drop) == '{"id":1,"tags":["a"]}'
