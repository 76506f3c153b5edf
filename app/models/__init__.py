"""The tables beside the books, one aggregate a file. Every tenant table's key begins with ``shop_id`` (DESIGN §5)."""

from .delivery import Delivery, DeliveryState, DueShop, Job, JobState, Lane
from .member import Member, RedactedCustomer
from .order import Adjustment, Decision, Order
from .privacy import PrivacyRequest
from .program import Draft, Pause, ProgramVersion
from .redemption import IS_HELD, IS_ISSUED, CodeUse, FailedTry, Redemption, RedemptionState
from .reward import IS_FREE, IS_ODD, Code, CodeState, Discount, RewardTerms, RewardUse
from .shop import Shop, ShopToken

__all__ = [
    "IS_FREE",
    "IS_HELD",
    "IS_ISSUED",
    "IS_ODD",
    "Adjustment",
    "Code",
    "CodeState",
    "CodeUse",
    "Decision",
    "Delivery",
    "DeliveryState",
    "Discount",
    "Draft",
    "DueShop",
    "FailedTry",
    "Job",
    "JobState",
    "Lane",
    "Member",
    "Order",
    "Pause",
    "PrivacyRequest",
    "ProgramVersion",
    "RedactedCustomer",
    "Redemption",
    "RedemptionState",
    "RewardTerms",
    "RewardUse",
    "Shop",
    "ShopToken",
]
