// Session tokens: one for the page that asks, one in every same-origin fetch, a new one when the app says it is stale.

const RENEW_BEFORE_S = 10;
const nativeFetch = window.fetch.bind(window);

let current = null; // {token, expires: seconds since 1970, by the browser's clock}

/** The session token, at least ten seconds from its end. `fresh` asks for a new one in any case. */
async function idToken({ fresh = false } = {}) {
  if (fresh || !current || current.expires - RENEW_BEFORE_S < Date.now() / 1000) {
    const { token } = await ask("id-token");
    current = { token, expires: Date.now() / 1000 + lifetimeOf(token) };
  }
  return current.token;
}

/** In seconds. The store's clock may be far ahead of the browser's, so its dates alone say nothing here. */
function lifetimeOf(token) {
  const claims = JSON.parse(atob(token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  return claims.exp - claims.iat;
}

async function bridgedFetch(resource, options) {
  const request = new Request(resource, options);
  if (!EMBEDDED || new URL(request.url).origin !== location.origin || request.headers.has("Authorization")) {
    return nativeFetch(request);
  }
  const again = request.clone(); // a body can be read only once
  let answer = await nativeFetch(signed(request, await idToken()));
  if (answer.status === 401 && answer.headers.get("X-Shopify-Retry-Invalid-Session-Request")) {
    answer = await nativeFetch(signed(again, await idToken({ fresh: true })));
  }
  const elsewhere = answer.headers.get("X-Shopify-API-Request-Failure-Reauthorize-Url");
  if (elsewhere) tell("redirect", { url: new URL(elsewhere, location.href).href });
  return answer;
}

function signed(request, token) {
  const headers = new Headers(request.headers);
  headers.set("Authorization", `Bearer ${token}`);
  headers.set("X-Requested-With", "XMLHttpRequest");
  return new Request(request, { headers });
}

window.fetch = bridgedFetch;

/** The token page: it holds nothing but this script and the address to load again, now with a token. */
async function reloadWithToken() {
  const wanted = new URLSearchParams(location.search).get("shopify-reload");
  if (!wanted || !EMBEDDED) return;
  const url = new URL(wanted, location.href);
  if (url.origin !== location.origin) return; // a token is for its own app only
  url.searchParams.set("id_token", await idToken({ fresh: true }));
  location.replace(url);
}

const ON_TOKEN_PAGE = new URLSearchParams(location.search).has("shopify-reload");
if (ON_TOKEN_PAGE) reloadWithToken();
