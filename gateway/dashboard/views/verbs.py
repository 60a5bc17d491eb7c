"""What the audit calls things, in words; a verb nobody has named yet is shown as it is written."""

from __future__ import annotations

from gateway.dashboard.texts import N_

#: verb → (words, icon)
VERBS = {
    "look": (N_("查看未脱敏信息"), "eye"),
    "reveal": (N_("查看未脱敏信息（说明理由）"), "eye"),
    "find-person": (N_("按证件号查找"), "search"),
    "export": (N_("导出清单"), "download"),
    "audit.export": (N_("导出审计记录"), "download"),
    "pause": (N_("暂停投递"), "player-pause"),
    "resume": (N_("恢复投递"), "player-play"),
    "pace": (N_("设定投递节奏"), "gauge"),
    "probe": (N_("已做连接测试"), "activity"),
    "retry": (N_("重新投递"), "refresh"),
    "cancel": (N_("取消投递"), "x"),
    "release": (N_("放行"), "send"),
    "release-cause": (N_("按原因放行"), "send"),
    "return": (N_("退回"), "arrow-back-up"),
    "rerun.start": (N_("发起批量重办"), "refresh"),
    "rerun.approve": (N_("批准批量重办"), "shield-check"),
    "rerun.pause": (N_("暂停批量重办"), "player-pause"),
    "rerun.resume": (N_("继续批量重办"), "player-play"),
    "rerun.cancel": (N_("撤销批量重办"), "x"),
    "mappings-release": (N_("提交规则表版本"), "scale"),
    "mappings-approve": (N_("批准规则表版本"), "shield-check"),
    "mappings-activate": (N_("启用规则表版本"), "scale"),
    "mappings-retire": (N_("停用规则表版本"), "ban"),
    "mappings-impact": (N_("试算规则表影响"), "arrows-diff"),
    "mappings-impact-cancel": (N_("取消影响试算"), "x"),
    "retention.drop": (N_("清理到期数据"), "trash"),
    "retention.destroy_key": (N_("销毁到期密钥"), "key"),
    "token.create": (N_("新建令牌"), "key"),
    "token.revoke": (N_("吊销令牌"), "key"),
    "sign-in": (N_("登录成功"), "user"),
    "sign-in.refused": (N_("登录失败"), "alert-triangle"),
    "sign-in.locked": (N_("账户锁定"), "lock"),
    "sign-out": (N_("退出登录"), "logout"),
    "staff.add": (N_("新建账户"), "users"),
    "staff.roles": (N_("更改角色"), "users"),
    "staff.password": (N_("更改密码"), "key"),
    "staff.second-factor": (N_("换发验证器密钥"), "key"),
    "staff.unlock": (N_("解除锁定"), "lock"),
    "staff.disable": (N_("停用账户"), "ban"),
    "staff.enable": (N_("启用账户"), "check"),
    "staff.sessions": (N_("结束登录"), "logout"),
    "staff.refused": (N_("更改密码时输错密码"), "alert-triangle"),
}


#: member of what was before and after → words
MEMBERS = {
    "from": N_("来自"),
    "roles": N_("角色"),
    "second_factor": N_("第二重验证"),
    "cause": N_("原因"),
    "minutes": N_("锁定分钟数"),
    "state": N_("状态"),
    "per_second": N_("每秒"),
    "concurrency": N_("同时"),
    "kept": N_("保留行数"),
    "digests": N_("摘要数"),
}


def words(verb: str) -> tuple[str, str]:
    """The Chinese words of a verb, to be translated, and its icon."""
    return VERBS.get(verb, (verb, "point"))
