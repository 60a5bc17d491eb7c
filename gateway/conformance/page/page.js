/* The page of a simulated region: asks for what is new every second, shows it, and sends what is pressed. */
"use strict";
const $ = (id) => document.getElementById(id);
const SHARES = [0, 0.1, 0.3, 1];
const ROWS = 200;
const state = { after: 0, entries: [], about: null, rates: {}, seconds: {}, steps: [], script: "", chosen: 0, failed: "", lost: false, loaded: false };
let language = localStorage.getItem("language") || (navigator.language.startsWith("zh") ? "zh" : "en");
const t = (name) => window.TEXTS[language][name] || name;
const named = (name, label) => (window.TEXTS[language].names || {})[name] || label;

function make(tag, options = {}, ...children) {
  const node = Object.assign(document.createElement(tag), options);
  node.append(...children.filter((child) => child !== null));
  return node;
}

async function ask(path, method = "GET", body = null) {
  const answer = await fetch(path, { method, body: body && JSON.stringify(body), headers: body ? { "content-type": "application/json" } : {} });
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).detail || `HTTP ${answer.status}`);
  return answer.json();
}

function words() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-t]")) node.textContent = t(node.dataset.t);
  $("language").textContent = t("other");
  const about = state.about;
  if (!about) return;
  document.title = `${about.name} · ${t("title")}`;
  $("name").textContent = about.name;
  $("spec").textContent = `${about.spec} · ${t("inbox")} ${location.origin}${about.inbox}/…`;
  $("where").textContent = `${t("outbox")} ${about.gateway_url}`;
  const kept = $("kind").value;
  $("kind").replaceChildren(make("option", { value: "", textContent: t("next") }), ...about.kinds.map((kind) => make("option", { value: kind.name, textContent: named(kind.name, kind.label) })));
  $("kind").value = kept;
  live();
  faults();
  list();
  if (state.chosen) detail(state.chosen);
}

function live() {
  $("live").classList.toggle("lost", state.lost || state.failed !== "");
  $("live-text").textContent = state.failed || t(state.lost ? "lost" : "live");
}

/* What is pressed may fail: the server may be gone, or say why not. */
const pressed = (deed) => async (...given) => {
  state.failed = "";
  try { await deed(...given); } catch (error) {
    if (error instanceof TypeError) state.lost = true; else state.failed = error.message;
  }
  live();
};

function faults() {
  for (const [id, own] of [["faults-in", false], ["faults-out", true]]) {
    $(id).replaceChildren(...state.about.behaviours.filter((each) => each.own === own).map(fault));
  }
  steps();
}

function steps() {
  $("steps").textContent = state.steps.length ? `${t("steps")}：${state.steps.map((step) => `${step.do}${step.kind ? ` ${step.kind}` : ""} #${step.nth} ${step.done ? t("step_done") : t("step_left")}`).join("；")}` : "";
}

function fault(each) {
  const share = state.rates[each.name] || 0;
  const select = make("select", { onchange: pressed((event) => setRate(each.name, Number(event.target.value))) },
    ...[...new Set([...SHARES, share])].sort((a, b) => a - b).map((one) => make("option", { value: one, selected: one === share, textContent: one === 0 ? t("never") : one === 1 ? t("always") : `${Math.round(one * 100)}%` })));
  return make("label", { className: share ? "fault on" : "fault" }, make("span", { textContent: named(each.name, each.label) }), select);
}

async function setRate(name, share) {
  const rates = { ...state.rates, [name]: share };
  const written = Object.entries(rates).filter(([, one]) => one > 0).map(([one, much]) => `${one}=${much}${state.seconds[one] ? `:${state.seconds[one]}` : ""}`).join(",");
  script(await ask("/sim/script", "POST", { faults: written }));
}

/* Drawn anew only when it is another one: a list of choices that is open stays open. */
function script(given) {
  const rates = JSON.stringify(given.rates);
  state.rates = Object.fromEntries(given.rates.map((rate) => [rate.does, rate.share]));
  state.seconds = Object.fromEntries(given.rates.map((rate) => [rate.does, rate.seconds]));
  state.steps = given.steps;
  if (rates !== state.script) faults(); else steps();
  state.script = rates;
}

const called = (entry) => (entry.kind_name ? named(entry.kind_name, entry.label) : t("unknown"));
const shown = (entry) => ({ "": true, in: entry.way === "in", out: entry.way === "out", refused: entry.outcome === "refused" })[$("filter").value];
const clock = (at) => new Date(at).toLocaleTimeString(language === "zh" ? "zh-CN" : "en-GB", { hour12: false, timeZone: "Asia/Shanghai" });

function list() {
  $("list").replaceChildren(...state.entries.filter(shown).slice(-ROWS).reverse().map(row));
  counts();
}

/* New rows come on top; the others stay as they are, under the pointer and the focus. */
function more(messages) {
  for (const entry of messages.filter(shown)) $("list").prepend(row(entry));
  while ($("list").childElementCount > ROWS) $("list").lastElementChild.remove();
  counts();
}

