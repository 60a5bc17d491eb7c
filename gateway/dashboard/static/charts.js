// Draws the ECharts options that the server made; needs vendor/echarts.min.js before it.
"use strict";

(() => {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const quiet = style.getPropertyValue("--quiet").trim();
  const line = style.getPropertyValue("--line").trim();
  const font = getComputedStyle(document.body).fontFamily;
  const axis = { axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: quiet }, splitLine: { lineStyle: { color: line } } };
  echarts.registerTheme("ops", {
    color: ["#1d5fb4", "#c2701c", "#1f8a5b", "#8a5cc2", "#b3372c", "#3f8fa8", "#7a7f87"],
    textStyle: { fontFamily: font, color: ink },
    title: { textStyle: { color: ink } },
    legend: { textStyle: { color: ink } },
    categoryAxis: axis,
    valueAxis: axis,
    timeAxis: axis,
    // Markup in tooltips would need inline styles, which the policy forbids.
    tooltip: { renderMode: "richText", confine: true, textStyle: { fontFamily: font } },
  });

  const maps = new Map(); // address → promise of the registered map's name
  const needed = (option) => [option.geo ?? []].flat().map((geo) => geo.map).filter(Boolean);
  const mapped = (name) => {
    if (!maps.has(name)) {
      maps.set(name, fetch(`/ops/maps/${name}`).then((answer) => answer.json()).then((shape) => echarts.registerMap(name, shape)));
    }
    return maps.get(name);
  };

  const draw = async (element, option) => {
    await Promise.all(needed(option).map(mapped));
    let chart = echarts.getInstanceByDom(element);
    if (!chart) {
      element.textContent = "";
      chart = echarts.init(element, "ops", { renderer: element.dataset.renderer ?? "canvas" });
      new ResizeObserver(() => chart.resize()).observe(element);
      chart.on("click", (event) => {
        const address = event.data?.href ?? event.data?.link;
        if (typeof address === "string" && address.startsWith("/ops/")) location.assign(address);
      });
    }
    if (still) {
      option.animation = false;
      for (const series of option.series ?? []) if (series.effect) series.effect.show = false;
    }
    chart.setOption({ ...option, tooltip: option.tooltip && { renderMode: "richText", confine: true, ...option.tooltip } }, { notMerge: element.dataset.merge === undefined, lazyUpdate: true });
  };

  const begin = (within) => {
    const found = within.matches?.("[data-chart][data-option]") ? [within] : within.querySelectorAll("[data-chart][data-option]");
    for (const element of found) draw(element, JSON.parse(element.dataset.option));
  };
  document.addEventListener("htmx:load", (event) => begin(event.detail.elt));
  document.addEventListener("htmx:afterRequest", (event) => {
    const element = event.detail.elt;
    if (!element.matches("[data-chart]")) return;
    if (event.detail.successful) draw(element, JSON.parse(event.detail.xhr.responseText));
  });
  document.addEventListener("htmx:beforeCleanupElement", (event) => {
    if (event.detail.elt.matches?.("[data-chart]")) echarts.getInstanceByDom(event.detail.elt)?.dispose();
  });
})();
