"""What schemathesis cannot know of this API, as a check of its own. Loaded by schemathesis.toml."""

from __future__ import annotations

import schemathesis
from schemathesis.generation import GenerationMode

from tests.fuzz import proof

#: loaded with this file: its hook registers itself
HOOKS = (proof.before_call,)

#: How the gateway says that a request has the form asked for and means nothing here: a page mark it never handed
#: out, a material no table knows, a region twice, a context that is no JSON.
MEANINGLESS = {"bad-cursor", "unknown", "unknown-material", "bad-context"}
#: A message is judged by rules no schema of ours can say, and every finding has a code of its own.
MESSAGE = {"invalid-message", "parked"}
#: A body that is bytes to the document is a native message to the gateway, whose own schema judges it.
NATIVE = {401, 415, 422}


@schemathesis.check
def meaning_is_all_that_is_refused(ctx, response, case):
    """A request the document allows is taken, or refused for what it means, in a word that says so."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    status = response.status_code
    if status < 400 or status in {403, 404, 409, 429}:
        return
    if status in NATIVE and _is_native(case):
        return
    assert status in {400, 422}, f"{status} for what the document allows"
    problem = response.json()
    if status == 422 and problem["code"] in MESSAGE and problem["findings"]:
        return
    words = {problem["code"], *(found["code"] for found in problem.get("findings", ()))} - {"bad-request"}
    assert words, f"{status} without a word that says why"
    assert words <= MEANINGLESS, f"the document allows what the gateway calls {', '.join(sorted(words))}"


def _is_native(case):
    kinds = case.operation.definition.raw.get("requestBody", {}).get("content", {"": {}})
    return not any(kind == "application/json" for kind in kinds)
