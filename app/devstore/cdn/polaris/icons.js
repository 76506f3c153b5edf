// A few line drawings of our own on a 20 × 20 grid, for the icon names our pages use; other names get a plain dot.

const ICON_PATHS = {
  plus: "M10 4.5v11M4.5 10h11",
  minus: "M4.5 10h11",
  x: "M5.5 5.5l9 9M14.5 5.5l-9 9",
  check: "M4.5 10.5l3.7 3.7 7.3-8",
  "check-circle": "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M6.8 10.2l2.2 2.2 4.2-4.6",
  "alert-circle": "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 6.5v4.2M10 13.3v.1",
  "alert-triangle": "M10 3.5l7.2 12.5H2.8zM10 8v3.6M10 13.8v.1",
  info: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 9.3v4.2M10 6.7v.1",
  "question-circle": "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M8 8.2a2 2 0 1 1 2.7 1.9c-.5.2-.7.5-.7 1.1M10 13.5v.1",
  search: "M8.8 3.8a5 5 0 1 0 0 10a5 5 0 1 0 0-10M12.5 12.5l3.7 3.7",
  filter: "M4 6h12M6.5 10h7M8.8 14h2.4",
  sort: "M7 4.5v11M4.5 7L7 4.5 9.5 7M13 15.5v-11M10.5 13l2.5 2.5 2.5-2.5",
  "chevron-left": "M12 4.5L6.5 10l5.5 5.5",
  "chevron-right": "M8 4.5l5.5 5.5L8 15.5",
  "chevron-down": "M5 7.8l5 5 5-5",
  "chevron-up": "M5 12.2l5-5 5 5",
  "arrow-left": "M16 10H4.5M9 5l-5 5 5 5",
  "arrow-right": "M4 10h11.5M11 5l5 5-5 5",
  "arrow-up": "M10 16V4.5M5 9l5-5 5 5",
  "arrow-down": "M10 4v11.5M5 11l5 5 5-5",
  "menu-horizontal": "M5 10h.1M10 10h.1M15 10h.1",
  menu: "M4 6h12M4 10h12M4 14h12",
  edit: "M4.5 15.5l.8-3.3 7.7-7.7 2.5 2.5-7.7 7.7z",
  delete: "M5 6.5h10M8 6.5V4.5h4v2M6.5 6.5l.6 9h5.8l.6-9",
  duplicate: "M7.5 7.5h8v8h-8zM12.5 7.5v-3h-8v8h3",
  export: "M10 12.5v-8M6.8 7.5L10 4.3l3.2 3.2M4.5 12.5v3h11v-3",
  import: "M10 4.5v8M6.8 9.5l3.2 3.2 3.2-3.2M4.5 12.5v3h11v-3",
  refresh: "M15.5 8.5A6 6 0 0 0 5 6.5L4 8M4 4.5V8h3.5M4.5 11.5A6 6 0 0 0 15 13.5l1-1.5M16 15.5V12h-3.5",
  replay: "M4.5 10a5.5 5.5 0 1 0 1.7-4L4.5 7.5M4.5 4v3.5H8",
  clock: "M10 3a7 7 0 1 0 0 14a7 7 0 1 0 0-14M10 6.5V10l2.5 2",
  calendar: "M4 5.5h12v10.5H4zM4 8.7h12M7.2 3.8v3M12.8 3.8v3",
  person: "M10 4a3 3 0 1 0 0 6a3 3 0 1 0 0-6M4.5 16.5c.6-3 2.7-4.5 5.5-4.5s4.9 1.5 5.5 4.5",
  order: "M5 3.5h10v13l-2-1.3-1.5 1.3-1.5-1.3-1.5 1.3L7 15.2l-2 1.3zM7.8 7.5h4.4M7.8 10.5h4.4",
  product: "M3.8 10.5V4h6.5l6 6-6.5 6.5zM7 7.2v.1",
  home: "M4 9.5L10 4l6 5.5V16h-4v-4H8v4H4z",
  settings: "M10 7.5a2.5 2.5 0 1 0 0 5a2.5 2.5 0 1 0 0-5M10 3.5v2M10 14.5v2M3.5 10h2M14.5 10h2M5.4 5.4l1.4 1.4M13.2 13.2l1.4 1.4M14.6 5.4l-1.4 1.4M6.8 13.2l-1.4 1.4",
  external: "M11.5 4.5h4v4M15.5 4.5l-7 7M13.5 11.5v4h-9v-9h4",
  link: "M8.5 11.5l3-3M9.5 6.5l1.5-1.5a3 3 0 0 1 4 4L13.5 10.5M10.5 13.5L9 15a3 3 0 0 1-4-4l1.5-1.5",
  view: "M2.8 10c1.8-3.3 4.2-5 7.2-5s5.4 1.7 7.2 5c-1.8 3.3-4.2 5-7.2 5s-5.4-1.7-7.2-5zM10 7.8a2.2 2.2 0 1 0 0 4.4a2.2 2.2 0 1 0 0-4.4",
  "chart-line": "M3.5 13.5l4-4.5 3 2.8 6-6.8",
  "credit-card-percent": "M3.5 5.5h13v9h-13zM3.5 8.5h13M7.5 11h.1M12.5 13h.1M12.5 10.6l-5 2.8",
  delivery: "M2.5 5.5h9v8h-9zM11.5 8.5h3.2l2.8 2.6v2.4h-6M4.4 14.5a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0M12.4 14.5a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0-3.2 0",
  "gift-card": "M3.5 6h13v9.5h-13zM3.5 9.5h13M8 6v9.5M8 9.5C6.5 9 5.8 8 6.5 7.3S8 8 8 9.5c0-1.5.8-2.9 1.5-2.2S9.5 9 8 9.5",
  wallet: "M3.5 6.5v9h13v-7h-13zM3.5 6.5c0-1 .7-1.5 1.5-1.7l8.5-1.3v5M13.5 12h.1",
  adjust: "M4 7h7M15 7h1M4 13h1M9 13h7M11 7a2 2 0 1 0 4 0a2 2 0 1 0-4 0M5 13a2 2 0 1 0 4 0a2 2 0 1 0-4 0",
  discount: "M6 6.5h.1M14 13.5h.1M15 5L5 15",
  star: "M10 3.5l2 4.2 4.5.6-3.3 3.2.8 4.6-4-2.2-4 2.2.8-4.6-3.3-3.2 4.5-.6z",
  lock: "M5 9h10v7H5zM7 9V6.5a3 3 0 0 1 6 0V9",
};
const DOT = "M10 9.9v.2";

const SVG = "http://www.w3.org/2000/svg";

/** An icon by Shopify's name; decorative, since every place that uses one names itself in words. */
function drawIcon(name, size = 20) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  const attributes = { viewBox: "0 0 20 20", width: size, height: size, fill: "none", stroke: "currentColor",
    "stroke-width": 1.6, "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, value);
  path.setAttribute("d", ICON_PATHS[name] ?? DOT);
  svg.append(path);
  return svg;
}

const TONES = {
  info: "#00527c", success: "#0c5132", caution: "#4f4700", warning: "#5e4200", critical: "#8e0b21", neutral:
  "#616161",
};

class Icon extends PolarisElement {
  static props = { type: String, tone: String, color: String, size: String, interestFor: String };
  static css = ":host { display: inline-flex; vertical-align: middle; } svg { display: block; }";
  static html = "";

  update() {
    this.shadowRoot.replaceChildren(drawIcon(this.type, this.size === "small" ? 16 : 20));
    const color = TONES[this.tone] ?? (this.color === "subdued" ? "#616161" : "");
    this.ownStyle(color ? `:host{color:${color}}` : "");
  }
}

define("s-icon", Icon);
