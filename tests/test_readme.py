"""What the pages say is true: commands parse, files exist, numbers are recorded.

No sweep and no `make` is run from here: `make test` runs these tests.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import textwrap
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from pages import PAGES, blocks_of, name_of, without_blocks

from sweeps.cli.app import app
from sweeps.request.options import SweepOptions, make_options

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
OPTIONS = ROOT / "docs/options.md"
MAX_README_LINES, MAX_LINE = 300, 120


def command_lines() -> Iterator[object]:
    """Give every line of a shell block that starts like a command, and commands in the text."""
    starts = ("gx2c ", "ray submit ", "python sweeps/")
    for page in PAGES:
        text = page.read_text()
        shown = [block.commands for block in blocks_of(page)]
        lines = [line for code in shown for line in code.replace("\\\n", "").splitlines()]
        inline = re.findall(r"`([^`\n]+)`", without_blocks(text))
        for line in dict.fromkeys([*lines, *inline]):
            if line.startswith(starts):
                yield pytest.param(line, id=f"{name_of(page)}: {line[:60]}")


def arguments_of(line: str) -> list[str]:
    """Turn a shown command into arguments of gx2c."""
    words = shlex.split(line, comments=True)
    if words[0] == "gx2c":
        return words[1:]
    script = next(word for word in words if word.startswith("sweeps/"))
    assert (ROOT / script).is_file(), f"{script} does not exist"
    rest = [word for word in words[words.index(script) + 1 :] if word not in ("--", "--alone")]
    return ["sweep", *(["geography+smt"] if script == "sweeps/smt.py" else []), *rest]


def subcommands(command: Any) -> dict[str, Any]:
    """Return a group's commands; typer's own classes and click's agree on the attribute."""
    return getattr(command, "commands", {})


@lru_cache
def gx2c_command() -> Any:
    return typer.main.get_command(app)


def parse(arguments: list[str]) -> Any:
    """Parse a command line as gx2c would, without running anything; return its context."""
    command, context = gx2c_command(), None
    while subcommands(command):
        context = command.make_context(command.name, [], parent=context, resilient_parsing=True)
        name, *arguments = arguments
        assert name in subcommands(command), f"gx2c has no command {name!r}"
        command = subcommands(command)[name]
    return command.make_context(command.name, arguments)


def is_abbreviated(line: str) -> bool:
    """Tell prose such as `gx2c sweep MODEL` or `gx2c data show` from a whole command."""
    command, words = gx2c_command(), arguments_of(line)
    while words and words[0] in subcommands(command):
        command = subcommands(command)[words.pop(0)]
    return not words or "…" in line or words[0].startswith(("MODEL", "RUN"))


