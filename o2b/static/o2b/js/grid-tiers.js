// What opens under a row of the grid: further cells, and tiers as a table of their own.
(() => {
  "use strict";
  const grid = window.o2bGrid;
  if (!grid) return;
  const { words, columns, rows } = grid;
  const TIERED = new Set(["graduated", "volume", "stairstep", "graduated_percentage"]);
  const PARTS = [["up_to", words.upto], ["unit_price", words.price], ["flat_fee", words.fee], ["block", words.block]];

  const parse = (text) => text.split(";").map((part) => part.trim()).filter(Boolean).map((part) => {
    const [upTo = "", price = "", fee = "", block = ""] = part.split(":").map((each) => each.trim());
    return { up_to: upTo === "*" ? "" : upTo, unit_price: price, flat_fee: fee, block };
  });
  const write = (tiers) => tiers.map((tier) => {
    const said = [tier.up_to || "*", tier.unit_price, tier.flat_fee, tier.block];
    while (said.length > 2 && !said.at(-1)) said.pop();
    return said.join(":");
  }).join("; ");

  const make = (name, props = {}, ...children) => {
    const made = Object.assign(document.createElement(name), props);
    made.append(...children);
    return made;
  };

  const table = (tr) => {
    const row = rows.get(tr);
    const tiers = parse(row.cells.tiers ?? "");
    const put = (next, focus) => {
      grid.change([[tr, "tiers", write(next)]]);
      if (!focus) return;
      refresh(tr);
      tr.more.querySelector(focus)?.focus();
    };
    const head = make("tr", {}, ...PARTS.map(([, title]) => { const th = make("th", { scope: "col", textContent: title }); th.className = "r"; return th; }), make("th", {}, make("span", { className: "hidden", textContent: words.removeTier })));
    const lines = tiers.map((tier, i) => {
      const cells = PARTS.map(([part, title]) => {
        const input = make("input", { value: tier[part], inputMode: "decimal", autocomplete: "off", className: "tier-input" });
        if (part === "up_to" && i === tiers.length - 1) input.placeholder = words.above;
        input.setAttribute("aria-label", `${title} ${i + 1}`);
        input.dataset.tier = `${i}-${part}`;
        input.addEventListener("change", () => {
          const next = parse(row.cells.tiers ?? "");
          next[i][part] = input.value.trim();
          put(next);
        });
        input.addEventListener("keydown", (event) => {
          if (event.key === "Enter") { event.preventDefault(); (tr.more.querySelector(`[data-tier="${i + 1}-${part}"]`) ?? tr.more.querySelector(".tier-add")).focus(); }
          if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); input.value = tier[part]; grid.focus(grid.cellsOf(tr, "tiers")[0]); }
        });
        const td = make("td", { className: "r" }, input);
        const fault = (row.tierFaults ?? []).find((each) => each.tier === i && (each.part || "up_to") === part);
        if (fault) {
          input.setAttribute("aria-invalid", "true");
          const note = make("small", { className: "cell-fault", textContent: fault.message, id: `fault-tier-${row.id ?? "new"}-${i}-${part}` });
          input.setAttribute("aria-describedby", note.id);
          td.append(note);
        }
        return td;
      });
      const remove = make("button", { type: "button", className: "plain", textContent: "×", title: words.removeTier });
      remove.setAttribute("aria-label", `${words.removeTier} ${i + 1}`);
      remove.addEventListener("click", () => put(parse(row.cells.tiers).filter((_, n) => n !== i), ".tier-add"));
      return make("tr", {}, ...cells, make("td", {}, remove));
    });
    const add = make("button", { type: "button", className: "button small tier-add", textContent: words.addTier });
    add.addEventListener("click", () => {
      const next = parse(row.cells.tiers ?? "");
      const last = next.at(-1);
      // The last tier stays without an end: the new one goes before it.
      if (last && !last.up_to) next.splice(-1, 0, { up_to: "", unit_price: last.unit_price, flat_fee: "", block: "" });
      else next.push({ up_to: "", unit_price: "0", flat_fee: "", block: "" });
      const at = last && !last.up_to ? next.length - 2 : next.length - 1;
      put(next, `[data-tier="${at}-${at === next.length - 1 ? "unit_price" : "up_to"}"]`);
    });
    const parts = lines.length ? [make("table", { className: "tiers" }, make("thead", {}, head), make("tbody", {}, ...lines))] : [];
    return make("div", { className: "tier-box" }, ...parts, add);
  };

  const further = (tr) => {
    const more = make("tr", { className: "grid-more" });
    const cell = make("td", { colSpan: grid.main.length + 1 });
    const list = make("div", { className: "more-cells" });
    for (const column of columns.filter((each) => !each.main)) {
      const value = make("div", { className: "more-cell", tabIndex: -1 });
      value.dataset.col = column.name;
      value.setAttribute("role", "gridcell");
      value.setAttribute("aria-label", column.title);
      list.append(make("div", { className: "more-field" }, make("span", { textContent: column.title }), value));
    }
    cell.append(make("div", { className: "tier-place" }), list);
    more.append(cell);
    more.owner = tr;
    tr.more = more;
    tr.after(more);
    for (const column of columns.filter((each) => !each.main)) grid.show(tr, column.name);
  };

  const refresh = (tr) => {
    if (!tr.more) return;
    const place = tr.more.querySelector(".tier-place");
    const row = rows.get(tr);
    const shown = TIERED.has(row.cells.model) || row.cells.tiers;
    const focused = place.contains(document.activeElement) ? document.activeElement.dataset.tier : "";
    place.replaceChildren(...(shown ? [table(tr)] : []));
    if (focused) place.querySelector(`[data-tier="${focused}"]`)?.focus();
  };
  const toggle = (tr, open = !tr.more || tr.more.hidden) => {
    if (!tr.more) further(tr);
    tr.more.hidden = !open;
    tr.querySelector(".grid-open").setAttribute("aria-expanded", String(open));
    refresh(tr);
  };
  const enter = (tr) => {
    toggle(tr, true);
    (tr.more.querySelector(".tier-input") ?? tr.more.querySelector(".tier-add") ?? tr.more.querySelector(".more-cell"))?.focus();
  };
  // A cell that is left is drawn again once the next one has the keyboard: it must not be taken away.
  const later = (tr) => setTimeout(refresh, 0, tr);
  grid.tiers = { toggle, refresh, enter, later };
})();
