// Fields that choose: select, choice list, checkbox, switch.

class Option extends PolarisElement {
  static props = { value: String, disabled: Boolean, selected: Boolean };
  static css = ":host { display: none; }";
}

class OptionGroup extends PolarisElement {
  static props = { label: String, disabled: Boolean };
  static css = ":host { display: none; }";
}

class Select extends PolarisElement {
  static formAssociated = true;
  static shadow = { delegatesFocus: true };
  static props = {
    label: String, labelAccessibilityVisibility: String, details: String, error: String, required: Boolean,
    disabled: Boolean, placeholder: String, name: String, value: String, icon: String,
  };
  static html = `${FIELD_HTML.replace("<!--input-->", '<select class="input" id="input"></select>')}<slot hidden></slot>`;
  static css = `${FIELD_CSS} .control { padding-inline: 8px 4px; } select { cursor: pointer; text-overflow: ellipsis; }`;

  internals = this.attachInternals();
  #picked = null; // what was chosen here, or set by the page; null while the markup decides

  constructor() {
    super();
    this.input = this.$("select");
    this.input.addEventListener("input", () => this.#take());
    this.input.addEventListener("change", () => {
      this.#take();
      this.emit("change", { bubbles: true });
    });
  }

  connectedCallback() {
    super.connectedCallback();
    watchChildren(this, () => this.update());
  }

  get value() {
    return this.input.value;
  }

  set value(value) {
    this.#picked = value;
    this.update();
  }

  update() {
    this.#copyOptions();
    const wanted = this.#picked ?? this.#default();
    if (wanted !== null) this.input.value = wanted;
    this.input.disabled = this.disabled;
    updateFieldWords(this, this.input, this.internals);
    this.internals.setFormValue(this.input.value);
  }

  #default() {
    const selected = this.querySelector("s-option[selected]");
    return this.getAttribute("value") ?? (selected ? optionValue(selected) : this.placeholder ? "" : null);
  }

  #copyOptions() {
    const make = (option) => Object.assign(new Option_(textOf(option), optionValue(option)), { disabled: option.hasAttribute("disabled") });
    const made = [...this.children].flatMap((child) => {
      if (child.localName === "s-option") return [make(child)];
      if (child.localName !== "s-option-group") return [];
      const group = Object.assign(document.createElement("optgroup"), { label: child.getAttribute("label") ?? "" });
      group.append(...[...child.querySelectorAll("s-option")].map(make));
      return [group];
    });
    if (this.placeholder) made.unshift(Object.assign(new Option_(this.placeholder, ""), { disabled: true, hidden: true }));
    this.input.replaceChildren(...made);
  }

  #take() {
    this.#picked = this.input.value;
    this.internals.setFormValue(this.input.value);
  }

  formResetCallback() {
    this.#picked = null;
    this.update();
  }

  formDisabledCallback(disabled) {
    this.input.disabled = disabled || this.disabled;
  }
}

const Option_ = window.Option; // the native <option>; `Option` here is our element
const optionValue = (option) => option.getAttribute("value") ?? textOf(option);

class Choice extends PolarisElement {
  static props = { value: String, selected: Boolean, disabled: Boolean, accessibilityLabel: String };
  // The list draws input and label; what is left to show here are the details and anything that goes with them.
  static html = '<div class="details"><slot name="details"></slot></div><div class="more"><slot name="secondary-content"></slot></div><slot hidden></slot>';
  static css = `
    :host { display: block; }
    .details { color: var(--mute); font-size: 12px; line-height: 16px; } .more { margin-block-start: 6px; }
    :is(.details, .more):not([data-has]) { display: none; }`;

  connectedCallback() {
    super.connectedCallback();
    trackSlots(this);
  }

  /** Whether it is chosen now; the attribute only says whether it was so at the start. */
  get selected() {
    const list = this.closest("s-choice-list");
    return list ? list.values.includes(this.value) : this.hasAttribute("selected");
  }

