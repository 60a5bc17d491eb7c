// The wall's clock, the age of what it shows, the turning list of needs, and coming back after a loss; needs charts.js.
"use strict";

(() => {
  const TOPICS = ["beat", "flow", "stuck", "routes", "reruns", "rules", "audit"];
  const STALE_S = 25; // the stream beats every ten seconds
  const TURN_S = 8;
  const SHOWN = 2;
  const ENLARGED = 1.6; // what is drawn on a desk's screen, seen from five metres
  const find = (id) => document.getElementById(id);
  const clock = new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

  const day = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Shanghai" });
  let today = "";
  let told = false;

  let heard = performance.now();
  let ahead = 0; // of the gateway's clock before this screen's, ms
  let lost = false;
  let first = 0;

  // Pictures are made for this screen: their type and lines grow with it.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.matches("[data-chart]")) {
      const scale = Math.min(innerWidth / 1920, innerHeight / 1080) * ENLARGED;
      event.detail.parameters.scale = Math.min(6, Math.max(0.5, scale)).toFixed(2);
    }
  });

  const hear = (event) => {
    heard = performance.now();
    told = true;
    ahead = Date.parse(event.data) - Date.now();
    if (lost) location.reload(); // what was missed, and what may have been installed meanwhile
  };
  document.addEventListener("htmx:sseOpen", (event) => {
    for (const topic of TOPICS) event.detail.source.addEventListener(topic, hear);
  });

  const turn = () => {
    const needs = [...document.querySelectorAll("#ticker > li")];
    if (first >= needs.length) first = 0;
    needs.forEach((need, place) => need.classList.toggle("is-shown", place >= first && place < first + SHOWN));
  };

  // The stream of somebody who is no longer signed in stays away for good: the sign-in page says so.
  const knock = async () => {
    try {
      const answer = await fetch("/ops/wall/now", { redirect: "manual", headers: { "X-By-Itself": "1" } });
      if (answer.type === "opaqueredirect" || answer.status === 401) location.assign("/ops/wall");
    } catch {
      // not there yet: knocked again later
    }
  };

  let ticks = 0;
  const tick = () => {
    find("clock").textContent = clock.format(Date.now() + ahead);
    const date = told ? day.format(Date.now() + ahead) : ""; // by the gateway's clock, once it has told the time
    if (today && today !== date && !lost) location.reload(); // a new day, and a fresh start for a screen that stays for months
    today = date;
    const age = Math.round((performance.now() - heard) / 1000);
    const fresh = find("fresh");
    lost = lost || age > STALE_S;
    fresh.classList.toggle("is-live", !lost);
    fresh.querySelector(".word").textContent = age < 12 ? fresh.dataset.fresh : fresh.dataset.ago.replace("{n}", age);
    document.body.classList.toggle("is-stale", lost);
    find("lost").hidden = !lost;
    find("lost").querySelector("span").textContent = find("lost").dataset.text.replace("{n}", age);
    ticks += 1;
    if (lost && ticks % 15 === 0) knock();
    if (ticks % TURN_S === 0) {
      first += SHOWN;
      turn();
    }
  };
  document.addEventListener("htmx:afterSettle", turn);
  document.addEventListener("dblclick", () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
  setInterval(tick, 1000);
})();
