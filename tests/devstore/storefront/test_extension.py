"""A theme app extension is rendered as Shopify renders it. A small one made for this; the real one has its own test."""

import json

import pytest

from app.devstore.errors import Refusal
from app.devstore.storefront import theme_settings
from tests.devstore.storefront.conftest import ROOT, Visitor

TOML = (ROOT / "shopify.app.toml").read_text(encoding="utf-8")

BLOCKS = {
    "badge": """{{ 'hi' | t: name: customer.first_name }}|{{ block.settings.word }}|{{ block.settings.bare }}|
{{ block.settings.on }}|{{ product.title | escape }}|{{ block.settings.item.title | escape }}|{% render 'part' %}|
{{ 'part.js' | asset_url }}|{{ app.metafields.ours.rate.value.rate }}|
{{ customer.metafields['$app:loyalty'].member.value.n }}
{% schema %}{"name": "Badge", "target": "section", "javascript": "part.js", "stylesheet": "part.css",
 "enabled_on": {"templates": ["product"]},
 "settings": [{"type": "header", "content": "x"}, {"type": "text", "id": "word", "default": "yes", "label": "l"},
 {"type": "text", "id": "bare", "label": "l"}, {"type": "checkbox", "id": "on", "label": "l"},
 {"type": "product", "id": "item", "label": "l", "autofill": true}]}{% endschema %}""",
    "launch": """<b {{ block.shopify_attributes }}>{{ request.design_mode }}</b>
{% schema %}{"name": "Launch", "target": "body", "javascript": "part.js", "class": "wide",
 "settings": []}{% endschema %}""",
    "meta": """<meta name="ours">{% schema %}{"name": "Meta", "target": "head", "settings": []}{% endschema %}""",
    "paid": """paid for{% schema %}{"name": "Paid", "target": "body",
 "available_if": "{{ app.metafields.ours.paid.value }}", "settings": []}{% endschema %}""",
    "broken": """{{ 1 | divided_by: 0 }}
{% schema %}{"name": "Broken", "target": "body", "settings": []}{% endschema %}""",
}


@pytest.fixture
def app_toml(tmp_path):
    """An app with one small extension."""
    folder = tmp_path / "ext" / "ours"
    for name in ("blocks", "snippets", "assets", "locales"):
        (folder / name).mkdir(parents=True)
    for name, source in BLOCKS.items():
        (folder / f"blocks/{name}.liquid").write_text(source, encoding="utf-8")
    (folder / "snippets/part.liquid").write_text("part of {{ shop.name }}", encoding="utf-8")
    (folder / "assets/part.js").write_text("let a = 1;", encoding="utf-8")
    (folder / "assets/part.css").write_text("b{}", encoding="utf-8")
    (folder / "locales/en.default.json").write_text('{"hi": "Hi {{ name }}"}', encoding="utf-8")
    (folder / "locales/de.json").write_text('{"hi": "Hallo {{ name }}"}', encoding="utf-8")
    (folder / "shopify.extension.toml").write_text('name = "Ours"\ntype = "theme"\n', encoding="utf-8")
    (tmp_path / "shopify.app.toml").write_text(TOML.replace("app/extensions/*", "ext/*"), encoding="utf-8")
    return tmp_path / "shopify.app.toml"


@pytest.fixture
def installed(devstore, shop):
    return devstore.apps.install(shop)


@pytest.fixture
def badge(visitor, devstore, shop, installed):
    """What the product page shows of the badge, and the page."""
    id = theme_settings.place_block(devstore, shop, "badge")

    def show(path="/products/straw-mug"):
        text = visitor.get(path).text
        opening = f'<div id="shopify-block-{id}" class="shopify-block shopify-app-block">'
        return (text.split(opening)[1].split("</div>")[0].replace("\n", "") if opening in text else None), text

    return show


def test_a_placed_block_has_settings_snippets_words_and_the_pages_objects(badge, installed):
    shown, _ = badge()
    hi, word, bare, on, product, item, part, url, *_ = shown.split("|")
    assert (hi, word, bare, on, product, item) == ("Hi ", "yes", "", "false", "Straw mug", "Straw mug")
    assert part == "part of Saltmarsh Pottery"
    assert url.startswith("http://localhost:9292/-/cdn/extensions/")


def test_metafields_of_app_and_customer_are_read(badge, visitor, devstore, shop, installed):
    owner = f"gid://shopify/AppInstallation/{installed.id}"
    devstore.metafield_store.set(shop, owner, "ours", "rate", "json", '{"rate": "two"}')
    customer = devstore.customers(shop)[0]
    owner = f"gid://shopify/Customer/{customer.id}"
    devstore.metafield_store.set(shop, owner, "$app:loyalty", "member", "json", '{"n": 240}')
    visitor.post("/account/login", data={"customer_id": customer.id})
    shown, _ = badge()
    assert shown.startswith("Hi Ines|")
    assert shown.endswith("|two|240")


def test_a_metafield_of_another_app_is_not_ours(badge, visitor, devstore, shop):
    customer = devstore.customers(shop)[0]
    owner = f"gid://shopify/Customer/{customer.id}"
    devstore.metafield_store.set(shop, owner, "app--1--loyalty", "member", "json", '{"n": 240}')
    visitor.post("/account/login", data={"customer_id": customer.id})
    assert badge()[0].endswith("|")


