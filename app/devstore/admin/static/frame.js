// The admin's half of App Bridge: it answers the page in the frame, and only that page.

const frame = document.getElementById("app");
const { origin: APP_ORIGIN, base: APP_BASE, here: HERE, ask: ASK, home: HOME, key: KEY, app: APP_NAME } = frame.dataset;
const herePath = new URL(HERE, location.href).pathname;

/** Ask the admin's server on the frame's behalf. */
async function askServer(name, body = {}) {
  const answer = await fetch(`${ASK}/${name}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Frame-Key": KEY },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`the admin answered ${answer.status}`);
  return answer.json();
}

const tellFrame = (type, payload = {}) => frame.contentWindow.postMessage({ bridge: 1, type, payload }, APP_ORIGIN);

const handlers = {
  hello: () => {
    showSaveBar({ visible: false }); // another document: whatever the last one had unsaved is gone with it
    return askServer("hello");
  },
  "id-token": () => askServer("id-token"),
  extensions: () => askServer("extensions"),
  "scopes-query": () => askServer("scopes"),
  "scopes-request": ({ scopes }) => askForScopes(scopes),
  "resource-picker": (options) => window.pickProducts(options, () => askServer("products")),
  location: showLocation,
  nav: showNav,
  redirect: ({ url }) => leave(url),
  "save-bar": showSaveBar,
  toast: showToast,
  "toast-hide": ({ id }) => document.getElementById(id)?.remove(),
  loading: ({ isLoading }) => frame.setAttribute("aria-busy", String(isLoading)),
};

addEventListener("message", async (event) => {
  if (event.source !== frame.contentWindow || event.origin !== APP_ORIGIN || event.data?.bridge !== 1) return;
  const { id, type, payload } = event.data;
  const reply = (rest) => id && frame.contentWindow.postMessage({ bridge: 1, answers: id, ...rest }, APP_ORIGIN);
  try {
    if (!handlers[type]) throw new Error(`nothing here answers ${type}`);
    reply({ payload: (await handlers[type](payload ?? {})) ?? {} });
  } catch (error) {
    reply({ error: error.message });
  }
});

// -- where the frame is ------------------------------------------------------------------------------------------------

/** The app's path ("/admin/members") as the admin shows it, and back. */
const outside = (path) => herePath + (path.startsWith(APP_BASE) ? path.slice(APP_BASE.length) : path).replace(/^\/(?=$|\?|#)/, "");

let currentPath = null;

function showLocation({ path, title }) {
  currentPath = path;
  history.replaceState(null, "", outside(path)); // the frame's own history has the entry already
  document.title = title ? `${title} · ${APP_NAME}` : APP_NAME;
  markCurrent();
}

function leave(url) {
  const target = new URL(url);
  if (target.protocol === "shopify:") location.assign(HOME + url.replace(/^shopify:\/*admin/, ""));
  else if (["http:", "https:"].includes(target.protocol)) location.assign(target);
}

// -- the app's entries in the side menu ---------------------------------------------------------------------------------

const nav = document.getElementById("app-nav");
const home = document.querySelector("[data-app-home]");
let homePath = "/";

function showNav({ items }) {
  homePath = items.find((item) => item.home)?.path ?? "/";
  nav.replaceChildren(
    ...items.filter((item) => !item.home).map((item) => {
      const link = Object.assign(document.createElement("a"), { href: outside(item.path), textContent: item.label, className: "sub" });
      link.dataset.path = item.path;
      return link;
    }),
  );
  markCurrent();
}

/** The entry whose path is the longest one that leads to where the frame is; the app's name when none does. */
function markCurrent() {
  if (currentPath === null) return;
  const at = currentPath.split(/[?#]/)[0];
  const under = (path) => at === path || at.startsWith(`${path.replace(/\/$/, "")}/`);
  const links = [...nav.querySelectorAll("a")];
  const best = links
    .filter((link) => under(link.dataset.path.split("?")[0]))
    .sort((a, b) => b.dataset.path.length - a.dataset.path.length)[0];
  for (const link of [...links, home]) {
    if (link === (best ?? home)) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function goTo(event, path) {
  if (event.metaKey || event.ctrlKey || event.shiftKey) return; // a new tab opens the admin there
  event.preventDefault();
  if (bar.hidden) tellFrame("navigate", { path });
  else flashBar();
}

nav.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (link) goTo(event, link.dataset.path);
});
home.addEventListener("click", (event) => goTo(event, homePath));

// -- the save bar ------------------------------------------------------------------------------------------------------

const bar = document.getElementById("save-bar");
let confirmDiscard = false;

function showSaveBar({ visible, flash, discardConfirmation }) {
  bar.hidden = !visible;
  if (discardConfirmation !== undefined) confirmDiscard = discardConfirmation;
  if (flash) flashBar();
}

function flashBar() {
  bar.classList.remove("flash");
  void bar.offsetWidth; // so that the same movement can start again
  bar.classList.add("flash");
}

bar.addEventListener("click", (event) => {
  const action = event.target.closest("button")?.dataset.action;
  if (action === "discard" && confirmDiscard) document.getElementById("discard").showOverlay();
  else if (action) tellFrame("save-bar-action", { action });
});
document.getElementById("discard-yes").addEventListener("click", () => {
  document.getElementById("discard").hideOverlay();
  tellFrame("save-bar-action", { action: "discard" });
});

// Any other link of the admin: unsaved changes first.
document.addEventListener("click", (event) => {
  if (bar.hidden || event.defaultPrevented || !event.target.closest?.(".side a, .top > a")) return;
  event.preventDefault();
  flashBar();
});

// -- toasts and permissions ----------------------------------------------------------------------------------------------

function showToast({ id, message, duration, isError, action }) {
  const toast = Object.assign(document.createElement("div"), { id, className: isError ? "toast error" : "toast" });
  toast.append(Object.assign(document.createElement("span"), { textContent: message }));
  const gone = () => {
    if (!toast.isConnected) return;
    toast.remove();
    tellFrame("toast-event", { id, event: "dismiss" });
  };
  const button = (label, act) => {
    const made = Object.assign(document.createElement("button"), { type: "button", textContent: label });
    made.addEventListener("click", act);
    toast.append(made);
  };
  if (action) button(action, () => tellFrame("toast-event", { id, event: "action" }));
  button("Dismiss", gone);
  document.getElementById("toasts").append(toast);
  setTimeout(gone, duration);
}

async function askForScopes(scopes) {
  const { words } = await askServer("scopes-request", { scopes, ask: true });
  const modal = document.getElementById("scopes");
  document.getElementById("scopes-list").replaceChildren(
    ...words.map((text) => Object.assign(document.createElement("s-list-item"), { textContent: text })),
  );
  const agreed = await new Promise((resolve) => {
    document.getElementById("scopes-yes").onclick = () => resolve(true);
    document.getElementById("scopes-no").onclick = () => resolve(false);
    modal.addEventListener("hide", () => resolve(false), { once: true });
    modal.showOverlay();
  });
  modal.hideOverlay();
  if (!agreed) return { result: "declined-all", ...(await askServer("scopes")) };
  const answer = await askServer("scopes-request", { scopes });
  if (answer.error) throw new Error(answer.error);
  return answer;
}

// Only now, when everything it may ask is listened for.
frame.src = frame.dataset.src;
