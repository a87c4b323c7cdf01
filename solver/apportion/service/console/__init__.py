"""The console: today's plan, its reasons and what-if, on a page in the browser of whoever started it."""

from apportion.service.console.serve import create_console, start_console

__all__ = ["create_console", "start_console"]
