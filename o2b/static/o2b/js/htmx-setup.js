// What htmx needs to know of us: which refusals are shown, what is said when nothing came back,
// and that a part which renews itself does not take the focus from who works by keyboard.
(() => {
  "use strict";
  const say = (text) => {
    const toast = document.createElement("div");
    toast.className = "toast error";
    toast.setAttribute("role", "alert");
    const words = document.createElement("p");
    words.textContent = text;
    toast.append(words);
    document.getElementById("toasts")?.append(toast);
  };

  // A refusal that names its own target (a toast) is shown whatever its status.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    if (xhr.status >= 400 && xhr.getResponseHeader("HX-Retarget")) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  document.addEventListener("htmx:responseError", (event) => {
    if (!event.detail.xhr.getResponseHeader("HX-Retarget")) say(document.body.dataset.broken);
  });
  // A part that renews itself by the clock asks again; only what a person did is worth a word.
  const byClock = (event) => /every/.test(event.detail.elt?.getAttribute?.("hx-trigger") ?? "");
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => { if (!byClock(event)) say(document.body.dataset.offline); });
  }

  // The new part holds no element of the old one: the focus goes to the one that is called the same.
  const nameOf = (it) => [it.tagName, it.getAttribute("href") ?? it.form?.getAttribute("action"), it.getAttribute("aria-label") ?? it.name ?? "", it.textContent.trim()].join("|");
  let held = null;
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const now = document.activeElement;
    held = now !== document.body && detail.target?.contains(now) ? nameOf(now) : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (held === null || document.activeElement !== document.body) return;
    const all = document.querySelectorAll("#main :is(a[href], button, summary, input, select, textarea)");
    [...all].find((it) => nameOf(it) === held)?.focus({ preventScroll: true });
    held = null;
  });
})();
