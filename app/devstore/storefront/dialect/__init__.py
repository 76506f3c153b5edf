"""Shopify's dialect of Liquid: tags, filters and objects that python-liquid does not have."""

from .drops import Drop
from .environment import FILTERS, LiquidFolder
from .page import HIDDEN_NAME, Page
from .tags import TAGS, AppBlock

__all__ = ["FILTERS", "HIDDEN_NAME", "TAGS", "AppBlock", "Drop", "LiquidFolder", "Page"]
