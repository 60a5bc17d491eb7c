"""What every test folder may import, and which tests may run beside each other."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import pytest

# helpers beside this file are imported by name: tests are no package
sys.path.insert(0, str(Path(__file__).parent))
# and those that are programs too (``python -m tests.chaos``) by their full name
sys.path.insert(1, str(Path(__file__).parents[1]))

#: Folders whose tests start servers and processes, and measure them: one after the other, in a lane of their own.
_WORLDS = ("tests/integration/", "tests/e2e/", "tests/crash/")
#: These wait for time-outs to pass, or ask only that a bench ends with figures: they may go beside others.
_PATIENT = ("tests/crash/test_self_watch.py", "tests/e2e/test_bench.py")

_OURS = pytest.StashKey[str]()


@pytest.hookimpl(tryfirst=True)  # before pytest settles where temporary files go
def pytest_configure(config):
    """A folder of this run's own, gone when all passed.

    By default all runs of a user share one, which each new run, even one that a test starts, closes to everybody
    else: also to the account PostgreSQL runs under when the tests are root's.
    """
    if config.option.basetemp is None and not hasattr(config, "workerinput"):
        config.option.basetemp = config.stash[_OURS] = tempfile.mkdtemp(prefix="tongban-tests-")


@pytest.hookimpl(trylast=True)  # when the lanes have ended
def pytest_sessionfinish(session, exitstatus):
    if exitstatus == pytest.ExitCode.OK and _OURS in session.config.stash:
        shutil.rmtree(session.config.stash[_OURS], ignore_errors=True)


def lane_of(nodeid):
    """``worlds``, ``pages``, or the file itself: whatever computes or waits may go beside the worlds."""
    file = nodeid.split("::")[0]
    if file.startswith("tests/browser/"):
        return "pages"
    return "worlds" if file.startswith(_WORLDS) and file not in _PATIENT else file


@pytest.hookimpl(optionalhook=True)  # there only where tests run in lanes (``make test``)
def pytest_xdist_make_scheduler(config, log):
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - not needed without lanes

    class Lanes(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return lane_of(nodeid)

    return Lanes(config, log)
