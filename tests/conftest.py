"""Fixtures that several test modules share."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of test data that lies beside the repository; skips where there is none."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not (folder / "dpst").is_dir():
        pytest.skip("the shared test data is not on this machine")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _no_weights_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Empty caches, in this process and in those that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("PHOTOSTYLE_HOME", "TORCH_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name)))
        patch.delenv("PHOTOSTYLE_WEIGHTS_URL", raising=False)
        yield
