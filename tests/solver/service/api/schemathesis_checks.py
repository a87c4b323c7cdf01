"""What schemathesis checks besides its own: loaded by its command line, and not a test by itself."""

from __future__ import annotations

from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

UNKNOWN = "Extra inputs are not permitted."


@schemathesis.check
def understood(ctx: Any, response: Any, case: Any) -> bool | None:
    """What the document allows is understood. It may still be refused for what a JSON schema cannot say (a lead that
    is not in the store, a table without its columns), and then under a code of its own, never as `bad_request`.

    schemathesis adds keys that it has read in answers also where the document forbids all others: not our fault.
    """
    if response.status_code == 422:
        problem = response.json()
        if problem["code"] != "bad_request" or {fault["message"] for fault in problem["errors"]} == {UNKNOWN}:
            return None
    found: bool | None = positive_data_acceptance(ctx, response, case)
    return found
