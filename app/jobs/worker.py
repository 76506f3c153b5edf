"""The worker: picks a shop, works its deliveries and jobs for a little while, and goes on to the next.

Any number of workers may run, in threads, processes or machines. One holds a shop's lane at a time; a worker that was
asleep longer than its lease is fenced off before it can write (DESIGN §6).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from ..db import Database
from ..errors import AccessRevoked, MissingScope, NotFound, Parked, Rejected, Throttled
from ..loyalty import inbox
from ..loyalty.access import Access
from ..loyalty.mature import any_due, mature_due
from ..loyalty.redact import drop_forgotten
from ..loyalty.release import any_to_expire, expire_due
from ..loyalty.work import understand, work
from ..models import Job, Lane, Shop
from .handlers import NETWORK, PATIENT, RECORD, WAITED_FOR
from .queue import Fenced, Lease, claim, fail_job, finish_job, hold, next_job, release
from .schedule import ask_for_due_work

log = logging.getLogger(__name__)

BATCH = 300  # deliveries; about a hundred orders, since most orders send three
SLICE = timedelta(seconds=1)  # of one shop's work, before the next shop has its turn
IDLE_S = 0.1
SCHEDULE_EVERY_S = 60.0
RENEW_EVERY_S = 20.0  # a third of the lease


class Worker:
    """Serves both lanes until told to stop, each in a thread of its own, so a slow Shopify delays no points."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.db: Database = access.db
        self.clock = access.clock
        self.beat_at: datetime | None = None
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._scheduled_at = -SCHEDULE_EVERY_S

    def start(self) -> None:
        """Work in the background."""
        for lane in Lane:
            thread = threading.Thread(target=self._serve, args=(lane,), name=f"worker-{lane}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, timeout_s: float = 30.0) -> None:
        """Finish what is being worked on, take nothing new, return when done."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout_s)

    def run_until_stopped(self) -> None:
        self.start()
        self._stopping.wait()
        self.stop()

    def ask_to_stop(self) -> None:
        """For signal handlers: only sets a flag."""
        self._stopping.set()

    def drain(self, *, limit: int = 100_000) -> int:
        """Serve whatever is due now, in this thread, and return how many leases that took. For tests and --once."""
        served = 0
        self._schedule()
        while served < limit:
            leases = [lease for lane in Lane if (lease := claim(self.db, lane, self.clock())) is not None]
            if not leases:
                return served
            for lease in leases:
                self.serve(lease)
            served += len(leases)
        return served

    def _serve(self, lane: Lane) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                if lane is Lane.SETTLE:
                    self._schedule()
                lease = claim(self.db, lane, self.clock())
                self.beat_at = self.clock()
                failures = 0
                if lease is None:
                    self._stopping.wait(IDLE_S)
                else:
                    self.serve(lease)
            except SQLAlchemyError as error:
                # The database is away or busy: everything is still in the tables, so wait and look again.
                failures += 1
                log.warning("lane %s: database: %s", lane, type(error).__name__)
                self._stopping.wait(min(0.2 * 2**failures, 10))
            except Exception:  # a lane whose thread died would serve no shop any more, and nobody would notice
                log.exception("lane %s: a shop could not be served", lane)
                self._stopping.wait(1)

    def _schedule(self) -> None:
        if time.monotonic() - self._scheduled_at >= SCHEDULE_EVERY_S:
            self._scheduled_at = time.monotonic()
            with self.db.transaction() as session:
                ask_for_due_work(session, now=self.clock())

    def serve(self, lease: Lease) -> None:
        """Work one shop's lane for a slice of time, then give it back."""
        until = self.clock() + SLICE
        worked = False
        try:
            while not self._stopping.is_set():
                busy = self._settle_some(lease) if lease.lane is Lane.SETTLE else False
                busy = self._run_job(lease) or busy
                worked = worked or busy
                if not busy or self.clock() >= until:
                    break
        except Fenced:
            # Somebody else serves the shop now, or it was erased with its lanes. Nothing was written.
            log.warning("shop %s: the lease on lane %s is gone", lease.shop_id, lease.lane)
        finally:
            release(self.db, lease, worked=worked, now=self.clock())

    # --- deliveries ------------------------------------------------------------------------------------------------

    def _settle_some(self, lease: Lease) -> bool:
        now = self.clock()
        with self.db.reading() as session:
            batch = inbox.take(session, lease.shop_id, limit=BATCH, now=now)
            shop = session.get(Shop, lease.shop_id)
        if batch and shop is not None:
            self._work_together(lease, shop, batch)
        return self._let_expire(lease) or self._mature(lease) or bool(batch)

    def _work_together(self, lease: Lease, shop: Shop, batch: list[inbox.Taken]) -> None:
        """A batch that fails is worked in halves: one bad delivery among three hundred costs nine tries, not 300."""
        if len(batch) == 1:
            self._work_alone(lease, shop, batch[0])
            return
        try:
            self._work(lease, shop, batch)
        except Fenced:
            raise
        except Exception as error:  # whatever it is, one delivery's trouble must not be the others'
            log.warning("shop %s: a batch of %s failed (%s)", lease.shop_id, len(batch), type(error).__name__)
            self._work_together(lease, shop, batch[: len(batch) // 2])
            self._work_together(lease, shop, batch[len(batch) // 2 :])

    def _mature(self, lease: Lease) -> bool:
        with self.db.reading() as session:  # nearly always there is nothing, and then nothing need be locked
            if not any_due(session, lease.shop_id, now=self.clock()):
                return False
        try:
            with self.db.transaction() as session:
                now = self.clock()
                hold(session, lease, now)
                return bool(mature_due(session, lease.shop_id, limit=BATCH, now=now))
        except (Fenced, SQLAlchemyError):
            raise
        except Exception:  # books that contradict themselves are the audit's business; the shop's jobs still run
            log.exception("shop %s: points could not mature", lease.shop_id)
            return False

    def _let_expire(self, lease: Lease) -> bool:
        with self.db.reading() as session:
            if not any_to_expire(session, lease.shop_id, now=self.clock()):
                return False
        with self.db.transaction() as session:
            now = self.clock()
            hold(session, lease, now)
            return bool(expire_due(session, lease.shop_id, limit=BATCH, now=now))

    def _work(self, lease: Lease, shop: Shop, batch: list[inbox.Taken]) -> None:
        understood, refused = understand(shop, batch)
        with self.db.transaction() as session:
            now = self.clock()
            hold(session, lease, now)
            for delivery, problem in refused:
                inbox.fail(session, delivery, problem.message, about=problem.about, final=True, now=now)
            parked = [delivery.key for delivery, _ in refused]
            for delivery, reason in work(session, shop.shop_id, understood, now=now):
                inbox.fail(session, delivery, reason, about="", final=True, now=now)
                parked.append(delivery.key)
            if parked:
                drop_forgotten(session, shop, parked, now=now)
        if any(delivery.topic.endswith("/redact") for delivery in batch):
            self.db.empty_log()

    def _work_alone(self, lease: Lease, shop: Shop, delivery: inbox.Taken) -> None:
        try:
            self._work(lease, shop, [delivery])
        except Fenced:
            raise
        except Exception as error:  # whatever it is, the deliveries behind this one must flow
            retry = isinstance(error, DBAPIError)
            log.warning("shop %s: delivery of %s failed: %s", lease.shop_id, delivery.topic, type(error).__name__)
            with self.db.transaction() as session:
                hold(session, lease, self.clock())
                reason = (
                    error.message if isinstance(error, Parked) else f"It could not be worked ({type(error).__name__})."
                )
                inbox.fail(
                    session, delivery, reason, about="", final=not retry and isinstance(error, Parked), now=self.clock()
                )
                drop_forgotten(session, shop, [delivery.key], now=self.clock())

    # --- jobs ------------------------------------------------------------------------------------------------------

    def _run_job(self, lease: Lease) -> bool:
        job = next_job(self.db, lease, self.clock(), first=WAITED_FOR)
        if job is None:
            return False
        try:
            if job.kind in RECORD:
                with self.db.transaction() as session:
                    hold(session, lease, self.clock())
                    RECORD[job.kind](session, job.shop_id, job.arguments, self.clock())
                    finish_job(session, job, self.clock())
            else:
                with self.db.transaction() as session:
                    hold(session, lease, self.clock())
                with self._kept(lease):
                    NETWORK[job.kind](self.access, job.shop_id, job.arguments)
                with self.db.transaction() as session:
                    finish_job(session, job, self.clock())
        except Fenced:
            raise
        except (AccessRevoked, NotFound) as error:
            if error.code in ("uninstalled", NotFound.code):
                # The shop is gone, or what the job was about is: nothing to try again, and nobody to tell.
                with self.db.transaction() as session:
                    finish_job(session, job, self.clock())
            else:
                self._fail(job, error.message, final=True)
        except Throttled as error:
            self._fail(job, error.message, retry_after=error.retry_after, patient=job.kind in PATIENT)
        except (MissingScope, Rejected) as error:
            self._fail(job, error.message, final=True)
        except Exception as error:  # a job that cannot run must not stop the others
            log.exception("shop %s: job %s failed", job.shop_id, job.kind)
            self._fail(job, f"It failed ({type(error).__name__}).")
        return True

    @contextmanager
    def _kept(self, lease: Lease) -> Iterator[None]:
        """Renew the lease while a job waits for Shopify: one call may take a minute, and nobody else is to begin it."""
        over = threading.Event()

        def renew() -> None:
            while not over.wait(RENEW_EVERY_S):
                try:
                    with self.db.transaction() as session:
                        hold(session, lease, self.clock())
                except (Fenced, SQLAlchemyError):
                    return

        thread = threading.Thread(target=renew, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _fail(self, job: Job, why: str, *, retry_after: float = 0, final: bool = False, patient: bool = False) -> None:
        with self.db.transaction() as session:
            fail_job(session, job, why, self.clock(), retry_after=retry_after, final=final, patient=patient)
