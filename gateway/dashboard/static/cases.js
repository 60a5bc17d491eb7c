// The list of cases: a row is a link, j and k walk the rows, a filter that is changed is applied.
"use strict";

(() => {
  const links = () => [...document.querySelectorAll("[data-row] [data-open]")];

  document.addEventListener("click", (event) => {
    const row = event.target.closest("[data-row]");
    if (!row || event.target.closest("a, button") || String(getSelection())) return;
    const link = row.querySelector("[data-open]");
    if (event.ctrlKey || event.metaKey) window.open(link.href);
    else link.click();
  });

  const writes = (element) => element.matches("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target)) return;
    if (document.querySelector("dialog[open]") || (event.key !== "j" && event.key !== "k")) return;
    const all = links();
    if (!all.length) return;
    const row = document.activeElement?.closest("[data-row]");
    const at = row ? all.indexOf(row.querySelector("[data-open]")) : -1;
    const next = event.key === "j" ? at + 1 : Math.max(at - 1, 0);
    all[Math.min(next, all.length - 1)].focus({ preventScroll: true });
    document.activeElement.closest("[data-row]").scrollIntoView({ block: "nearest" });
  });

  const form = document.querySelector("[data-filters]");
  if (!form) return;
  const filled = () => [...new FormData(form)].filter(([, value]) => value.trim());
  const apply = () => {
    const query = new URLSearchParams(filled()).toString();
    location.assign(query ? `${form.getAttribute("action")}?${query}` : form.getAttribute("action"));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    apply();
  });
  form.addEventListener("change", (event) => {
    if (event.target.matches("select")) apply();
  });

  // The names of divisions are fetched when somebody is about to write one.
  const list = document.querySelector("#divisions");
  document.querySelector("#f-division")?.addEventListener(
    "focus",
    async () => {
      const answer = await fetch(list.dataset.source, { headers: { "X-By-Itself": "1" } });
      if (!answer.ok) return;
      for (const [code, name] of await answer.json()) list.append(new Option(`${name} ${code}`, code));
    },
    { once: true },
  );
})();