function counts() {
  $("empty").hidden = $("list").childElementCount > 0;
  $("empty").textContent = !state.loaded ? t("loading") : state.entries.length ? t("none") : t("empty");
  const count = (outcome) => state.entries.filter((entry) => entry.outcome === outcome).length;
  $("counts").replaceChildren(...[["taken", "taken_n"], ["refused", "refused_n"], ["no-answer", "open_n"]].map(([outcome, name]) => make("li", { className: count(outcome) ? `${outcome} some` : outcome }, make("b", { textContent: count(outcome) }), ` ${t(name)}`)));
}

const acts = (entry) => entry.acts.map((name) => named(name, state.about.behaviours.find((each) => each.name === name).label)).join(language === "zh" ? "、" : ", ");

function row(entry) {
  const open = make("button", { type: "button", className: "link", onclick: pressed(() => detail(entry.id)), textContent: called(entry) });
  const line = make("tr", { className: entry.id === state.chosen ? "chosen" : "" },
    make("td", { className: "num", textContent: clock(entry.at) }),
    make("td", {}, make("span", { className: `way ${entry.way}`, textContent: entry.way === "in" ? `→ ${t("got")}` : `← ${t("sent")}` })),
    make("td", {}, open, make("small", { textContent: ` ${entry.kind}` })),
    make("td", { className: "mono", textContent: entry.case_ref || "—" }),
    make("td", {}, make("span", { className: `mark ${entry.outcome}`, textContent: t(entry.outcome) }), make("small", { textContent: ` ${entry.status || "—"}${entry.code ? ` · ${entry.code}` : ""}` }), entry.acts.length ? make("span", { className: "act", textContent: acts(entry) }) : null));
  line.dataset.id = entry.id;
  return line;
}

function choose(id) {
  state.chosen = id;
  for (const line of $("list").children) line.classList.toggle("chosen", line.dataset.id === String(id));
}

async function detail(id) {
  choose(id);
  const found = await ask(`/sim/messages/${id}`);
  $("detail-title").textContent = `${called(found)} ${found.kind}`;
  const facts = [[t("time"), new Date(found.at).toLocaleString(language === "zh" ? "zh-CN" : "en-GB", { hour12: false, timeZone: "Asia/Shanghai" })], [t("key"), found.key || "—"], [t("case"), found.case_ref || "—"], [t("status"), `${found.status || "—"} ${t(found.outcome)} ${found.code}`], [t("why"), found.why], [t("did"), acts(found)]];
  $("detail-body").replaceChildren(
    make("dl", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })])),
    make("h3", { textContent: t("headers") }),
    make("dl", { className: "mono" }, ...Object.entries(found.headers).flatMap(([name, value]) => [make("dt", { textContent: name }), make("dd", { textContent: value })])),
    make("h3", { textContent: `${t("body")} · ${found.bytes} ${t("bytes")} · ${t("masked")}` }), make("pre", { tabIndex: 0, textContent: found.body || t("nothing") }),
    make("h3", { textContent: t("reply") }), make("pre", { tabIndex: 0, textContent: found.answer || t("nothing") }));
  $("detail").hidden = false;
  $("detail").scrollIntoView({ block: "nearest" });
}

/* Behind a line that was lost there may be another run, which counts from 1. */
function restart() {
  Object.assign(state, { about: null, entries: [], after: 0, loaded: false, script: "", chosen: 0 });
  $("detail").hidden = true;
}

async function look() {
  try {
    if (state.lost) restart();
    if (!state.about) { state.about = await ask("/sim/about"); script(await ask("/sim/script")); words(); } else script(await ask("/sim/script"));
    const { messages } = await ask(`/sim/messages?after=${state.after}`);
    if (messages.length || !state.loaded) {
      const first = !state.loaded;
      state.loaded = true;
      state.entries = [...state.entries, ...messages].slice(-500);
      state.after = state.entries.length ? state.entries[state.entries.length - 1].id : state.after;
      if (first) list(); else more(messages);
    }
    state.lost = false;
  } catch (error) { state.lost = true; }
  live();
  setTimeout(look, state.lost ? 2000 : 1000);
}

$("language").onclick = () => { language = language === "zh" ? "en" : "zh"; localStorage.setItem("language", language); words(); };
$("filter").onchange = list;
$("close").onclick = () => { $("detail").hidden = true; choose(0); };
$("calm").onclick = pressed(async () => script(await ask("/sim/script", "DELETE")));
$("reset").onclick = pressed(async () => {
  if (!confirm(t("really"))) return;
  await ask("/sim/reset", "POST");
  state.entries = [];
  state.chosen = 0;
  $("detail").hidden = true;
  script(await ask("/sim/script"));
  list();
});
$("send").onsubmit = (event) => { event.preventDefault(); hand(); };
const hand = pressed(async () => {
  const { case_refs: refs } = await ask(`/sim/send?kind=${$("kind").value}`, "POST");
  $("where").textContent = `${t("sent_ok")}${refs.join(", ")}`;
});
words();
list();
look();