  set selected(selected) {
    this.closest("s-choice-list")?.choose(this, selected);
  }

  /** The words of its label: its own text, without that of the slotted parts. */
  get words() {
    const own = [...this.childNodes].filter((node) => !node.slot);
    return this.accessibilityLabel || own.map((node) => node.textContent).join(" ").replace(/\s+/g, " ").trim();
  }
}

const CHECK_CSS = `
  .row { display: flex; gap: 8px; align-items: flex-start; cursor: pointer; inline-size: fit-content;
    max-inline-size: 100%; }
  .row:has(:disabled) { color: #616161; cursor: default; }
  .row input { flex: none; inline-size: 16px; block-size: 16px; margin: 2px 0; accent-color: #303030; }`;

class ChoiceList extends PolarisElement {
  static formAssociated = true;
  static shadow = { delegatesFocus: true, slotAssignment: "manual" };
  static props = {
    label: String, labelAccessibilityVisibility: String, details: String, error: String, name: String,
    multiple: Boolean, disabled: Boolean,
  };
  static html = `
    <fieldset>
      <legend class="label"><span class="words"></span></legend>
      <div class="details" id="details"><span class="words"></span></div>
      <div class="choices"></div>
      <div class="error" id="error"><span class="words"></span></div>
    </fieldset>`;
  static css = `${CHECK_CSS}
    :host { display: block; }
    .label { margin-block-end: 6px; } .choices { display: flex; flex-direction: column; gap: 6px; }
    :host([labelaccessibilityvisibility=exclusive]) .label { position: absolute; inline-size: 1px; block-size: 1px;
      overflow: hidden; clip-path: inset(50%); }
    .details { color: var(--mute); font-size: 12px; line-height: 16px; margin-block: -2px 6px; }
    .error { color: #8e1f0b; font-size: 12px; line-height: 16px; margin-block-start: 6px; }
    .under { display: block; padding-inline-start: 24px; }`;

  internals = this.attachInternals();
  #values = null; // chosen here or set by the page; null while the markup decides

  connectedCallback() {
    super.connectedCallback();
    watchChildren(this, () => this.update());
  }

  get values() {
    return [...this.shadowRoot.querySelectorAll("input:checked")].map((input) => input.value);
  }

  set values(values) {
    this.#values = [...values];
    this.update();
  }

  update() {
    const choices = [...this.children].filter((child) => child.localName === "s-choice");
    const holder = this.$(".choices");
    while (holder.children.length > choices.length) holder.lastElementChild.remove();
    choices.forEach((choice, index) => this.#show(choice, holder.children[index] ?? holder.appendChild(this.#makeRow())));
    updateFieldWords(this, this.$("fieldset"), this.internals);
    this.$("fieldset").removeAttribute("aria-required");
    this.$("fieldset").removeAttribute("aria-invalid"); // not allowed on a group; the error describes it
    this.#report();
  }

  #makeRow() {
    const item = document.createElement("div");
    item.innerHTML = '<label class="row"><input><span class="words"></span></label><div class="under"><slot></slot></div>';
    const input = item.querySelector("input");
    input.addEventListener("input", (event) => {
      this.#values = this.values;
      this.#report();
      event.stopPropagation();
      this.emit("input", { bubbles: true });
      this.emit("change", { bubbles: true });
    });
    return item;
  }

  #show(choice, item) {
    const input = item.querySelector("input");
    input.type = this.multiple ? "checkbox" : "radio";
    input.name = "choice";
    input.value = choice.getAttribute("value") ?? "";
    input.disabled = this.disabled || choice.disabled;
    input.checked = this.#values ? this.#values.includes(input.value) : choice.hasAttribute("selected");
    item.querySelector(".words").textContent = choice.words;
    item.querySelector("slot").assign(choice);
  }

  #report() {
    const data = new FormData();
    for (const value of this.values) data.append(this.name, value);
    this.internals.setFormValue(this.name ? data : null);
  }

  /** Mark or unmark one choice, as setting `selected` on it does. */
  choose(choice, selected) {
    const others = this.multiple ? this.values.filter((value) => value !== choice.value) : [];
    this.values = selected ? [...others, choice.value] : others;
  }

  formResetCallback() {
    this.#values = null;
    this.update();
  }

  formDisabledCallback(disabled) {
    for (const input of this.shadowRoot.querySelectorAll("input")) input.disabled = disabled || this.disabled;
  }
}

