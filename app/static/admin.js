// The admin's one script: links and forms of this app go by fetch (App Bridge adds the session token), the answer's
// <main> takes the place of this one, and the address, the back button and the focus go along.
//
// Rules live on the server. What a draft would do, how a colour is corrected, what is wrong with a field: all asked.

const main = () => document.querySelector("main");
const byId = (id) => document.getElementById(id);
const busy = new WeakSet(); // forms on their way: a double click is one
const TYPING_MS = 300;

// --- going somewhere -------------------------------------------------------------------------------------------------

let visits = 0;

/** Show an address. `keep`: same page, other state, so it stays scrolled and focused where it is. */
async function visit(address, { push = true, keep = false, again = () => visit(address, { push, keep }) } = {}) {
  const url = new URL(address, location.href);
  await load(url, {}, { push, keep, again });
}

/** Fetch a page and put it in place of this one. What goes wrong is said on the page that is still there. */
async function load(url, options, { push, keep = false, again }) {
  const mine = ++visits;
  window.shopify?.loading?.(true);
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" }, ...options });
    const text = await response.text();
    if (mine !== visits) return; // something else was asked for meanwhile
    if (response.status === 401) return complain("Your session ended. Reload this page in your Shopify admin.", again);
    const page = new DOMParser().parseFromString(text, "text/html");
    if (!page.querySelector("main")) return complain(`The server answered ${response.status}. Nothing was changed.`, again);
    const wrong = page.querySelector("[data-wrong]");
    if (wrong && options.method === "POST") return complain(wrong.dataset.wrong, again);
    // A form that was refused comes back at the address it was filled in at: what it was sent to is no page.
    const refused = options.method === "POST" && !response.redirected;
    show(page, { push: push && !refused, keep, address: refused ? location.href : response.url });
  } catch {
    if (mine === visits) complain("The server cannot be reached. Check your connection.", again);
  } finally {
    window.shopify?.loading?.(false);
  }
}

function show(page, { push, keep, address }) {
  const focused = keep ? document.activeElement?.id : "";
  main().replaceWith(document.importNode(page.querySelector("main"), true));
  document.title = page.title;
  const seen = visible(address);
  if (push && seen !== location.pathname + location.search) history.pushState({}, "", seen);
  else if (!push) history.replaceState({}, "", seen);
  if (!keep) scrollTo(0, 0);
  arrive({ focused });
}

/** An address as the merchant may keep it: without what only signs one load in. */
function visible(address) {
  const url = new URL(address, location.href);
  url.searchParams.delete("id_token");
  return url.pathname + url.search;
}

/** What a page does once it is here: focus, a toast, an open dialog, what only the browser can ask about. */
function arrive({ focused = "", first = false } = {}) {
  const page = main();
  const faulty = page.querySelector("[error]:not([error=''])");
  if (page.dataset.open) byId(page.dataset.open)?.showOverlay?.();
  if (faulty) faulty.focus?.();
  else if (focused && byId(focused)) byId(focused).focus({ preventScroll: true });
  else if (!first) page.focus({ preventScroll: true });
  if (!first) byId("announcer").textContent = document.title;
  if (page.dataset.toast) {
    window.shopify?.toast?.show(page.dataset.toast);
    const url = new URL(location.href);
    url.searchParams.delete("done"); // a reload must not say it again
    history.replaceState({}, "", url.pathname + url.search);
  }
  byId(page.dataset.show)?.scrollIntoView({ block: "nearest" });
  for (const field of page.querySelectorAll("[data-available]")) resultOf(field);
  askTheTheme(page.querySelector("[data-storefront]"));
}

function complain(why, again) {
  main().querySelector(".trouble")?.remove();
  const note = byId("trouble").content.cloneNode(true);
  note.querySelector("[data-why]").textContent = why;
  note.querySelector("[data-retry]").addEventListener("click", again);
  main().prepend(note);
  main().querySelector(".trouble").scrollIntoView({ block: "nearest" });
}

addEventListener("popstate", () => visit(location.href, { push: false }));

// --- links -----------------------------------------------------------------------------------------------------------

