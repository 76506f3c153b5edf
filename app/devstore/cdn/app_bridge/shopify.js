// `window.shopify`, as the app's pages use it.

const address = new URLSearchParams(location.search);
const stored = JSON.parse(sessionStorageGet("app-bridge") ?? "{}");

/** Storage may be forbidden in a frame; nothing depends on it, it only answers `config` before the admin does. */
function sessionStorageGet(key) {
  try {
    return sessionStorage.getItem(key);
  } catch {
    return null;
  }
}

const config = {
  apiKey: API_KEY,
  shop: address.get("shop") ?? stored.shop ?? "",
  host: address.get("host") ?? stored.host ?? "",
  locale: address.get("locale") ?? stored.locale ?? "en",
};

const toasts = new Map(); // id → its callbacks
let lastToast = 0;

const toast = {
  /** Confirm something done. Errors belong beside their field, not here. */
  show(message, { duration = 5000, isError = false, action = "", onAction = null, onDismiss = null } = {}) {
    const id = `toast-${(lastToast += 1)}`;
    toasts.set(id, { onAction, onDismiss });
    tell("toast", { id, message: String(message), duration, isError, action });
    return id;
  },
  hide: (id) => tell("toast-hide", { id }),
};

on("toast-event", ({ id, event }) => {
  const callbacks = toasts.get(id);
  if (event === "action") callbacks?.onAction?.();
  else {
    toasts.delete(id);
    callbacks?.onDismiss?.();
  }
});

/** The chosen resources, or undefined when the merchant closed the picker. */
async function resourcePicker({ type, multiple = false, action = "add", selectionIds = [], query = "", filter = {} }) {
  if (type !== "product" && type !== "variant") throw new Error(`App Bridge: this admin has no picker for ${type}`);
  const { selection } = await ask("resource-picker", { type, multiple, action, selectionIds, query, filter });
  if (!selection) return undefined;
  return Object.assign(selection, { selection }); // it may be read as an array or as {selection}
}

const modalById = (id) => document.getElementById(id);

const shopify = {
  config,
  idToken: () => idToken(),
  toast,
  saveBar,
  resourcePicker,
  modal: {
    show: async (id) => modalById(id)?.showOverlay(),
    hide: async (id) => modalById(id)?.hideOverlay(),
    toggle: async (id) => modalById(id)?.toggleOverlay(),
  },
  app: {
    /** [{handle, type: "theme_app_extension", activations: [{handle, name, target, status, activations: [{target, themeId}]}]}] */
    extensions: async () => (await ask("extensions")).extensions,
  },
  scopes: {
    query: async () => (await ask("scopes-query")).detail,
    request: (scopes) => ask("scopes-request", { scopes }), // {result: "granted-all" | "declined-all", detail}
    revoke: (scopes) => ask("scopes-revoke", { scopes }), // {detail}
  },
  loading: (isLoading = true) => tell("loading", { isLoading: Boolean(isLoading) }),
  environment: { embedded: EMBEDDED, mobile: false, pos: false },
  ready: Promise.resolve(),
};

window.shopify = shopify;
window.app ??= shopify.app;

if (EMBEDDED) {
  shopify.ready = ask("hello").then((known) => {
    Object.assign(config, { shop: known.shop, host: known.host, locale: known.locale });
    document.documentElement.dataset.currency ??= known.currency; // for s-money-field currencycode="auto"
    try {
      sessionStorage.setItem("app-bridge", JSON.stringify(config));
    } catch {
      // as above
    }
  });
}
