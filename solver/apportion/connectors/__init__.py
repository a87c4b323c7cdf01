"""Where tables come from and results go to; results are written whole or not at all."""

from apportion.connectors.contract import (
    GiveUpError,
    Message,
    Receipt,
    RetryLaterError,
    Sink,
    Source,
    check_key,
    message_key,
)
from apportion.connectors.drop import FileDrop
from apportion.connectors.files import check_folder, csv_bytes, json_bytes, write_files
from apportion.connectors.formulas import as_was, harmless
from apportion.connectors.location import Locations, read_all
from apportion.connectors.sample import sample_folder
from apportion.connectors.sqltable import SqlTable

__all__ = [
    "FileDrop",
    "GiveUpError",
    "Locations",
    "Message",
    "Receipt",
    "RetryLaterError",
    "Sink",
    "Source",
    "SqlTable",
    "as_was",
    "check_folder",
    "check_key",
    "csv_bytes",
    "harmless",
    "json_bytes",
    "message_key",
    "read_all",
    "sample_folder",
    "write_files",
]
