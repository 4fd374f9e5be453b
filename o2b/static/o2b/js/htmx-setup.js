// What htmx needs to know of us: which refusals are shown, and what is said when nothing came back.
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
})();
