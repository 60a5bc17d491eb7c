// A detached signature from a file into its field: read here, never sent as a file.
"use strict";

document.addEventListener("change", async (event) => {
  const { files, dataset } = event.target;
  if (!dataset.into || !files?.length) return;
  const field = document.getElementById(dataset.into);
  if (files[0].size > 4096) {
    field.value = "";
    return;
  }
  const bytes = new Uint8Array(await files[0].arrayBuffer());
  const isText = bytes.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
  field.value = isText ? new TextDecoder().decode(bytes).trim() : btoa(String.fromCharCode(...bytes));
});
