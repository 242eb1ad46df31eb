"""The house limits: sizes, imports that cost or go in circles, where tests are, and what no tracked file may say."""

import ast
import io
import re
import shutil
import subprocess
import sys
import tokenize
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
METHOD_LINES, MODULE_LINES, FUNCTION_LINES, PARAMETERS = 110, 220, 30, 6


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


MODULES = {
    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__"): path for path in SOURCES
}


def imported(text, modules):
    """The modules of the package that a text imports, anywhere in it, for types only, too."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            full = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else node.module for name in full}
    return found & modules


def circle(imports):
    """Modules that import each other in a circle, the first one again at the end; empty if there are none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_import_circle():
    modules = MODULES.keys()
    texts = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
    assert circle({name: imported(text, modules) - {name} for name, text in texts.items()}) == []


def test_circles_are_found():
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from p.a import X\ndef f():\n    import p.b\n"
    assert imported(text, {"p.a", "p.b", "p.c"}) == {"p.a", "p.b"}
    assert imported("from p import a, X", {"p", "p.a"}) == {"p", "p.a"}
    assert imported("from p import a", {"p", "p.a"}) == {"p.a"}
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"b"}})) == {"b", "c"}
    assert circle({"a": {"b"}, "b": set()}) == []


# Tests in the folder of a source folder that are about more than one of its files, or about what several share.
ACROSS = {
    "_core/test_small.py": "small files of _core together",
    "base/test_bad_input.py": "what every public method refuses",
    "base/test_composing.py": "compose, on a small detector",
    "base/test_few_steps.py": "the notice of few training steps",
    "base/test_growing.py": "partial_fit, on a small detector",
    "base/test_memmap.py": "fit and score on data larger than memory",
    "cli/test_changed_models.py": "models whose files have changed, in every command",
    "cli/test_columns.py": "chosen columns, in every command",
    "cli/test_commands.py": "commands one after another, as users run them",
    "cli/test_resume.py": "--resume, of fit and score",
    "data/test_awkward_tables.py": "tables as spreadsheets and programs write them, by every reader",
    "data/test_mapped_tables.py": "tables larger than memory, by every reader",
    "detectors/test_listed.py": "the list of methods",
    "detectors/test_projection.py": "the principal components of classical detectors",
    "detectors/test_registered.py": "detectors of installed packages",
    "detectors/test_rounding.py": "exact scores of classical detectors",
    "report/test_browser.py": "pages in a browser",
    "scores/test_composing.py": "compositions that learn from labels, together",
    "similarities/test_every.py": "what every similarity promises",
    "tasks/test_memmap.py": "tasks on data larger than memory",
    "training/monitor/test_runs.py": "the monitor in whole fits",
    "training/test_stabilisers.py": "every stabiliser",
}


def test_tests_mirror_the_sources():
    tests, package = ROOT / "tests", ROOT / "src" / "oddgan"
    beside = [
        path.relative_to(tests)
        for path in tests.rglob("test_*.py")
        if (package / path.parent.relative_to(tests)).is_dir()
    ]
    alone = {p.as_posix() for p in beside if p.parent.name and not (package / p.parent / p.name[5:]).is_file()}
    assert alone == ACROSS.keys()


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


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_text_is_multiplied_by_a_condition(path):
    """`[text] * condition` hides a choice: `texts_if((condition, text))` says it."""
    texts = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mult)
        and isinstance(node.left, ast.List)
        and any(
            isinstance(item, ast.JoinedStr) or isinstance(getattr(item, "value", None), str) for item in node.left.elts
        )
    ]
    assert texts == []
