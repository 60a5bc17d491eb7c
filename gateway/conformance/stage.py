"""A simulated region on somebody's desk: the simulator with misdeeds, a journal, a control API and a page."""

from __future__ import annotations

import asyncio
import json
from importlib import resources
from random import Random
from typing import TYPE_CHECKING, Any

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from gateway.canonical.kinds import Kind
from gateway.canonical.rehearsal import Unheard
from gateway.conformance.hooks import Hooks
from gateway.conformance.mischief import BadFaults, Does, Mischief, rates_of, script_of
from gateway.conformance.simulator import Simulator
from gateway.region import Taken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.applications import Starlette
    from starlette.requests import Request

    from gateway.canonical.rehearsal import Said, Told
    from gateway.conformance.books import Place
    from gateway.conformance.journal import Journal
    from gateway.conformance.mischief import Act
    from gateway.region import Region

_POLICY = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_TURNED_DOWN = "业务系统核验未通过，请联系经办机构"
#: Messages of its own whose misdeeds are remembered, for their next attempts.
_REMEMBERED = 10_000
_GARBAGE = b"\x00\xff<<< this is no receipt >>>"


def kinds_of(region: Region) -> tuple[str, ...]:
    """What a script may call a kind of message: the gateway's words, and the region's own."""
    return (*dict.fromkeys(each.kind.value for each in region.maps.values()), *region.maps)


