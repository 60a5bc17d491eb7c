"""``tongban demo``: a whole gateway with a simulated system on either side, and cases crossing."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer
from rich.console import Console
from rich.live import Live

from gateway import log
from gateway.canonical.worktime import beijing_day
from gateway.cli import demo_desk, demo_view
from gateway.cli.child import Child
from gateway.cli.demo_view import Scene, Side
from gateway.cli.shared import FINDINGS, stop
from gateway.cli.stack import Stack
from gateway.conformance.simulator import new_keys
from gateway.errors import CannotStart
from gateway.mapping.load import PACKAGED, load_tables
from gateway.regions import discover
from gateway.runtime import configure

if TYPE_CHECKING:
    from collections.abc import Iterator

REFRESH_S = 0.5
STARTS_WITHIN_S = 30.0
#: After the last application: how long work may go on before what has not arrived counts as stuck.
SETTLES_WITHIN_S = 120.0
HOST = "127.0.0.1"
# Now and then the other side refuses or is slow, as in real life.
HABITS = (
    "--refuse-rate",
    "0.02",
    "--spare-first",
    "--slow-rate",
    "0.05",
    "--slow-s",
    "1.0",
    "--work-s",
    "0.6",
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What the demo does. ``rate``: applications per second and side; ``cases``: in all, 0 = no end."""

    port: int
    cases: int
    rate: float
    leave: bool


@dataclass(slots=True)
class Simulated:
    """A simulated regional system: its process and how to reach its control."""

    slug: str
    name: str
    url: str
    child: Child
    client: httpx.Client = field(repr=False)

    def ask(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/sim/{path}", params=query).raise_for_status().json()

    def tell(self, path: str, **query: Any) -> Any:
        return self.client.post(f"/sim/{path}", params=query).raise_for_status().json()


app = typer.Typer()


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="网关端口；被占用时自动改用空闲端口")] = 8080,
    data_dir: Annotated[Path | None, typer.Option(help="数据目录；缺省为临时目录，结束后删除")] = None,
    cases: Annotated[int, typer.Option(min=0, help="共生成多少件；0 为一直生成，直到 Ctrl-C")] = 0,
    rate: Annotated[float, typer.Option(min=0.1, help="每侧每秒新办件数")] = 4.0,
    leave: Annotated[  # noqa: FBT002 - a flag of the command line
        bool, typer.Option("--exit", help="办完后自行结束并打印汇总，未到位则非零退出")
    ] = False,
) -> None:
    """演示：真实的数据库、队列和两侧模拟业务系统，看办件如何双向通办。"""
    log.configure(level=40)
    plan = Plan(_free(port), cases or (80 if leave else 0), rate, leave)
    home = data_dir or Path(tempfile.mkdtemp(prefix="tongban-demo-"))
    ended = False
    try:
        ended = _play(plan, home)
    except CannotStart as error:
        stop(error)
    finally:
        if data_dir is None:
            shutil.rmtree(home, ignore_errors=True)
    if plan.leave and not ended:
        raise typer.Exit(FINDINGS)


