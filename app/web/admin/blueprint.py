"""The admin's blueprint, and how its templates write numbers."""

from __future__ import annotations

from flask import Blueprint

from ...loyalty.views import words

bp = Blueprint("admin", __name__, url_prefix="/admin")

bp.add_app_template_filter(words.number, "number")
bp.add_app_template_filter(words.signed, "signed")
bp.add_app_template_filter(words.count, "count_of")
