"""The command line. A command's work is elsewhere; here are its arguments, and errors without a traceback."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import dlexplain
from dlexplain.errors import DlexplainError

Command = Callable[[argparse.Namespace], int]
COULD_NOT_RUN = 3  # 1 and 2 are answers: a fault or FAIL, and INCONCLUSIVE


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(COULD_NOT_RUN, f"{self.prog}: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        return arguments.command(arguments)
    except (DlexplainError, OSError) as error:
        print(f"dlexplain: {error}", file=sys.stderr)
        return COULD_NOT_RUN
    except KeyboardInterrupt:
        print("dlexplain: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="dlexplain", description="Open the black box of Keras and Torch models.")
    parser.add_argument("--version", action="version", version=f"dlexplain {dlexplain.__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    doctor = _command(commands, "doctor", "check the installation; say what to do about each fault", _doctor)
    doctor.add_argument(
        "--guard-kernels",
        action="store_true",
        help="have this environment's notebooks import TensorFlow and Triton in the safe order",
    )
    from dlexplain.audit.command import add_arguments

    add_arguments(_command(commands, "audit", "audit a model file on data; leave a record to sign or refuse", _audit))
    data = commands.add_parser("data", help="the catalogue of data sets").add_subparsers(
        metavar="COMMAND", required=True
    )
    _command(data, "list", "print the catalogue", _data_list)
    get = _command(data, "get", "fetch a data set, or say where to put it by hand", _data_get)
    get.add_argument("name", metavar="NAME", help="a name of the catalogue")
    lessons = commands.add_parser("lessons", help="the lessons' notebooks").add_subparsers(
        metavar="COMMAND", required=True
    )
    _command(lessons, "build", "make students' and teachers' notebooks from their source", _lessons_build)
    site = _command(lessons, "site", "run the lessons and write them as pages that need no network", _lessons_site)
    site.add_argument("--out", metavar="FOLDER", default="build/site", help="where the pages go (default: build/site)")
    site.add_argument("--only", metavar="NUMBER", type=int, nargs="+", default=(), help="these lessons alone")
    from dlexplain.classroom.teaching import command as teaching

    teaching.add_arguments(commands.add_parser("class", help="for teachers: papers, a set for a room, marking"))
    return parser


def _command(commands, name: str, what: str, run: Command) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".")
    parser.set_defaults(command=run)
    return parser


def _doctor(arguments: argparse.Namespace) -> int:
    from dlexplain import doctor

    if arguments.guard_kernels:
        return doctor.report([doctor.guard_kernels()])
    return doctor.report(doctor.check_all())


def _audit(arguments: argparse.Namespace) -> int:
    from dlexplain.audit.command import run

    return run(arguments)


def _data_list(arguments: argparse.Namespace) -> int:
    from dlexplain.data import command_list

    return command_list()


def _data_get(arguments: argparse.Namespace) -> int:
    from dlexplain.data import command_get

    return command_get(arguments.name)


def _lessons_build(arguments: argparse.Namespace) -> int:
    from dlexplain.classroom.building import command_build

    return command_build()


def _lessons_site(arguments: argparse.Namespace) -> int:
    from dlexplain.classroom.site.building import command_site

    return command_site(Path(arguments.out), arguments.only)


if __name__ == "__main__":
    sys.exit(main())
