"""A Sichuan case system that receives from the gateway and reports back, written from the specification alone.

Run `python sichuan_server.py --keys keys.json [--gateway URL] [--fault NAME]`; see README.md beside it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from endpoint.sichuan.server import main

if __name__ == "__main__":
    main()
