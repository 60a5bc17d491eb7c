"""What configurations of tests say: both regions with nobody at their addresses, a clock, callers, a master key."""

from __future__ import annotations

from pathlib import Path

KEYS = Path(__file__).parent / "keys"
REGIONS = f"""
[regions.sichuan]
base_url = "http://127.0.0.1:9"
paasid = "sc-lemis-test"
token = "TEST-TOKEN-NOT-A-SECRET"
[regions.chongqing]
base_url = "http://127.0.0.1:9"
client_id = "CYTB-TEST"
private_key_file = "{KEYS}/TEST_ONLY_gateway_private.pem"
peer_client_id = "CQ-LEMIS-TEST"
peer_public_key_file = "{KEYS}/TEST_ONLY_chongqing_public.pem"
"""

MASTER_KEY = bytes(range(32))
#: With ``now`` to be filled in.
CONFIG = f"""{REGIONS}
[clock]
now = "{{now}}"
[dashboard]
second_factor = "optional"
[[tokens]]
name = "desk"
token = "desk-token"
scopes = ["cases", "items", "translate"]
[[tokens]]
name = "chief"
token = "chief-token"
scopes = ["cases:full", "operate"]
[[tokens]]
name = "nobody"
token = "nobody-token"
scopes = ["audit"]
"""