def _play(plan: Plan, home: Path) -> bool:
    console = Console()
    halt = threading.Event()
    # a closed terminal ends it too, unless it was started to outlive one (nohup)
    closed = [signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL else []
    for ending in (signal.SIGTERM, signal.SIGINT, *closed):
        signal.signal(ending, lambda *_: halt.set())
    with ExitStack() as running, console.status("正在启动 PostgreSQL、Redis、Web、投递与调度进程…") as status:
        config, ports = _prepare(plan, home)
        password = demo_desk.password_of(home)
        stack = Stack(configure(config, os.environ), config)
        running.callback(stack.stop)
        stack.start()
        asyncio.run(demo_desk.welcome(config, password))
        status.update("正在启动两侧模拟业务系统…")
        sides = [_simulate(slug, ports[slug], stack.url, home, running) for slug in ports]
        _wait_for(sides)
        stage = Stage(stack.url, _token(home), sides, plan)
        running.enter_context(stage.client)
        status.stop()
        console.print(demo_view.invitation(stack.url, password))
        ended = stage.run(console, halt)
        console.print("正在依次停止所有进程…")
    console.print("已全部停止，没有留下进程。")
    return ended


# --- preparation ---


def _free(port: int) -> int:
    """The port asked for, or a free one when it is taken."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotStart("找不到空闲端口")


def _prepare(plan: Plan, home: Path) -> tuple[Path, dict[str, int]]:
    """A configuration with fresh keys for both sides; the simulators' own keys beside it."""
    home.mkdir(parents=True, exist_ok=True)
    ports = {slug: _free(0) for slug in discover()}
    lines = [f'data_dir = "{home.resolve() / "data"}"']
    if (
        not plan.leave
    ):  # who stays to look finds something to mend; who only wants the sum sees everything arrive
        lines.append(f'tables_dir = "{demo_desk.tables_with_gaps(home.resolve(), tuple(ports))}"')
    lines += ["[server]", f'host = "{HOST}"', f"port = {plan.port}"]
    for slug, port in ports.items():
        section, own = _keys(home, slug)
        lines += [f"[regions.{slug}]", f'base_url = "http://{HOST}:{port}"']
        lines += [f"{name} = {json.dumps(value)}" for name, value in section.items()]
        _private(home / f"{slug}.json", json.dumps(own))
    token = secrets.token_urlsafe(24)
    lines += ["[[tokens]]", 'name = "demo"', f'token = "{token}"']
    lines += ['scopes = ["cases", "items", "translate", "operate"]']
    lines += ["[delivery]", "schedule_s = [1, 2, 5, 10]", "timeout_s = 10"]
    lines += ["[dashboard]", 'second_factor = "optional"']
    _private(home / "gateway.toml", "\n".join(lines) + "\n")
    _private(home / "token.txt", token)
    return home / "gateway.toml", ports


def _keys(home: Path, slug: str) -> tuple[dict[str, str], dict[str, str]]:
    """Both halves of a side's keys; made once for a data folder that is kept."""
    kept = home / f"{slug}.keys.json"
    if not kept.exists():
        _private(kept, json.dumps(new_keys(slug)))
    section, own = json.loads(kept.read_text("utf-8"))
    return section, own


def _private(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text, "utf-8")


def _token(home: Path) -> str:
    return (home / "token.txt").read_text("utf-8")


def _simulate(slug: str, port: int, gateway: str, home: Path, running: ExitStack) -> Simulated:
    where = ("--region", slug, "--port", str(port), "--gateway-url", gateway)
    command = [sys.executable, "-m", "gateway.conformance.simulator", *where, *HABITS]
    seed = str(sum(slug.encode()))
    child = Child(
        slug,
        [*command, "--keys", str(home / f"{slug}.json"), "--seed", seed],
        env=os.environ,
        logs=home,
    )
    child.start()
    running.callback(child.stop, 5.0)
    url = f"http://{HOST}:{port}"
    client = running.enter_context(httpx.Client(base_url=url, timeout=10))
    return Simulated(slug, discover()[slug].name, url, child, client)


def _wait_for(sides: list[Simulated]) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    for side in sides:
        while True:
            try:
                side.ask("summary")
                break
            except httpx.HTTPError:
                if time.monotonic() > until:
                    raise CannotStart(f"{side.name}模拟系统无法启动：\n{side.child.last_words()}") from None
                time.sleep(0.1)


# --- the play ---


class Stage:
    """The running demo: hands cases in, looks at all three systems, says whether everything arrived."""

    def __init__(self, gateway: str, token: str, sides: list[Simulated], plan: Plan) -> None:
        self.gateway, self.token, self.sides, self.plan = gateway, token, sides, plan
        self.client = httpx.Client(base_url=gateway, headers={"authorization": f"Bearer {token}"}, timeout=10)
        self.began = time.monotonic()
        self.numbers = demo_view.Numbers()
        tables = load_tables(PACKAGED, None)
        self.items = tables.items
        self.words = demo_view.Words(tables.divisions, tables.items, beijing_day(datetime.now(UTC)))  # noqa: TID251

    def run(self, console: Console, halt: threading.Event) -> bool:
        """Play until all is done (``--exit``) or Ctrl-C; True when every case got where it should."""
        for side in self.sides:
            side.tell("worked")
            each = self.plan.cases // len(self.sides) if self.plan.cases else -1
            side.tell("rate", per_s=self.plan.rate, n=each)
        if console.is_terminal and not self.plan.leave:
            self._live(console, halt)
        else:
            self._wait(console, halt)
        for side in self.sides:
            side.tell("drain")
        scene = self.scene()
        console.print(demo_view.summary(scene, self._counted()))
        console.print(demo_view.kinds(scene))
        if not self.plan.leave or halt.is_set():
            return False
        lost, missing = list(self.lost()), self._missing()
        console.print(demo_view.coverage(scene.items, missing))
        console.print(demo_view.verdict(lost))
        return not lost

    def _live(self, console: Console, halt: threading.Event) -> None:
        with Live(console=console, refresh_per_second=4, screen=False) as live:
            while not halt.wait(REFRESH_S):
                live.update(demo_view.picture(self.scene()))

    def _wait(self, console: Console, halt: threading.Event) -> None:
        console.print(f"网关 {self.gateway}，接口文档 {self.gateway}/docs")
        until, said = None, 0.0
        while not halt.wait(REFRESH_S):
            scene = self.scene()
            if time.monotonic() - said > 5:
                said = time.monotonic()
                console.print(demo_view.line(scene))
            if scene.left:
                continue
            until = until or time.monotonic() + SETTLES_WITHIN_S
            if self._at_rest() or time.monotonic() > until:
                return

    def _at_rest(self) -> bool:
        told = [side.ask("summary") for side in self.sides]
        return not any(one["pending"] or one["worked_left"] for one in told) and not any(self.lost())

    def scene(self) -> Scene:
        """Everything the picture shows, asked of the gateway's own interfaces and of the simulators."""
        sides, left = [], 0
        for side in self.sides:
            told = side.ask("summary")
            left += told["left"]
            own = told["cases"]["origin"]
            items = frozenset(filter(None, (self.items.by_code(side.slug, code) for code in told["items"])))
            sides.append(Side(side.name, own["total"], own["states"], told["taken_in"], items))
        latest = self.client.get("/v1/cases", params={"limit": 12}).raise_for_status().json()["cases"]
        metrics = self.client.get("/metrics").raise_for_status().text
        self.numbers = self.numbers.next(metrics, time.monotonic())
        return Scene(
            gateway=self.gateway,
            token=self.token,
            elapsed_s=time.monotonic() - self.began,
            sides=sides,
            items=len(self.items.all(self.words.on)),
            left=left,
            latest=[self.words.line(case) for case in latest],
            numbers=self.numbers,
        )

    def lost(self) -> Iterator[str]:
        """A sentence for every case that is not where it should be: one state on all three systems."""
        states = {
            side.slug: {case["case_ref"]: case for case in side.ask("cases")["cases"]} for side in self.sides
        }
        known = list(self._cases())
        for side in self.sides:
            taken = {case["origin"]["case_no"] for case in known if case["origin"]["region"] == side.slug}
            for sent in side.ask("sent")["sent"]:
                if sent["outcome"] in {"waiting", "refused"}:
                    yield f"{side.name} {sent['kind']} {sent['case_ref']}: {sent['outcome']} {sent['text']}"
                elif sent["case_ref"] in states[side.slug] and not sent["case_no"]:
                    yield f"{side.name} {sent['case_ref']}: 回执中没有通办编号"
            for kind in side.ask("summary")["worked_left"]:
                yield f"{side.name} {demo_view.KINDS[kind]}: 样例报文没有等到它的办件"
            for ref, case in states[side.slug].items():
                if case["role"] == "origin" and ref not in taken:
                    yield f"{side.name} {ref}: 网关没有这个办件"
        for case in known:
            origin, target = (
                (states[case[role]["region"]].get(case[role]["case_no"]) or {}).get("state")
                for role in ("origin", "target")
            )
            yield from demo_view.misplaced(case, origin, target)

    def _counted(self) -> dict[str, Counter[str]]:
        """The gateway's own states, by the name of the origin."""
        names = {side.slug: side.name for side in self.sides}
        counted: dict[str, Counter[str]] = {name: Counter() for name in names.values()}
        for case in self._cases():
            counted[names[case["origin"]["region"]]][case["state"]["code"]] += 1
        return counted

    def _missing(self) -> list[str]:
        """Items of which no case has come to its end in both directions, by name."""
        ended = {
            (case["item"], case["origin"]["region"])
            for case in self._cases()
            if case["state"]["code"] in demo_view.FINAL
        }
        return [
            version.name
            for version in self.items.all(self.words.on)
            if any((version.item, side.slug) not in ended for side in self.sides)
        ]

    def _cases(self) -> Iterator[dict[str, Any]]:
        after = None
        while True:
            query = {"limit": 200, **({"after": after} if after else {})}
            page = self.client.get("/v1/cases", params=query).raise_for_status().json()
            yield from page["cases"]
            after = page["next"]
            if after is None:
                return
