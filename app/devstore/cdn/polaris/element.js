// The base of every stand-in: an open shadow root, styles shared by constructable sheets (so no inline style, and no
// Content-Security-Policy is in their way), and attributes mirrored by properties, as Shopify's manifest names them.
//
// What a page can rely on is in Shopify's custom-elements manifest; how it is done here is our own.

const SHARED_CSS = `
  :host { box-sizing: border-box; --ink: #303030; --strong: #1a1a1a; --mute: #616161; --hair: #e3e3e3; --edge: #8a8a8a;
    --link: #005bd3; --critical: #8e0b21; }
  :host([hidden]) { display: none !important; }
  *, *::before, *::after { box-sizing: border-box; }
  :where(h1, h2, h3, h4, p, dl, dd, figure, fieldset, legend) { margin: 0; padding: 0; border: 0; font: inherit; }
  :where(button, input, select, textarea) { font: inherit; color: inherit; }
  :focus-visible { outline: 2px solid #005bd3; outline-offset: 1px; }
  .sr { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%);
    white-space: nowrap; }
  [hidden] { display: none !important; }
`;

// What the page itself gets: the grey admin background and its type. `:where` lets any style of the page win.
const PAGE_CSS = `
  :where(html) { -webkit-text-size-adjust: 100%; }
  :where(body) { margin: 0; background: #f1f1f1; color: #303030; color-scheme: light;
    -webkit-font-smoothing: antialiased;
    font: 400 13px/20px Inter, -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, sans-serif; }
  :where(a) { color: #005bd3; }
  :where(p, dl, dd, ul, ol, figure) { margin: 0; }
`;

const styleSheet = (css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
};

const SHARED = styleSheet(SHARED_CSS);
document.adoptedStyleSheets = [...document.adoptedStyleSheets, styleSheet(PAGE_CSS)];

const sheets = new Map(); // class → its parsed css

function sheetOf(Class) {
  if (!sheets.has(Class)) sheets.set(Class, styleSheet(Class.css));
  return sheets.get(Class);
}

class PolarisElement extends HTMLElement {
  static props = {}; // property name → String, Number or Boolean; the attribute is the lower-cased name
  static css = ""; // of the shadow root
  static html = "<slot></slot>";
  static shadow = {};

  static get observedAttributes() {
    return Object.keys(this.props).map((name) => name.toLowerCase());
  }

  #own = new CSSStyleSheet(); // rules that follow from this element's own attributes

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open", ...this.constructor.shadow });
    root.innerHTML = this.constructor.html;
    root.adoptedStyleSheets = [SHARED, sheetOf(this.constructor), this.#own];
  }

  connectedCallback() {
    this.update();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.update();
  }

  /** Bring the shadow root in line with the attributes. Called on connection and after every change. */
  update() {}

  /** The first element of the shadow root that matches. */
  $(selector) {
    return this.shadowRoot.querySelector(selector);
  }

  /** Replace the rules that belong to this one element. */
  ownStyle(css) {
    this.#own.replaceSync(css);
  }

  emit(type, options = {}) {
    return this.dispatchEvent(new CustomEvent(type, { bubbles: false, ...options }));
  }
}

/** Say it in the attribute or take the attribute away. */
function setOrRemove(element, name, value) {
  if (value === null || value === undefined || value === false || value === "") element.removeAttribute(name);
  else element.setAttribute(name, value === true ? "" : String(value));
}

function accessor(name, type) {
  const attribute = name.toLowerCase();
  return {
    configurable: true,
    enumerable: true,
    get() {
      if (type === Boolean) return this.hasAttribute(attribute);
      const value = this.getAttribute(attribute);
      return type === Number && value !== null ? Number(value) : (value ?? "");
    },
    set(value) {
      setOrRemove(this, attribute, value);
    },
  };
}

/** Whether one of our classes has it; what the browser gives every element (`prefix`, `lang`) does not count. */
function definesItself(Class, name) {
  for (let proto = Class.prototype; proto !== HTMLElement.prototype; proto = Object.getPrototypeOf(proto)) {
    if (Object.hasOwn(proto, name)) return true;
  }
  return false;
}

/** Register an element, giving it a property for each of `props` that the class does not define itself. */
function define(tag, Class) {
  for (const [name, type] of Object.entries(Class.props)) {
    if (!definesItself(Class, name)) Object.defineProperty(Class.prototype, name, accessor(name, type));
  }
  customElements.define(tag, Class);
}

/** The text of a light child without the whitespace of its markup. */
const textOf = (node) => node.textContent.replace(/\s+/g, " ").trim();

/** Call back whenever the children of an element, or what they say, change. Once at first, too, when there are any. */
function watchChildren(element, callback) {
  new MutationObserver(callback).observe(element, {
    childList: true,
    subtree: true,
    characterData: true,
    attributes: true,
    attributeFilter: ["selected", "disabled", "value", "label", "hidden", "listslot", "format"],
  });
  if (element.firstChild) queueMicrotask(callback); // a whole page put in at once: its children are upgraded after it
}
