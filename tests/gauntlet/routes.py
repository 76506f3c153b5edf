"""Every route there is, and what each may answer to whom. A route without a row fails G22.

``Row.kind`` decides what strangers get (`expected`); ``calls`` are what the shop's own staff or shopper may do, with
the status of each, in the order they are made, with ids that every shop of `world` has. ``foreign`` are addresses with
an id that only shop B has, which must look to A like an id nobody has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from .world import JOB, MEMBER_NORA, NOBODYS, NORA, ORDER, REDEMPTION, REQUEST, TEA

Kind = Literal["public", "merchant", "shopper", "webhook", "front", "begin", "callback"]
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
IDENTITIES = (
    "none", "bad", "expired", "A owner", "A customer 1", "A customer 2", "A anonymous", "B owner", "B customer",
    "uninstalled shop",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    target: str
    status: int = 200
    form: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    kind: Kind
    calls: tuple[Call, ...]
    foreign: tuple[Call, ...] = ()  # "{foreign}" stands for B's id, or nobody's
    ids: str = ""  # whose foreign ids: member, request, version, delivery, job, order, customer, slot, redemption
    json: Any = None  # the names an answer may have, nested; None: a page
    visitor: int = 0  # what a shopper gets who is not logged in, where that is another status
    others: int = 0  # what the shop's other customer gets

    @property
    def methods(self) -> set[str]:
        return {call.method for call in self.calls}


def page(target: str, **more: Any) -> Row:
    return Row("merchant", (Call("GET", target),), **more)


def form(target: str, fields: dict[str, str] | None = None, status: int = 303, **more: Any) -> Row:
    return Row("merchant", (Call("POST", target, status, fields or {}),), **more)


MEMBER = {"available", "pending", "reserved", "debt", "next_at", "tier", "referral"}
ERROR = {"error": {"code", "message", "field"}}
REWARD = {
    "id": None, "title": None, "points": None, "affordable": None, "reason": None, "kind": None, "amount_minor": None,
    "minimum_minor": None, "only_products": None, "starts_at": None, "valid_days": None, "combines": None,
    "steps": {"points", "least", "most", "titles", "minimums"},
}  # fmt: skip
REDEEMED = {
    "id", "state", "code", "points", "title", "kind", "amount_minor", "until", "last_day", "reward_id", "variant_id",
    "minimum_minor", "combines", "why", "order",
}  # fmt: skip
SHOPPER = {
    "program": {"name", "live", "paused"}, "member": MEMBER, "rewards": [REWARD], "redemptions": [REDEEMED],
    "history_next": None,
    "ways_to_earn": [{"id", "title", "points"}],
    "history": [{"at", "points", "kind", "title", "reason", "redemption_id"}],
}  # fmt: skip
PREVIEW = {"errors": ..., "html": None}
EXPORT = {
    "shop": None, "customer_id": None, "member": ..., "balance": ..., "entries": ..., "orders": ...,
    "adjustments": ..., "waiting": ..., "redemptions": ...,
}  # fmt: skip
THE_REWARD = {
    "kind": "amount_off", "points": "100", "amount": "5.00", "valid": "30", "combines": "shipping", "back": "share",
}  # fmt: skip
REDEMPTION_PAGE = f"/admin/rewards/redemptions/{REDEMPTION}"
PROGRAM = {"name": "Club", "points": "1", "per": "1.00"}

TABLE: dict[str, Row] = {
    "static": Row("public", (Call("GET", "/static/public.css"),)),
    "pages.front": Row("front", (Call("GET", "/"),)),
    "pages.privacy": Row("public", (Call("GET", "/privacy"),)),
    "pages.support": Row("public", (Call("GET", "/support"),)),
    "health.alive": Row("public", (Call("GET", "/healthz"),), json={"status": None}),
    "health.ready": Row("public", (Call("GET", "/readyz"),), json={"database": None, "worker": None, "backlog": None}),
    "health.metrics": Row("public", (Call("GET", "/metrics"),)),
    "install.token_page": Row("public", (Call("GET", "/auth/token", 400),)),
    "install.begin": Row("begin", (Call("GET", "/auth/install", 422),)),
    "install.finish": Row("callback", (Call("GET", "/auth/callback", 401),)),
    "webhooks.webhook": Row("webhook", (Call("POST", "/webhooks", 401),)),
    "proxy.shopper": Row("shopper", (Call("GET", "/proxy/shopper"),), json=SHOPPER),
    "proxy.create_redemption": Row("shopper", (Call("POST", "/proxy/redemptions", 422),), visitor=401, json=ERROR),
    "proxy.show_redemption": Row(
        "shopper", (Call("GET", f"/proxy/redemptions/{REDEMPTION}"),), visitor=401, others=404,
        json=dict.fromkeys(REDEEMED) | ERROR,
    ),
    "proxy.cancel_redemption": Row(
        "shopper", (Call("POST", "/proxy/redemptions/AAAAnobodys000001/cancel", 404),), visitor=401, json=ERROR
    ),
    "admin.home_view": page("/admin/"),
    "admin.storefront_status": page("/admin/storefront?panel=on&block=off"),
    "admin.show_guide": form("/admin/guide", {"show": "no"}),
    "admin.activity_page": page(
        "/admin/activity", foreign=(Call("GET", "/admin/activity?delivery={foreign}"),), ids="delivery"
    ),
    "admin.replay": form(
        "/admin/deliveries/{delivery}/replay", foreign=(Call("POST", "/admin/deliveries/{foreign}/replay", 404),),
        ids="delivery",
    ),
    "admin.discard": form(
        "/admin/deliveries/{delivery}/discard", foreign=(Call("POST", "/admin/deliveries/{foreign}/discard", 404),),
        ids="delivery", status=404,  # it was replayed by the row above
    ),
    "admin.replay_all": form("/admin/deliveries/replay-all", {"topic": "orders/paid"}),
    "admin.retry_job": form(
        f"/admin/jobs/{JOB}/retry", foreign=(Call("POST", "/admin/jobs/{foreign}/retry", 404),), ids="job"
    ),
    "admin.discard_job": form(
        f"/admin/jobs/{JOB}/discard", foreign=(Call("POST", "/admin/jobs/{foreign}/discard", 404),), ids="job",
        status=409,  # the row above made it due
    ),
    "admin.members_page": page(
        "/admin/members", foreign=(Call("GET", "/admin/members?q={foreign}"),), ids="customer"
    ),
    "admin.member_page": page(
        f"/admin/members/{MEMBER_NORA}?order={ORDER}&on=2026-11-21",
        foreign=(
            Call("GET", "/admin/members/{foreign}", 404),
            Call("GET", "/admin/members/{foreign}?customer_id=" + str(NORA), 404),
        ),
        ids="member",
    ),
    "admin.adjust_member": form(
        f"/admin/members/{MEMBER_NORA}/adjust", {"points": "5", "reason": "Sorry", "key": "walk"},
        foreign=(
            Call("POST", "/admin/members/{foreign}/adjust", 404, {"points": "5", "reason": "x", "key": "foreign"}),
        ),
        ids="member",
    ),
    "admin.privacy_page": page("/admin/privacy"),
    "admin.download": page(
        f"/admin/privacy/{REQUEST}/download", foreign=(Call("GET", "/admin/privacy/{foreign}/download", 404),),
        ids="request", json=EXPORT,
    ),
    "admin.program_page": page("/admin/program"),
    "admin.preview_program": form("/admin/program/preview", PROGRAM, status=200, json=PREVIEW),
    "admin.save_draft": form("/admin/program/draft", PROGRAM, status=422),
    "admin.discard_draft": form("/admin/program/discard"),
    "admin.start_from": form("/admin/program/start-from", {"preset": "starter-double"}),
    "admin.vendors": page("/admin/program/vendors"),
    "admin.publish": form("/admin/program/publish"),
    "admin.launch": form("/admin/program/launch"),
    "admin.pause": form("/admin/program/pause"),
    "admin.resume": form("/admin/program/resume"),
    "admin.versions_page": page("/admin/program/versions"),
    "admin.version_page": page(
        "/admin/program/versions/1", foreign=(Call("GET", "/admin/program/versions/{foreign}", 404),), ids="version"
    ),
    "admin.draft_from_version": form(
        "/admin/program/versions/1/draft", foreign=(Call("POST", "/admin/program/versions/{foreign}/draft", 404),),
        ids="version",
    ),
    "admin.rewards_view": page("/admin/rewards"),
    "admin.new_reward": page("/admin/rewards/new?start=slider"),
    "admin.product_of_reward": page("/admin/rewards/product?variant=5"),
    "admin.reward_page": page(
        f"/admin/rewards/{TEA}", foreign=(Call("GET", "/admin/rewards/{foreign}", 404),), ids="slot"
    ),
    "admin.edit_reward": page(
        "/admin/rewards/off/edit", foreign=(Call("GET", "/admin/rewards/{foreign}/edit", 404),), ids="slot"
    ),
    "admin.preview_of_reward": form("/admin/rewards/off/preview", THE_REWARD, status=200, json=PREVIEW),
    "admin.save_reward": form("/admin/rewards/off/draft", THE_REWARD),
    "admin.remove_reward_from_draft": form("/admin/rewards/gone/remove"),
    "admin.permissions": form("/admin/permissions", {"kind": "gift_card"}, status=503),  # Shopify does not answer
    "admin.redemption_page": page(
        REDEMPTION_PAGE, foreign=(Call("GET", "/admin/rewards/redemptions/{foreign}", 404),), ids="redemption"
    ),
    "admin.reissue_redemption": form(
        f"{REDEMPTION_PAGE}/reissue", foreign=(Call("POST", "/admin/rewards/redemptions/{foreign}/reissue", 404),),
        ids="redemption", status=409,  # it has no code yet
    ),
    "admin.cancel_redemption": form(
        f"{REDEMPTION_PAGE}/cancel", foreign=(Call("POST", "/admin/rewards/redemptions/{foreign}/cancel", 404),),
        ids="redemption",
    ),
    "admin.give_back_redemption": form(
        f"{REDEMPTION_PAGE}/give-back", {"points": "5", "already": "0"}, status=409,  # it was not used
        foreign=(
            Call("POST", "/admin/rewards/redemptions/{foreign}/give-back", 404, {"points": "5", "already": "0"}),
        ),
        ids="redemption",
    ),
    "admin.decide_redemption": form(
        f"{REDEMPTION_PAGE}/decide", {"answer": "yes"}, status=409,  # there is nothing to decide
        foreign=(Call("POST", "/admin/rewards/redemptions/{foreign}/decide", 404, {"answer": "yes"}),),
        ids="redemption",
    ),
    "admin.settings_page": page("/admin/settings"),
    "admin.preview_look": form("/admin/settings/preview", {"accent": "#2447a8"}, status=200, json=PREVIEW),
    "admin.save_look": form("/admin/settings/look", {"accent": "blue"}, status=422),
    "admin.reconcile": form("/admin/settings/reconcile"),
}  # fmt: skip


def expected(row: Row, call: Call, identity: str) -> set[int]:
    """The statuses this identity may get. Only its own staff, or its own shoppers, get what the call says."""
    proxied = identity in ("A customer 1", "A customer 2", "A anonymous", "B customer")
    owner = identity in ("A owner", "B owner")
    # A query Shopify signed for the proxy names a shop, which makes a document worth sending by the token page.
    refused = {302} if proxied and call.method in ("GET", "HEAD") else {401}
    match row.kind:
        case "public" | "webhook" | "callback":
            return {call.status}
        case "begin":
            # Anybody may begin a grant for any shop: it begins, and asks, at that shop's own admin.
            return {422} if identity == "none" or owner else {302}
        case "front":
            return {200} if owner or identity == "none" else {503} if identity == "uninstalled shop" else refused
        case "merchant":
            # An uninstalled shop's token may be valid for a minute: it would be exchanged, and Shopify refuses.
            return {call.status} if owner else {503} if identity == "uninstalled shop" else refused
        case "shopper":
            if identity == "A anonymous" and row.visitor:
                return {row.visitor}
            if identity == "A customer 2" and row.others:
                return {row.others}
            return {call.status} if proxied else {404} if identity == "uninstalled shop" else {401}


NOBODYS_IDS = {
    "member": str(NOBODYS), "request": str(NOBODYS), "version": "9", "delivery": "0" * 64, "job": "aaaa000000000009",
    "order": str(NOBODYS), "customer": "7999", "slot": "nobod", "redemption": "AAAAredemption99",
}  # fmt: skip
