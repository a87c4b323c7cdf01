"""Where tables come from and results go to; results are written whole or not at all."""

from apportion.connectors.files import check_folder, csv_bytes, json_bytes, write_files
from apportion.connectors.sample import sample_folder

__all__ = ["check_folder", "csv_bytes", "json_bytes", "sample_folder", "write_files"]