/** The link that was clicked, be it inside an element's shadow or the element itself. */
const linkOf = (event) => event.composedPath().find((node) => node instanceof Element && node.matches("a[href], s-link[href], s-button[href], s-clickable[href]"));

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = linkOf(event);
  if (!link) return;
  const url = new URL(link.getAttribute("href"), location.href);
  const target = link.getAttribute("target");
  if (url.origin !== location.origin || (target && !["_self", "auto"].includes(target))) return;
  event.preventDefault();
  if (link.hasAttribute("download")) download(url, link.getAttribute("download"));
  else visit(url, { keep: url.pathname === location.pathname });
});

// A click in the admin's own menu, which App Bridge passes on.
document.addEventListener("shopify:navigate", (event) => {
  const href = event.target.getAttribute?.("href");
  if (!href) return;
  event.preventDefault();
  visit(href);
});

/** A file: fetched like everything else, since a plain download would come without a token. */
async function download(url, name) {
  try {
    const response = await fetch(url);
    if (!response.ok) return complain(`The file could not be made (${response.status}).`, () => download(url, name));
    const file = URL.createObjectURL(await response.blob());
    Object.assign(document.createElement("a"), { href: file, download: name || "download" }).click();
    setTimeout(() => URL.revokeObjectURL(file), 60_000);
    visit(location.href, { push: false, keep: true });
  } catch {
    complain("The server cannot be reached. Check your connection.", () => download(url, name));
  }
}

for (const [type, attribute] of [["nextpage", "next"], ["previouspage", "previous"]]) {
  document.addEventListener(type, (event) => event.target.dataset?.[attribute] && visit(event.target.dataset[attribute]), true);
}

// --- forms -----------------------------------------------------------------------------------------------------------

document.addEventListener("submit", (event) => {
  const form = event.target;
  const url = new URL(form.getAttribute("action") || location.href, location.href);
  if (event.defaultPrevented || url.origin !== location.origin) return;
  event.preventDefault();
  send(form, url);
});

async function send(form, url) {
  if (busy.has(form)) return;
  busy.add(form);
  const fields = new URLSearchParams(new FormData(form));
  // A dialog that publishes takes along what stands in the form it is about, saved or not.
  const more = form.dataset.with && byId(form.dataset.with);
  if (more) for (const [name, value] of new FormData(more)) fields.append(name, value);
  try {
    if (form.method === "get") await visit(`${url.pathname}?${fields}`, { keep: url.pathname === location.pathname });
    else await load(url, { method: "POST", body: fields }, { push: true, keep: false, again: () => send(form, url) });
  } finally {
    busy.delete(form);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-submit]");
  if (button) byId(button.dataset.submit)?.requestSubmit();
  const press = event.target.closest?.("s-press-button[data-href]");
  if (press) visit(press.dataset.href, { keep: true });
  const tab = event.target.closest?.("s-press-button[data-tab]");
  if (tab) setTimeout(() => showTab(tab.dataset.tab));
  const loader = event.target.closest?.("[data-load]");
  if (loader) fill(loader);
  const scroller = event.target.closest?.("[data-scroll]");
  if (scroller) goToPart(byId(scroller.dataset.scroll));
});

/** Show a part of the page and go on from its first link. */
function goToPart(part) {
  part?.scrollIntoView({ block: "start", behavior: "smooth" });
  part?.querySelector("[href]")?.focus({ preventScroll: true });
}

// Discard in the save bar: the page as it was saved, chips and previews too.
document.addEventListener("reset", (event) => {
  if (event.target.matches("[data-save-bar]")) setTimeout(() => visit(location.href, { push: false, keep: true }));
});

// --- live preview ----------------------------------------------------------------------------------------------------

let typing = 0;
let asking = null;
let openTab = "product";

for (const type of ["input", "change"]) {
  document.addEventListener(type, (event) => {
    const form = event.target.closest?.("form[data-preview]");
    if (form) later(() => preview(form));
    const start = event.target.closest?.('s-choice-list[name="when"]');
    if (start) whenToStart(start);
    if (form?.querySelector("[data-if]")) showIfs(form);
    const field = event.target.closest?.("[data-available]");
    if (field) resultOf(field);
  });
}

