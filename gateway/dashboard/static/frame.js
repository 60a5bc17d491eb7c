// The frame of every page: dialogs, shortcuts, toasts, the stream's light. No page needs more than this and htmx.
"use strict";

(() => {
  const find = (selector, within = document) => within.querySelector(selector);

  // Dialogs: [data-opens=id] opens one, [data-closes] closes it, and the button that opened it has the focus again.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      document.getElementById(opener.dataset.opens)?.showModal();
      return;
    }
    event.target.closest("[data-closes]")?.closest("dialog")?.close();
    const copier = event.target.closest("[data-copy]");
    if (copier) {
      event.preventDefault();
      event.stopPropagation();
      navigator.clipboard?.writeText(copier.dataset.copy);
      copier.classList.add("copied");
      setTimeout(() => copier.classList.remove("copied"), 1200);
    }
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // Whoever has to sign in first arrives with the fragment of the address that led here.
  for (const form of document.querySelectorAll(".sign-in form")) form.action += location.hash;

  // A form that is being sent is not sent twice.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || form.dataset.sending) {
      if (form.dataset.sending) event.preventDefault();
      return;
    }
    form.dataset.sending = "1";
    setTimeout(() => delete form.dataset.sending, 4000);
  });

  // Shortcuts: "/" to the search, "g" and a letter to a room; not while somebody writes.
  const writes = (element) => element.matches("input, textarea, select, [contenteditable]");
  let leader = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || writes(event.target) || find("dialog[open]")) return;
    if (event.key === "/") {
      const input = find('[data-shortcut="/"]');
      if (input) {
        event.preventDefault();
        input.focus();
        input.select();
      }
    } else if (event.key === "g") {
      leader = event.timeStamp;
    } else if (leader && event.timeStamp - leader < 1500) {
      leader = 0;
      find(`[data-go="${CSS.escape(event.key)}"]`)?.click();
    }
  });

  // What is being read or written is not swapped away: the fragment is asked for again when the hand is off it.
  const isInUse = (target) =>
    target.querySelector("dialog[open]") || (target.contains(document.activeElement) && writes(document.activeElement));
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    const byStream = requestConfig?.triggeringEvent?.type?.startsWith("sse:");
    if (byStream && target && target !== document.body && isInUse(target)) event.detail.shouldSwap = false;
    // A fragment that failed on its own, in the background, keeps what it shows.
    if (byStream && event.detail.xhr.status >= 400) event.detail.shouldSwap = false;
  });

  // What the page asks for by itself is no sign of a person: it does not keep the session alive.
  document.addEventListener("htmx:configRequest", (event) => {
    const type = event.detail.triggeringEvent?.type;
    if (!type || type.startsWith("sse:") || type === "load") event.detail.headers["X-By-Itself"] = "1";
  });

  const toast = (sentence, tone) => {
    const line = document.createElement("p");
    line.className = `toast-line tone-${tone}`;
    line.textContent = sentence;
    find("#toasts")?.append(line);
    setTimeout(() => line.remove(), 6000);
  };
  document.addEventListener("tongban:said", (event) => toast(event.detail.value, "good"));
  document.addEventListener("htmx:sendError", () => toast(find("#toasts")?.dataset.failed ?? "", "bad"));

  // The stream's light says whether what is shown is live.
  const light = (isLive) => {
    const stream = find("#stream");
    if (!stream) return;
    stream.classList.toggle("is-live", isLive);
    stream.classList.toggle("is-lost", !isLive);
    find(".word", stream).textContent = isLive ? stream.dataset.live : stream.dataset.lost;
  };
  document.addEventListener("htmx:sseOpen", () => light(true));
  document.addEventListener("htmx:sseError", () => light(false));
})();
