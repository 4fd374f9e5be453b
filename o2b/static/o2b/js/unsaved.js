// Forms with [data-unsaved] ask before what was typed is left behind; saving and buttons of the form leave freely.
(() => {
  "use strict";
  let dirty = false;
  const of = (event) => event.target.closest?.("form[data-unsaved]");
  document.addEventListener("input", (event) => { if (of(event)) dirty = true; });
  document.addEventListener("submit", (event) => { if (of(event)) dirty = false; });
  // A row that came or went by htmx is a change too.
  document.addEventListener("htmx:afterSwap", (event) => { if (event.detail.target?.matches?.("form[data-unsaved]")) dirty = true; });
  addEventListener("beforeunload", (event) => { if (dirty && document.querySelector("form[data-unsaved]")) event.preventDefault(); });
})();
