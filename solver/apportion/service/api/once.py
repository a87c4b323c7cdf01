"""A write is done once: under an `Idempotency-Key` the same request gets the same answer, and another body a 422."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request
from fastapi.responses import JSONResponse

from apportion.service.api.access import needs
from apportion.service.api.state import Here, Service
from apportion.service.api.strict import DIGEST
from apportion.service.store import Answer, ApiKey, Tx

PATIENCE = 10.0  # seconds that a write waits for a store that is busy

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="A name of your own for this request: sent again under it, it is done once, and answered alike.",
    ),
]


@dataclass(frozen=True)
class Call:
    """One write: by which key, of which kind, and under which name."""

    here: Service
    api_key: ApiKey
    kind: str
    name: str | None
    digest: str

    @property
    def actor(self) -> str:
        """Who is noted in the audit trail."""
        return f"key:{self.api_key.key_id}"

    def once(self, work: Callable[[Tx], Answer]) -> Answer:
        """Do it in one transaction, with its answer; or give the answer that it got before. What raises changes nothing
        and may be sent again."""

        def whole(tx: Tx) -> Answer:
            kept = self._begin(tx)
            if kept is not None:
                return kept
            answer = work(tx)
            self._finish(tx, answer)
            return answer

        return self.here.store.attempt(whole, actor=self.actor, patience=PATIENCE)

    def held(self, work: Callable[[], Answer], *, seconds: float) -> Answer:
        """Do what is outside the store, and takes up to so many seconds; meanwhile the same request is answered 409."""
        store = self.here.store
        kept = store.attempt(lambda tx: self._begin(tx, seconds=seconds), actor=self.actor, patience=PATIENCE)
        if kept is not None:
            return kept
        try:
            answer = work()
        except BaseException:
            store.attempt(self._drop, actor=self.actor, patience=PATIENCE)
            raise
        store.attempt(lambda tx: self._finish(tx, answer), actor=self.actor, patience=PATIENCE)
        return answer

    def answered(self, work: Callable[[Tx], Answer]) -> JSONResponse:
        """`once`, as a response."""
        answer = self.once(work)
        return JSONResponse(answer.response, status_code=answer.status)

    def _begin(self, tx: Tx, *, seconds: float = 60.0) -> Answer | None:
        if self.name is None:
            return None
        return tx.idempotency.begin(scope=self.scope, key=self.name, body_hash=self.digest, seconds=seconds)

    def _finish(self, tx: Tx, answer: Answer) -> None:
        if self.name is not None:
            told = {"status": answer.status, "response": answer.response}
            tx.idempotency.finish(scope=self.scope, key=self.name, keep=self.here.limits.answers_kept, **told)

    def _drop(self, tx: Tx) -> None:
        if self.name is not None:
            tx.idempotency.drop(scope=self.scope, key=self.name)

    @property
    def scope(self) -> str:
        """Where its name means something: with this key, for this kind of call."""
        return f"{self.api_key.key_id} {self.kind}"


def _calls(scope: str) -> Callable[..., Coroutine[Any, Any, Call]]:
    needed: Any = Depends(needs(scope))

    async def call(
        request: Request, here: Here, api_key: ApiKey = needed, idempotency_key: IdempotencyKey = None
    ) -> Call:
        asked = f"{request.url.path}?{request.url.query}\n{request.scope.get(DIGEST, '')}"
        kind = f"{request.method} {getattr(request.scope.get('route'), 'path', '')}"
        return Call(here, api_key, kind, idempotency_key, hashlib.sha256(asked.encode()).hexdigest())

    return call


Write = Annotated[Call, Depends(_calls("write"))]
RouteCall = Annotated[Call, Depends(_calls("route"))]
Rule = Annotated[Call, Depends(_calls("admin"))]
