"""`photostyle report`: sheet, tables and page of a folder of jobs, from what is there."""

import argparse
from typing import Any

from photostyle.commands.arguments import add_command
from photostyle.places import check_places, expanded


def register(commands: Any) -> None:
    parser = add_command(
        commands, "report", "write sheet, tables and page of a sweep or batch again", _report
    )
    parser.add_argument(
        "folder",
        metavar="DIR",
        type=expanded,
        help="the --out of a sweep, batch or post, finished or still running",
    )
    parser.add_argument(
        "--link",
        action="store_true",
        help="report.html points at the pictures beside it instead of carrying them in itself",
    )


def _report(arguments: argparse.Namespace) -> int:
    from photostyle.jobs.jobs import Folder
    from photostyle.jobs.report import Report, report_files

    if plan := Folder(arguments.folder).plan():
        read = [expanded(path) for job in plan["jobs"] for path in job["files"]]
        check_places(report_files(arguments.folder, plan), read)
    for path in Report(arguments.folder, embed=not arguments.link).write():
        print(path)
    return 0
