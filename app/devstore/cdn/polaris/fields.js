// Fields that hold one text: text, number, money, e-mail, search, date, colour, text area.
//
// They are form-associated: their value is in the form's FormData under their name, a reset brings back the `value`
// attribute, and `input` and `change` reach the page as events of the element itself.

const FIELD_PROPS = {
  label: String, labelAccessibilityVisibility: String, details: String, error: String, required: Boolean,
  disabled: Boolean, readOnly: Boolean, placeholder: String, autocomplete: String, name: String, value: String,
};

const FIELD_HTML = `
  <label class="label" for="input"><span class="words"></span></label>
  <div class="control"><span class="icon"></span><span class="prefix"></span><!--input--><span class="suffix"></span></div>
  <div class="details" id="details"><span class="words"></span><slot name="details"></slot></div>
  <div class="error" id="error"><span class="words"></span><slot name="error"></slot></div>`;

const TEXT_FIELD_HTML = FIELD_HTML.replace("<!--input-->", '<input class="input" id="input">');

const FIELD_CSS = `
  :host { display: block; min-inline-size: 0; }
  .label { display: block; margin-block-end: 4px; color: #303030; }
  :host([labelaccessibilityvisibility=exclusive]) .label { position: absolute; inline-size: 1px; block-size: 1px;
    overflow: hidden; clip-path: inset(50%); margin: 0; }
  .control { display: flex; align-items: center; gap: 4px; min-block-size: 32px; border: 1px solid var(--edge);
    border-radius: 8px; background: #fdfdfd; padding-inline: 12px; }
  .control:focus-within { outline: 2px solid #005bd3; outline-offset: 1px; }
  .control:has(:disabled) { background: #f1f1f1; color: #616161; border-color: #d4d4d4; }
  .input { flex: 1; min-inline-size: 0; inline-size: 100%; border: 0; background: none; padding: 5px 0; outline: none;
    font-variant-numeric: tabular-nums; }
  .input::placeholder { color: #6d6d6d; }
  .prefix, .suffix { color: #616161; } .icon { display: inline-flex; color: #616161; margin-inline-start: -4px; }
  :is(.prefix, .suffix, .icon):empty { display: none; }
  .details, .error { font-size: 12px; line-height: 16px; margin-block-start: 4px; }
  .details { color: var(--mute); } .error { color: #8e1f0b; }
  :host(:state(invalid)) .control { border-color: #8e1f0b; background: #fee8eb; box-shadow: 0 0 0 .5px #8e1f0b; }
  @media (max-width: 820px) { .input { font-size: 16px; } .control { min-block-size: 36px; } }`;

/** The part of a field that is the same for every kind: label, details, error and who describes whom. */
function updateFieldWords(field, input, internals) {
  field.$(".label .words").textContent = field.label;
  field.$(".label").hidden = !field.label;
  for (const name of ["details", "error"]) {
    const slotted = field.$(`slot[name=${name}]`)?.assignedNodes().length > 0;
    field.$(`.${name} .words`).textContent = field[name];
    field.$(`.${name}`).hidden = !field[name] && !slotted;
  }
  const describedBy = ["error", "details"].filter((name) => !field.$(`.${name}`).hidden).join(" ");
  setOrRemove(input, "aria-describedby", describedBy);
  const invalid = !field.$(".error").hidden;
  setOrRemove(input, "aria-invalid", invalid && "true");
  internals.states[invalid ? "add" : "delete"]("invalid");
  setOrRemove(input, "aria-required", field.required && "true");
}

class Field extends PolarisElement {
  static formAssociated = true;
  static shadow = { delegatesFocus: true };
  static props = FIELD_PROPS;
  static css = FIELD_CSS;
  static html = TEXT_FIELD_HTML;
  static type = "text";

  internals = this.attachInternals();
  #edited = false; // once edited, the `value` attribute is only what a reset brings back

  constructor() {
    super();
    this.input = this.$(".input");
    if (this.input.localName === "input") this.input.type = this.constructor.type;
    this.input.addEventListener("input", () => this.#taken());
    this.input.addEventListener("change", () => {
      this.#taken();
      this.emit("change", { bubbles: true });
    });
    // Native blur and focus neither bubble nor leave the shadow; the element itself gets them from the browser.
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.shadowRoot.addEventListener("slotchange", () => this.update());
  }

  get value() {
    return this.input.value;
  }

  set value(value) {
    this.#edited = true;
    this.input.value = value ?? "";
    this.internals.setFormValue(this.input.value);
  }

  get defaultValue() {
    return this.getAttribute("value") ?? "";
  }

  set defaultValue(value) {
    this.setAttribute("value", value);
  }

  update() {
    const input = this.input;
    input.disabled = this.disabled;
    input.readOnly = this.readOnly;
    input.placeholder = this.placeholder;
    setOrRemove(input, "autocomplete", this.autocomplete);
    updateFieldWords(this, input, this.internals);
    if (!this.#edited && input.value !== this.defaultValue) input.value = this.defaultValue;
    this.internals.setFormValue(input.value);
  }

  #taken() {
    this.#edited = true;
    this.internals.setFormValue(this.input.value);
  }

  /** Enter sends the form, as in a native field. */
  key(event) {
    if (event.key === "Enter" && !event.isComposing) this.internals.form?.requestSubmit();
  }

  formResetCallback() {
    this.#edited = false;
    this.input.value = this.defaultValue;
    this.update();
  }

  formDisabledCallback(disabled) {
    this.input.disabled = disabled || this.disabled;
  }

  select() {
    this.input.select();
  }
}

class TextField extends Field {
  static props = { ...FIELD_PROPS, prefix: String, suffix: String, icon: String, minLength: Number, maxLength: Number };
  static html = TEXT_FIELD_HTML.replace("</span></div>", '</span><slot name="accessory"></slot></div>');

