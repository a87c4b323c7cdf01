"""Where the sample company's tables lie: inside the installed package, or in the checkout's `data/`."""

from __future__ import annotations

from pathlib import Path

from apportion_models.errors import ApportionError


def sample_folder() -> Path:
    """The folder with the sample company's tables and policy.

    A wheel carries them inside the package; an editable install reads them where they are edited.
    Raises ApportionError if neither is there: the installation is damaged.
    """
    package = Path(__file__).parents[1]
    shipped, edited = package / "sample", package.parents[1] / "data"
    for folder in (shipped, edited):
        if (folder / "leads.csv").is_file():
            return folder
    raise ApportionError(
        f"The sample company must lie in {shipped} (installed) or {edited} (checkout), and is in neither. "
        "Install Apportion again."
    )