class Aside(Hooks):
    """Looks on at what the desk sends, and spoils what the mischief says."""

    def __init__(self, mischief: Mischief, journal: Journal, place_clock: Any) -> None:
        self.mischief, self._journal, self._clock = mischief, journal, place_clock
        self._done: dict[str, frozenset[Does]] = {}

    def _does(self, said: Said) -> frozenset[Does]:
        if said.key not in self._done:
            if len(self._done) >= _REMEMBERED:  # the oldest has long been settled
                del self._done[next(iter(self._done))]
            self._done[said.key] = self.mischief.with_its_own(said.kind, said.native_kind)
        return self._done[said.key]

    def doubles(self, said: Said) -> bool:
        """Whether it is sent once more after its receipt."""
        return Does.DUPLICATE in self._does(said)

    def swaps(self, case_ref: str) -> bool:  # noqa: ARG002 - every case alike
        """Whether the next two messages change places."""
        return self.mischief.swaps()

    def sealed(self, said: Said, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers; with a wrong proof the last of them is changed in one place."""
        if Does.WRONG_PROOF not in self._does(said):
            return headers
        *others, (name, value) = headers.items()
        at = len(value) // 2
        wrong = value[:at] + ("1" if value[at] != "1" else "2") + value[at + 1 :]
        return {**dict(others), name: wrong}

    def sent(
        self,
        said: Said,
        headers: Mapping[str, str],
        body: bytes,
        status: int,
        answer: bytes,
        told: Told | None,
    ) -> None:
        """Into the journal."""
        outcome = (
            "no-answer" if told is None else {True: "taken", False: "refused", None: "no-answer"}[told.taken]
        )
        self._journal.note(
            at=self._clock().isoformat(),
            way="out",
            kind=said.native_kind,
            kind_name=said.kind.value,
            label=said.kind.label,
            key=said.key,
            case_ref=said.case_ref,
            status=status,
            outcome=outcome,
            code=told.code if told and not told.taken else "",
            why=told.text if told else "",
            acts=tuple(sorted(self._done.get(said.key, frozenset()))),
            headers=dict(headers),
            body=body,
            answer=answer,
        )


class Cut(Response):
    """An answer that breaks off: its length is promised and not kept."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002 - the face of ASGI
        """Half an answer."""
        headers = [(b"content-length", b"4096")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": b" ", "more_body": True})


class Stage(Simulator):
    """The simulator, with everything a person at a desk needs to see and to do."""

    def __init__(
        self, place: Place, region: Region, mischief: Mischief, journal: Journal, **options: Any
    ) -> None:
        super().__init__(place, **options)
        self.region, self.mischief, self.journal = region, mischief, journal
        self._kinds = {native: each.kind for native, each in region.maps.items()}
        self.kinds = kinds_of(region)

    def app(self) -> Starlette:
        """The ASGI application: the inbox, ``/sim``, and the page at ``/``."""
        app = super().app()
        control: list[tuple[str, Any, list[str]]] = [
            ("about", self._about, ["GET"]),
            ("messages", self._messages, ["GET"]),
            ("messages/{id:int}", self._message, ["GET"]),
            ("script", self._script, ["GET", "POST", "DELETE"]),
            ("reset", self._reset, ["POST"]),
        ]
        app.routes[:0] = [Route("/sim/send", self._send_one, methods=["POST"])]
        app.routes.extend(Route(f"/sim/{name}", face, methods=methods) for name, face, methods in control)
        app.routes.append(Route("/", self._page, methods=["GET"]))
        app.routes.append(Mount("/static", StaticFiles(packages=[("gateway.conformance", "page")])))
        return app

    # -- deliveries ------------------------------------------------------------------------

    async def _deliver(self, request: Request) -> Response:
        in_path = request.path_params.get("kind", "")
        try:
            body = await request.body()
        except ClientDisconnect:
            return Response(status_code=400)
        native = in_path or self._said_in(body)
        kind = self._kinds.get(native)
        acts = self.mischief.with_a_delivery(*([kind, native] if kind else [native]))
        does = {act.does for act in acts}
        for act in acts:
            if act.does in {Does.DELAY, Does.HANG}:
                await asyncio.sleep(act.seconds)
        headers = dict(request.headers)
        answer = self._answered(in_path, headers, body, does)
        self._note(native, headers, body, acts, answer)
        return answer

    def _said_in(self, body: bytes) -> str:
        """The kind a message names itself, where one address takes all kinds; "" when it cannot be read."""
        try:
            return self.region.parse(body).native_kind
        except Exception:  # noqa: BLE001 - whatever came is shown as it came
            return ""

    def _answered(self, in_path: str, headers: dict[str, str], body: bytes, does: set[Does]) -> Response:
        untreated = self._untreated(in_path, does)
        if untreated is not None:
            return untreated
        before = set(self.desk.effects)
        status, receipt = self.desk.receive(in_path, headers, body, refuse=False)
        if Does.FORGET in does:
            for key in set(self.desk.effects) - before:
                self.desk.forget(key)
        if Does.CUT in does:
            return Cut()
        if Does.GARBAGE in does:
            receipt, status = _GARBAGE, 202
        return Response(receipt, status, media_type=self.region.content_type)

    def _untreated(self, in_path: str, does: set[Does]) -> Response | None:
        """The answer of a region that does not look at the message at all."""
        if Does.HANG in does:
            return Response(status_code=504)
        if Does.ERROR in does:
            return Response(status_code=500)
        if Does.REDIRECT in does:
            return Response(status_code=307, headers={"location": f"/elsewhere/{in_path}"})
        if Does.REFUSE in does:
            status, receipt = self.desk.turn_down(None, Unheard(422, "9043", "", _TURNED_DOWN))
            return Response(receipt, status, media_type=self.region.content_type)
        return None

    def _note(
        self, native: str, headers: dict[str, str], body: bytes, acts: tuple[Act, ...], answer: Response
    ) -> None:
        raw = bytes(answer.body) if answer.body else b""
        reply = self.region.read_reply(answer.status_code, raw)
        outcomes = {Taken.DELIVERED: "taken", Taken.REFUSED: "refused", Taken.UNREADABLE: "no-answer"}
        try:
            opened = self.region.parse(body)
            key, case_ref = opened.key, opened.case_ref
        except Exception:  # noqa: BLE001 - whatever came is shown as it came
            key = case_ref = ""
        kind = self._kinds.get(native)
        self.journal.note(
            at=self._place.clock().isoformat(),
            way="in",
            kind=native,
            kind_name=kind.value if kind else "",
            label=kind.label if kind else "未知种类",
            key=key,
            case_ref=case_ref,
            status=0 if isinstance(answer, Cut) else answer.status_code,
            outcome=outcomes[reply.taken],
            code=reply.code if reply.taken is Taken.REFUSED else "",
            why=reply.text if reply.taken is Taken.REFUSED else "",
            acts=tuple(act.does for act in acts),
            headers=headers,
            body=body,
            answer=raw,
        )

    # -- control ---------------------------------------------------------------------------

    async def _about(self, _: Request) -> Response:
        return JSONResponse(
            {
                "slug": self.region.slug,
                "name": self.region.name,
                "spec": self.region.spec,
                "inbox": self._place.stand_in.inbox,
                "gateway_url": self._place.gateway_url + self._place.stand_in.outbox,
                "behaviours": [{"name": does, "label": does.label, "own": does.is_own} for does in Does],
                "kinds": [
                    {"name": kind, "label": kind.label} for kind in self._kinds.values() if kind.opens_case
                ],
            }
        )

    async def _messages(self, request: Request) -> Response:
        after = request.query_params.get("after", "0")
        entries = self.journal.since(int(after) if after.isdecimal() else 0)
        return JSONResponse({"messages": [entry.as_json() for entry in entries]})

    async def _message(self, request: Request) -> Response:
        found = self.journal.detail(request.path_params["id"])
        return JSONResponse(found) if found else JSONResponse({"detail": "这条记录已不在，请刷新"}, 404)

    async def _script(self, request: Request) -> Response:
        if request.method == "DELETE":
            self.mischief.rates, self.mischief.script = (), ()
        elif request.method == "POST":
            try:
                self._direct(await request.body())
            except BadFaults as error:
                return JSONResponse({"detail": str(error)}, 422)
        return JSONResponse(self.mischief.as_json())

    def _direct(self, body: bytes) -> None:
        """Rates, script and seed as told; what is not told stays. Errors: `BadFaults`, and nothing is changed."""
        try:
            given = json.loads(body)
        except ValueError:
            given = None
        if not isinstance(given, dict) or not set(given) <= {"faults", "step", "seed"}:
            raise BadFaults("应为 JSON 对象，成员为 faults（名称=比例）、step（步骤的列表）、seed（整数）")
        seed = given.get("seed", 0)
        if type(seed) is not int:
            raise BadFaults("seed: 应为整数")
        rates = rates_of(str(given["faults"])) if "faults" in given else self.mischief.rates
        script = script_of(given["step"], self.kinds) if "step" in given else self.mischief.script
        if "seed" in given:
            self.mischief.luck = Random(seed)  # noqa: S311 - a play, no secret
        self.mischief.rates, self.mischief.script = rates, script

    async def _send_one(self, request: Request) -> Response:
        wanted = request.query_params.get("kind", "")
        if wanted and wanted not in {kind.value for kind in Kind if kind.opens_case}:
            return JSONResponse({"detail": f"{wanted}: 没有这种申请"}, 422)
        count = request.query_params.get("n", "1")
        many = min(int(count), 200) if count.isdecimal() else 1
        said = [self.desk.apply(kind=Kind(wanted) if wanted else None) for _ in range(many)]
        return JSONResponse({"case_refs": [one.case_ref for one in said]}, 202)

    async def _reset(self, _: Request) -> Response:
        """As just started: no cases, no journal, no misdeeds; keys and numbers go on."""
        await self.desk.clear()
        self.journal.clear()
        self.mischief.rates, self.mischief.script = (), ()
        return JSONResponse({"reset": True})

    async def _page(self, _: Request) -> Response:
        page = resources.files("gateway.conformance").joinpath("page", "index.html").read_text("utf-8")
        return Response(page, media_type="text/html", headers={"content-security-policy": _POLICY})
