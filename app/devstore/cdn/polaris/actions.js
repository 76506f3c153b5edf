// What can be pressed: button, button group, press button, link, clickable, clickable chip.
//
// Each holds a real <a href> or <button> in its shadow, so keyboard, focus, right click and "open in a new tab" are the
// browser's own. A click on it is seen by the page as a click on the element itself.

const ACTION_PROPS = {
  href: String, target: String, download: String, command: String, commandFor: String, interestFor: String,
  accessibilityLabel: String, lang: String, disabled: Boolean, loading: Boolean, type: String,
};

class Action extends PolarisElement {
  static formAssociated = true;
  static shadow = { delegatesFocus: true };
  static html = ""; // made by update(): a link or a button, around the default slot

  internals = this.attachInternals();
  control = null;

  connectedCallback() {
    super.connectedCallback();
    if (this.interestFor) listenForInterest(this);
  }

  /** The <a> or <button>, made anew only when it has to become the other one. */
  update() {
    const kind = this.href && !this.disabled ? "a" : "button";
    if (this.control?.localName !== kind) {
      this.control = document.createElement(kind);
      this.control.className = "control";
      this.control.append(...this.inside());
      this.shadowRoot.replaceChildren(this.control);
      this.control.addEventListener("click", (event) => this.act(event));
    }
    const control = this.control;
    if (kind === "a") {
      control.setAttribute("href", this.href);
      setOrRemove(control, "target", this.target === "auto" ? "" : this.target);
      if (this.target === "_blank") control.rel = "noopener";
      setOrRemove(control, "download", this.hasAttribute("download") ? this.download || true : false);
    } else {
      control.type = "button";
      control.disabled = this.disabled || this.loading;
    }
    setOrRemove(control, "aria-label", this.accessibilityLabel);
    setOrRemove(control, "aria-busy", this.loading && "true");
    if (this.commandFor && kind === "button") control.setAttribute("aria-haspopup", "true");
  }

  inside() {
    return [document.createElement("slot")];
  }

  /** What a press does by itself, once the page's own listeners have run and none of them said no. */
  act(event) {
    setTimeout(() => {
      if (event.defaultPrevented || runCommand(this) || this.href) return; // a link is followed by the browser
      if (this.type === "submit") this.internals.form?.requestSubmit();
      if (this.type === "reset") this.internals.form?.reset();
    });
  }

  setExpanded(open) {
    this.control?.setAttribute("aria-expanded", String(open));
  }

  click() {
    this.control?.click();
  }
}

const BUTTON_CSS = `
  :host { display: inline-flex; }
  .control { display: inline-flex; align-items: center; justify-content: center; gap: 4px; min-block-size: 28px;
    padding: 4px 12px; border-radius: 8px; border: 0;
    background: #fff; box-shadow: inset 0 0 0 1px #d4d4d4, inset 0 -1px 0 #b5b5b5; font-weight: 500; font-size: 12px;
      line-height: 16px; color: #303030;
    text-decoration: none; cursor: pointer; white-space: nowrap; inline-size: 100%; }
  .control:hover { background: #fafafa; } .control:active { background: #f1f1f1; }
  .icon { display: inline-flex; margin-inline-start: -4px; } .icon:empty { display: none; }
  :host(:state(bare)) .control { padding: 4px; min-inline-size: 28px; } :host(:state(bare)) .icon { margin: 0; }
  :host([inlinesize=fill]) { display: flex; inline-size: 100%; }
  :host([variant=primary]) .control { background: #303030; color: #fff;
    box-shadow: inset 0 -1px 0 1px rgb(0 0 0 / .6), inset 0 1px 0 rgb(255 255 255 / .2); }
  :host([variant=primary]) .control:hover { background: #1a1a1a; }
  :host([variant=tertiary]) .control { background: none; box-shadow: none; color: #005bd3; padding-inline: 6px; }
  :host([variant=tertiary]) .control:hover { background: rgb(0 0 0 / .05); }
  :host([variant=tertiary][tone=neutral]) .control { color: #303030; }
  :host([tone=critical]) .control { color: #8e0b21; }
  :host([tone=critical][variant=primary]) .control { background: #b51c33; color: #fff; }
  :host .control:disabled { background: #ebebeb; color: #616161; box-shadow: none; cursor: default; }
  :host(:state(item)) { display: flex; }
  :host(:state(item)) .control { background: none; box-shadow: none; justify-content: flex-start; padding: 6px 8px;
    font-size: 13px; line-height: 20px; font-weight: 400; }
  :host(:state(item)) .control:hover { background: #f1f1f1; }
  .spin { inline-size: 14px; block-size: 14px; border-radius: 50%; border: 2px solid currentColor;
    border-block-start-color: transparent; animation: turn .9s linear infinite; }
  @keyframes turn { to { transform: rotate(1turn); } }
  @media (max-width: 820px) { .control { min-block-size: 36px; } :host(:state(bare)) .control { min-inline-size: 36px;
    } }`;

