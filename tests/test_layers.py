"""The house's layers (DESIGN §2), read off the imports: who may know what."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

APP = Path(__file__).parents[1] / "app"

# layer → what of `app` it may import (a layer may always import itself), and which libraries it may not.
MAY_IMPORT = {
    "program": {"program"},
    "ledger": {"db", "errors", "program", "ledger"},
    "models": {"db", "ledger", "program", "models"},
    "shopify": {"program", "errors", "config", "shopify"},
    "loyalty": {"program", "ledger", "models", "shopify", "jobs.queue", "jobs", "db", "errors", "loyalty"},
    "jobs": {"loyalty", "shopify", "models", "db", "config", "errors", "jobs"},
    "web": {"loyalty", "shopify", "program", "db", "errors", "config", "web"},
    "clock": set(),
    "errors": set(),
    "config": set(),
    "devstore": {"devstore"},
}
NEVER = {
    "program": {"flask", "sqlalchemy", "requests"},
    "ledger": {"flask", "requests"},
    "models": {"flask", "requests"},
    "shopify": {"flask", "sqlalchemy"},
    "loyalty": {"flask"},
    "jobs": {"flask", "requests"},
    "web": {"requests"},
    "clock": {"flask", "sqlalchemy", "requests"},
    "errors": {"flask", "sqlalchemy", "requests"},
    "config": {"flask", "sqlalchemy", "requests"},
    "devstore": {"sqlalchemy"},
}
# A layer that may use one name of another and no more.
ONLY = {("loyalty", "jobs"): "jobs.queue"}


def files(layer: str) -> list[Path]:
    single = APP / f"{layer}.py"
    return [single] if single.exists() else sorted((APP / layer).rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Everything a file imports, absolute: "app.program.facts", "flask"."""
    package = ["app", *path.relative_to(APP).parent.parts]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names} if node.module is None else {module}
    return found


@pytest.mark.parametrize("layer", MAY_IMPORT)
def test_a_layer_imports_only_what_it_may(layer: str) -> None:
    for path in files(layer):
        for name in imports(path):
            if name.startswith("app."):
                target = name.split(".")[1]
                assert target in MAY_IMPORT[layer] | {layer}, f"{path.relative_to(APP)} imports {name}"
                if allowed := ONLY.get((layer, target)):
                    assert name == f"app.{allowed}", f"{path.relative_to(APP)} imports {name}"
            else:
                assert name.split(".")[0] not in NEVER[layer], f"{path.relative_to(APP)} imports {name}"


def test_nothing_of_the_app_imports_the_dev_store() -> None:
    for path in APP.rglob("*.py"):
        if "devstore" not in path.parts:
            assert not any(name.startswith("app.devstore") for name in imports(path)), path


# Of what knows Shopify's wire, the part that looks at what came in.
VERIFIERS = {"oauth", "origins", "proxy", "session_tokens", "shops", "webhooks"}


def test_the_web_verifies_what_shopify_sent_and_asks_it_nothing() -> None:
    for path in files("web"):
        for name in imports(path):
            if name.startswith("app.shopify."):
                assert name.split(".")[2] in VERIFIERS, f"{path.relative_to(APP)} imports {name}"


def test_only_the_configuration_reads_the_environment() -> None:
    allowed = {"config.py", "demo.py", "serving.py"}  # the latter two hand it on to the processes they start
    for path in APP.rglob("*.py"):
        if "devstore" in path.parts or path.name in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv"):
                raise AssertionError(f"{path.relative_to(APP)} reads the environment")


def test_record_verbs_never_commit() -> None:
    for layer in ("ledger", "loyalty"):
        for path in files(layer):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in ("commit", "rollback"):
                    raise AssertionError(f"{path.relative_to(APP)} ends a transaction itself")
