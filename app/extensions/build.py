"""Make the theme extension's assets from ``scripts/``: what shoppers download carries no comments and no long names.

Shopify promises to make themes' scripts smaller, not extensions', so the small ones are what is deployed. Run this
after a change: ``pip install -e '.[build]'``, then ``python -m app.extensions.build``. Each asset begins with a digest
of its source, by which a test knows that it was.
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from pathlib import Path

SOURCES = Path(__file__).parent / "scripts"
ASSETS = Path(__file__).parent / "storefront" / "assets"
_KINDS = {".js": "application/javascript", ".css": "text/css"}


def main() -> None:
    """Every asset anew."""
    minify = import_module("minify")  # only whoever builds needs it
    for source in sorted(SOURCES.iterdir()):
        text = source.read_text(encoding="utf-8")
        small = minify.string(_KINDS[source.suffix], text)
        (ASSETS / source.name).write_text(f"/*{digest(text)}*/{small}\n", encoding="utf-8")


def digest(text: str) -> str:
    """Names a source's text; short, since it is downloaded too."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


if __name__ == "__main__":
    main()
