// The page of a case: messages load when opened, the page follows without jumping.
"use strict";

(() => {
  const all = (selector, within) => [...within.querySelectorAll(selector)];

  // --- messages: loaded when opened; unmasked content goes as soon as it is closed ---

  document.addEventListener(
    "toggle",
    (event) => {
      const message = event.target;
      if (!message.matches?.("details.message")) return;
      const inside = message.querySelector(".message-in");
      if (message.open) htmx.trigger(inside, "opened");
      else inside.querySelector(".message-bar.is-bare button")?.click();
    },
    true,
  );
  const forget = () => {
    for (const bar of all(".message-bar.is-bare", document)) bar.closest(".message-in").replaceChildren();
  };
  window.addEventListener("pagehide", forget);
  document.addEventListener("htmx:afterSwap", (event) => {
    event.detail.target?.querySelector?.("[data-revealed]")?.focus({ preventScroll: true });
  });

  // --- the page follows the case: nothing in use is replaced, nothing opened is closed ---

  let putOff = false;
  // how what has the focus is found again in the piece that takes its place
  const keyOf = (element) => {
    if (element.id) return `#${CSS.escape(element.id)}`;
    if (element.dataset.opens) return `[data-opens="${CSS.escape(element.dataset.opens)}"]`;
    if (element.matches("details[id] > summary")) return `#${CSS.escape(element.parentElement.id)} > summary`;
    const section = element.closest("section[id]");
    return section && element.matches("a[href]") ? `#${section.id} a[href="${CSS.escape(element.getAttribute("href"))}"]` : null;
  };
  let focused = null;
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const active = document.activeElement;
    const writes = active?.matches("input, textarea, select") && target.contains(active);
    if (target.querySelector("dialog[open]") || writes) {
      event.detail.shouldSwap = false;
      putOff = true; // asked for again when the dialog closes
      return;
    }
    for (const open of all("details[id]", target)) {
      const twin = fragment.querySelector(`#${CSS.escape(open.id)}`);
      if (twin) twin.open = open.open;
    }
    if (target !== active && target.contains(active)) focused = keyOf(active);
  });
  document.addEventListener("htmx:oobAfterSwap", () => {
    if (focused) document.querySelector(focused)?.focus({ preventScroll: true });
    focused = null;
  });
  document.addEventListener(
    "close",
    () => {
      if (!putOff) return;
      putOff = false;
      // an empty mark: everything is asked for anew
      document.getElementById("case-mark").value = "";
      htmx.trigger("#case-again", "tongban:again");
    },
    true,
  );
})();