function later(act) {
  clearTimeout(typing);
  typing = setTimeout(act, TYPING_MS);
}

/** Ask the server what the form would do; put its faults beside their fields, and the rest beside the form. */
async function preview(form) {
  asking?.abort();
  asking = new AbortController();
  const body = new URLSearchParams(new FormData(form));
  try {
    const response = await fetch(form.dataset.preview, { method: "POST", body, signal: asking.signal, headers: { Accept: "application/json" } });
    if (!response.ok || !form.isConnected) return;
    const { errors, html } = await response.json();
    for (const field of form.querySelectorAll("[name]")) sayFault(form, field, errors[field.getAttribute("name")] ?? "");
    replaceContent(byId("preview"), html);
    showTab(openTab);
  } catch {
    // A newer question, or no connection: saving will say so.
  }
}

function sayFault(form, field, message) {
  const name = field.getAttribute("name");
  const words = form.querySelector(`[data-error-for="${name}"]`);
  if (words) {
    words.textContent = message;
    words.hidden = !message;
  } else if ((field.getAttribute("error") ?? "") !== message) {
    if (message) field.setAttribute("error", message);
    else field.removeAttribute("error");
  }
}

function replaceContent(holder, html) {
  const content = new DOMParser().parseFromString(html, "text/html").body;
  holder?.replaceChildren(...[...content.childNodes].map((node) => document.importNode(node, true)));
}

function showTab(tab) {
  openTab = tab;
  for (const button of document.querySelectorAll("[data-tab]")) button.toggleAttribute("pressed", button.dataset.tab === tab);
  for (const pane of document.querySelectorAll("[data-pane]")) pane.hidden = pane.dataset.pane !== tab;
}

function whenToStart(list) {
  const form = list.closest("form");
  const chosen = new FormData(form).get("when");
  for (const part of form.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== chosen;
}

/** Show the parts of a form that go with what is chosen: data-if="kind=amount_off|gift_card". */
function showIfs(form) {
  const chosen = new FormData(form);
  for (const part of form.querySelectorAll("[data-if]")) {
    const [name, values] = part.dataset.if.split("=");
    part.hidden = !values.split("|").includes(chosen.get(name) ?? "");
  }
}

/** "Available 240 → 290": arithmetic for the eye; the server does its own. */
function resultOf(field) {
  const available = Number(field.dataset.available);
  const points = Number(field.value.replace("\u2212", "-"));
  const words = (number) => number.toLocaleString("en").replace("-", "\u2212");
  const known = field.value !== "" && Number.isInteger(points);
  field.setAttribute("details", known ? `Available ${words(available)} → ${words(available + points)}` : `Available ${words(available)}`);
}

// --- chips -----------------------------------------------------------------------------------------------------------
// A hidden input holds the list (products: ids with commas; vendors: JSON, since a name may hold any character).

const READ = { products: (text) => text.split(",").filter(Boolean), vendors: (text) => JSON.parse(text || "[]") };
const WRITE = { products: (values) => values.join(","), vendors: (values) => JSON.stringify(values) };
const chipsOf = (kind) => document.querySelector(`[data-chips="${kind}"]`);

function setChips(kind, pairs) {
  const box = chipsOf(kind);
  const input = box.querySelector("input");
  input.value = WRITE[kind](pairs.map(([value]) => value));
  const row = box.querySelector("s-stack");
  for (const chip of row.querySelectorAll("s-chip")) chip.remove();
  const blank = document.querySelector("template[data-chip]").content.firstElementChild;
  row.prepend(
    ...pairs.map(([value, label]) => {
      const chip = document.importNode(blank, true);
      chip.dataset.value = value;
      chip.textContent = label;
      return chip;
    }),
  );
  input.dispatchEvent(new Event("change", { bubbles: true })); // the save bar and the preview listen
}

const chipPairs = (kind) => [...chipsOf(kind).querySelectorAll("s-chip")].map((chip) => [chip.dataset.value, chip.textContent]);

document.addEventListener(
  "remove",
  (event) => {
    const kind = event.target.closest?.("[data-chips]")?.dataset.chips;
    if (kind) setChips(kind, chipPairs(kind).filter(([value]) => value !== event.target.dataset.value));
  },
  true,
);

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-pick]");
  if (!button) return;
  const selectionIds = READ.products(chipsOf("products").querySelector("input").value).map((id) => ({ id: `gid://shopify/Product/${id}` }));
  const chosen = await window.shopify.resourcePicker({ type: "product", multiple: true, action: "select", selectionIds, filter: { variants: false } });
  if (chosen) setChips("products", (chosen.selection ?? chosen).map((product) => [product.id.split("/").pop(), product.title]));
});

