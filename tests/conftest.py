"""Fixtures that several test modules share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test data that lies beside the repository; skips where there is none."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "dpst").is_dir():
        pytest.skip("the shared test data is not on this machine")
    return folder
