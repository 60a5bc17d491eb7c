/* The words of the page, Chinese first. */
"use strict";
window.TEXTS = {
  zh: {
    title: "通办 · 模拟对方", other: "English", act: "让它做事", kind: "申请", next: "下一个事项", send: "提交一份申请",
    faults: "让它出错", faults_note: "选一个比例，从下一条报文起生效。脚本用 POST /sim/script 设置。",
    theirs: "对收到的报文", ours: "对自己的报文", never: "从不", always: "总是", calm: "恢复正常", reset: "清空重来",
    messages: "收发的报文", show: "显示", all: "全部", in: "收到的", out: "发出的", only_refused: "拒收的",
    time: "时间", way: "方向", what: "报文", case: "办件", answer: "应答", close: "关闭",
    live: "实时", lost: "连接中断，重试中…", loading: "读取中…",
    empty: "还没有报文。按左边的“提交一份申请”，或让网关把报文发到上面的地址。", none: "没有符合的报文。",
    taken: "受理", refused: "拒收", "no-answer": "无回执", headers: "请求头", body: "报文体", reply: "应答内容", nothing: "（空）",
    why: "为什么", did: "有意出错", key: "报文编号", status: "状态", bytes: "字节", masked: "个人信息已遮盖", got: "收到", sent: "发出",
    taken_n: "受理", refused_n: "拒收", open_n: "无回执", inbox: "收件地址", outbox: "发往", steps: "脚本", step_done: "已做", step_left: "待做",
    unknown: "未知种类", really: "清空所有办件和记录？", sent_ok: "已提交：",
  },
  en: {
    title: "Tongban · simulated region", other: "中文", act: "Make it act", kind: "Application", next: "next item", send: "Hand in one",
    faults: "Make it fail", faults_note: "Choose a share; it holds from the next message on. Scripts go to POST /sim/script.",
    theirs: "To messages it receives", ours: "To messages of its own", never: "never", always: "always", calm: "Behave again", reset: "Start over",
    messages: "Messages", show: "Show", all: "all", in: "received", out: "sent", only_refused: "refused",
    time: "Time", way: "Way", what: "Message", case: "Case", answer: "Answer", close: "Close",
    live: "live", lost: "connection lost, trying again…", loading: "loading…",
    empty: "Nothing yet. Press “Hand in one”, or let the gateway send to the address above.", none: "Nothing fits.",
    taken: "taken", refused: "refused", "no-answer": "no receipt", headers: "Headers", body: "Body", reply: "Answer", nothing: "(empty)",
    why: "Why", did: "Done on purpose", key: "Message key", status: "Status", bytes: "bytes", masked: "persons are masked", got: "in", sent: "out",
    taken_n: "taken", refused_n: "refused", open_n: "no receipt", inbox: "Inbox", outbox: "Sends to", steps: "Script", step_done: "done", step_left: "to come",
    unknown: "Unknown kind", really: "Forget all cases and messages?", sent_ok: "Handed in: ",
    names: {
      "delay": "Slow answers", "refuse": "Refuses (422)", "error": "Answers 500", "hang": "Never answers", "cut": "Cuts after processing",
      "garbage": "Unreadable receipts", "redirect": "Redirects (307)", "forget": "Acts twice on a repeat", "duplicate": "Sends twice",
      "reorder": "Sends out of order", "wrong-proof": "Wrong proof",
      "transfer.apply": "Pension transfer", "unemployment.claim": "Unemployment claim", "certification.notice": "Certification",
      "general.apply": "General application", "transfer.sheet": "Transfer sheet", "unemployment.answer": "Claim answer",
      "status.report": "Status report", "material.supplement": "Supplement", "case.withdraw": "Withdrawal", "case.rating": "Rating",
    },
  },
};
