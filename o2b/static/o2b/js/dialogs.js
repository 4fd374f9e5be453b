// Dialogs: [data-dialog=id] opens one, [data-close] closes it; a step that asks first becomes a dialog; menus close again.
(() => {
  "use strict";
  const ask = (details) => {
    const box = details.querySelector(".confirm-box");
    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    const title = box.querySelector("h2");
    if (title) dialog.setAttribute("aria-label", title.textContent);
    dialog.append(box);
    dialog.addEventListener("close", () => { details.append(box); dialog.remove(); details.querySelector("summary").focus(); });
    // In the body, so that a part of the page which renews itself does not take it away.
    document.body.append(dialog);
    dialog.showModal();
  };

  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!(target instanceof Element)) return;
    const summary = target.closest(".confirm > summary");
    if (summary) { event.preventDefault(); ask(summary.parentElement); return; }
    const opener = target.closest("[data-dialog]");
    if (opener) { document.getElementById(opener.dataset.dialog)?.showModal(); }
    if (target.closest("[data-close]")) target.closest("dialog")?.close();
    // A click on the backdrop is a click on the dialog itself.
    if (target instanceof HTMLDialogElement && target.open && outside(target, event)) target.close();
    for (const drop of document.querySelectorAll("details.drop[open]")) {
      if (!drop.contains(target) || opener) drop.open = false;
    }
  });
  const outside = (dialog, { clientX: x, clientY: y }) => {
    const edge = dialog.getBoundingClientRect();
    return x < edge.left || x > edge.right || y < edge.top || y > edge.bottom;
  };

  // What was sent from a dialog by htmx and answered leaves it, but for a form that comes back with errors.
  document.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, elt } = event.detail;
    if (xhr?.status !== 422 || xhr.getResponseHeader("HX-Retarget")) elt.closest?.("dialog[open]")?.close();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const drop of document.querySelectorAll("details.drop[open]")) {
      drop.open = false;
      drop.querySelector("summary").focus();
    }
  });
})();