class Button extends Action {
  static props = { ...ACTION_PROPS, variant: String, tone: String, icon: String, inlineSize: String };
  static css = BUTTON_CSS;

  inside() {
    const icon = Object.assign(document.createElement("span"), { className: "icon" });
    return [icon, document.createElement("slot")];
  }

  connectedCallback() {
    super.connectedCallback();
    if (this.closest("s-menu")) this.internals.states.add("item");
    watchChildren(this, () => this.update());
  }

  update() {
    super.update();
    const drawing = this.loading ? Object.assign(document.createElement("span"), { className: "spin" }) : this.icon && drawIcon(this.icon, 16);
    this.control.querySelector(".icon").replaceChildren(...(drawing ? [drawing] : []));
    this.internals.states[this.icon && !textOf(this) ? "add" : "delete"]("bare");
  }
}

class PressButton extends Button {
  static props = {
    disabled: Boolean, loading: Boolean, pressed: Boolean, icon: String, tone: String, variant: String,
    inlineSize: String, accessibilityLabel: String, lang: String,
  };
  static css = `${BUTTON_CSS} :host([pressed]) .control { background: #e3e3e3; box-shadow: inset 0 1px 2px rgb(0 0 0 / .16); }`;

  update() {
    super.update();
    this.control.setAttribute("aria-pressed", String(this.pressed));
  }

  act() {
    this.pressed = !this.pressed;
  }
}

class ButtonGroup extends PolarisElement {
  static props = { accessibilityLabel: String, gap: String };
  static html = '<div role="group"><slot></slot><slot name="secondary-actions"></slot><slot name="primary-action"></slot></div>';
  static css = `
    :host { display: inline-flex; }
    div { display: flex; gap: 6px; flex-wrap: wrap; align-items: center; }
    :host([gap=none]) div { gap: 0; }`;

  update() {
    setOrRemove(this.$("div"), "aria-label", this.accessibilityLabel);
  }
}

class Link extends Action {
  static props = {
    href: String, target: String, download: String, command: String, commandFor: String, interestFor: String,
    accessibilityLabel: String, lang: String, tone: String,
  };
  static css = `
    :host { display: inline; }
    .control { display: inline; border: 0; background: none; padding: 0; margin: 0; color: #005bd3;
      text-decoration: underline; cursor: pointer; text-align: start; }
    .control:hover { color: #003d91; }
    :host([tone=neutral]) .control { color: inherit; } :host([tone=critical]) .control { color: #8e0b21; }
    :host([slot=breadcrumb-actions]) .control { display: inline-flex; gap: 6px; align-items: center;
      text-decoration: none; color: #616161; }
    :host([slot=breadcrumb-actions]) .control:hover { color: #303030; }
    .back { display: inline-flex; } .back:empty { display: none; }`;

  inside() {
    const back = Object.assign(document.createElement("span"), { className: "back" });
    if (this.slot === "breadcrumb-actions") back.append(drawIcon("chevron-left", 14));
    return [back, document.createElement("slot")];
  }
}

class Clickable extends Action {
  static props = { ...ACTION_PROPS, ...BOX_PROPS };
  static css = `
    :host { display: block; min-inline-size: 0; }
    .control { display: block; inline-size: 100%; border: 0; background: none; padding: 0; margin: 0;
      text-align: start; color: inherit; text-decoration: none; cursor: pointer; border-radius: inherit; }
    :host(:hover) { filter: brightness(.98); }`;

  update() {
    super.update();
    this.ownStyle(hostRules(boxDeclarations(this)));
  }
}

class ClickableChip extends Chip {
  static props = {
    ...Chip.props, href: String, disabled: Boolean, command: String, commandFor: String, interestFor: String,
  };
  static html = '<span class="chip"><slot name="graphic"></slot><button type="button" class="words open"><slot></slot></button><button type="button" class="remove"></button></span>';
  static css = `${Chip.css} .open { border: 0; background: none; padding: 0; cursor: pointer; }`;

  connectedCallback() {
    super.connectedCallback();
    this.$(".open").onclick = () => {
      if (!runCommand(this) && this.href) location.assign(this.href);
    };
  }
}

define("s-button", Button);
define("s-press-button", PressButton);
define("s-button-group", ButtonGroup);
define("s-link", Link);
define("s-clickable", Clickable);
define("s-clickable-chip", ClickableChip);
