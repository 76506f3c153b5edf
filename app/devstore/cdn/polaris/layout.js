// Boxes: stack, grid, box, query container, divider, scroll box.

const ROLES = {
  main: "main", header: "banner", footer: "contentinfo", section: "region", region: "region", aside: "complementary",
  navigation: "navigation", "ordered-list": "list", "list-item": "listitem", "list-item-separator": "separator",
  "unordered-list": "list", separator: "separator", status: "status", alert: "alert", presentation: "presentation",
  none: "none",
};

/** Roles and labels go on the element itself, where assistive technology finds them beside its children. */
function applyRole(element) {
  const role = ROLES[element.accessibilityRole];
  if (role) element.setAttribute("role", role);
  if (element.accessibilityLabel) element.setAttribute("aria-label", element.accessibilityLabel);
  if (element.accessibilityVisibility === "hidden") element.setAttribute("aria-hidden", "true");
}

class Box extends PolarisElement {
  static props = BOX_PROPS;
  static css = `
    :host { display: block; min-inline-size: 0; }
    :host([accessibilityvisibility=exclusive]) { position: absolute;
      inline-size: 1px;
      block-size: 1px;
      overflow: hidden;
      clip-path: inset(50%);
      }`;

  update() {
    this.ownStyle(hostRules({ ...this.declarations(), ...boxDeclarations(this) }));
    applyRole(this);
  }

  declarations() {
    return {};
  }
}

class Stack extends Box {
  static props = {
    ...BOX_PROPS, direction: String, gap: String, rowGap: String, columnGap: String, justifyContent: String,
    alignItems: String, alignContent: String,
  };
  static css = `${Box.css}
    :host { display: flex; flex-direction: column; }
    :host([direction=inline]) { flex-direction: row; flex-wrap: wrap; }
    ::slotted(*) { min-inline-size: 0; }`;

  declarations() {
    const space = words(SPACE);
    return {
      "flex-direction": [this.direction.startsWith("@") ? this.direction : "", (value) => (value === "inline" ? "row" : "column")],
      gap: [this.gap, space],
      "row-gap": [this.rowGap, space],
      "column-gap": [this.columnGap, space],
      "justify-content": [this.justifyContent, asIs],
      "align-items": [this.alignItems, asIs],
      "align-content": [this.alignContent, asIs],
    };
  }
}

class Grid extends Box {
  static props = {
    ...BOX_PROPS, gridTemplateColumns: String, gridTemplateRows: String, gap: String, rowGap: String, columnGap: String,
    alignItems: String, justifyItems: String, placeItems: String, alignContent: String, justifyContent: String,
    placeContent: String,
  };
  static css = `${Box.css} :host { display: grid; } ::slotted(*) { min-inline-size: 0; }`;

  declarations() {
    const space = words(SPACE);
    return {
      "grid-template-columns": [this.gridTemplateColumns, asIs],
      "grid-template-rows": [this.gridTemplateRows, asIs],
      gap: [this.gap, space],
      "row-gap": [this.rowGap, space],
      "column-gap": [this.columnGap, space],
      "place-items": [this.placeItems, asIs],
      "align-items": [this.alignItems, asIs],
      "justify-items": [this.justifyItems, asIs],
      "place-content": [this.placeContent, asIs],
      "align-content": [this.alignContent, asIs],
      "justify-content": [this.justifyContent, asIs],
    };
  }
}

class GridItem extends Box {
  static props = { ...BOX_PROPS, gridColumn: String, gridRow: String };

  declarations() {
    return { "grid-column": [this.gridColumn, asIs], "grid-row": [this.gridRow, asIs] };
  }
}

class QueryContainer extends PolarisElement {
  static props = { containerName: String };
  static css = ":host { display: block; container-type: inline-size; min-inline-size: 0; }";

  update() {
    // In the page's own scope, or the grids that name it in theirs would not find it.
    this.style.containerName = this.containerName || "none";
  }
}

class Divider extends PolarisElement {
  static props = { direction: String, color: String };
  static css = `
    :host { display: block; }
    hr { border: 0; border-block-start: 1px solid var(--hair); margin: 0; }
    :host([color=strong]) hr { border-color: #b5b5b5; }
    :host([direction=block]) { align-self: stretch; }
    :host([direction=block]) hr { block-size: 100%; border-block-start: 0; border-inline-start: 1px solid var(--hair);
      }`;
  static html = "<hr>";
}

class ScrollBox extends Box {
  static props = { ...BOX_PROPS, snapType: String, scrollPadding: String, scrollMargin: String };
  static css = `${Box.css} :host { overflow: auto; }`;

  update() {
    super.update();
    // What scrolls must be reachable by keyboard, and named.
    if (!this.hasAttribute("tabindex")) this.tabIndex = 0;
    if (!this.hasAttribute("role")) this.setAttribute("role", "region");
    if (!this.hasAttribute("aria-label")) this.setAttribute("aria-label", "Scrollable");
  }

  connectedCallback() {
    super.connectedCallback();
    this.addEventListener("scroll", () => {
      if (this.scrollTop + this.clientHeight >= this.scrollHeight - 1) this.emit("scrolltoedge");
    });
  }
}

define("s-box", Box);
define("s-stack", Stack);
define("s-grid", Grid);
define("s-grid-item", GridItem);
define("s-query-container", QueryContainer);
define("s-divider", Divider);
define("s-scroll-box", ScrollBox);
