"""The merchant's embedded admin."""

from flask import Blueprint

bp = Blueprint("admin", __name__, url_prefix="/admin")


def home_page(merchant):
    return f"<h1>Home of {merchant.domain}</h1>"
