// Tables: a real grid with roles on wide screens, a list of rows on narrow ones.
//
// Each header names the place its column takes in the list (`listslot`): kicker above, primary as the title, inline at
// its end, secondary beneath, labeled as "name … value". The table tells its cells where they belong.

const LIST_BELOW = "520px";

class Table extends PolarisElement {
  static props = {
    variant: String, loading: Boolean, paginate: Boolean, hasPreviousPage: Boolean, hasNextPage: Boolean,
  };
  static html = `
    <div class="filters"><slot name="filters"></slot></div>
    <div class="table" role="table"><slot></slot></div>
    <div class="busy" hidden><s-spinner></s-spinner></div>
    <div class="pager" role="group" aria-label="Pages" hidden>
      <button type="button" class="previous" aria-label="Previous page"></button>
      <button type="button" class="next" aria-label="Next page"></button>
    </div>`;
  static css = `
    :host { display: block; container: polaris-table / inline-size; position: relative; }
    .filters { padding: 10px 12px; } .filters:not([data-has]) { display: none; }
    .table { display: table; inline-size: 100%; border-collapse: collapse; }
    .pager { display: flex; justify-content: center; gap: 6px; padding: 8px;
      border-block-start: 1px solid var(--hair); }
    .pager button { border: 0; border-radius: 8px; background: #ebebeb; inline-size: 36px; block-size: 28px;
      padding: 0; display: grid; place-items: center; cursor: pointer; }
    .pager button:disabled { color: #8a8a8a; cursor: default; }
    .busy { position: absolute; inset: 0; display: grid; place-items: center; background: rgb(255 255 255 / .6); }
    @container polaris-table (max-width: ${LIST_BELOW}) { .table { display: block; } }
    :host([variant=list]) .table { display: block; }`;

  connectedCallback() {
    super.connectedCallback();
    trackSlots(this);
    watchChildren(this, () => this.#tellCells());
    this.$(".previous").addEventListener("click", () => this.emit("previouspage"));
    this.$(".next").addEventListener("click", () => this.emit("nextpage"));
  }

  update() {
    this.$(".busy").hidden = !this.loading;
    this.$(".pager").hidden = !this.paginate;
    for (const [name, icon, enabled] of [["previous", "chevron-left", this.hasPreviousPage], ["next", "chevron-right", this.hasNextPage]]) {
      const button = this.$(`.${name}`);
      if (!button.firstChild) button.append(drawIcon(icon, 16));
      button.disabled = !enabled;
    }
    const section = this.closest("s-section[heading]");
    setOrRemove(this.$(".table"), "aria-label", section?.getAttribute("heading"));
    setOrRemove(this.$(".table"), "aria-busy", this.loading && "true");
  }

  #tellCells() {
    const headers = [...this.querySelectorAll("s-table-header")];
    const columns = headers.map((header) => ({
      place: header.getAttribute("listslot") || "labeled",
      numeric: ["numeric", "currency"].includes(header.getAttribute("format")),
      name: textOf(header),
    }));
    headers.forEach((header, index) => header.place(columns[index]));
    for (const row of this.querySelectorAll("s-table-row")) {
      row.list(this.variant === "list");
      const cells = [...row.children].filter((child) => child.localName === "s-table-cell");
      cells.forEach((cell, index) => cell.place(columns[index] ?? { place: "labeled", numeric: false, name: "" }));
    }
  }
}

/** Rows, headers and cells: their role is on the element itself, since their parents are elements of the page too. */
class TablePart extends PolarisElement {
  static role = "";
  internals = this.attachInternals();

  update() {
    if (!this.hasAttribute("role")) this.setAttribute("role", this.constructor.role);
  }

  place({ place, numeric }) {
    for (const state of ["kicker", "primary", "inline", "secondary", "labeled"]) {
      this.internals.states[state === place ? "add" : "delete"](state);
    }
    this.internals.states[numeric ? "add" : "delete"]("numeric");
  }
}

