// The frame of a page: heading with its actions, sections as cards, an aside, the empty state.

/** Hide the parts whose slots got nothing, and say so to the css (`data-has`). */
function trackSlots(element, after = () => {}) {
  const look = () => {
    for (const slot of element.shadowRoot.querySelectorAll("slot[name]")) {
      const filled = slot.assignedNodes().length > 0;
      slot.hidden = !filled;
      slot.parentElement.toggleAttribute("data-has", [...slot.parentElement.querySelectorAll("slot[name]")].some((s) => !s.hidden));
    }
    after();
  };
  element.shadowRoot.addEventListener("slotchange", look);
  look();
}

class Page extends PolarisElement {
  static props = { heading: String, inlineSize: String };
  static html = `
    <div class="page">
      <div class="crumb"><slot name="breadcrumb-actions"></slot></div>
      <div class="head">
        <div class="title"></div>
        <div class="actions"><slot name="secondary-actions"></slot><slot name="primary-action"></slot></div>
      </div>
      <div class="before"><slot name="supplemental-start"></slot></div>
      <div class="columns"><div class="main"><slot></slot></div><div class="aside"><slot name="aside"></slot></div></div>
    </div>`;
  static css = `
    :host { display: block; color: var(--ink); }
    .page { inline-size: 100%; max-inline-size: 998px; margin: 0 auto; padding: 20px 24px 64px; }
    :host([inlinesize=large]) .page { max-inline-size: 1080px; }
    :host([inlinesize=small]) .page { max-inline-size: 662px; }
    .crumb { margin-block-end: 2px; }
    .crumb:not([data-has]), .before:not([data-has]), .actions:not([data-has]) { display: none; }
    .head { display: flex; align-items: center; gap: 8px 12px; flex-wrap: wrap; margin-block-end: 16px;
      min-block-size: 28px; }
    h1 { font-size: 20px; line-height: 28px; font-weight: 650; color: var(--strong); overflow-wrap: anywhere; }
    .actions { margin-inline-start: auto; display: flex; gap: 8px; flex-wrap: wrap; align-items: center; }
    .before { margin-block-end: 16px; }
    .main, .aside { display: flex; flex-direction: column; gap: 16px; min-inline-size: 0; }
    .aside { display: none; }
    :host(:not([inlinesize=large], [inlinesize=small])) .columns:has(.aside[data-has]) {
      display: grid; gap: 16px; grid-template-columns: minmax(0, 2fr) minmax(0, 1fr); align-items: start; }
    :host(:not([inlinesize=large], [inlinesize=small])) .aside[data-has] { display: flex; }
    @media (max-width: 820px) {
      .page { padding: 16px 12px 48px; }
      .actions { margin-inline-start: 0; inline-size: 100%; }
      :host(:not([inlinesize=large], [inlinesize=small])) .columns:has(.aside[data-has]) { grid-template-columns: minmax(0, 1fr);
        }
    }`;

  connectedCallback() {
    super.connectedCallback();
    trackSlots(this);
  }

  update() {
    setHeading(this.$(".title"), 1, this.heading);
    this.$(".head").hidden = !this.heading;
  }
}

class Section extends PolarisElement {
  static props = { heading: String, subheading: String, padding: String, accessibilityLabel: String };
  static html = `
    <section>
      <div class="head">
        <slot name="graphic"></slot>
        <div class="words"><div class="line"><div class="title"></div><slot name="accessory"></slot></div><p class="sub"></p></div>
        <div class="end"><slot name="supplemental"></slot><slot name="secondary-actions"></slot><slot name="primary-action"></slot></div>
      </div>
      <div class="body"><slot></slot></div>
    </section>`;
  static css = `
    :host { display: block; min-inline-size: 0; color: var(--ink); }
    section { background: #fff; border-radius: 12px; padding: 16px; min-inline-size: 0;
      box-shadow: 0 1px 0 rgb(26 26 26 / .07), 0 0 0 1px rgb(26 26 26 / .06); }
    .head { display: flex; justify-content: space-between; gap: 12px; align-items: center; margin-block-end: 8px;
      min-block-size: 20px; }
    .words { min-inline-size: 0; }
    .line { display: flex; gap: 8px; align-items: center; flex-wrap: wrap; }
    .title > * { font-size: 14px; line-height: 20px; font-weight: 650; color: var(--strong); }
    .sub { color: var(--mute); }
    .end { display: flex; gap: 8px; align-items: center; justify-content: flex-end; flex-wrap: wrap; flex: 0 1 auto; }
    .end:not([data-has]) { display: none; }
    .body { display: flex; flex-direction: column; gap: 12px; min-inline-size: 0; }
    .body ::slotted(*) { min-inline-size: 0; }
    :host([padding=none]) section { padding: 0; overflow: clip; }
    :host([padding=none]) .head { padding: 14px 16px 0; margin-block-end: 12px; }
    :host([padding=none]) .body { gap: 0; }
    :host(:state(nested)) section { background: none; border-radius: 0; padding: 0; box-shadow: none; }
    :host(:state(nested)) .title > * { font-size: 13px; }
    @media (max-width: 820px) { :host(:not([padding=none])) section { padding: 16px; } }`;

  #internals = this.attachInternals();

  connectedCallback() {
    super.connectedCallback();
    if (this.parentElement?.closest("s-section, s-modal, s-popover, s-menu")) this.#internals.states.add("nested");
    trackSlots(this, () => this.#showHead());
  }

  update() {
    if (this.heading) setHeading(this.$(".title"), headingLevel(this), this.heading);
    else this.$(".title").replaceChildren();
    this.$(".sub").textContent = this.subheading;
    this.$(".sub").hidden = !this.subheading;
    const section = this.$("section");
    const label = this.accessibilityLabel || this.heading;
    setOrRemove(section, "aria-label", label);
    this.#showHead();
  }

  #showHead() {
    const slotted = [...this.shadowRoot.querySelectorAll(".head slot")].some((slot) => slot.assignedNodes().length > 0);
    this.$(".head").hidden = !(this.heading || this.subheading || slotted);
  }
}

class EmptyState extends PolarisElement {
  static props = { heading: String };
  static html = `
    <div class="state">
      <div class="graphic"><slot name="graphic"></slot></div>
      <div class="title"></div>
      <div class="sub"><slot name="subheading"></slot></div>
      <div class="actions"><slot name="secondary-actions"></slot><slot name="primary-action"></slot></div>
    </div>`;
  static css = `
    :host { display: block; }
    .state { display: flex; flex-direction: column; align-items: center; gap: 6px; padding: 32px 16px;
      text-align: center; }
    .title > * { font-size: 14px; line-height: 20px; font-weight: 650; color: var(--strong); }
    .sub { color: var(--mute); max-inline-size: 46ch; }
    .actions { display: flex; gap: 8px; margin-block-start: 10px; flex-wrap: wrap; justify-content: center; }
    :is(.graphic, .sub, .actions):not([data-has]) { display: none; }`;

  connectedCallback() {
    super.connectedCallback();
    trackSlots(this);
  }

  update() {
    setHeading(this.$(".title"), headingLevel(this), this.heading);
  }
}

define("s-page", Page);
define("s-section", Section);
define("s-empty-state", EmptyState);
