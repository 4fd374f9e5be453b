// The keyboard: "/" searches, "?" helps, g and a letter goes to a place, j and k walk the rows, Enter opens one.
(() => {
  "use strict";
  let going = false;
  let timer;
  const typing = (element) => element.closest("input, textarea, select, [contenteditable], dialog[open]");

  const walk = (step) => {
    const links = [...document.querySelectorAll("[data-row]")].map((row) => row.querySelector("a[href]")).filter(Boolean);
    if (!links.length) return;
    const row = document.activeElement.closest?.("[data-row]");
    const now = links.findIndex((link) => row?.contains(link));
    const next = links[Math.min(Math.max(now + step, 0), links.length - 1)];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const go = (key) => {
    const place = [...document.querySelectorAll("[data-key]")].find((link) => link.dataset.key === key);
    if (place) location.assign(place.href);
  };
  const deeds = {
    "/": () => document.getElementById("search")?.focus(),
    "?": () => document.getElementById("keys")?.showModal(),
    j: () => walk(1),
    k: () => walk(-1),
    g: () => { going = true; clearTimeout(timer); timer = setTimeout(() => { going = false; }, 1500); },
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (!(event.target instanceof Element) || typing(event.target)) return;
    if (going) { going = false; event.preventDefault(); go(event.key); return; }
    const deed = deeds[event.key];
    if (deed) { event.preventDefault(); deed(); }
  });
})();
