"""The house limits: sizes, imports that cost, and what no tracked file may say."""

import ast
import io
import re
import shutil
import subprocess
import sys
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
METHOD_LINES, MODULE_LINES, FUNCTION_LINES, PARAMETERS = 110, 220, 40, 6


def name(path):
    return path.relative_to(ROOT / "src" / "oddgan").as_posix()


def functions(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def code_lines(text):
    """The numbers of the lines that hold code: no docstrings, comments or blank lines."""
    between = {tokenize.COMMENT, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    found, first = set(), True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NEWLINE:
            first = True
        elif token.type not in between:
            if not (first and token.type == tokenize.STRING):
                found |= set(range(token.start[0], token.end[0] + 1))
            first = False
    return found


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_sizes(path):
    method = path.parent.name == "detectors" and path.name != "__init__.py"
    lines = code_lines(path.read_text(encoding="utf-8"))
    assert len(lines) <= (METHOD_LINES if method else MODULE_LINES)
    for function in functions(path):
        assert len(lines & set(range(function.lineno, function.end_lineno + 1))) <= FUNCTION_LINES, function.name
        arguments = function.args.posonlyargs + function.args.args + function.args.kwonlyargs
        taken = [a.arg for a in arguments if a.arg not in ("self", "cls")]
        assert len(taken) <= PARAMETERS, f"{function.name} takes {', '.join(taken)}"


def test_docstrings_and_comments_are_not_counted():
    text = '"""Module."""\n\ndef f():\n    """One\n\n    two."""\n    # why\n    return """a\n    b"""\n'
    assert code_lines(text) == {3, 8, 9}


COMMANDS = {"import oddgan": "import oddgan, oddgan.thresholds, oddgan.evaluate, oddgan.data, oddgan.report"}
if (ROOT / "src/oddgan/cli").is_dir():
    for argument in ("--help", "--version", "methods"):
        COMMANDS[f"oddgan {argument}"] = (
            f"import sys, oddgan.cli\nsys.argv = ['oddgan', {argument!r}]\n"
            "try:\n    oddgan.cli.main()\nexcept SystemExit as end:\n    assert not end.code"
        )


@pytest.mark.parametrize("command", COMMANDS)
def test_loads_no_torch(command):
    code = f"{COMMANDS[command]}\nimport sys\nprint('torch' in sys.modules)"
    path = f"import sys; sys.path[:0] = {[p for p in sys.path if p]!r}\n"
    run = subprocess.run([sys.executable, "-c", path + code], capture_output=True, text=True, check=False)  # noqa: S603
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines()[-1] == "False"


# Written so that this file does not match itself.
FORBIDDEN = {
    "a path of some machine": r"(?<![\w.])/(?:wor[k]|ro[o]t|ho[m]e|tm[p]|Use[r]s)/\w",
    "a package registry's host": r"py[p]i\.org|pythonho[s]ted|download\.pyto[r]ch|regis[t]ry\.npmjs|ana[c]onda\.org",
    "how the work was organised": r"\bissu[e]s? #?\d|\bTOD[O]\b|\bFIXM[E]\b",
}


def tracked():
    git = shutil.which("git")
    listed = git and subprocess.run(  # noqa: S603
        [git, "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True, check=False
    )
    if not listed or listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / file for file in listed.stdout.split("\0") if file and (ROOT / file).is_file()]


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_says(what):
    found = []
    for path in tracked():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        hits = [f"{i}: {text.strip()[:80]}" for i, text in enumerate(lines, 1) if re.search(FORBIDDEN[what], text)]
        found += [f"{path.relative_to(ROOT)}:{hit}" for hit in hits]
    assert found == []


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a path of some machine", "see /" + "tmp/x"),
        ("a path of some machine", '"/' + "home/someone"),
        ("a package registry's host", "https://pypi" + ".org/simple"),
        ("how the work was organised", "as issue" + " #12 asks"),
        ("how the work was organised", "# TO" + "DO: later"),
    ],
)
def test_patterns_find_what_they_name(what, text):
    assert re.search(FORBIDDEN[what], text)
