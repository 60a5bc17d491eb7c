// The page of a case: values light their fellows, messages load when opened, the page follows without jumping.
"use strict";

(() => {
  const all = (selector, within) => [...within.querySelectorAll(selector)];

  // --- threads: a value and what it came from and became ---

  let pinned = null;
  const unlight = (spread) => {
    for (const lit of all(".v.is-lit", spread)) lit.classList.remove("is-lit", "is-from");
  };
  const show = (value) => {
    const spread = value.closest("[data-spread]");
    const wanted = new Set(value.dataset.t.split(" "));
    unlight(spread);
    for (const other of all(".v[data-t]", spread)) {
      if (other.dataset.t.split(" ").some((number) => wanted.has(number))) other.classList.add("is-lit");
    }
    value.classList.add("is-from");
    for (const form of all(".form", spread)) {
      const lit = form.querySelector(".v.is-lit");
      const code = form.querySelector(".code");
      if (!lit || !code || form.contains(value)) continue;
      // within its own box only: the page itself stays where it is
      const off = lit.getBoundingClientRect().top - code.getBoundingClientRect().top;
      if (off < 0 || off > code.clientHeight - 20) code.scrollTop += off - code.clientHeight / 3;
    }
    const panel = spread.querySelector(".thread");
    panel.replaceChildren(
      ...[...wanted].flatMap((number) => {
        const told = spread.querySelector(`[data-thread="${number}"]`);
        return told ? [...told.children].map((child) => child.cloneNode(true)) : [];
      }),
    );
  };
  const hide = (spread) => {
    unlight(spread);
    const panel = spread.querySelector(".thread");
    const hint = document.createElement("p");
    hint.className = "quiet";
    hint.textContent = panel.dataset.hint;
    panel.replaceChildren(hint);
  };
  const valueAt = (event) => event.target.closest?.(".v[data-t]");
  document.addEventListener("mouseover", (event) => {
    const value = valueAt(event);
    if (value && !pinned) show(value);
  });
  document.addEventListener("focusin", (event) => {
    const value = valueAt(event);
    if (!value) return;
    pinned = null;
    show(value);
  });
  document.addEventListener("click", (event) => {
    const value = valueAt(event);
    if (!value) return;
    pinned = pinned === value ? null : value;
    show(value);
  });
  document.addEventListener("keydown", (event) => {
    const value = valueAt(event);
    if (!value) return;
    const spread = value.closest("[data-spread]");
    if (event.key === "Escape") {
      pinned = null;
      value.blur();
      hide(spread);
      return;
    }
    const form = value.closest(".form");
    const own = all(".v[data-t]", form);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const side = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    let next = null;
    if (step) next = own[own.indexOf(value) + step];
    if (side) {
      // to the fellow in the next form that has one
      const forms = all(".form", spread);
      for (let at = forms.indexOf(form) + side; !next && forms[at]; at += side) next = forms[at].querySelector(".v.is-lit");
    }
    if (event.key === "Enter" || event.key === " ") pinned = value;
    if (step || side || event.key === " ") event.preventDefault();
    next?.focus();
  });

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
