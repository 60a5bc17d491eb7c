"""`POST /v1/precheck`: what to bring before a case is handed in, and when it would be due."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from gateway.canonical.worktime import beijing_day
from gateway.mapping.precheck import InHand, Precheck, Question, Required, precheck
from gateway.web import schemas, views
from gateway.web.auth import Caller, needs, runtime
from gateway.web.openapi import REGIONS
from gateway.web.problem import Problem
from gateway.web.queries import Day, NoQuery

if TYPE_CHECKING:
    from gateway.mapping.alignment import Ground
    from gateway.mapping.items import ItemVersion
    from gateway.mapping.tables import Tables
    from gateway.runtime import Runtime

router = APIRouter(prefix="/v1", tags=["事项"])

_MOST = 50
_MATERIALS = "material"


_Slug = Annotated[str, Field(json_schema_extra={"enum": REGIONS})]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Given(_Shape):
    """手中的一份材料：公共代码，或某地区的编码；只写公共代码时可直接写成文本。"""

    material: str | None = Field(
        default=None, description="公共代码", examples=["social_security_card"], max_length=64
    )
    region: _Slug | None = Field(
        default=None, description="编码所属地区", examples=["{origin}"], max_length=64
    )
    code: str | None = Field(default=None, description="该地区的材料编码", examples=["CL002"], max_length=64)


def _as_given(value: Any) -> Any:
    return {"material": value} if isinstance(value, str) else value


class PrecheckRequest(_Shape):
    """要办的事项、在哪一方提交、手中的材料。"""

    item: str = Field(description="事项代号", examples=["unemployment_benefit_claim"], max_length=64)
    side: _Slug = Field(description="在哪个地区提交", examples=["{origin}"], max_length=64)
    target: _Slug | None = Field(
        default=None,
        description="由哪个地区办理；只有一个其他地区时可省略",
        examples=["{target}"],
        max_length=64,
    )
    materials: list[Annotated[Given, BeforeValidator(_as_given)]] = Field(
        default_factory=list, max_length=_MOST, description="手中的材料"
    )
    on: Day | None = Field(
        default=None, description="受理日；缺省为今天（北京时间）", examples=["2026-11-23"]
    )


class GroundShape(_Shape):
    """依据的规则。"""

    rule: str = Field(description="互认规则或等效声明的编号", examples=["R005"])
    basis: str = Field(description="依据文件", examples=["川渝失业保险关系转移协议（2020-12-21）"])


class MaterialShape(_Shape):
    """一份材料。"""

    material: str = Field(description="公共代码", examples=["id_card"])
    name: str = Field(description="该地区的名称", examples=["有效身份证件"])
    code: str | None = Field(
        description="该地区的材料编码；没有时为 null", examples=["8f1c0a52-0000-4000-8000-000000000001"]
    )


class RequiredShape(MaterialShape):
    """办理地要求的一份材料，以及手中何物可以充当。"""

    met_by: str | None = Field(
        description="充当它的手中材料；缺少时为 null", examples=["social_security_card"]
    )
    grounds: list[GroundShape] = Field(description="凭哪些规则充当")


class InHandShape(MaterialShape):
    """手中的一份材料，以及办理地把它认作什么。"""

    accepted_as: str | None = Field(
        description="办理地认作的材料；没有生效的互认规则时为 null", examples=["id_card"]
    )
    ground: GroundShape | None = Field(description="凭哪条规则")


class PrecheckView(_Shape):
    """预检结果；不保存任何内容。"""

    item: str = Field(description="事项代号", examples=["unemployment_benefit_claim"])
    name: str = Field(description="办理地的事项名称", examples=["失业保险金申领"])
    side: str = Field(description="提交地区", examples=["{origin}"])
    target: str = Field(description="办理地区", examples=["{target}"])
    on: schemas.Day
    open: bool = Field(description="该事项在这一天是否已开通跨省办理", examples=[True])
    ready: bool = Field(description="材料是否齐全、提交后不会因材料挂起", examples=[True])
    required: list[RequiredShape] = Field(description="办理地要求的材料")
    in_hand: list[InHandShape] = Field(description="手中的材料")
    missing: list[MaterialShape] = Field(description="还缺的材料")
    legal_limit: schemas.Limit
    promised_limit: schemas.Limit
    due_on: str | None = Field(description="当日受理时的到期日；即办为 null", examples=["2026-12-03"])
    due_provisional: bool = Field(description="到期日是否按未公布的工作日历暂算", examples=[False])


@router.post(
    "/precheck",
    summary="提交前预检材料",
    response_model=PrecheckView,
    responses={404: {"model": schemas.Problem, "description": "没有这个事项，或这一天没有生效的版本"}},
)
async def check(
    _caller: Annotated[Caller, needs("items")],
    rt: Annotated[Any, Depends(runtime)],
    asked: Annotated[PrecheckRequest, Body()],
    _query: Annotated[NoQuery, Query()],
) -> Response:
    """办理地要求什么、手中材料凭哪条规则可以充当、还缺什么、承诺时限和当日受理时的到期日。"""
    tables = rt.tables
    on = asked.on or beijing_day(rt.clock.now())
    version = _version(tables, asked.item, on)
    question = Question(asked.item, *_sides(rt, asked), on, _materials(tables, asked))
    return JSONResponse(_view(tables, question, precheck(tables, version, question)))


def _version(tables: Tables, item: str, on: date) -> ItemVersion:
    if not tables.items.versions(item):
        raise Problem("not-found", "没有这个事项，请用 GET /v1/items 查看现有事项")
    version = tables.items.version(item, on)
    if version is None:
        raise Problem(
            "not-found", "该事项在这一天没有生效的版本，请核对 on，或用 GET /v1/items/{item} 查看各版本"
        )
    return version


def _sides(rt: Runtime, asked: PrecheckRequest) -> tuple[str, str]:
    known = "、".join(rt.regions)
    if asked.side not in rt.regions:
        raise _bad("side", f"须为 {known} 之一")
    target = asked.target or rt.maps.routes.sole[asked.side]
    if not target:
        others = "、".join(slug for slug in rt.regions if slug != asked.side)
        raise _bad("target", f"有多个地区可以办理，须写明 {others} 之一")
    if target not in rt.regions or target == asked.side:
        raise _bad("target", f"须为 {known} 中与 side 不同的一个")
    return asked.side, target


def _materials(tables: Tables, asked: PrecheckRequest) -> tuple[str, ...]:
    findings: list[dict[str, str]] = []
    keys: list[str] = []
    for place, given in enumerate(asked.materials):
        key = _key(tables, given)
        if key is None:
            text = "不在材料码表中，请用公共代码，或 {region, code}"
            findings.append({"path": f"materials.{place}", "code": "unknown-material", "text": text})
        else:
            keys.append(key)
    if findings:
        raise Problem("bad-request", "有不认识的材料，请按 findings 改正后重试", findings=findings)
    return tuple(keys)


def _key(tables: Tables, given: Given) -> str | None:
    if given.material is not None:
        return given.material if given.material in tables.hub(_MATERIALS) else None
    row = tables.codes(given.region or "", _MATERIALS).read(given.code or "")
    return None if row is None else row.key


def _bad(path: str, text: str) -> Problem:
    finding = {"path": path, "code": "unknown", "text": text}
    return Problem("bad-request", "请求内容有误，请按 findings 改正后重试", findings=[finding])


# --- the answer ---


def _view(tables: Tables, asked: Question, found: Precheck) -> dict[str, Any]:
    version = found.version
    return {
        "item": asked.item,
        "name": version.names.get(asked.target, version.name),
        "side": asked.side,
        "target": asked.target,
        "on": asked.on.isoformat(),
        "open": found.open,
        "ready": found.ready,
        "required": [_required(tables, asked, each) for each in found.required],
        "in_hand": [_in_hand(tables, asked, each) for each in found.in_hand],
        "missing": [_named(tables, asked.target, material) for material in found.missing],
        "legal_limit": views.limit(version.legal),
        "promised_limit": views.limit(version.promised),
        "due_on": views.day(found.due.due_on),
        "due_provisional": found.due.provisional,
    }


def _required(tables: Tables, asked: Question, each: Required) -> dict[str, Any]:
    grounds = [_ground(ground) for ground in each.grounds]
    return _named(tables, asked.target, each.material) | {"met_by": each.met_by, "grounds": grounds}


def _in_hand(tables: Tables, asked: Question, each: InHand) -> dict[str, Any]:
    ground = None if each.ground is None else _ground(each.ground)
    return _named(tables, asked.side, each.material) | {"accepted_as": each.accepted_as, "ground": ground}


def _ground(ground: Ground) -> dict[str, str]:
    return {"rule": ground.rule, "basis": ground.basis}


def _named(tables: Tables, region: str, material: str) -> dict[str, Any]:
    """A material in a region's words; in the shared ones where it has none."""
    words = tables.codes(region, _MATERIALS)
    row = words.write(material) or next((row for row in words.reads.values() if row.key == material), None)
    if row is None:
        return {"material": material, "name": tables.hub(_MATERIALS).meaning(material), "code": None}
    return {"material": material, "name": row.name, "code": row.native}
