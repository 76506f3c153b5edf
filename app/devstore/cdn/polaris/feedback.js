// What tells the merchant how things are: badge, banner, spinner, progress; chip, avatar, thumbnail, image.

const FILL = {
  info: ["#e0f0ff", "#003a5a"], success: ["#cdfed4", "#0c5132"], caution: ["#fff8db", "#4f4700"],
  warning: ["#ffeb78", "#4f4700"], critical: ["#fee8eb", "#8e0b21"],
};

class Badge extends PolarisElement {
  static props = { tone: String, color: String, icon: String, size: String };
  static css = `
    :host { display: inline-flex; align-items: center; gap: 3px; inline-size: fit-content; border-radius: 8px;
      padding: 2px 8px; font-size: 12px; line-height: 16px;
      font-weight: 500; background: #ebebeb; color: #4a4a4a; white-space: nowrap; }
    :host([size^=large]) { padding: 4px 10px; }
    .icon:empty { display: none; } .icon { display: inline-flex; margin-inline-start: -3px; }`;
  static html = "<span class=icon></span><slot></slot>";

  update() {
    const [background, color] = FILL[this.tone] ?? [];
    this.ownStyle(background ? `:host{background:${background};color:${color}}` : "");
    this.$(".icon").replaceChildren(...(this.icon ? [drawIcon(this.icon, 16)] : []));
  }
}

const BANNER_FILL = {
  info: ["#eaf4ff", "#003a5a"], success: ["#e3fbe7", "#0c5132"], warning: ["#fff3cf", "#4f4700"], critical: ["#fee8eb", "#8e0b21"],
};
const BANNER_ICONS = { success: "check-circle", warning: "alert-triangle", critical: "alert-circle" };

class Banner extends PolarisElement {
  static props = { tone: String, heading: String, dismissible: Boolean };
  static html = `
    <div class="banner">
      <span class="icon"></span>
      <div class="body"><div class="title"></div><div class="words"><slot></slot></div>
        <div class="actions"><slot name="secondary-actions"></slot></div></div>
      <button type="button" class="close" aria-label="Dismiss"></button>
    </div>`;
  static css = `
    :host { display: block; }
    .banner { display: flex; gap: 10px; border-radius: 12px; padding: 12px 14px; background: #e0f0ff; color: #003a5a; }
    .icon { flex: none; } .body { flex: 1; min-inline-size: 0; }
    .title > * { font-weight: 650; font-size: 13px; line-height: 20px; }
    .title:empty { display: none; }
    .actions { display: flex; gap: 8px; flex-wrap: wrap; margin-block-start: 8px; }
    .actions:not([data-has]) { display: none; }
    .close { border: 0; background: none; color: inherit; border-radius: 6px; padding: 2px; inline-size: 24px;
      block-size: 24px; cursor: pointer; }
    .words ::slotted(*) { color: inherit; }`;

  connectedCallback() {
    super.connectedCallback();
    trackSlots(this);
    this.$(".close").onclick = () => {
      this.emit("dismiss");
      this.hidden = true;
      this.emit("afterhide");
    };
  }

  update() {
    const [background, color] = BANNER_FILL[this.tone] ?? ["#ebebeb", "#303030"];
    this.ownStyle(`.banner{background:${background};color:${color}}`);
    this.$(".icon").replaceChildren(drawIcon(BANNER_ICONS[this.tone] ?? "info"));
    if (this.heading) setHeading(this.$(".title"), headingLevel(this), this.heading);
    else this.$(".title").replaceChildren();
    this.$(".close").replaceChildren(drawIcon("x", 16));
    this.$(".close").hidden = !this.dismissible;
    setOrRemove(this, "role", this.tone === "critical" || this.tone === "warning" ? "alert" : "status");
  }
}

class Spinner extends PolarisElement {
  static props = { size: String, accessibilityLabel: String };
  static html = '<span role="img" aria-label="Loading"></span>';
  static css = `
    :host { display: inline-flex; }
    span { inline-size: 20px; block-size: 20px; border-radius: 50%; border: 2px solid #d4d4d4;
      border-block-start-color: #303030;
      animation: turn .9s linear infinite; }
    :host([size^=large]) span { inline-size: 36px; block-size: 36px; border-width: 3px; }
    @keyframes turn { to { transform: rotate(1turn); } }
    @media (prefers-reduced-motion: reduce) { span { animation-duration: 4s; } }`;

  update() {
    this.$("span").setAttribute("aria-label", this.accessibilityLabel || "Loading");
  }
}

class Progress extends PolarisElement {
  static props = { value: Number, max: Number, tone: String, accessibilityLabel: String };
  static html = '<div role="progressbar"><i></i></div>';
  static css = `
    :host { display: block; inline-size: 100%; }
    div { block-size: 6px; border-radius: 3px; background: #e3e3e3; overflow: hidden; }
    i { display: block; block-size: 100%; border-radius: 3px; background: #303030; }
    :host([tone=success]) i { background: #0c7a45; }
    :host([tone=caution]) i, :host([tone=warning]) i { background: #a85800; }
    :host([tone=critical]) i { background: #b51c33; } :host([tone=info]) i { background: #0b6ab0; }
    :host(:not([value])) i { inline-size: 30%; animation: slide 1.6s ease-in-out infinite alternate; }
    @keyframes slide { to { margin-inline-start: 70%; } }`;

