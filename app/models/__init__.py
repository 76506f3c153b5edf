"""The tables beside the books, one aggregate a file. Every tenant table's key begins with ``shop_id`` (DESIGN §5)."""

from .delivery import Delivery, DeliveryState, DueShop, Job, JobState, Lane
from .member import Member, RedactedCustomer
from .order import Adjustment, Decision, Order
from .privacy import PrivacyRequest
from .program import Draft, Pause, ProgramVersion
from .shop import Shop, ShopToken

__all__ = [
    "Adjustment",
    "Decision",
    "Delivery",
    "DeliveryState",
    "Draft",
    "DueShop",
    "Job",
    "JobState",
    "Lane",
    "Member",
    "Order",
    "Pause",
    "PrivacyRequest",
    "ProgramVersion",
    "RedactedCustomer",
    "Shop",
    "ShopToken",
]