// A free product is one variant. The server says what it is called and costs.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-pick-variant]");
  if (!button) return;
  const holder = button.closest("#free-product");
  const chosen = await window.shopify.resourcePicker({ type: "variant", multiple: false, action: "select" });
  const variant = (chosen?.selection ?? chosen)?.[0];
  if (!variant) return;
  const html = await fragment(`${button.dataset.pickVariant}?variant=${encodeURIComponent(variant.id)}`).catch(() => null);
  if (html === null || !holder.isConnected) return;
  const form = holder.closest("form");
  holder.replaceWith(document.importNode(new DOMParser().parseFromString(html, "text/html").querySelector("#free-product"), true));
  byId("free-product").querySelector("input").dispatchEvent(new Event("change", { bubbles: true }));
  byId("free-product").querySelector("s-button").focus();
  if (form.dataset.preview) preview(form);
});

// A permission is granted to App Bridge; what is granted then, the server reads at Shopify.
document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-scopes]");
  if (!button || busy.has(button)) return;
  busy.add(button);
  try {
    const { result } = await window.shopify.scopes.request(button.dataset.scopes.split(","));
    if (result !== "granted-all") return;
    const body = new URLSearchParams({ kind: button.dataset.kind });
    const response = await fetch(button.dataset.granted, { method: "POST", body, headers: { Accept: "text/html" } });
    if (!response.ok) return complain("The permission was granted, but Shopify could not be asked about it just now.", () => visit(location.href, { push: false, keep: true }));
    const part = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[id]");
    byId(part.id)?.replaceWith(document.importNode(part, true));
  } catch {
    complain("The server cannot be reached. Check your connection.", () => visit(location.href, { push: false, keep: true }));
  } finally {
    busy.delete(button);
  }
});

document.addEventListener("change", (event) => {
  const kind = event.target.dataset?.add;
  const value = event.target.value?.trim?.();
  if (!kind || !value) return;
  const pairs = chipPairs(kind);
  if (!pairs.some(([known]) => known.toLowerCase() === value.toLowerCase())) setChips(kind, [...pairs, [value, value]]);
  event.target.closest("s-popover")?.hideOverlay?.();
  event.target.value = "";
});

// --- parts fetched afterwards ----------------------------------------------------------------------------------------

async function fragment(address) {
  const response = await fetch(address, { headers: { Accept: "text/html" } });
  return response.ok ? response.text() : null;
}

async function fill(button) {
  const html = await fragment(button.dataset.load).catch(() => null);
  if (html !== null) replaceContent(byId(button.dataset.into), html);
}

/** Only App Bridge knows what the theme shows of us. The server words it. */
async function askTheTheme(holder) {
  if (!holder || !window.shopify?.app?.extensions) return;
  const extensions = await window.shopify.app.extensions().catch(() => null);
  if (!extensions || !holder.isConnected) return;
  const blocks = extensions.flatMap((extension) => extension.activations ?? []);
  const state = (handle) => (blocks.some((block) => block.handle === handle && block.status === "active") ? "on" : "off");
  const html = await fragment(`${holder.dataset.storefront}?panel=${state("launcher")}&block=${state("product-points")}`).catch(() => null);
  if (html === null || !holder.isConnected) return;
  const parts = new DOMParser().parseFromString(html, "text/html");
  for (const id of ["guide", "in-store"]) byId(id)?.replaceWith(document.importNode(parts.getElementById(id), true));
}

history.replaceState({}, "", visible(location.href));
arrive({ first: true });
