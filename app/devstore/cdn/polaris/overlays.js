// What lies over the page: modal, popover, menu, tooltip; and the commands that open and close them.

/** Do what `commandfor` and `command` of a button or link say. Answers whether there was anything to do. */
function runCommand(invoker) {
  const id = invoker.commandFor;
  if (!id) return false;
  const target = invoker.getRootNode().getElementById?.(id) ?? document.getElementById(id);
  if (!target) return false;
  const command = invoker.command || "--auto";
  if (command === "--copy") navigator.clipboard?.writeText(target.value ?? textOf(target));
  else if (command === "--show") target.showOverlay?.(invoker);
  else if (command === "--hide") target.hideOverlay?.();
  else target.toggleOverlay?.(invoker);
  return true;
}

class Modal extends PolarisElement {
  static props = { heading: String, size: String, padding: String, accessibilityLabel: String };
  static html = `
    <dialog aria-modal="true">
      <div class="head"><div class="title"></div><button type="button" class="close" aria-label="Close"></button></div>
      <div class="body"><slot></slot></div>
      <div class="foot"><slot name="secondary-actions"></slot><slot name="primary-action"></slot></div>
    </dialog>`;
  static css = `
    :host { display: contents; }
    dialog { border: 0; border-radius: 14px; padding: 0; inline-size: min(620px, calc(100vw - 24px));
      max-block-size: min(86vh, 900px); overflow: auto;
      color: var(--ink); box-shadow: 0 20px 50px rgb(0 0 0 / .3); font: 400 13px/20px Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, sans-serif; }
    dialog::backdrop { background: rgb(0 0 0 / .45); }
    :host([size^=small]) dialog { inline-size: min(420px, calc(100vw - 24px)); }
    :host([size^=large]) dialog { inline-size: min(900px, calc(100vw - 24px)); }
    .head { display: flex; align-items: center; justify-content: space-between; gap: 12px; padding: 14px 16px;
      background: #f3f3f3; border-block-end: 1px solid var(--hair); position: sticky; inset-block-start: 0; }
    .title > * { font-size: 14px; line-height: 20px; font-weight: 650; color: var(--strong); }
    .close { border: 0; background: none; border-radius: 8px; inline-size: 28px; block-size: 28px; padding: 0;
      cursor: pointer; display: grid; place-items: center; }
    .close:hover { background: #e3e3e3; }
    .body { display: flex; flex-direction: column; gap: 12px; padding: 16px; }
    :host([padding=none]) .body { padding: 0; }
    .foot { display: flex; justify-content: flex-end; gap: 8px; padding: 12px 16px;
      border-block-start: 1px solid var(--hair); }
    .foot:not([data-has]) { display: none; }`;

  connectedCallback() {
    super.connectedCallback();
    trackSlots(this);
    const dialog = this.$("dialog");
    this.$(".close").onclick = () => this.hideOverlay();
    dialog.onclose = () => {
      this.emit("hide");
      this.emit("afterhide");
    };
    // A click on the backdrop lands on the dialog itself, outside its box.
    dialog.addEventListener("click", (event) => {
      const box = dialog.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (event.target === dialog && !inside) this.hideOverlay();
    });
  }

  update() {
    this.$(".close").replaceChildren(drawIcon("x", 18));
    setHeading(this.$(".title"), 2, this.heading);
    this.$(".head").hidden = !this.heading;
    this.$("dialog").setAttribute("aria-label", this.accessibilityLabel || this.heading || "Dialog");
  }

  showOverlay() {
    if (this.$("dialog").open) return;
    this.emit("show");
    this.$("dialog").showModal();
    this.querySelector("s-search-field, s-text-field, s-number-field, s-money-field, s-text-area, s-select, s-date-field")?.focus();
    this.emit("aftershow");
  }

  hideOverlay() {
    if (this.$("dialog").open) this.$("dialog").close();
  }

  toggleOverlay() {
    if (this.$("dialog").open) this.hideOverlay();
    else this.showOverlay();
  }
}

/** Place a popover under its invoker, inside the window. */
function placeUnder(panel, invoker) {
  const anchor = invoker?.getBoundingClientRect?.() ?? { left: 16, right: 16, bottom: 16, top: 16 };
  const { width, height } = panel.getBoundingClientRect();
  const left = Math.max(8, Math.min(anchor.left, innerWidth - width - 8));
  const below = anchor.bottom + 6;
  const top = below + height > innerHeight && anchor.top - height - 6 > 0 ? anchor.top - height - 6 : below;
  Object.assign(panel.style, { left: `${left}px`, top: `${top}px` });
}

