"""What a configuration says of both regions where nobody is at their addresses."""

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
