"""What every test folder may import."""

from __future__ import annotations

import sys
from pathlib import Path

# helpers beside this file are imported by name: tests are no package
sys.path.insert(0, str(Path(__file__).parent))
# and those that are programs too (``python -m tests.chaos``) by their full name
sys.path.insert(1, str(Path(__file__).parents[1]))
