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
_WORLDS = ("integration", "e2e", "crash", "browser")
#: These mostly wait for a time-out to pass, so they may wait while others work.
_WAITING = "test_self_watch.py"


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Two lanes (``make test``): the worlds, and beside them whatever only computes or waits."""
    here = Path(__file__).parent
    for item in items:
        folder, *_ = item.path.relative_to(here).parts
        lane = "worlds" if folder in _WORLDS and item.path.name != _WAITING else item.path.name
        item.add_marker(pytest.mark.xdist_group(lane))
