// Work by keyboard: n claims the next, c and h act on the row one is at, arrows walk a board; after a claim one types at once.
(() => {
  "use strict";
  const typing = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog[open]");
  const row = () => document.activeElement?.closest?.("[data-row]");
  const press = (key) => {
    const button = row()?.querySelector(`[data-do="${key}"]`) ?? document.querySelector(`[data-key-press="${key}"]`);
    if (!button || button.disabled) return false;
    button.click();
    return true;
  };
  const links = (column) => [...column.querySelectorAll("[data-row]")].map((card) => card.querySelector("a[href]")).filter(Boolean);
  const walk = (across, down) => {
    const columns = [...document.querySelectorAll("[data-column]")].map(links);
    if (!columns.some((column) => column.length)) return false;
    const at = columns.findIndex((column) => column.some((link) => row()?.contains(link)));
    if (at < 0) { columns.find((column) => column.length)[0].focus(); return true; }
    const here = columns[at].findIndex((link) => row().contains(link));
    let to = at + across;
    while (across && columns[to] && !columns[to].length) to += across;
    const column = columns[to] ?? columns[at];
    const next = column[Math.max(0, Math.min(here + down, column.length - 1))];
    next.focus();
    next.scrollIntoView({ block: "nearest" });
    return true;
  };
  const deeds = {
    n: () => press("n"), c: () => press("c"), h: () => press("h"),
    ArrowLeft: () => walk(-1, 0), ArrowRight: () => walk(1, 0), ArrowUp: () => walk(0, -1), ArrowDown: () => walk(0, 1),
  };
  let going = false;
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.altKey || !(event.target instanceof Element)) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "Enter") { event.target.closest("form[data-complete]")?.requestSubmit(); return; }
    if (event.ctrlKey || event.metaKey || typing(event.target)) return;
    // "g" and a letter goes to a place: that letter is not for us.
    if (going) { going = false; return; }
    if (event.key === "g") { going = true; setTimeout(() => { going = false; }, 1500); return; }
    if (deeds[event.key]?.()) event.preventDefault();
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches?.("[data-all]")) return;
    for (const box of event.target.form.querySelectorAll('input[name="task"]')) box.checked = event.target.checked;
  });
  const claimed = location.hash.startsWith("#task-") && document.getElementById(location.hash.slice(1));
  const wrong = document.querySelector("[data-work] .wrong input:not([type=hidden]), [data-work] .wrong textarea");
  const field = "form[data-complete] input:not([type=hidden]), form[data-complete] textarea";
  const first = wrong ?? (claimed && (claimed.querySelector('[aria-pressed="false"]') ?? claimed.querySelector(field)));
  // Going to the fragment takes the focus away; so afterwards.
  const begin = () => setTimeout(() => first && first.focus());
  if (document.readyState === "complete") begin(); else addEventListener("load", begin);
})();
