// The line between the page in the frame and the admin around it: postMessage, with both ends' origins checked.
//
// This script comes from the admin's own host, so its address says which parent may be talked to. A message is
// {bridge: 1, id?, type, payload}; an answer is {bridge: 1, answers: id, payload} or {…, error: "why"}.

const script = document.currentScript;
const ADMIN_ORIGIN = new URL(script.src).origin;
const API_KEY = document.querySelector('meta[name="shopify-api-key"]')?.content || script.dataset.apiKey || "";
const EMBEDDED = window.parent !== window;

// What Shopify adds to an address for signing in. It belongs to one load and is in no address the merchant sees.
const SIGN_IN_PARAMS = [
  "embedded", "hmac", "host", "id_token", "locale", "session", "shop", "timestamp", "protocol", "appLoadId",
];

const waiting = new Map(); // message id → {resolve, reject}
const listeners = new Map(); // type → function of the payload
let lastId = 0;

function tell(type, payload = {}) {
  if (EMBEDDED) window.parent.postMessage({ bridge: 1, type, payload }, ADMIN_ORIGIN);
}

/** Ask the admin something; the promise settles with its answer. */
function ask(type, payload = {}) {
  if (!EMBEDDED) return Promise.reject(new Error("App Bridge: this page is not inside the admin"));
  return new Promise((resolve, reject) => {
    const id = (lastId += 1);
    waiting.set(id, { resolve, reject });
    window.parent.postMessage({ bridge: 1, id, type, payload }, ADMIN_ORIGIN);
  });
}

/** Be told by the admin. */
function on(type, callback) {
  listeners.set(type, callback);
}

addEventListener("message", (event) => {
  if (event.source !== window.parent || event.origin !== ADMIN_ORIGIN || event.data?.bridge !== 1) return;
  const { answers, type, payload, error } = event.data;
  if (!answers) return void listeners.get(type)?.(payload);
  const asked = waiting.get(answers);
  waiting.delete(answers);
  if (error) asked?.reject(new Error(`App Bridge: ${error}`));
  else asked?.resolve(payload);
});
