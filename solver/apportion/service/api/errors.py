"""Errors that only a service over HTTP knows; all others are those of apportion_models.errors."""

from __future__ import annotations

from apportion_models.errors import UsageError


class UnauthorizedError(UsageError):
    """No key, or none that is good."""

    code = "unauthorized"
    http_status = 401


class ForbiddenError(UsageError):
    """The key is good, but not for this."""

    code = "forbidden"
    http_status = 403


class TooManyError(UsageError):
    """Too many requests in a minute. after : seconds to wait."""

    code = "too_many_requests"
    http_status = 429

    def __init__(self, *, after: int) -> None:
        self.after = after
        super().__init__(f"Too many requests: ask again in {after} s.")


class BusyError(UsageError):
    """There is no room for this now."""

    code = "busy"
    http_status = 503
