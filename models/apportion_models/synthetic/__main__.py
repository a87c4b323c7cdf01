"""`python -m apportion_models.synthetic --out data` writes the sample company's tables."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from apportion_models.errors import ApportionError
from apportion_models.synthetic.company import SEED, sample_company
from apportion_models.synthetic.files import write_tables


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables and name them on stdout; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m apportion_models.synthetic", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder to write the CSV files to")
    parser.add_argument("--seed", type=int, default=SEED, help=f"which company (default {SEED}, the shipped one)")
    options = parser.parse_args(arguments)
    try:
        written = write_tables(sample_company(seed=options.seed).tables, options.out)
    except ApportionError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"--out must be a folder that can be written to. {error}\n")
        return 2
    for path in written:
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
