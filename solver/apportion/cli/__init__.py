"""The command line."""

from apportion.cli.main import main

__all__ = ["main"]
