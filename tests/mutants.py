"""`python -m tests.mutants`: whether the tests of prices notice when engine or proof are spoilt; docs/mutants.md.

Runs mutmut over the files that pyproject.toml names, a few seeded cases for each random test, and ends with
`mutants: K/N killed`. Exit code 1 below nine in ten. Two in ten are tried, always the same, so that it takes well under
twenty minutes; `all` tries every one, patterns of names such as `'*quotes*'` choose others. What an earlier run left
behind is removed first, so that no outcome is counted that this run has not seen.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "mutants"
SAMPLE: Final = ("*__mutmut_*[14]",)
EVERY: Final = ("*",)
EFFORT: Final = "5"
"""Percent of the usual number of random cases; see tests/pricing/effort.py."""
PROMISED: Final = 0.9
KILLED: Final = frozenset({1, 3, 24, -24, 36, 152, 255})
"""A test failed, the run broke or did not end (mutmut's own exit codes)."""


def main() -> int:
    """Spoil, test, tell."""
    programs = Path(sys.executable).parent
    environment = {**os.environ, "TEST_EFFORT": EFFORT, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    children = str(os.cpu_count() or 1)
    chosen = chosen_by(sys.argv[1:])
    shutil.rmtree(FOLDER, ignore_errors=True)
    command = [str(programs / "mutmut"), "run", "--max-children", children, *chosen]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    outcomes = {
        name: code for name, code in read_outcomes().items() if any(fnmatch(name, pattern) for pattern in chosen)
    }
    killed = [name for name, code in outcomes.items() if code in KILLED]
    for name in sorted(outcomes.keys() - set(killed)):
        print(f"survived: {name}")
    print(f"mutants: {len(killed)}/{len(outcomes)} killed")
    return 0 if len(killed) >= PROMISED * len(outcomes) > 0 else 1


def chosen_by(words: Sequence[str]) -> Sequence[str]:
    """Patterns of the names of the mutants to be tried."""
    return EVERY if words == ["all"] else words or SAMPLE


def read_outcomes() -> Mapping[str, int | None]:
    """The exit code of the tests for each mutant; none where none was run."""
    files = sorted(FOLDER.rglob("*.meta"))
    return {name: code for file in files for name, code in json.loads(file.read_text())["exit_code_by_key"].items()}


if __name__ == "__main__":
    sys.exit(main())
