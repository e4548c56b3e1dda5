"""What jobs will write, looked at before any of them begins: nothing that is read, and nothing of
the user's that happens to be called so, is replaced.
"""

from collections.abc import Iterable
from pathlib import Path

from photostyle.jobs.campaign import Plan
from photostyle.jobs.jobs import PLAN, Folder
from photostyle.jobs.report import report_files
from photostyle.places import check_not_foreign, check_places, folded


def check_outputs(plan: Plan, folder: Folder, inputs: Iterable[Path]) -> None:
    """Find out whether a plan's results and the folder's own files can be written.

    Args:
        inputs: what is read besides the jobs' own files.

    Raises:
        OutputError: a file is an input, another's too, or one that no job of this folder left.
    """
    jobs = plan.jobs
    own = [folder.path / PLAN, *report_files(folder.path, vars(plan))]
    written = [(path, job.name) for job in jobs for path in job.writes(folder.path)]
    read = dict.fromkeys([*inputs, *(path for job in jobs for path in job.files())])
    check_places([*own, *(path for path, _ in written)], read)
    known: set[str] | None = None

    def ours(name: str) -> bool:
        nonlocal known
        known = {folded(n) for n in folder.names()} if known is None else known
        return folded(name) in known

    for path, name in written:
        check_not_foreign(path, lambda _, name=name: ours(name))  # type: ignore[misc]
    for path in own:
        check_not_foreign(path, lambda _: folder.used())
