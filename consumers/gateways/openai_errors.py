"""What OpenAI's errors mean; spec `providers.md` §4.

The vendor's own client retries an exhausted quota; here the error's code decides, because asking
again cannot help.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from consumers.gateways.ports import ErrorClass, Failure, OutcomeUnknown, TryAgain, WillNotWork
from consumers.gateways.web import MAX_WAIT_S, Key, Reply, wait_s

BASE = "/v1"
QUOTA = frozenset(
    {
        "insufficient_quota",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "billing_hard_limit_reached",
    }
)
REFUSED = frozenset(
    {
        "moderation_blocked",
        "content_policy_violation",
        "image_content_policy_violation",
        "content_filter",
        "invalid_prompt",
    }
)
TRANSIENT = frozenset({"server_error", "server_is_overloaded"})
THROTTLED = frozenset({"rate_limit_exceeded", "slow_down"})
WAITS_S: Mapping[ErrorClass, float] = {"transient": 2.0, "throttled": 5.0}


def failure_of(key: Key, reply: Reply, error: Mapping[str, str] | None, reference: str) -> Failure:
    """The failure that an answer is; `error` is its `error` object."""
    error = error or {}
    code, kind = error.get("code", ""), error.get("type", "")
    # The vendor's sentence about a bad key repeats parts of it.
    message = "" if reply.status == 401 else error.get("message", "")
    reason = key.reason(code or kind or str(reply.status), message)
    if reply.status == 504 or (reply.status >= 500 and not reply.body):
        return OutcomeUnknown(reason, reference=reference)
    found = classify(reply.status, code, kind)
    if found in WAITS_S:
        default = _spoken_wait_s(error.get("message", "")) or WAITS_S[found]
        after_s = wait_s(reply.headers, default=default)
        return TryAgain(reason, after_s=after_s, error_class=found)
    return WillNotWork(reason, error_class=found)


def classify(status: int, code: str, kind: str) -> ErrorClass:
    """The class of OpenAI's error. Quota is looked for first: it too comes as 429."""
    words = {code, kind}
    if words & QUOTA:
        return "quota"
    if words & REFUSED:
        return "refused"
    if words & THROTTLED or status == 429:
        return "throttled"
    if words & TRANSIENT or status in (200, 408, 409) or status >= 500:
        return "transient"
    return "invalid"


def _spoken_wait_s(message: str) -> float | None:
    """The seconds in "Please try again in 41.724s" (or "…in 250ms"), when no header says them."""
    found = re.search(r"try again in (\d{1,6}(?:\.\d{1,6})?)(ms|s)\b", message)
    if not found:
        return None
    seconds = float(found[1]) / (1000 if found[2] == "ms" else 1)
    return min(seconds, MAX_WAIT_S)
