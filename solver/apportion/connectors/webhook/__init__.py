"""Messages as signed HTTP posts, to destinations that are checked."""

from __future__ import annotations

from apportion.connectors.webhook.destinations import Destinations
from apportion.connectors.webhook.signature import check_signature, new_secret
from apportion.connectors.webhook.sink import Webhook

__all__ = ["Destinations", "Webhook", "check_signature", "new_secret"]
