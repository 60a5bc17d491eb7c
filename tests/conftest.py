"""What every test folder may import."""

from __future__ import annotations

import sys
from pathlib import Path

# helpers beside this file are imported by name: tests are no package
sys.path.insert(0, str(Path(__file__).parent))
