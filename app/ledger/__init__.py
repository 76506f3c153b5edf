"""RECORDS. Points as money: an append-only, double-entry ledger (DESIGN §1.2, §5).

Open `Books` for the members concerned, post, close. Nothing else in the program can change a number of points.
"""

from .accounts import Account, Kind
from .audit import audit
from .books import Books, NotEnoughPoints
from .models import Balance, Entry, Lot
from .single import BALANCE, LOT, SingleBook
from .verbs import KeyReused, adjust, transfer

__all__ = [
    "BALANCE",
    "LOT",
    "Account",
    "Balance",
    "Books",
    "Entry",
    "KeyReused",
    "Kind",
    "Lot",
    "NotEnoughPoints",
    "SingleBook",
    "adjust",
    "audit",
    "transfer",
]
