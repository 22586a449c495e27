"""Links, snippets, exports and quick commands of README and docs hold."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import sjepa_online
from sjepa_apps import cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.M | re.S)

#: Documented commands that need neither a person's files nor a stream, nor much time.
QUICK = (
    "models list",
    "models show default",
    "amplifiers list",
    "doctor",
    "streams",
    "evaluate scores --paradigm ssvep-exo --train sample:1 sample:2 --test sample:3 "
    "--decoder riemann",
)
#: The same, of several seconds.
SLOW = ("evaluate scores --paradigm ssvep-exo --train sample:1 sample:2 --test sample:3",)


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def _prose(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and mkdocs make them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), flags=re.M)
    return {
        re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


def _links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page.read_text(encoding="utf-8"))):
            if not re.match(r"[a-z]+:", target):
                yield page, target


@pytest.mark.parametrize(("page", "target"), list(_links()))
def test_relative_links_lead_to_pages_and_headings(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    assert found.exists(), f"{_name(page)}: there is no {path}"
    if anchor:
        assert anchor in _anchors(found), f"{_name(page)}: {_name(found)} has no heading #{anchor}"


def test_links_of_the_site_stay_inside_docs() -> None:
    outside = [
        (_name(page), target)
        for page, target in _links()
        if page.parent != ROOT
        and not (page.parent / target.partition("#")[0]).resolve().is_relative_to(ROOT / "docs")
    ]
    assert not outside, "the site holds docs/ only: write paths of the repository as code"


def _snippets() -> Iterator[tuple[str, ast.Module]]:
    for page in PAGES:
        blocks = [code for kind, code in FENCE.findall(page.read_text("utf-8")) if kind == "python"]
        for number, code in enumerate(blocks, 1):
            name = f"{_name(page)}, python block {number}"
            yield name, ast.parse(code, filename=name)


def _exists(module: ModuleType, name: str) -> bool:
    if hasattr(module, name):
        return True
    try:
        importlib.import_module(f"{module.__name__}.{name}")
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("name", [name for name, _ in _snippets()])
def test_snippets_compile_and_import_what_exists(name: str) -> None:
    tree = dict(_snippets())[name]
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                modules[alias.asname or alias.name] = importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom):
            module = importlib.import_module(str(node.module))
            absent = [alias.name for alias in node.names if not _exists(module, alias.name)]
            assert not absent, f"{name}: {node.module} has no {', '.join(absent)}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = modules.get(node.value.id)
            assert module is None or _exists(module, node.attr), f"{name}: no {node.attr}"


@pytest.mark.slow
def test_the_first_snippet_of_the_readme_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, tree = next(_snippets())
    names: dict[str, Any] = {}
    exec(compile(tree, "README.md", "exec"), names)
    assert names["probabilities"].shape == (1, 4)
    assert names["probabilities"].sum() == pytest.approx(1)
    trials = names["trials"]
    assert names["classifier"].score(trials.X, trials.y) > 0.5
    assert names["tokens"].shape == (*trials.X.shape[:2], 4, 64)


def test_the_reference_names_every_export_and_nothing_else() -> None:
    text = (ROOT / "docs/api/index.md").read_text(encoding="utf-8")
    named = re.findall(r"^::: sjepa_online\.(\w+)$", text, flags=re.M)
    assert sorted(named) == sorted(set(sjepa_online.__all__) - {"__version__"})


def test_pip_names_only_extras_that_exist() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for page in PAGES:
        for line in re.findall(r"\binstall [^\n`]*", page.read_text(encoding="utf-8")):
            for extras in re.findall(r"\[([\w,]+)\]", line):
                unknown = set(extras.split(",")) - project["optional-dependencies"].keys()
                assert not unknown, f"{_name(page)}: {line} names extras that do not exist"


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], None]:
    """Run a documented command in an empty folder; it must end with exit code 0."""
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> None:
        monkeypatch.setattr(sys, "argv", ["sjepa-online", *shlex.split(line)])
        code: object = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        printed = capsys.readouterr()
        # `doctor` fails where a machine lacks something, which it tells on standard output
        assert code in ((0, None, 1) if line == "doctor" else (0, None)), printed.err
        assert printed.out.strip() or line == "streams"

    return run


def _is_documented(line: str) -> bool:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return f"sjepa-online {line}" in " ".join(text.replace("\\\n", " ").split())


@pytest.mark.parametrize("line", QUICK)
def test_quick_documented_commands_run(line: str, run: Callable[[str], None]) -> None:
    assert _is_documented(line.partition(" --decoder")[0])
    run(line)


@pytest.mark.slow
@pytest.mark.parametrize("line", SLOW)
def test_slow_documented_commands_run(line: str, run: Callable[[str], None]) -> None:
    assert _is_documented(line)
    run(line)
