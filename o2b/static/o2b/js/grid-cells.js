// The grid's cells: what each row says, how it is shown, the editor that opens in a cell, and undo.
(() => {
  "use strict";
  const area = document.getElementById("grid-area");
  if (!area) return;
  const words = area.dataset;
  const columns = JSON.parse(words.columns);
  const byName = new Map(columns.map((column) => [column.name, column]));
  const main = columns.filter((column) => column.main);
  const body = document.querySelector("#grid tbody");
  const rows = new Map(); // tr → {id, cells, saved, deleted, faults}
  const steps = []; // what can be undone, each a list of functions

  const grid = { area, words, columns, byName, main, body, rows, listeners: [] };
  window.o2bGrid = grid;
  grid.changed = () => { for (const listener of grid.listeners) listener(); };

  grid.remember = (backwards) => { steps.push(backwards); if (steps.length > 500) steps.shift(); grid.changed(); };
  grid.canUndo = () => steps.length > 0;
  grid.undo = () => { const step = steps.pop(); if (!step) return false; step(); grid.changed(); return true; };

  // Where tiers or rates price, no unit price counts: it is shown so, cannot be typed, and is sent as 0.
  const unpriced = JSON.parse(words.unpriced);
  grid.unused = (cells, name) => (name === "unit_price" && unpriced[cells.model]) || "";
  grid.value = (cells, name) => grid.unused(cells, name) ? "0" : cells[name] ?? "";
  const differs = (row, name) => grid.value(row.cells, name) !== grid.value(row.saved, name);
  grid.isChanged = (row) => row.deleted ? row.id !== null : (row.id === null ? Object.keys(row.cells) : columns.map(({ name }) => name)).some((name) => differs(row, name));

  const spoken = (column, text) => {
    if (column.kind === "choice") return column.choices.find(([value]) => value === text)?.[1] ?? text;
    if (column.kind !== "tiers" || !text) return text;
    const count = text.split(";").filter((part) => part.trim()).length;
    return `${count} ${count === 1 ? words.tier : words.tiers}`;
  };

  // Show one cell again: its text, whether it differs, what is wrong with it.
  grid.show = (tr, name) => {
    const row = rows.get(tr);
    for (const cell of grid.cellsOf(tr, name)) {
      const unused = grid.unused(row.cells, name);
      const fault = row.faults.get(name);
      cell.textContent = unused || spoken(byName.get(name), row.cells[name] ?? "");
      cell.toggleAttribute("data-changed", differs(row, name));
      if (unused) cell.setAttribute("aria-readonly", "true"); else cell.removeAttribute("aria-readonly");
      cell.removeAttribute("aria-invalid");
      cell.removeAttribute("aria-describedby");
      if (!fault) continue;
      const note = document.createElement("small");
      note.className = "cell-fault";
      note.id = `fault-${[...body.rows].indexOf(tr)}-${name}`;
      note.textContent = fault;
      cell.append(note);
      cell.setAttribute("aria-invalid", "true");
      cell.setAttribute("aria-describedby", note.id);
    }
    tr.toggleAttribute("data-changed", grid.isChanged(row));
  };
  grid.showRow = (tr) => {
    const row = rows.get(tr);
    for (const { name } of columns) grid.show(tr, name);
    tr.classList.toggle("gone", row.deleted);
    const lead = tr.querySelector(".grid-remove");
    lead.textContent = row.deleted ? "↺" : "×";
    lead.setAttribute("aria-label", row.deleted ? words.restore : words.remove);
    lead.title = lead.getAttribute("aria-label");
    grid.tiers?.refresh(tr);
  };
  grid.cellsOf = (tr, name) => [tr, tr.more].filter(Boolean).flatMap((one) => [...one.querySelectorAll(`[data-col="${CSS.escape(name)}"]`)]);

  grid.put = (tr, name, text) => {
    const row = rows.get(tr);
    row.cells[name] = text;
    row.faults.delete(name);
    if (name === "tiers") row.tierFaults = [];
    grid.show(tr, name);
    if (name === "model") grid.show(tr, "unit_price");
    if (name === "tiers" || name === "model") grid.tiers?.later(tr);
  };
  // Change some cells as one step: [[tr, name, text], …].
  grid.change = (changes, after = () => {}) => {
    const before = changes.map(([tr, name]) => [tr, name, rows.get(tr).cells[name] ?? ""]);
    if (before.every(([, , text], i) => text === changes[i][2])) return;
    for (const [tr, name, text] of changes) grid.put(tr, name, text);
    grid.remember(() => { for (const [tr, name, text] of before) grid.put(tr, name, text); after(); });
  };

  // Rows that come and go.
  grid.adopt = (tr) => {
    const cells = JSON.parse(tr.dataset.cells || words.new);
    rows.set(tr, { id: tr.dataset.id ? Number(tr.dataset.id) : null, cells, saved: { ...cells }, deleted: false, faults: new Map(), tierFaults: [] });
    const lead = tr.querySelector(".grid-lead");
    const link = lead.querySelector("a");
    const open = Object.assign(document.createElement("button"), { type: "button", className: "grid-open plain", textContent: "▸", title: words.open });
    open.setAttribute("aria-label", words.open);
    open.setAttribute("aria-expanded", "false");
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "grid-remove plain", textContent: "×" });
    open.tabIndex = remove.tabIndex = -1;
    lead.prepend(open, remove);
    if (link) link.classList.add("grid-form");
    for (const cell of tr.querySelectorAll("[data-col]")) { cell.tabIndex = -1; cell.setAttribute("role", "gridcell"); }
    grid.showRow(tr);
  };
  grid.addRow = (after = null) => {
    document.getElementById("grid-empty")?.remove();
    const tr = document.createElement("tr");
    tr.dataset.cells = words.new;
    tr.append(Object.assign(document.createElement("td"), { className: "grid-lead" }));
    for (const column of main) {
      const td = document.createElement("td");
      td.dataset.col = column.name;
      td.dataset.label = column.title;
      if (column.kind === "number") td.className = "r";
      tr.append(td);
    }
    if (after) (after.more ?? after).after(tr); else body.append(tr);
    grid.adopt(tr);
    rows.get(tr).fresh = true;
    return tr;
  };
  grid.dropRow = (tr) => { tr.more?.remove(); tr.remove(); rows.delete(tr); };
  grid.removeRow = (tr) => {
    const row = rows.get(tr);
    const was = row.deleted;
    row.deleted = !was;
    grid.showRow(tr);
    grid.remember(() => { row.deleted = was; grid.showRow(tr); });
  };
  grid.order = () => [...body.rows].filter((tr) => rows.has(tr));

  // The editor in a cell: it commits by Enter, Tab and leaving, and gives up by Escape.
  grid.edit = (cell, { typed = null, done = () => {} } = {}) => {
    const tr = grid.rowOf(cell);
    const column = byName.get(cell.dataset.col);
    const row = rows.get(tr);
    if (row.deleted || cell.querySelector(".grid-input")) return;
    const text = row.cells[column.name] ?? "";
    const input = document.createElement(column.kind === "choice" ? "select" : "input");
    input.className = "grid-input";
    input.setAttribute("aria-label", column.title);
    if (column.kind === "choice") for (const [value, label] of column.choices) input.append(new Option(label, value));
    else {
      input.autocomplete = "off";
      if (column.kind === "number") input.inputMode = "decimal";
      if (column.kind === "product") input.setAttribute("list", "product-codes");
      if (column.kind === "interval") input.setAttribute("list", "intervals");
    }
    cell.replaceChildren(input);
    input.value = typed !== null && column.kind !== "choice" ? typed : text;
    input.focus();
    if (typed === null) input.select?.();
    let over = false;
    const finish = (keep, way = "") => {
      if (over) return;
      over = true;
      if (keep && input.value !== text) grid.change([[tr, column.name, input.value]]);
      grid.show(tr, column.name);
      done(way);
    };
    input.addEventListener("keydown", (event) => {
      event.stopPropagation();
      const way = event.key === "Enter" ? (event.shiftKey ? "up" : "down") : event.key === "Tab" ? (event.shiftKey ? "left" : "right") : "";
      if (event.key === "Escape") { event.preventDefault(); finish(false, "stay"); }
      else if ((event.ctrlKey || event.metaKey) && event.key === "s") { event.preventDefault(); finish(true, "stay"); grid.save(); }
      else if (way) { event.preventDefault(); finish(true, way); }
    });
    input.addEventListener("blur", () => finish(true));
  };
  grid.rowOf = (element) => { const tr = element.closest("tr"); return tr.owner ?? tr; };
})();
