// The playground: lines of the editor, files as exact bytes, findings that lead to their line, links that carry all.
"use strict";

(() => {
  const LINE = 20; // px, as the style sheet says
  const PAD = 8;
  const LARGEST = 1 << 20;
  const play = document.getElementById("play");
  const find = (selector) => play.querySelector(selector);
  const findings = () => [...play.querySelectorAll("#findings > li[data-line]")];

  // --- bytes and text ---

  const toBase64 = (bytes) => {
    let text = "";
    for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    return btoa(text);
  };
  const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  // only to be looked at: the server reads the bytes themselves, and tells by this text whether it was changed
  const read = (bytes) => {
    const isXml = /^\s*</.test(String.fromCharCode(...bytes.subarray(0, 64)));
    return new TextDecoder(isXml ? "gb18030" : "utf-8", { ignoreBOM: true }).decode(bytes).replace(/\r\n?/g, "\n");
  };

  // --- the editor: numbers and stripes follow the text ---

  let counted = -1;
  const draw = () => {
    const message = find("#message");
    const lines = message.value.split("\n").length;
    const gutter = find(".gutter");
    if (lines !== counted || !gutter.firstChild) {
      counted = lines;
      const numbers = document.createElement("pre");
      numbers.textContent = Array.from({ length: lines }, (_, at) => at + 1).join("\n");
      gutter.replaceChildren(numbers);
    }
    bytes();
    scroll();
  };
  const bytes = () => {
    const said = find("#bytes");
    said.classList.replace("ink-bad", "quiet");
    const raw = find("[name=raw]").value;
    const typed = find("#message").value;
    if (!typed) said.textContent = "";
    else if (raw) said.textContent = `${said.dataset.exact} · ${fromBase64(raw).length} B`;
    else said.textContent = said.dataset.typed;
  };
  const mark = () => {
    const gutter = find(".gutter");
    const stripes = [];
    for (const old of gutter.querySelectorAll(".flag")) old.remove();
    for (const finding of findings()) {
      const line = Number(finding.dataset.line);
      for (const [name, into] of [["stripe", stripes], ["flag", gutter]]) {
        const element = document.createElement("div");
        element.className = `${name}${finding.classList.contains("parks") ? " parks" : ""}`;
        element.dataset.line = line;
        if (name === "flag") element.textContent = line;
        if (into === stripes) stripes.push(element);
        else gutter.append(element);
      }
    }
    find(".stripes").replaceChildren(...stripes);
    find("#editor").classList.remove("is-stale");
    const [first] = findings();
    const message = find("#message");
    const top = first ? (Number(first.dataset.line) - 1) * LINE - message.scrollTop : 0;
    if (top < 0 || top > message.clientHeight - 2 * LINE) message.scrollTop += top - message.clientHeight / 3;
    scroll();
  };
  const scroll = () => {
    const top = find("#message").scrollTop;
    find(".gutter pre")?.style.setProperty("transform", `translateY(${-top}px)`);
    for (const each of play.querySelectorAll(".stripe, .flag")) {
      each.style.top = `${PAD + (Number(each.dataset.line) - 1) * LINE - top}px`;
    }
  };

  // lines and columns count characters, the browser counts UTF-16 units
  const unitsOf = (text, characters) => [...text].slice(0, characters).join("").length;
  const jump = (finding) => {
    const message = find("#message");
    const lines = message.value.split("\n");
    const { line, column, length } = Object.fromEntries(Object.entries(finding.dataset).map(([name, value]) => [name, Number(value)]));
    const text = lines[line - 1] ?? "";
    const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    const from = before + unitsOf(text, column - 1);
    message.focus({ preventScroll: true });
    message.setSelectionRange(from, Math.min(before + text.length, before + unitsOf(text, column - 1 + length)));
    message.scrollTop = Math.max(0, (line - 1) * LINE - message.clientHeight / 3);
    const wide = unitsOf(text, column - 1) * 7.6;
    message.scrollLeft = wide > message.clientWidth - 120 ? wide - message.clientWidth / 2 : 0;
    find("#editor").scrollIntoView({ block: "nearest" });
    for (const other of findings()) other.classList.toggle("is-here", other === finding);
  };

  // --- files ---

  const load = async (file) => {
    find("[name=file]").value = ""; // what is sent is the text and its bytes, never the file beside them
    if (file.size > LARGEST) {
      find("#bytes").textContent = find("#bytes").dataset.large;
      find("#bytes").classList.replace("quiet", "ink-bad");
      return;
    }
    const content = new Uint8Array(await file.arrayBuffer());
    find("#message").value = read(content);
    find("[name=raw]").value = toBase64(content);
    forget();
    draw();
    find("#try").requestSubmit();
  };
  const forget = () => {
    if (location.hash || location.search) history.replaceState(null, "", play.dataset.path);
    find(".sample-name")?.remove();
  };

  // --- links: the sealed message stands in the fragment, which no browser sends ---

  const csrf = () => find("[name=csrf]")?.value ?? "";
  const share = async () => {
    const body = new FormData(find("#try"));
    body.delete("file");
    const answer = await fetch(`${play.dataset.path}share`, { method: "POST", body, headers: { "X-CSRF-Token": csrf() } });
    const told = await answer.json().catch(() => ({}));
    const dialog = document.getElementById("link");
    const address = dialog.querySelector("#link-address");
    const until = dialog.querySelector("#link-until");
    address.value = told.token ? `${location.origin}${play.dataset.path}#m=${told.token}` : "";
    until.textContent = told.token ? `${until.dataset.until} ${told.until}` : (told.sentence ?? "");
    dialog.querySelector("#link-copy").disabled = !told.token;
    dialog.showModal();
    address.select();
  };
  const open = async () => {
    const token = new URLSearchParams(location.hash.slice(1)).get("m");
    if (!token) return;
    const body = new FormData();
    body.set("token", token);
    body.set("csrf", csrf());
    const headers = { "X-CSRF-Token": csrf(), "HX-Request": "true" };
    const answer = await fetch(`${play.dataset.path}open`, { method: "POST", body, headers });
    const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
    play.replaceChildren(...parsed.body.childNodes);
    htmx.process(play);
    begin();
  };

  // --- hands ---

  const begin = () => {
    for (const each of play.querySelectorAll(".needs-script")) {
      each.hidden = false;
      each.classList.add("is-on");
    }
    counted = -1;
    draw();
    mark();
    find("#message").addEventListener("scroll", scroll, { passive: true });
    new ResizeObserver(scroll).observe(find("#editor"));
  };
  play.addEventListener("input", (event) => {
    if (event.target.id !== "message") return;
    find("[name=raw]").value = "";
    find("#editor").classList.add("is-stale");
    forget();
    draw();
  });
  play.addEventListener("change", (event) => {
    if (event.target.name === "file" && event.target.files[0]) load(event.target.files[0]);
    else if (event.target.matches("#rules, #on, #sender") && find("#message").value) find("#try").requestSubmit();
  });
  play.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      find("#try").requestSubmit();
    }
    if (event.key === "Escape" && event.target.closest("details.samples")) {
      const menu = event.target.closest("details");
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
  play.addEventListener("click", (event) => {
    const finding = event.target.closest("#findings > li[data-line]");
    if (finding && !event.target.closest("a")) jump(finding);
    if (event.target.closest("#share")) share();
    const saver = event.target.closest("[data-save]");
    if (saver) {
      const address = URL.createObjectURL(new Blob([fromBase64(saver.dataset.save)], { type: saver.dataset.type }));
      const link = document.createElement("a");
      link.href = address;
      link.download = saver.dataset.name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    }
  });
  for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
    play.addEventListener(type, (event) => {
      const editor = event.target.closest?.("#editor");
      if (!editor || ![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.preventDefault();
      editor.classList.toggle("is-over", type === "dragenter" || type === "dragover");
      if (type === "drop" && event.dataTransfer.files[0]) load(event.dataTransfer.files[0]);
    });
  }
  document.getElementById("link-copy").addEventListener("click", async (event) => {
    const button = event.currentTarget;
    await navigator.clipboard?.writeText(document.getElementById("link-address").value);
    button.lastChild.textContent = button.dataset.copied;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id === "play") {
      forget();
      begin();
    }
    if (event.detail.target?.id !== "outcome") return;
    for (const each of play.querySelectorAll("#outcome .needs-script")) each.classList.add("is-on");
    mark();
  });
  window.addEventListener("hashchange", open);
  begin();
  open();
})();
