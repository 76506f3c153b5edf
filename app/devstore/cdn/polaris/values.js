// What layout attributes may say, turned into CSS: keywords of a scale, shorthands, and `@container` conditions.

const SPACE = {
  none: "0", "small-500": "2px", "small-400": "4px", "small-300": "6px", "small-200": "8px", "small-100": "12px",
  small: "12px", base: "16px", large: "20px", "large-100": "20px", "large-200": "24px", "large-300": "32px",
  "large-400": "40px", "large-500": "48px",
};
const RADIUS = {
  none: "0", "small-200": "2px", "small-100": "4px", small: "4px", base: "8px", large: "12px", "large-100": "12px",
  "large-200": "16px", max: "9999px",
};
const BORDER_WIDTH = { none: "0", base: "1px", "small-100": ".5px", small: ".5px", large: "2px", "large-100": "3px" };
const BORDER_COLOR = { subdued: "#ebebeb", base: "#e3e3e3", strong: "#8a8a8a" };
const BACKGROUND = { transparent: "transparent", subdued: "#f7f7f7", base: "#fff", strong: "#ebebeb" };
const BORDER_STYLE = new Set(["none", "solid", "dashed", "dotted", "auto"]);

const words = (scale) => (value) => value.split(/\s+/).map((word) => scale[word] ?? word).join(" ");
const asIs = (value) => value;

/** Split at commas that are in no bracket: "minmax(0, 2fr) 1fr, 1fr" → two parts. */
function splitTop(text) {
  const parts = [""];
  let depth = 0;
  for (const character of text) {
    if (character === "(") depth += 1;
    if (character === ")") depth -= 1;
    if (character === "," && depth === 0) parts.push("");
    else parts[parts.length - 1] += character;
  }
  return parts.map((part) => part.trim());
}

/** "@container [name] (condition) value, (condition) value, otherwise" → [[condition or null, value], …], last one first. */
function responsive(value) {
  const named = /^@container\s+(?:([\w-]+)\s+)?(?=\()/.exec(value);
  if (!named) return [[null, value]];
  const name = named[1] ? `${named[1]} ` : "";
  return splitTop(value.slice(named[0].length))
    .map((part) => {
      const condition = /^\((?:[^()]|\([^()]*\))*\)(?:\s*(?:and|or)\s*\((?:[^()]|\([^()]*\))*\))*/.exec(part);
      return condition ? [name + condition[0], part.slice(condition[0].length).trim()] : [null, part];
    })
    .reverse();
}

/** CSS for `:host` out of {css property: [attribute value, translation]}; conditions become container queries. */
function hostRules(declarations) {
  let plain = "";
  let conditional = "";
  for (const [property, [value, translate]] of Object.entries(declarations)) {
    if (!value) continue;
    for (const [condition, words] of responsive(value)) {
      const declaration = `${property}:${translate(words)};`;
      if (condition) conditional += `@container ${condition}{:host{${declaration}}}`;
      else plain += declaration;
    }
  }
  return `:host{${plain}}${conditional}`;
}

/** border="base", "large strong dashed": width, colour and style in that order, each may be left out from the end. */
function borderShorthand(value) {
  const [width = "none", color = "base", style = "solid"] = value.split(/\s+/);
  if (width === "none") return "0 none";
  return `${BORDER_WIDTH[width] ?? "1px"} ${BORDER_STYLE.has(style) ? style : "solid"} ${BORDER_COLOR[color] ?? color}`;
}

const display = (value) => (value === "auto" ? "" : value);

const BOX_PROPS = {
  accessibilityRole: String, accessibilityLabel: String, accessibilityVisibility: String, background: String,
  border: String, borderWidth: String, borderStyle: String, borderColor: String, borderRadius: String,
  padding: String, paddingBlock: String, paddingBlockStart: String, paddingBlockEnd: String, paddingInline: String,
  paddingInlineStart: String, paddingInlineEnd: String, display: String, blockSize: String, minBlockSize: String,
  maxBlockSize: String, inlineSize: String, minInlineSize: String, maxInlineSize: String, overflow: String,
};

/** The CSS every box-like element shares, general before particular so that the particular wins. */
function boxDeclarations(element) {
  const space = words(SPACE);
  return {
    background: [element.background, (value) => BACKGROUND[value] ?? value],
    border: [element.border, borderShorthand],
    "border-width": [element.borderWidth, words(BORDER_WIDTH)],
    "border-style": [element.borderStyle, words({ auto: "solid" })],
    "border-color": [element.borderColor, (value) => BORDER_COLOR[value] ?? value],
    "border-radius": [element.borderRadius, words(RADIUS)],
    padding: [element.padding, space],
    "padding-block": [element.paddingBlock, space],
    "padding-block-start": [element.paddingBlockStart, space],
    "padding-block-end": [element.paddingBlockEnd, space],
    "padding-inline": [element.paddingInline, space],
    "padding-inline-start": [element.paddingInlineStart, space],
    "padding-inline-end": [element.paddingInlineEnd, space],
    "block-size": [element.blockSize, asIs],
    "min-block-size": [element.minBlockSize, asIs],
    "max-block-size": [element.maxBlockSize, asIs],
    "inline-size": [element.inlineSize, asIs],
    "min-inline-size": [element.minInlineSize, asIs],
    "max-inline-size": [element.maxInlineSize, asIs],
    overflow: [element.overflow, asIs],
    display: [element.display, display],
  };
}