  update() {
    const max = Number(this.max) || 1;
    const bar = this.$("div");
    if (this.hasAttribute("value")) {
      const value = Math.min(Math.max(Number(this.value) || 0, 0), max);
      bar.setAttribute("aria-valuenow", value);
      bar.setAttribute("aria-valuemin", 0);
      bar.setAttribute("aria-valuemax", max);
      this.ownStyle(`i{inline-size:${(100 * value) / max}%}`);
    }
    bar.setAttribute("aria-label", this.accessibilityLabel || "Progress");
  }
}

class Chip extends PolarisElement {
  static props = { color: String, accessibilityLabel: String, removable: Boolean };
  static html = '<span class="chip"><slot name="graphic"></slot><span class="words"><slot></slot></span><button type="button" class="remove"></button></span>';
  static css = `
    :host { display: inline-flex; max-inline-size: 100%; }
    .chip { display: inline-flex; align-items: center; gap: 4px; background: #e3e3e3; border-radius: 8px;
      padding: 3px 9px; font-size: 12px; line-height: 18px; min-inline-size: 0; }
    .words { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    :host([color=subdued]) .chip { background: #f1f1f1; } :host([color=strong]) .chip { background: #d4d4d4; }
    .remove { border: 0; background: none; padding: 0; margin-inline-end: -5px; inline-size: 24px; block-size: 24px;
      margin-block: -3px; border-radius: 6px; cursor: pointer; display: inline-grid; place-items: center; }
    .remove:hover { background: rgb(0 0 0 / .08); }`;

  connectedCallback() {
    super.connectedCallback();
    this.$(".remove").addEventListener("click", () => this.emit("remove", { bubbles: true }));
    watchChildren(this, () => this.update());
  }

  update() {
    const button = this.$(".remove");
    button.hidden = !this.removable;
    if (!button.firstChild) button.append(drawIcon("x", 14));
    button.setAttribute("aria-label", `Remove ${this.accessibilityLabel || textOf(this)}`);
  }
}

class Avatar extends PolarisElement {
  static props = { size: String, alt: String, src: String, initials: String };
  static html = '<span class="face" role="img"></span>';
  static css = `
    .face { display: grid; place-items: center; inline-size: 28px; block-size: 28px; border-radius: 8px;
      background: #d6e4f5; color: #1f3a5f; font-size: 11px; font-weight: 650; overflow: hidden; }
    :host([size^=large]) .face { inline-size: 40px; block-size: 40px; font-size: 14px; }
    :host([size^=small]) .face { inline-size: 24px; block-size: 24px; }
    img { inline-size: 100%; block-size: 100%; object-fit: cover; }
    :host { display: inline-block; vertical-align: middle; }`;

  update() {
    const face = this.$(".face");
    face.setAttribute("aria-label", this.alt || this.initials || "Avatar");
    face.replaceChildren(this.src ? Object.assign(new Image(), { src: this.src, alt: "" }) : this.initials.slice(0, 2));
  }
}

class Thumbnail extends PolarisElement {
  static props = { size: String, src: String, alt: String };
  static html = "<img alt=''>";
  static css = `
    :host { display: inline-block; vertical-align: middle; }
    img { display: block; inline-size: 40px; block-size: 40px; border-radius: 8px; object-fit: cover;
      background: #f7f7f7; box-shadow: inset 0 0 0 1px rgb(0 0 0 / .08); }
    :host([size^=small]) img { inline-size: 32px; block-size: 32px; } :host([size^=large]) img { inline-size: 64px;
      block-size: 64px; }`;

  update() {
    const image = this.$("img");
    if (this.src && image.getAttribute("src") !== this.src) image.src = this.src;
    image.alt = this.alt;
  }
}

class Picture extends PolarisElement {
  static props = {
    src: String, alt: String, aspectRatio: String, objectFit: String, inlineSize: String, borderRadius: String,
    loading: String,
  };
  static html = "<img alt=''>";
  static css = ":host { display: block; } img { display: block; inline-size: 100%; block-size: auto; }";

  update() {
    const image = this.$("img");
    if (this.src && image.getAttribute("src") !== this.src) image.src = this.src;
    image.alt = this.alt;
    const ratio = this.aspectRatio ? `aspect-ratio:${this.aspectRatio};object-fit:${this.objectFit || "contain"};` : "";
    this.ownStyle(`img{${ratio}border-radius:${RADIUS[this.borderRadius] ?? "0"}}`);
  }
}

define("s-badge", Badge);
define("s-banner", Banner);
define("s-spinner", Spinner);
define("s-progress", Progress);
define("s-chip", Chip);
define("s-avatar", Avatar);
define("s-thumbnail", Thumbnail);
define("s-image", Picture);
