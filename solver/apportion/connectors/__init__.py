"""Where results go: written whole or not at all."""

from apportion.connectors.files import csv_bytes, json_bytes, write_files

__all__ = ["csv_bytes", "json_bytes", "write_files"]
