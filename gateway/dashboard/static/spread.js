// A message in its three forms: a value lights its fellows and its line of the trace, and a line its values.
"use strict";

(() => {
  const all = (selector, within) => [...within.querySelectorAll(selector)];

  let pinned = null;
  const unlight = (spread) => {
    for (const lit of all(".is-lit", spread)) lit.classList.remove("is-lit", "is-from");
  };
  // value: where the hand is, a value of one of the forms or a line of the trace
  const show = (value) => {
    const spread = value.closest("[data-spread]");
    const wanted = new Set((value.dataset.t ?? value.dataset.thread).split(" "));
    unlight(spread);
    for (const other of all(".v[data-t]", spread)) {
      if (other.dataset.t.split(" ").some((number) => wanted.has(number))) other.classList.add("is-lit");
    }
    for (const line of all("[data-thread]", spread)) line.classList.toggle("is-lit", wanted.has(line.dataset.thread));
    value.classList.add("is-from");
    for (const form of all(".form", spread)) {
      const lit = form.querySelector(".v.is-lit");
      const code = form.querySelector(".code");
      if (!lit || !code || form.contains(value)) continue;
      // within its own box only: the page itself stays where it is
      const off = lit.getBoundingClientRect().top - code.getBoundingClientRect().top;
      if (off < 0 || off > code.clientHeight - 20) code.scrollTop += off - code.clientHeight / 3;
    }
    const list = spread.querySelector(".threads");
    const told = list?.querySelector(".is-lit");
    if (told && !list.contains(value) && list.scrollHeight > list.clientHeight) {
      list.scrollTop += told.getBoundingClientRect().top - list.getBoundingClientRect().top - 40;
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
    if (pinned) return;
    if (value) show(value);
    else {
      const line = event.target.closest?.("[data-spread] [data-thread]");
      if (line) show(line);
    }
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
})();