def load_script(name: str) -> ModuleType:
    """Import a script of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    return load_script("make_figures")


@pytest.mark.parametrize("line", list(command_lines()))
def test_commands_parse(line: str) -> None:
    arguments = arguments_of(line)
    if arguments[-1] in ("--help", "--version"):
        return
    if is_abbreviated(line):
        assert arguments[0] in subcommands(gx2c_command())
        return
    context = parse(arguments)

    if context.command.name == "sweep":
        given = dict(context.params)
        if given.pop("from_geneex2conn"):
            # tests/sweeps/request/test_geneex2conn.py
            return
        model, preset = given.pop("model"), given.pop("preset")
        # the whole zoo takes the options that each of its models takes
        models = ["smt"] if model == "all" else model.split(",")
        for free in ("out", "resume", "notify"):
            given.pop(free)
        if (given["dataset"] or "").startswith("my-"):
            given.pop("dataset")
        if len(models) > 1:
            # a zoo gives nulls to those of its models that read genes
            given.pop("nulls")
        for one in models:
            make_options(one, preset=preset, **given)


def test_a_wrong_option_would_be_found() -> None:
    with pytest.raises(Exception, match="--no-such-option"):
        parse(["sweep", "smt", "--no-such-option", "1"])


def test_every_option_of_a_sweep_is_explained() -> None:
    sweep = subcommands(gx2c_command())["sweep"]
    text = OPTIONS.read_text()

    for parameter in sweep.params:
        for option in parameter.opts:
            if option.startswith("--") and option != "--help":
                assert re.search(rf"`{option}[` ]", text), f"{OPTIONS} does not explain {option}"


def test_the_page_of_options_is_that_of_the_table() -> None:
    made = load_script("make_options")

    assert OPTIONS.read_text() == made.page(), "run: python docs/make_options.py"


def test_make_targets_exist() -> None:
    text = "\n".join(page.read_text() for page in PAGES)
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^(?:\$ )?make ([a-z-]+)", text, re.MULTILINE))

    assert {"sweep", "test"} <= named <= targets


def test_the_layout_tree_is_real() -> None:
    section = README.read_text().partition("\n## Layout\n")[2].partition("\n## ")[0]
    (tree,) = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    folder = ROOT
    for line in tree.splitlines():
        path = line.split()[0]
        parent = folder if line.startswith("  ") else ROOT
        assert (parent / path).exists(), f"{path} does not exist"
        assert (parent / path).is_dir() == path.endswith("/"), f"{path}: file or folder?"
        assert len(line.split()) > 1, f"{path} has no description"
        if parent is ROOT and path.endswith("/"):
            folder = ROOT / path


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_inside_the_repository_lead_somewhere(page: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", without_blocks(page.read_text()))
    for target in re.findall(r"\]\(([^)\s#]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{name_of(page)} links to {target}"


def test_the_numbers_are_those_of_the_recorded_run(figures: ModuleType) -> None:
    summary = figures.read_recorded()

    block = figures.readme_block(summary)

    assert block in README.read_text(), "run: python docs/make_figures.py"
    assert f"{summary.score('pearson_r').mean:.3f}" in block
    assert f"{summary.gain('pearson_r').mean:+.3f}" in block


def test_the_page_on_reports_quotes_the_verdict_of_the_recorded_run(figures: ModuleType) -> None:
    verdict = figures.read_recorded().verdict
    page = (ROOT / "docs/reading.md").read_text()

    quoted = " ".join(re.findall(r"^> (.*)$", page, re.MULTILINE))
    grade, _, sentence = quoted.removesuffix(" …").partition(": ")

    assert grade == f"grade {verdict.grade} of 4"
    assert verdict.sentence.startswith(sentence)
    assert f"p = {[*verdict.evidence.nulls.values()][-1].p_value:.3f} against the last" in page


def test_the_page_after_the_sweep_shows_the_score_of_the_recorded_run(figures: ModuleType) -> None:
    score = figures.read_recorded().score("pearson_r").mean

    assert (ROOT / "docs/after.md").read_text().count(f"test r {score:.3f}") == 2


def test_the_recorded_run_is_a_quick_one() -> None:
    summary = json.loads((ROOT / "docs/quick_summary.json").read_text())
    # options that are newer than the run had no effect on it, as their defaults have none
    recorded = SweepOptions.from_dict(summary["provenance"]["options"])

    assert recorded == make_options("geography+smt", preset="quick"), (
        "the preset changed: run `make sweep` and `python docs/make_figures.py runs/NAME`"
    )


def test_the_recorded_run_adds_up() -> None:
    summary = json.loads((ROOT / "docs/quick_summary.json").read_text())
    tests = [fold["test"]["pearson_r"] for fold in summary["folds"]]
    rivals = [fold["test"]["pearson_r"] for fold in summary["geography"]["folds"]]
    observed = summary["test"]["pearson_r"]["mean"]
    as_good = sum(score >= observed for score in summary["null_scores"])

    assert observed == pytest.approx(sum(tests) / len(tests))
    gain = summary["geography"]["gain"]["pearson_r"]["mean"]
    assert gain == pytest.approx((sum(tests) - sum(rivals)) / len(tests))
    assert len(summary["null_scores"]) == summary["nulls"]["n"] == 20
    assert summary["nulls"]["p_value"] == pytest.approx((as_good + 1) / 21)


def test_the_figure_is_that_of_the_recorded_run(figures: ModuleType) -> None:
    summary = figures.read_recorded()
    path = ROOT / "docs/images/quick.svg"

    assert path.read_text(encoding="utf-8") == figures.draw(summary), (
        "run: python docs/make_figures.py"
    )
    assert path.stat().st_size < 200_000


def test_the_readme_is_short() -> None:
    lines = README.read_text().splitlines()

    assert len(lines) <= MAX_README_LINES
    assert [line for line in lines if len(line) > MAX_LINE] == []


def test_the_first_screen_says_what_how_and_shows_a_figure() -> None:
    first = "\n".join(README.read_text().splitlines()[:30])

    for needed in ("predicts", "held-out", "docs/images/", "make sweep", "make test"):
        assert needed in first


def test_the_changelog_names_the_version() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    version = re.search(r'^version = "(.+)"$', project, re.MULTILINE)
    assert version

    assert version[1] in (ROOT / "CHANGELOG.md").read_text()
    assert f"version: {version[1]}" in (ROOT / "CITATION.cff").read_text()


def test_command_lines_are_found() -> None:
    found = textwrap.shorten(" ".join(str(p.values[0]) for p in command_lines()), 10_000)  # type: ignore[attr-defined]

    for needed in (
        "gx2c rerun",
        "gx2c data check",
        "gx2c sweep smt",
        "ray submit",
        "python sweeps/",
    ):
        assert needed in found
