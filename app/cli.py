"""Commands for operators. `flask --app app --help` lists them; DESIGN §8 is the contract."""

from __future__ import annotations

import json
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

if TYPE_CHECKING:
    from .db import Database
    from .models import Shop
    from .web.runtime import Runtime


@click.command()
@click.option("--fresh", is_flag=True, help="Forget everything and begin anew.")
@click.option("--port", default=9292, show_default=True, help="Port of the dev store; the app takes the next one.")
def demo(fresh: bool, port: int) -> None:
    """A shop, a storefront and this app on your machine, with nothing to configure."""
    from .demo import run

    sys.exit(run(fresh=fresh, port=port))


def register(app: Flask, db: Database) -> None:
    """Every other command, on an app that could be built."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(Path(app.root_path).parent / "migrations"), render_as_batch=False)
    for command in (serve, work, program, ledger, reconcile, shop, privacy, keys):
        app.cli.add_command(command)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=1, show_default=True, help="Web processes (PostgreSQL only).")
@with_appcontext
def serve(host: str, port: int, workers: int) -> None:
    """Serve with granian. On SQLite: one web process, and the worker as a thread beside it."""
    from .serving import serve as run

    run(_runtime(), host=host, port=port, workers=workers)


@click.command()
@click.option("--once", is_flag=True, help="Drain what is due and exit.")
@with_appcontext
def work(once: bool) -> None:
    """A worker: settles deliveries and runs jobs until stopped (SIGTERM finishes the current batch first)."""
    from .jobs.worker import Worker

    worker = Worker(_runtime().access)
    if once:
        worker.drain()
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.ask_to_stop())
    worker.run_until_stopped()


program = AppGroup("program", help="A shop's program.")


@program.command("launch")
@click.option("--shop", "domain", required=True)
@click.option("--preset", "preset_name", default=None, help="starter, starter-double")
def launch_program(domain: str, preset_name: str | None) -> None:
    """Publish a preset (default: the draft, else starter), as the admin's launch button does; ends a pause."""
    from .loyalty.programs import launch
    from .program.presets import PRESETS

    if preset_name is not None and preset_name not in PRESETS:
        raise click.BadParameter(f"There is no preset {preset_name}. Choose from {', '.join(PRESETS)}.")
    with _runtime().db.transaction() as session:
        found = _shop(session, domain)
        version = launch(session, found, preset_name=preset_name, author="command line", now=_runtime().clock())
    click.echo(f"Version {version.number} is live." if version else "The pause is over.")


@program.command("pause")
@click.option("--shop", "domain", required=True)
def pause_program(domain: str) -> None:
    """From now on orders earn nothing; take-backs and holds go on."""
    from .loyalty.programs import pause

    with _runtime().db.transaction() as session:
        pause(session, _shop(session, domain), now=_runtime().clock())
    click.echo("The program is paused.")


ledger = AppGroup("ledger", help="The books.")


@ledger.command("audit")
def audit_ledger() -> None:
    """Recompute every balance from the entries. Exits 1 with a list where anything differs."""
    from sqlalchemy import select

    from .loyalty.audit import audit_shop
    from .models import Shop

    problems: list[str] = []
    with _runtime().db.reading(one_moment=True) as session:  # workers post meanwhile
        for shop_id in session.scalars(select(Shop.shop_id).order_by(Shop.shop_id)).all():
            problems += audit_shop(session, shop_id)
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    click.echo("Every number adds up.")


@ledger.command("balance")
@click.option("--shop", "domain", required=True)
@click.option("--customer", "customer_id", type=int, required=True)
@click.option("--at", "at", default=None, help="A moment, such as 2026-11-21T12:00:00Z.")
def balance(domain: str, customer_id: int, at: str | None) -> None:
    """One member's balance as JSON, now or at a past moment."""
    from .loyalty.views.balances import balance_of

    with _runtime().db.reading() as session:
        found = _shop(session, domain)
        figures = balance_of(session, found.shop_id, customer_id, at=_moment(at) if at else None)
    click.echo(json.dumps(figures))


@click.command()
@click.option("--shop", "domain", required=True)
@click.option("--since", default=None, help="A moment; default: everything since the program started.")
@with_appcontext
def reconcile(domain: str, since: str | None) -> None:
    """Sweep Shopify for orders whose webhooks were missed, and settle them."""
    from .jobs.worker import Worker
    from .loyalty.programs import timeline
    from .loyalty.reconcile import reconcile as sweep

    runtime = _runtime()
    with runtime.db.reading() as session:
        found = _shop(session, domain)
        starts = timeline(session, found.shop_id).starts
    start = _moment(since) if since else min(starts, default=found.installed_at)
    seen, recovered = sweep(runtime.access, found.shop_id, since=start, wait=time.sleep)
    Worker(runtime.access).drain()
    click.echo(f"{seen} orders compared, {recovered} recovered.")


shop = AppGroup("shop", help="Shops.")


@shop.command("list")
def list_shops() -> None:
    """Every shop, a line each."""
    from sqlalchemy import select

    from .models import Shop

    with _runtime().db.reading() as session:
        for found in session.scalars(select(Shop).order_by(Shop.domain)):
            click.echo(f"{found.domain}\t{found.shop_id}\t{'installed' if found.is_installed else 'uninstalled'}")


@shop.command("show")
@click.argument("domain")
def show_shop(domain: str) -> None:
    """What an operator needs to know of one shop, as JSON. No secrets."""
    from .loyalty.views.operator import describe_shop

    with _runtime().db.reading() as session:
        click.echo(json.dumps(describe_shop(session, _shop(session, domain)), indent=2))


privacy = AppGroup("privacy", help="Data requests.")


@privacy.command("export")
@click.option("--shop", "domain", required=True)
@click.option("--customer", "customer_id", type=int, required=True)
def export(domain: str, customer_id: int) -> None:
    """Everything stored about one customer, as JSON."""
    from .loyalty.views.privacy import export as export_customer

    with _runtime().db.reading() as session:
        found = _shop(session, domain)
        click.echo(json.dumps(export_customer(session, found, customer_id), indent=2, default=str))


keys = AppGroup("keys", help="Encryption keys.")


@keys.command("rotate")
def rotate() -> None:
    """Encrypt every stored secret anew with the first of ENCRYPTION_KEYS."""
    from .loyalty.keys import rotate as rotate_keys

    with _runtime().db.transaction() as session:
        click.echo(f"{rotate_keys(session)} values encrypted anew.")


def _runtime() -> Runtime:
    from .web.runtime import runtime

    return runtime()


def _shop(session: Any, domain: str) -> Shop:
    from sqlalchemy import select

    from .models import Shop

    found = session.scalars(select(Shop).where(Shop.domain == domain.lower())).first()
    if found is None:
        raise click.ClickException(f"{domain} has not installed the app.")
    return found


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text} is no moment such as 2026-11-21T12:00:00Z.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
