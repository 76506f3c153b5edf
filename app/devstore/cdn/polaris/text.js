// Words: text, paragraph, heading, number, lists.

const FONT_SIZE = {
  base: "13px/20px", small: "12px/16px", "small-100": "12px/16px", "small-200": "11px/14px", large: "16px/24px",
  "large-100": "20px/28px", "large-200": "24px/32px", "large-300": "28px/36px", "large-400": "34px/42px",
};
const FONT_WEIGHT = { base: 400, medium: 500, semibold: 650, bold: 700 };

/** CSS of the attributes words have in common. */
function textDeclarations(element) {
  const [size, line] = (FONT_SIZE[element.fontSize] ?? "").split("/");
  const tone = TONES[element.tone];
  const rules = [
    size && `font-size:${size};line-height:${line}`,
    FONT_WEIGHT[element.fontWeight] && `font-weight:${FONT_WEIGHT[element.fontWeight]}`,
    element.color === "subdued" && "color:var(--mute)",
    tone && `color:${tone}`,
    element.fontVariantNumeric === "tabular-nums" && "font-variant-numeric:tabular-nums",
    Number(element.lineClamp) > 0 &&
      `display:-webkit-box;-webkit-box-orient:vertical;overflow:hidden;-webkit-line-clamp:${Number(element.lineClamp)}`,
  ];
  return `:host{${rules.filter(Boolean).join(";")}}`;
}

const HIDDEN_TEXT_CSS = ":host([accessibilityvisibility=exclusive]) { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }";

class Text extends PolarisElement {
  static props = {
    color: String, type: String, tone: String, fontVariantNumeric: String, fontSize: String, fontWeight: String,
    accessibilityVisibility: String, dir: String, interestFor: String,
  };
  static css = `:host([type=strong]) { font-weight: 650; } :host([type=redundant]) { text-decoration: line-through; } ${HIDDEN_TEXT_CSS}`;

  update() {
    this.ownStyle(textDeclarations(this));
    if (this.accessibilityVisibility === "hidden") this.setAttribute("aria-hidden", "true");
    if (this.type === "strong") this.setAttribute("role", "strong");
    if (this.interestFor) listenForInterest(this);
  }
}

class Paragraph extends PolarisElement {
  static props = {
    color: String, tone: String, fontSize: String, fontWeight: String, fontVariantNumeric: String,
    accessibilityVisibility: String, dir: String, lineClamp: Number,
  };
  static css = `:host { display: block; text-wrap: pretty; } ${HIDDEN_TEXT_CSS}`;
  static html = "<p><slot></slot></p>";

  update() {
    this.ownStyle(textDeclarations(this));
    if (this.accessibilityVisibility === "hidden") this.setAttribute("aria-hidden", "true");
  }
}

class NumberText extends PolarisElement {
  static props = {
    tone: String, color: String, fontSize: String, fontWeight: String, accessibilityVisibility: String, dir:
    String,
  };
  static css = `:host { font-variant-numeric: tabular-nums; } ${HIDDEN_TEXT_CSS}`;

  update() {
    this.ownStyle(textDeclarations(this));
  }
}

/** How deep a heading is: the page's is 1, a section's 2, and one more for every section around it. */
function headingLevel(element) {
  let level = 2;
  for (let around = element.parentElement; around; around = around.parentElement) {
    if (around.matches("s-section[heading], s-modal[heading]")) level += 1;
  }
  return Math.min(level, 6);
}

/** Put an <hN> of the right depth around a slot or a text, once per change of depth. */
function setHeading(holder, level, content) {
  let heading = holder.firstElementChild;
  if (heading?.localName !== `h${level}`) {
    heading = document.createElement(`h${level}`);
    holder.replaceChildren(heading);
  }
  if (content === null) {
    if (!heading.firstElementChild) heading.append(document.createElement("slot"));
  } else if (heading.textContent !== content) heading.textContent = content;
}

class Heading extends PolarisElement {
  static props = { fontSize: String, accessibilityRole: String, accessibilityVisibility: String, lineClamp: Number };
  static css = `:host { display: block; color: var(--strong); font-weight: 650; font-size: 13px; line-height: 20px; } ${HIDDEN_TEXT_CSS}`;
  static html = "<div class=holder></div>";

  update() {
    this.ownStyle(textDeclarations(this));
    if (["presentation", "none"].includes(this.accessibilityRole)) this.shadowRoot.innerHTML = "<slot></slot>";
    else setHeading(this.$(".holder"), headingLevel(this), null);
  }
}

class UnorderedList extends PolarisElement {
  static css = ":host { display: block; padding-inline-start: 20px; } ::slotted(s-list-item) { list-style: disc; }";

  update() {
    this.setAttribute("role", "list");
  }
}

class OrderedList extends UnorderedList {
  static css = ":host { display: block; padding-inline-start: 20px; } ::slotted(s-list-item) { list-style: decimal; }";
}

class ListItem extends PolarisElement {
  static css = ":host { display: list-item; padding-block: 2px; }";

  update() {
    this.setAttribute("role", "listitem");
  }
}

define("s-text", Text);
define("s-paragraph", Paragraph);
define("s-number", NumberText);
define("s-heading", Heading);
define("s-unordered-list", UnorderedList);
define("s-ordered-list", OrderedList);
define("s-list-item", ListItem);
