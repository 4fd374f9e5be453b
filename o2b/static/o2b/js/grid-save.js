// Saving the grid: only changed rows are sent; faults come back beside their cells, and nothing typed is lost.
(() => {
  "use strict";
  const grid = window.o2bGrid;
  if (!grid) return;
  const { words, rows } = grid;
  const state = document.getElementById("grid-state");
  const save = document.getElementById("grid-save");
  const undo = document.getElementById("grid-undo");
  let leaving = false;
  let busy = false;

  const changed = () => grid.order().filter((tr) => { const row = rows.get(tr); return !(row.id === null && row.deleted) && (row.id === null || grid.isChanged(row)); });
  grid.say = (text, tone = "") => { state.textContent = text; state.className = tone; };
  grid.listeners.push(() => {
    const n = changed().length;
    grid.say(n ? (n === 1 ? words.one : words.many.replace("%n", n)) : words.clean);
    save.disabled = !n || busy;
    undo.disabled = !grid.canUndo();
  });

  const cellsOf = (row) => Object.fromEntries(Object.keys(row.cells).map((name) => [name, grid.value(row.cells, name)]).filter(([, text]) => text !== ""));
  const show = (faults, sent) => {
    const general = [];
    let first = null;
    for (const fault of faults) {
      const tr = sent[fault.row];
      if (!tr) { general.push(fault.message); continue; }
      const row = rows.get(tr);
      if (fault.tier !== null) { row.tierFaults.push(fault); row.faults.set("tiers", fault.message); grid.tiers.toggle(tr, true); }
      else row.faults.set(fault.column, row.faults.has(fault.column) ? `${row.faults.get(fault.column)} ${fault.message}` : fault.message);
      if (!grid.byName.get(fault.column)?.main) grid.tiers.toggle(tr, true);
      first ??= [tr, fault];
    }
    for (const tr of sent) grid.showRow(tr);
    grid.say([words.wrong, ...general].join(" "), "bad-text");
    if (!first) return;
    const [tr, fault] = first;
    const tier = fault.tier === null ? null : tr.more?.querySelector(`[data-tier="${fault.tier}-${fault.part || "up_to"}"]`);
    if (tier) tier.focus(); else grid.focus(grid.cellsOf(tr, fault.column)[0]);
  };

  grid.save = async () => {
    const sent = changed();
    if (busy || !sent.length) return;
    busy = true;
    save.disabled = true;
    grid.say(words.saving);
    for (const tr of sent) { const row = rows.get(tr); row.faults.clear(); row.tierFaults = []; grid.showRow(tr); }
    const body = JSON.stringify({ rows: sent.map((tr) => { const row = rows.get(tr); return row.deleted ? { id: row.id, delete: true } : { id: row.id, cells: cellsOf(row) }; }) });
    try {
      const answer = await fetch(words.url, { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json", "X-CSRFToken": words.csrf, Accept: "application/json" }, body });
      if (answer.redirected || !answer.headers.get("Content-Type")?.includes("json")) { grid.say(answer.ok ? words.login : document.body.dataset.broken, "bad-text"); return; }
      const told = await answer.json();
      if (answer.ok) { leaving = true; location.reload(); return; }
      if (told.faults) show(told.faults, sent); else grid.say(told.message, "bad-text");
    } catch {
      grid.say(words.offline, "bad-text");
    } finally {
      busy = false;
      save.disabled = false;
    }
  };
  save.addEventListener("click", grid.save);
  undo.addEventListener("click", () => grid.undo());
  addEventListener("beforeunload", (event) => { if (!leaving && changed().length) event.preventDefault(); });
})();
