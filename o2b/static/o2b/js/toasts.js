// Messages can be dismissed; good news goes by itself, unless somebody is reading it.
(() => {
  "use strict";
  const STAY = 7000;
  const timers = new WeakMap();
  const leave = (toast) => toast.remove();
  const start = (toast) => {
    if (toast.matches(".error, .warning")) return;
    timers.set(toast, setTimeout(leave, STAY, toast));
  };
  const stop = (toast) => clearTimeout(timers.get(toast));

  const region = document.getElementById("toasts");
  if (!region) return;
  const of = (event) => event.target.closest?.(".toast");
  region.addEventListener("click", (event) => { if (event.target.closest("[data-close]")) leave(of(event)); });
  for (const name of ["mouseover", "focusin"]) region.addEventListener(name, (event) => { const toast = of(event); if (toast) stop(toast); });
  for (const name of ["mouseout", "focusout"]) region.addEventListener(name, (event) => { const toast = of(event); if (toast) { stop(toast); start(toast); } });
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.addedNodes) if (node.classList?.contains("toast")) start(node);
  }).observe(region, { childList: true });
  region.querySelectorAll(".toast").forEach(start);
})();
