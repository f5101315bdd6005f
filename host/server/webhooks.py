"""Telling an address of a job's end: signed, and tried again when it does not answer."""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

import aiohttp

from host.jobs.model import Job, Live, NumberedEvent
from host.jobs.service import JobService
from host.server.jobs_json import event_json, record_json

LOG: Final = logging.getLogger("darkroom.webhooks")
SIGNATURE: Final = "X-Darkroom-Signature"
PAUSES: Final = (1.0, 5.0, 30.0, 120.0)
"""Seconds before the second and later tries."""
_SECONDS: Final = 10.0


class Webhooks:
    """Calls the webhooks of jobs that end. secret: signs the body, "" leaves the signature out."""

    def __init__(self, jobs: JobService, secret: str, pauses: Sequence[float] = PAUSES) -> None:
        self._jobs = jobs
        self._secret = secret
        self._pauses = pauses
        self._calls = set[asyncio.Task[None]]()
        self._unsubscribe = jobs.subscribe(self._hear)

    async def close(self) -> None:
        """Give up what is under way."""
        self._unsubscribe()
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    def _hear(self, live: Live) -> None:
        if isinstance(live, NumberedEvent) and live.kind == "finished" and live.job and live.job.webhook:
            call = asyncio.get_running_loop().create_task(self._call(live.job, live))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)

    async def _call(self, job: Job, event: NumberedEvent) -> None:
        body = await self._body(job, event)
        headers = {"Content-Type": "application/json", **signature(self._secret, body)}
        for pause in (*self._pauses, None):
            if await _post(job, body, headers):
                return
            if pause is not None:
                await asyncio.sleep(pause)
        LOG.warning("The webhook of job %s did not answer; it is given up.", job.id, extra={"job": job.id})

    async def _body(self, job: Job, event: NumberedEvent) -> bytes:
        told: dict[str, Any] = {"event": event_json(event), "job": None}
        with suppress(Exception):
            told["job"] = record_json((await self._jobs.records([job.id]))[0])
        return json.dumps(told).encode()


def signature(secret: str, body: bytes) -> dict[str, str]:
    """The header that signs a body: HMAC with SHA-256, in hexadecimal."""
    if not secret:
        return {}
    return {SIGNATURE: f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}


async def _post(job: Job, body: bytes, headers: dict[str, str]) -> bool:
    """Whether an address took it; redirects are not followed."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(job.webhook, data=body, headers=headers, allow_redirects=False) as reply,
        ):
            return reply.status < 300
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        LOG.info("The webhook of job %s failed: %s", job.id, error, extra={"job": job.id})
        return False
