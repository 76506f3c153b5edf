"""DOOR. The merchant's embedded admin: server-rendered pages of Polaris elements, one small script beside them.

Each module is a page: a view asks the read side (`loyalty.views`) or one verb, and answers with a page or a redirect.
"""

from __future__ import annotations

from . import (  # noqa: F401 - for their routes
    activity,
    errors,
    members,
    privacy,
    program,
    publishing,
    redemptions,
    reward_editor,
    rewards,
    settings,
    versions,
)
from .blueprint import bp
from .home import home_page

__all__ = ["bp", "home_page"]
