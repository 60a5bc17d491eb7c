"""Every error of the JSON API as RFC 9457 problem details, as pinned in gateway §1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Code = Literal[
    "bad-request", "bad-cursor", "unauthorized", "forbidden", "not-found", "method-not-allowed", "still-parked",
    "conflict", "too-large", "unsupported-media-type", "invalid-message", "parked", "rate-limited", "internal",
    "not-ready",
]  # fmt: skip

#: code → HTTP status and title
CODES: Mapping[Code, tuple[int, str]] = {
    "bad-request": (400, "请求有误"),
    "bad-cursor": (400, "翻页标记无效"),
    "unauthorized": (401, "未通过身份验证"),
    "forbidden": (403, "没有权限"),
    "not-found": (404, "没有找到"),
    "method-not-allowed": (405, "不支持的请求方法"),
    "conflict": (409, "当前状态不允许"),
    "still-parked": (409, "仍然挂起"),
    "too-large": (413, "报文过大"),
    "unsupported-media-type": (415, "不支持的内容类型"),
    "invalid-message": (422, "报文无效"),
    "parked": (422, "报文将被挂起"),
    "rate-limited": (429, "请求过于频繁"),
    "internal": (500, "网关内部错误"),
    "not-ready": (503, "暂不可用"),
}

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):  # noqa: N818 - the word of RFC 9457
    """Ends a request; `answer` turns it into the response."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        findings: Sequence[Mapping[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        instance: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code, self.detail, self.findings = code, detail, findings
        self.headers, self.instance = headers, instance

    def body(self) -> dict[str, Any]:
        """``{type, title, status, detail, code, findings?}``."""
        status, title = CODES[self.code]
        members: dict[str, Any] = {
            "type": f"urn:tongban:problem:{self.code}",
            "title": title,
            "status": status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.findings is not None:
            members["findings"] = [dict(finding) for finding in self.findings]
        if self.instance is not None:
            members["instance"] = self.instance
        return members


def answer(problem: Problem) -> Response:
    """The response of a problem."""
    return Response(
        # a path may quote a member's name, and that may be half a surrogate pair
        json.dumps(problem.body(), ensure_ascii=False).encode("utf-8", "backslashreplace"),
        status_code=CODES[problem.code][0],
        headers=dict(problem.headers or {}),
        media_type=MEDIA_TYPE,
    )
