"""The service over HTTP: `/v1`, OpenAPI, problem+json for every error, keys with scopes, nothing done twice."""

from apportion.service.api.app import make_app
from apportion.service.api.limits import Limits

__all__ = ["Limits", "make_app"]
