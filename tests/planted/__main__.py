"""`python -m tests.planted [WORD]`: whether the suite notices each bug that it must never let pass; docs/testing.md.

Copies the house twice, plants one bug after the other there, runs the tests that stand against it, and says which of
them failed. The tests must pass without the bugs first. The last line is `planted: K/N caught`; exit code 1 unless all
are. WORD chooses the bugs whose names hold it.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Final

from tests.planted.bug import Bug
from tests.planted.bugs import BUGS

ROOT: Final = Path(__file__).resolve().parents[2]
AT_ONCE: Final = 2
LONGEST_SECONDS: Final = 300
LONGEST_WITHOUT_BUGS: Final = 1_200
"""All tests that stand against any bug are far more than those that stand against one."""
FAILED: Final = re.compile(r"^(?:FAILED|ERROR) (\S+?)(?:\[.*)?(?: - .*)?$", re.MULTILINE)
NO_TEST_FAILED, TESTS_FAILED = 0, 1


def main() -> int:
    """Check, plant, tell."""
    word = sys.argv[1] if sys.argv[1:] else ""
    bugs = [bug for bug in BUGS if word in bug.name]
    with houses(AT_ONCE) as free:
        if not _is_sound(free, bugs):
            return 1
        with ThreadPoolExecutor(AT_ONCE) as pool:
            caught = sum(pool.map(lambda bug: _try(free, bug), bugs))
    print(f"planted: {caught}/{len(bugs)} caught")
    return 0 if caught == len(bugs) > 0 else 1


@contextmanager
def houses(count: int) -> Iterator["SimpleQueue[Path]"]:
    """So many copies of everything that git knows here; whoever needs one takes it and puts it back."""
    folder = Path(tempfile.mkdtemp(prefix="gongbo-planted-"))
    folder.chmod(0o755)
    free: SimpleQueue[Path] = SimpleQueue()
    try:
        for number in range(count):
            free.put(_copied(folder / str(number)))
        yield free
    finally:
        shutil.rmtree(folder)


def _copied(house: Path) -> Path:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        target = house / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return house


def _is_sound(free: "SimpleQueue[Path]", bugs: Sequence[Bug]) -> bool:
    house = free.get()
    tests = sorted({test for bug in bugs for test in bug.tests})
    code, told = _run(house, tests, workers=AT_ONCE, longest=LONGEST_WITHOUT_BUGS)
    free.put(house)
    if code != NO_TEST_FAILED:
        print(told[-4000:])
        print(f"planted: failed: the tests do not pass without bugs (exit code {code})")
    return code == NO_TEST_FAILED


def _try(free: "SimpleQueue[Path]", bug: Bug) -> bool:
    house = free.get()
    try:
        bug.plant(house)
        code, told = _run(house, bug.tests)
        bug.pull_out(house, ROOT)
    finally:
        free.put(house)
    noticed = FAILED.findall(told) if code == TESTS_FAILED else []
    if noticed:
        print(f"caught: {bug.name}: {noticed[0]}", flush=True)
    else:
        print(f"NOT caught: {bug.name} (exit code {code})\n{told[-1500:]}", flush=True)
    return bool(noticed)


def _run(
    house: Path, tests: Sequence[str], workers: int = 0, longest: float = LONGEST_SECONDS
) -> tuple[int, str]:  # fmt: skip
    """One run of these tests in that house, up to the first failure; its exit code and what it told."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-n",
        str(workers),
        "-rfE",
        "--tb=line",
        "-p",
        "no:cacheprovider",
        *tests,
    ]
    try:
        ended = subprocess.run(command, cwd=house, timeout=longest, capture_output=True, text=True, check=False)
    except subprocess.TimeoutExpired as expired:
        return -1, str(expired.stdout)
    return ended.returncode, ended.stdout + ended.stderr


if __name__ == "__main__":
    sys.exit(main())