  update() {
    super.update();
    this.$(".prefix").textContent = this.prefix;
    this.$(".suffix").textContent = this.suffix;
    this.$(".icon").replaceChildren(...(this.icon ? [drawIcon(this.icon, 18)] : []));
    setOrRemove(this.input, "maxlength", this.maxLength);
    setOrRemove(this.input, "minlength", this.minLength);
  }
}

class NumberField extends Field {
  static props = {
    ...FIELD_PROPS, prefix: String, suffix: String, min: Number, max: Number, step: Number, inputMode: String,
  };

  update() {
    super.update();
    this.$(".prefix").textContent = this.prefix;
    this.$(".suffix").textContent = this.suffix;
    this.input.inputMode = this.inputMode || "decimal";
  }

  /** Up and down step within min and max; what is typed is left as it is, the server says what is wrong with it. */
  key(event) {
    super.key(event);
    const direction = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const number = Number(this.input.value || 0);
    if (!direction || this.readOnly || Number.isNaN(number)) return;
    event.preventDefault();
    const step = Number(this.step) || 1;
    const decimals = (String(step).split(".")[1] ?? "").length;
    const min = this.hasAttribute("min") ? Number(this.min) : -Infinity;
    const max = this.hasAttribute("max") ? Number(this.max) : Infinity;
    this.value = Math.min(max, Math.max(min, number + direction * step)).toFixed(decimals);
    this.emit("input", { bubbles: true });
    this.emit("change", { bubbles: true });
  }
}

class MoneyField extends NumberField {
  static props = { ...FIELD_PROPS, min: Number, max: Number, currencyCode: String };

  update() {
    super.update();
    const code = this.currencyCode && this.currencyCode !== "auto" ? this.currencyCode : document.documentElement.dataset.currency;
    this.$(".prefix").textContent = code ? currencySymbol(code) : "";
  }
}

function currencySymbol(code) {
  try {
    const parts = new Intl.NumberFormat("en", { style: "currency", currency: code, currencyDisplay: "narrowSymbol" }).formatToParts(0);
    return parts.find((part) => part.type === "currency").value;
  } catch {
    return code;
  }
}

class EmailField extends TextField {
  static props = { ...FIELD_PROPS, minLength: Number, maxLength: Number };
  static html = TEXT_FIELD_HTML;
  static type = "email";
}

class UrlField extends EmailField {
  static type = "url";
}

class PasswordField extends EmailField {
  static type = "password";
}

class SearchField extends EmailField {
  static type = "search";

  update() {
    super.update();
    this.$(".icon").replaceChildren(drawIcon("search", 18));
  }
}

class DateField extends Field {
  static props = {
    ...FIELD_PROPS, allow: String, disallow: String, allowDays: String, disallowDays: String, view: String,
  };
  static type = "date";
}

class ColorField extends Field {
  static props = { ...FIELD_PROPS, alpha: Boolean };
  static html = FIELD_HTML.replace("<!--input-->", '<input type="color" class="swatch" tabindex="-1" aria-hidden="true"><input class="input" id="input" spellcheck="false">');
  static css = `${FIELD_CSS} .swatch { flex: none; inline-size: 20px; block-size: 20px; border: 0; padding: 0; border-radius: 6px; background: none; margin-inline-start: -4px; }`;

  constructor() {
    super();
    this.$(".swatch").addEventListener("input", (event) => {
      event.stopPropagation();
      this.value = event.target.value;
      this.emit("input", { bubbles: true });
      this.emit("change", { bubbles: true });
    });
    this.input.addEventListener("input", () => this.#show());
  }

  update() {
    super.update();
    this.#show();
  }

  #show() {
    if (/^#[0-9a-f]{6}$/i.test(this.input.value)) this.$(".swatch").value = this.input.value;
  }
}

class TextArea extends Field {
  static props = { ...FIELD_PROPS, rows: Number, minLength: Number, maxLength: Number };
  static html = FIELD_HTML.replace("<!--input-->", '<textarea class="input" id="input"></textarea>');
  static css = `${FIELD_CSS} textarea { resize: vertical; display: block; }`;

  update() {
    super.update();
    this.input.rows = Number(this.rows) || 2;
  }

  key() {} // Enter is a line of its own here
}

define("s-text-field", TextField);
define("s-number-field", NumberField);
define("s-money-field", MoneyField);
define("s-email-field", EmailField);
define("s-url-field", UrlField);
define("s-password-field", PasswordField);
define("s-search-field", SearchField);
define("s-date-field", DateField);
define("s-color-field", ColorField);
define("s-text-area", TextArea);
