// The save bar: the admin shows it while a form has unsaved changes, and no link leads away from them.
//
//   <form data-save-bar>            by itself: shown while the form's data differ from what it was loaded with
//   <ui-save-bar id="…">            by hand: shopify.saveBar.show(id), hide(id), toggle(id); its buttons are pressed
//
// A form that arrives with an `error` on a field counts as changed: what it holds was refused, so it is not saved.

const baselines = new WeakMap(); // form → its data as loaded
let shownBy = null; // the form or <ui-save-bar> the bar is for

function dataOf(form) {
  return JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value instanceof File ? value.name : value]));
}

const changed = (form) => form.isConnected && (dataOf(form) !== baselines.get(form) || Boolean(form.querySelector("[error]:not([error=''])")));

function showBar(owner) {
  if (shownBy === owner) return;
  shownBy = owner;
  const options = owner.localName === "form" ? { discardConfirmation: owner.hasAttribute("data-discard-confirmation") } : {};
  tell("save-bar", { visible: true, ...options });
}

function hideBar(owner = shownBy) {
  if (!shownBy || shownBy !== owner) return;
  shownBy = null;
  tell("save-bar", { visible: false });
}

function lookAtForms() {
  if (shownBy && !shownBy.isConnected) hideBar();
  for (const form of document.querySelectorAll("form[data-save-bar]")) {
    if (!baselines.has(form)) baselines.set(form, dataOf(form));
    if (changed(form)) return showBar(form);
  }
  if (shownBy?.localName === "form") hideBar();
}

// After the elements have taken their values over from the markup.
const lookSoon = () => requestAnimationFrame(lookAtForms);

addEventListener("DOMContentLoaded", () => {
  lookSoon();
  new MutationObserver(lookSoon).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["error"] });
});
for (const type of ["input", "change", "reset"]) document.addEventListener(type, lookSoon);
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-save-bar]")) return;
  baselines.set(event.target, dataOf(event.target)); // it is being saved; what is refused comes back with errors
  lookSoon();
});

on("save-bar-action", ({ action }) => {
  const owner = shownBy;
  if (!owner) return;
  if (owner.localName === "form") {
    if (action === "save") owner.requestSubmit();
    else owner.reset();
    return;
  }
  const buttons = [...owner.querySelectorAll("button")];
  const save = buttons.find((button) => button.getAttribute("variant") === "primary");
  (action === "save" ? save : buttons.find((button) => button !== save))?.click();
});

// Unsaved changes first: a link that would leave them only makes the bar move.
window.addEventListener(
  "click",
  (event) => {
    const link = linkOf(event);
    if (!shownBy || !link || ["_blank"].includes(link.target) || link.getAttribute("href").startsWith("#")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    tell("save-bar", { visible: true, flash: true });
  },
  { capture: true },
);

customElements.define(
  "ui-save-bar",
  class extends HTMLElement {
    connectedCallback() {
      this.style.display = "none";
    }
  },
);

const barById = (id) => document.getElementById(id);

const saveBar = {
  show: async (id) => showBar(barById(id)),
  hide: async (id) => hideBar(barById(id)),
  toggle: async (id) => (shownBy === barById(id) ? hideBar(barById(id)) : showBar(barById(id))),
  /** Settles once nothing is left unsaved. */
  leaveConfirmation: async () => {
    if (shownBy) {
      tell("save-bar", { visible: true, flash: true });
      await new Promise((resolve) => {
        const timer = setInterval(() => shownBy ?? (clearInterval(timer), resolve()), 100);
      });
    }
  },
};