class Popover extends PolarisElement {
  static props = {
    inlineSize: String, minInlineSize: String, maxInlineSize: String, blockSize: String, minBlockSize: String,
    maxBlockSize: String,
  };
  static html = '<div class="panel" popover="auto"><slot></slot></div>';
  static css = `
    :host { display: contents; }
    .panel { position: fixed; inset: auto; margin: 0; border: 0; border-radius: 12px; padding: 0; background: #fff;
      color: var(--ink); max-inline-size: calc(100vw - 16px); overflow: auto;
      box-shadow: 0 8px 24px rgb(0 0 0 / .18), 0 0 0 1px rgb(26 26 26 / .08);
        font: 400 13px/20px Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, sans-serif; }`;

  #invoker = null;

  connectedCallback() {
    super.connectedCallback();
    const panel = this.$(".panel");
    panel.ontoggle = (event) => {
      const open = event.newState === "open";
      this.emit(open ? "show" : "hide");
      this.emit(open ? "aftershow" : "afterhide");
      this.#invoker?.setExpanded?.(open);
    };
  }

  update() {
    const length = { "inline-size": this.inlineSize, "min-inline-size": this.minInlineSize, "max-inline-size": this.maxInlineSize,
      "block-size": this.blockSize, "min-block-size": this.minBlockSize, "max-block-size": this.maxBlockSize };
    const rules = Object.entries(length).filter(([, value]) => value && value !== "auto" && value !== "none");
    this.ownStyle(`.panel{${rules.map(([name, value]) => `${name}:${value}`).join(";")}}`);
  }

  showOverlay(invoker) {
    this.#invoker = invoker ?? null;
    this.$(".panel").showPopover();
    placeUnder(this.$(".panel"), invoker);
  }

  hideOverlay() {
    this.$(".panel").hidePopover();
  }

  toggleOverlay(invoker) {
    if (this.$(".panel").matches(":popover-open")) this.hideOverlay();
    else this.showOverlay(invoker);
  }
}

class Menu extends Popover {
  static props = { accessibilityLabel: String };
  static html = '<div class="panel" popover="auto" role="group"><slot></slot></div>';
  static css = `${Popover.css} .panel { padding: 6px; min-inline-size: 180px; } .panel:popover-open { display: flex; flex-direction: column; gap: 2px; }`;

  connectedCallback() {
    super.connectedCallback();
    this.addEventListener("keydown", (event) => this.#move(event));
    this.addEventListener("click", () => this.hideOverlay());
  }

  update() {
    this.$(".panel").setAttribute("aria-label", this.accessibilityLabel || "Actions");
  }

  showOverlay(invoker) {
    super.showOverlay(invoker);
    this.querySelector("s-button:not([disabled])")?.focus();
  }

  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...this.querySelectorAll("s-button:not([disabled])")];
    const index = items.findIndex((item) => item.matches(":focus-within") || item === document.activeElement);
    items[(index + step + items.length) % items.length]?.focus();
  }
}

class Tooltip extends PolarisElement {
  static html = '<div class="tip" popover="manual" role="tooltip"><slot></slot></div>';
  static css = `
    :host { display: contents; }
    .tip { position: fixed; inset: auto; margin: 0; border: 0; border-radius: 8px; padding: 6px 10px;
      background: #1a1a1a; color: #fff; font: 400 12px/16px Inter, -apple-system, "Segoe UI", Roboto, sans-serif;
      max-inline-size: 240px; }`;

  show(invoker) {
    if (this.$(".tip").matches(":popover-open")) return;
    this.$(".tip").showPopover();
    placeUnder(this.$(".tip"), invoker);
  }

  hide() {
    if (this.$(".tip").matches(":popover-open")) this.$(".tip").hidePopover();
  }
}

const interested = new WeakSet();

/** Show the tooltip (or popover) named by `interestfor` while the pointer or the focus is on an element. */
function listenForInterest(element) {
  if (interested.has(element)) return;
  interested.add(element);
  const target = () => document.getElementById(element.interestFor);
  for (const type of ["mouseenter", "focusin"]) element.addEventListener(type, () => target()?.show?.(element));
  for (const type of ["mouseleave", "focusout"]) element.addEventListener(type, () => target()?.hide?.());
  element.addEventListener("keydown", (event) => event.key === "Escape" && target()?.hide?.());
}

define("s-modal", Modal);
define("s-popover", Popover);
define("s-menu", Menu);
define("s-tooltip", Tooltip);