def test_words_are_in_the_language_of_the_page(badge):
    assert badge("/products/straw-mug?locale=de")[0].startswith("Hallo ")


def test_scripts_and_styles_of_the_schema_come_once_and_async(badge, devstore, shop, visitor):
    theme_settings.set_embed(devstore, shop, "launch", True)
    _, text = badge()
    assert text.count('/assets/part.js" type="text/javascript" async></script>') == 1
    assert text.count("/assets/part.css") == 1
    assert text.index("/assets/part.js") < text.index("</head>")


def test_an_embed_stands_before_the_end_of_the_body_when_it_is_on(visitor, devstore, shop, installed):
    assert "Launch" not in visitor.get("/").text
    theme = theme_settings.set_embed(devstore, shop, "launch", True)
    html = visitor.get("/").text
    end = html.split("</footer>")[1]
    assert f'<div id="shopify-block-{theme.embed("launch").id}" class="shopify-block shopify-app-block wide">' in end
    assert "<b >false</b>" in end
    theme_settings.set_embed(devstore, shop, "launch", False)
    assert "shopify-app-block" not in visitor.get("/").text


def test_the_theme_editor_sees_design_mode_and_its_attributes(visitor, devstore, shop, installed):
    theme = theme_settings.set_embed(devstore, shop, "launch", True)
    html = visitor.get("/?design_mode=1").text
    assert ">true</b>" in html
    id = theme.embed("launch").id
    assert f"data-shopify-editor-block='{{&quot;id&quot;:&quot;{id}&quot;" in html
    assert f"shopify://apps/regulars/blocks/launch/{id}" in html


def test_a_head_embed_stands_in_the_head(visitor, devstore, shop, installed):
    theme_settings.set_embed(devstore, shop, "meta", True)
    assert '<meta name="ours">' in visitor.get("/").text.split("</head>")[0]


def test_available_if_decides(visitor, devstore, shop, installed):
    theme_settings.set_embed(devstore, shop, "paid", True)
    assert "paid for" not in visitor.get("/").text
    owner = f"gid://shopify/AppInstallation/{installed.id}"
    devstore.metafield_store.set(shop, owner, "ours", "paid", "boolean", "true")
    assert "paid for" in visitor.get("/").text


def test_a_mistake_is_printed_where_it_is_and_the_page_lives(visitor, devstore, shop, installed):
    theme_settings.set_embed(devstore, shop, "broken", True)
    answer = visitor.get("/")
    assert answer.status_code == 200
    assert "Liquid error (blocks/broken)" in answer.text


def test_nothing_is_shown_of_an_app_that_is_not_installed(visitor, devstore, shop, installed):
    theme_settings.set_embed(devstore, shop, "launch", True)
    devstore.apps.uninstall(shop)
    assert "shopify-app-block" not in visitor.get("/").text


def test_blocks_only_go_where_their_schema_lets_them(devstore, shop):
    with pytest.raises(Refusal, match="does not belong on cart pages"):
        theme_settings.place_block(devstore, shop, "badge", template="cart")
    with pytest.raises(Refusal, match="not a block"):
        theme_settings.place_block(devstore, shop, "launch")
    with pytest.raises(Refusal, match="not an app embed"):
        theme_settings.set_embed(devstore, shop, "badge", True)
    with pytest.raises(Refusal, match="has no block"):
        theme_settings.set_embed(devstore, shop, "nope", True)


def test_settings_chosen_by_the_merchant_win_and_blocks_can_go(badge, devstore, shop):
    placed = theme_settings.current(devstore, shop).blocks[0]
    theme_settings.set_block(devstore, shop, placed.id, {"word": "chosen"})
    assert "|chosen|" in badge()[0]
    theme_settings.remove_block(devstore, shop, placed.id)
    assert badge()[0] is None


def test_assets_are_served_to_everybody_under_their_digest_only(app, badge):
    shown, _ = badge()
    url = shown.split("|")[7]
    cdn = Visitor(app.test_client(), "http://localhost:9292")
    answer = cdn.get(url.removeprefix("http://localhost:9292"))
    assert (answer.status_code, answer.text) == (200, "let a = 1;")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.content_type.startswith("text/javascript")
    stale = url.replace(url.split("/")[6], "0" * 16).removeprefix("http://localhost:9292")
    assert cdn.get(stale).status_code == 404


def test_a_schema_that_is_no_json_is_named(devstore, tmp_path, visitor, installed):
    (tmp_path / "ext/ours/blocks/odd.liquid").write_text("{% schema %}{'a': 1}{% endschema %}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"blocks/odd\.liquid"):
        theme_settings.offered(devstore)


def test_values_from_people_are_only_as_safe_as_the_template(badge, visitor, devstore, shop):
    """No escaping by itself: what an extension forgets to escape is open here too, so a test can see it."""
    customer = devstore.create_customer(shop, email="x@example.com", first_name="<i>x</i>", quiet=True)
    visitor.post("/account/login", data={"customer_id": customer.id})
    assert badge()[0].startswith("Hi <i>x</i>|")
    assert json.dumps("<i>") not in badge()[1]
