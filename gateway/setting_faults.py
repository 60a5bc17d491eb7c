"""What a setting that does not fit is told: its path, and what to do in Chinese (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import ValidationError

_REMEDIES = {
    "extra_forbidden": "未知的配置项，请改正拼写或删除",
    "missing": "缺少必填项，请补充；内容在文件中时可写成以 _file 结尾的同名项",
    "literal_error": "取值不在允许的范围内，请改为以下之一：{expected}",
    "int_parsing": "须为整数",
    "int_type": "须为整数",
    "bool_parsing": "须为 true 或 false",
    "bool_type": "须为 true 或 false",
    "float_parsing": "须为数字",
    "float_type": "须为数字",
    "string_type": "须为字符串，请加引号",
    "greater_than": "须大于 {gt}",
    "greater_than_equal": "须大于等于 {ge}",
    "less_than_equal": "须小于等于 {le}",
    "too_short": "至少须有 {min_length} 项",
    "string_too_short": "不得为空",
    "string_pattern_mismatch": "格式不正确，须符合 {pattern}",
    "timezone_aware": "须带时区，例如 2026-11-23T16:00:00+08:00",
    "datetime_parsing": "须为带时区的时间，例如 2026-11-23T16:00:00+08:00",
    "model_type": "须为一个配置段（[表]）",
    "tuple_type": "须为数组",
    "dict_type": "须为一个配置段（[表]）",
    "mapping_type": "须为一个配置段（[表]）",
}


def sentences(error: ValidationError, prefix: str) -> list[str]:
    """Every fault of a section as ``path: what to do``, never with a value; ``prefix``: where the section stands."""
    faults = error.errors(include_input=False, include_url=False)
    return [_sentence(fault, prefix) for fault in faults]


def _sentence(fault: Any, prefix: str) -> str:
    path = prefix
    for part in fault["loc"]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    # A validator of ours speaks for itself; its text never holds the value.
    own = fault.get("ctx", {}).get("error")
    if own is not None:
        return f"{path or '配置'}: {own}"
    remedy = _REMEDIES.get(fault["type"], "取值不正确（{type}），请对照配置说明改正")
    return f"{path}: " + remedy.format(**{"type": fault["type"], **fault.get("ctx", {})})
