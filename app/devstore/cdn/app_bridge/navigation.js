// Where the frame is, and where the admin sends it: the side menu, the address bar, ways out to the whole window.

const nativeOpen = window.open.bind(window);

/** The address as the merchant sees it: without what only signs this load in. */
function visiblePath() {
  const url = new URL(location.href);
  for (const name of SIGN_IN_PARAMS) url.searchParams.delete(name);
  return url.pathname + url.search + url.hash;
}

function reportLocation() {
  if (!ON_TOKEN_PAGE) tell("location", { path: visiblePath(), title: document.title });
}

for (const name of ["pushState", "replaceState"]) {
  const native = history[name].bind(history);
  history[name] = (...args) => {
    native(...args);
    reportLocation();
  };
}
addEventListener("popstate", reportLocation);
addEventListener("hashchange", reportLocation);
addEventListener("DOMContentLoaded", () => {
  reportLocation();
  new MutationObserver(reportLocation).observe(document.head, { childList: true, subtree: true, characterData: true }); // the title
});

/** Leave the frame. Browsers let a framed page do that only after a click; the admin may at any time. */
window.open = (url, target, ...rest) => {
  if (EMBEDDED && ["_top", "_parent"].includes(target)) {
    tell("redirect", { url: new URL(url, location.href).href });
    return null;
  }
  return nativeOpen(url, target, ...rest);
};

const linkOf = (event) => event.composedPath().find((node) => node instanceof HTMLAnchorElement && node.hasAttribute("href"));

// shopify://admin/orders and the like are addresses only the admin knows.
addEventListener("click", (event) => {
  const link = linkOf(event);
  if (event.defaultPrevented || !link?.href.startsWith("shopify:")) return;
  event.preventDefault();
  tell("redirect", { url: link.href });
});

/** <s-app-nav>: not drawn here; its links become the app's entries in the admin's side menu. */
class AppNav extends HTMLElement {
  connectedCallback() {
    this.hidden = true;
    this.style.display = "none";
    new MutationObserver(() => this.report()).observe(this, { childList: true, subtree: true, characterData: true, attributes: true });
    queueMicrotask(() => this.report());
  }

  get links() {
    return [...this.querySelectorAll("s-link[href], a[href]")];
  }

  report() {
    const items = this.links.map((link) => ({
      path: link.getAttribute("href"),
      label: link.textContent.trim(),
      home: link.getAttribute("rel") === "home",
    }));
    tell("nav", { items });
  }
}

customElements.define("s-app-nav", AppNav);

// A click in the side menu. The app may handle it itself: as `shopify:navigate` on the link, or as a click on it.
on("navigate", ({ path }) => {
  const link = [...document.querySelectorAll("s-app-nav s-link[href], s-app-nav a[href]")].find((item) => item.getAttribute("href") === path);
  const event = new CustomEvent("shopify:navigate", { bubbles: true, cancelable: true });
  if (link && !link.dispatchEvent(event)) return;
  if (link) link.click();
  else location.assign(path);
});
