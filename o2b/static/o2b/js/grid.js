// The grid as a whole: where the keyboard is, what each key does, and blocks pasted from a spreadsheet.
(() => {
  "use strict";
  const grid = window.o2bGrid;
  if (!grid) return;
  const { area, body, rows, main, columns, words } = grid;
  const table = document.getElementById("grid");
  table.setAttribute("role", "grid");
  area.classList.add("live");
  for (const tr of [...body.rows]) grid.adopt(tr);
  let here = body.querySelector("[data-col]");
  if (here) here.tabIndex = 0;
  grid.changed();

  grid.focus = (cell) => {
    if (!cell) return;
    if (here) here.tabIndex = -1;
    here = cell;
    cell.tabIndex = 0;
    cell.focus();
    cell.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const cells = (tr) => [...tr.querySelectorAll("[data-col]")];
  const lines = () => [...body.rows].filter((tr) => !tr.hidden && cells(tr).length);
  const step = (cell, down, across) => {
    const all = lines();
    const line = all.indexOf(cell.closest("tr"));
    const place = cells(all[line]).indexOf(cell);
    if (down) {
      const next = all[line + down];
      return next ? cells(next)[Math.min(place, cells(next).length - 1)] : null;
    }
    return cells(all[line])[place + across] ?? null;
  };
  // Across the end of a row into the next one, as Tab does.
  const onwards = (cell, by) => {
    const all = lines().flatMap(cells);
    return all[all.indexOf(cell) + by] ?? null;
  };
  const go = (cell, way) => {
    const next = { down: () => step(cell, 1, 0), up: () => step(cell, -1, 0), left: () => onwards(cell, -1), right: () => onwards(cell, 1), stay: () => cell }[way]?.();
    if (way) grid.focus(next ?? cell);
  };
  const edit = (cell, typed = null) => {
    const tr = grid.rowOf(cell);
    const unused = grid.unused(rows.get(tr).cells, cell.dataset.col);
    if (typed === null && (cell.dataset.col === "tiers" || unused)) { grid.tiers.enter(tr); return; }
    if (unused) { grid.say(words.noprice); return; }
    grid.edit(cell, { typed, done: (way) => go(cell, way) });
  };
  const add = (after = null) => {
    const tr = grid.addRow(after);
    grid.remember(() => grid.dropRow(tr));
    return tr;
  };

  const clear = (cell) => {
    const tr = grid.rowOf(cell);
    if (!grid.unused(rows.get(tr).cells, cell.dataset.col)) grid.change([[tr, cell.dataset.col, ""]]);
  };

  const keys = {
    ArrowDown: (cell) => grid.focus(step(cell, 1, 0)),
    ArrowUp: (cell) => grid.focus(step(cell, -1, 0)),
    ArrowLeft: (cell) => grid.focus(step(cell, 0, -1)),
    ArrowRight: (cell) => grid.focus(step(cell, 0, 1)),
    Home: (cell) => grid.focus(cells(cell.closest("tr"))[0]),
    End: (cell) => grid.focus(cells(cell.closest("tr")).at(-1)),
    Enter: (cell) => edit(cell),
    F2: (cell) => edit(cell),
    Delete: clear,
    Backspace: clear,
    Escape: () => document.getElementById("grid-save").focus(),
  };
  const withControl = {
    z: () => { if (grid.undo()) grid.say(words.undone); },
    s: () => grid.save(),
    Home: () => grid.focus(lines().flatMap(cells)[0]),
    End: () => grid.focus(lines().flatMap(cells).at(-1)),
    Delete: (cell) => grid.removeRow(grid.rowOf(cell)),
    Enter: (cell) => grid.focus(cells(add(grid.rowOf(cell)))[0]),
  };

  table.addEventListener("keydown", (event) => {
    const cell = event.target.closest?.("[data-col]");
    if (!cell || event.target !== cell || event.isComposing) return;
    const control = event.ctrlKey || event.metaKey;
    if (event.key === "Tab" && !control && !event.altKey) {
      const next = onwards(cell, event.shiftKey ? -1 : 1);
      if (next) { event.preventDefault(); grid.focus(next); }
      return;
    }
    const deed = control ? withControl[event.key] : event.altKey ? null : keys[event.key];
    if (deed) { event.preventDefault(); event.stopPropagation(); deed(cell); return; }
    if (!control && !event.altKey && event.key.length === 1) { event.preventDefault(); event.stopPropagation(); edit(cell, event.key); }
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.defaultPrevented) return;
    const typing = event.target.matches?.("input, textarea, select");
    if (event.key === "s") { event.preventDefault(); document.activeElement?.blur?.(); grid.save(); }
    else if (event.key === "z" && !typing && withControl.z) { event.preventDefault(); withControl.z(); }
  });
  table.addEventListener("focusin", (event) => {
    const cell = event.target;
    if (cell.matches("[data-col]") && cell !== here) { if (here) here.tabIndex = -1; here = cell; cell.tabIndex = 0; }
  });
  table.addEventListener("click", (event) => {
    if (event.target.closest("input, select")) return;
    const tr = event.target.closest("tr");
    if (event.target.closest(".grid-open")) { grid.tiers.toggle(tr); return; }
    if (event.target.closest(".grid-remove")) { grid.removeRow(tr); return; }
    const cell = event.target.closest("[data-col]");
    // On a phone one touch edits; with a mouse the second click does.
    if (cell && (cell === table.clicked || matchMedia("(pointer: coarse)").matches)) edit(cell);
    table.clicked = cell;
    if (cell && !cell.contains(document.activeElement)) grid.focus(cell);
  });
  table.addEventListener("dblclick", (event) => {
    const cell = event.target.closest("[data-col]");
    if (cell && !event.target.closest("input, select")) edit(cell);
  });
  document.getElementById("grid-add").addEventListener("click", () => grid.focus(cells(add())[0]));

  // A block from a spreadsheet: from this cell on, or by its own headers; rows that lack are added.
  const block = (text) => {
    const lines = text.replace(/\r\n?/g, "\n").replace(/\n$/, "").split("\n");
    return lines.map((line) => line.split("\t").map((each) => each.trim().replace(/^"(.*)"$/s, "$1").replaceAll('""', '"')));
  };
  const meant = (column, text) => {
    const found = column.choices.find(([value, label]) => [value, label].some((each) => each.toLowerCase() === text.toLowerCase()));
    return found ? found[0] : text;
  };
  const paste = (cell, text) => {
    const pasted = block(text);
    const headers = pasted[0].map((head) => columns.find((column) => column.name === head.toLowerCase() || column.title.toLowerCase() === head.toLowerCase()));
    const byHeaders = headers.filter(Boolean).length >= 2;
    const at = main.findIndex((column) => column.name === cell.dataset.col);
    const places = byHeaders ? headers : (at < 0 ? [grid.byName.get(cell.dataset.col)] : main.slice(at));
    const lines = byHeaders ? pasted.slice(1) : pasted;
    let order = grid.order();
    const from = byHeaders ? order.length : order.indexOf(grid.rowOf(cell));
    const added = [];
    while (order.length < from + lines.length) { added.push(grid.addRow()); order = grid.order(); }
    const changes = [];
    lines.forEach((line, n) => line.forEach((each, m) => { if (places[m]) changes.push([order[from + n], places[m].name, meant(places[m], each)]); }));
    const before = changes.map(([tr, name]) => [tr, name, rows.get(tr).cells[name] ?? ""]);
    for (const [tr, name, each] of changes) grid.put(tr, name, each);
    grid.remember(() => { for (const [tr, name, each] of before) grid.put(tr, name, each); for (const tr of added) grid.dropRow(tr); });
    grid.say(`${words.pasted.replace("%n", lines.length)} ${document.getElementById("grid-state").textContent}`);
    grid.focus(grid.cellsOf(order[from], places.find(Boolean).name)[0]);
  };
  document.addEventListener("paste", (event) => {
    const cell = document.activeElement?.closest?.("#grid [data-col]");
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!text || !area.contains(document.activeElement)) return;
    if (cell && document.activeElement === cell) { event.preventDefault(); paste(cell, text); }
    else if (!cell && document.activeElement.id === "grid-add") { event.preventDefault(); const tr = add(); paste(cells(tr)[0], text); }
  });
  document.addEventListener("copy", (event) => {
    const cell = document.activeElement;
    if (!cell?.matches?.("#grid [data-col]") || String(getSelection())) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", grid.value(rows.get(grid.rowOf(cell)).cells, cell.dataset.col));
  });
})();
