"""The service under load: single leads routed by many clients at once, and a whole batch over HTTP."""