class Checkbox extends PolarisElement {
  static formAssociated = true;
  static shadow = { delegatesFocus: true };
  static props = {
    label: String, labelAccessibilityVisibility: String, accessibilityLabel: String, details: String, error: String,
    required: Boolean, disabled: Boolean, name: String, value: String, checked: Boolean, indeterminate: Boolean,
  };
  static html = `
    <label class="row"><input type="checkbox" id="input"><span class="label"><span class="words"></span></span></label>
    <div class="details" id="details"><span class="words"></span><slot name="details"></slot></div>
    <div class="error" id="error"><span class="words"></span><slot name="error"></slot></div>`;
  static css = `${CHECK_CSS}
    :host { display: block; }
    .details, .error { font-size: 12px; line-height: 16px; padding-inline-start: 24px; }
    .details { color: var(--mute); } .error { color: #8e1f0b; }
    :host([labelaccessibilityvisibility=exclusive]) .label { position: absolute; inline-size: 1px; block-size: 1px;
      overflow: hidden; clip-path: inset(50%); }`;

  internals = this.attachInternals();
  #edited = false;

  constructor() {
    super();
    this.input = this.$("input");
    this.input.addEventListener("input", () => this.#report(true));
    this.input.addEventListener("change", () => this.emit("change", { bubbles: true }));
  }

  get checked() {
    return this.input.checked;
  }

  set checked(checked) {
    this.input.checked = Boolean(checked);
    this.#report(true);
  }

  get value() {
    return this.getAttribute("value") ?? "on";
  }

  set value(value) {
    this.setAttribute("value", value);
  }

  update() {
    if (!this.#edited) this.input.checked = this.hasAttribute("checked");
    this.input.indeterminate = this.indeterminate;
    this.input.disabled = this.disabled;
    updateFieldWords(this, this.input, this.internals);
    setOrRemove(this.input, "aria-label", this.accessibilityLabel);
    this.#report(this.#edited);
  }

  #report(edited) {
    this.#edited = edited;
    this.internals.setFormValue(this.input.checked ? this.value : null);
  }

  formResetCallback() {
    this.#edited = false;
    this.update();
  }

  formDisabledCallback(disabled) {
    this.input.disabled = disabled || this.disabled;
  }
}

class Switch extends Checkbox {
  static props = {
    label: String, labelAccessibilityVisibility: String, accessibilityLabel: String, details: String, error: String,
    required: Boolean, disabled: Boolean, name: String, value: String, checked: Boolean,
  };
  static html = Checkbox.html.replace(/<slot name="\w+"><\/slot>/g, "");
  static css = `${Checkbox.css}
    .row input { appearance: none; inline-size: 32px; block-size: 20px; margin: 0; border-radius: 10px;
      background: #8a8a8a; position: relative; cursor: pointer; }
    .row input::after { content: ""; position: absolute; inset: 3px auto auto 3px; inline-size: 14px;
      block-size: 14px; border-radius: 50%; background: #fff; transition: translate .12s; }
    .row input:checked { background: #303030; } .row input:checked::after { translate: 12px; }
    .details, .error { padding-inline-start: 40px; }`;

  constructor() {
    super();
    this.input.setAttribute("role", "switch");
  }
}

define("s-option", Option);
define("s-option-group", OptionGroup);
define("s-select", Select);
define("s-choice", Choice);
define("s-choice-list", ChoiceList);
define("s-checkbox", Checkbox);
define("s-switch", Switch);
