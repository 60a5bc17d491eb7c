"""What every test folder may import, and which tests may run beside each other."""

from __future__ import annotations

import sys
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
