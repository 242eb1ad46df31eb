"""Run the command line; exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted, 143 ended by SIGTERM."""

import os
import sys
from collections.abc import Sequence

from cyclopts import CycloptsError

from oddgan._core.errors import OddganError, printable
from oddgan._core.paths import odd_name
from oddgan.cli.command import Output, app
from oddgan.cli.commands.methods import help_on_method
from oddgan.cli.signals import Stop, stoppable
from oddgan.cli.threads import settle

FAILED, WRONG_USE = 1, 2
_HELP = {"--help", "-h"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; errors become one sentence on standard error.

    Parameters
    ----------
    argv : the command line without the program's name; None takes the process's own.
    """
    settle()
    words = list(sys.argv[1:] if argv is None else argv)
    with stoppable() as stop:
        return _main(words, stop)


def _main(words: list[str], stop: Stop) -> int:
    if "--debug" in words:
        return _run([word for word in words if word != "--debug"])
    try:
        return _run(words)
    except KeyboardInterrupt as error:
        return _fail(str(error) or "Interrupted: nothing half-written is left.", stop.code)
    except BrokenPipeError:  # whoever read the output has left, e.g. `oddgan methods | head -3`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - a user gets a sentence, whatever happened; --debug shows the rest
        return _fail(*_explain(error))


def _run(words: list[str]) -> int:
    for word in words:
        if odd_name(word) is not None:
            raise CycloptsError(msg=f"The argument {word!a} holds {odd_name(word)}: rename the file, or mend it.")
    if len(words) > 2 and words[0] == "fit" and not words[1].startswith("-") and _HELP & set(words):
        help_on_method(words[1], Output())
        words = ["fit", "--help"]
    command, bound, unbound = app.parse_args(words, exit_on_error=False, print_error=False, verbose=False)
    record = {"command": ("oddgan", *words)} if "command" in unbound else {}
    command(*bound.args, **bound.kwargs, **record)
    return 0


def _explain(error: Exception) -> tuple[str, int]:
    if isinstance(error, CycloptsError):
        command = " ".join(["oddgan", *(error.command_chain or ())])
        return f"{error} `{command} --help` shows what there is.", WRONG_USE
    if isinstance(error, OddganError):
        return str(error), getattr(error, "exit_code", FAILED)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}.", FAILED
    if isinstance(error, MemoryError):
        return f"This takes more memory than there is: {error or 'give fewer rows, or smaller ones'}.", FAILED
    if isinstance(error, ValueError):  # scikit-learn's own words about data
        return str(error), FAILED
    return f"Unexpected {type(error).__name__}: {error}. Add --debug to see where.", FAILED


def _fail(text: str, code: int) -> int:
    if os.environ.get("WORLD_SIZE", "1") == "1" or os.environ.get("RANK", "0") == "0":  # of several workers, one speaks
        sys.stderr.write(f"oddgan: {printable(text)}\n")
    return code