class TableHeaderRow extends TablePart {
  static role = "row";
  static css = `
    :host { display: table-row; background: #f7f7f7; }
    @container polaris-table (max-width: ${LIST_BELOW}) { :host { position: absolute; inline-size: 1px;
      block-size: 1px; overflow: hidden; clip-path: inset(50%); } }`;
}

class TableHeader extends TablePart {
  static role = "columnheader";
  static props = { listSlot: String, format: String };
  static css = `
    :host { display: table-cell; font-size: 12px; line-height: 20px; font-weight: 500; color: var(--mute);
      text-align: start; padding: 7px 12px; white-space: nowrap;
      border-block: 1px solid var(--hair); }
    :host(:first-child) { padding-inline-start: 16px; } :host(:last-child) { padding-inline-end: 16px; }
    :host(:state(numeric)) { text-align: end; }`;
}

class TableBody extends TablePart {
  static role = "rowgroup";
  static css = `
    :host { display: table-row-group; }
    @container polaris-table (max-width: ${LIST_BELOW}) { :host { display: block; } }`;
}

const ROW_AS_LIST = "display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px; padding: 11px 16px; border-block-start: 1px solid var(--hair);";

class TableRow extends TablePart {
  static role = "row";
  static props = { clickDelegate: String };
  static css = `
    :host { display: table-row; }
    :host([clickdelegate]) { cursor: pointer; } :host([clickdelegate]:hover) { background: #fafafa; }
    :host([aria-selected=true]) { background: #f1f6f6; }
    @container polaris-table (max-width: ${LIST_BELOW}) { :host { ${ROW_AS_LIST} } }
    :host(:state(list)) { ${ROW_AS_LIST} }`;

  connectedCallback() {
    super.connectedCallback();
    this.addEventListener("click", (event) => {
      const pressed = event.composedPath().find((node) => node.matches?.("a, button, input, select, textarea, label"));
      if (this.clickDelegate && !pressed) document.getElementById(this.clickDelegate)?.click();
    });
  }

  list(always) {
    this.internals.states[always ? "add" : "delete"]("list");
  }
}

const CELL_AS_LIST = `
  :host, :host(:first-child), :host(:last-child) { display: block; padding: 0; border: 0; grid-column: 1 / -1;
    text-align: start; white-space: normal; }
  :host(:state(kicker)) { order: 1; color: var(--mute); }
  :host(:state(primary)) { order: 2; grid-column: 1; }
  :host(:state(inline)) { order: 3; grid-column: 2; text-align: end; }
  :host(:state(secondary)) { order: 4; }
  :host(:state(labeled)) { order: 5; display: flex; justify-content: space-between; gap: 16px; text-align: end; }
  :host(:state(labeled)) .name { display: inline; color: var(--mute); text-align: start; }
  :host(:state(labeled):state(blank)) { display: none; }`;

class TableCell extends TablePart {
  static role = "cell";
  static html = '<span class="name" aria-hidden="true"></span><span class="value"><slot></slot></span>';
  static css = `
    :host { display: table-cell; padding: 10px 12px; border-block-start: 1px solid var(--hair); vertical-align: top; }
    :host(:first-child) { padding-inline-start: 16px; } :host(:last-child) { padding-inline-end: 16px; }
    :host(:state(numeric)) { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
    :host(:state(kicker)) { color: var(--mute); white-space: nowrap; }
    .name { display: none; }
    @container polaris-table (max-width: ${LIST_BELOW}) { ${CELL_AS_LIST} }`;

  place(column) {
    super.place(column);
    this.$(".name").textContent = column.name;
    const blank = !textOf(this) && !this.firstElementChild;
    this.internals.states[blank ? "add" : "delete"]("blank");
  }
}

define("s-table-header-row", TableHeaderRow);
define("s-table-header", TableHeader);
define("s-table-body", TableBody);
define("s-table-row", TableRow);
define("s-table-cell", TableCell);
define("s-table", Table); // last: it talks to the others
