// The brand's page with LivePerson's window embedded: it plays what LivePerson's tag
// does on a page. The page's own part, the method and the identity function, comes
// from the identity provider's script, as on any page of a brand.
import { Chat, Refused, at, authenticate, call, challenge, listen, windowAddress } from "./chat.js";

const settings = JSON.parse(at("settings").dataset.settings);
const memory = {
  read() { try { return JSON.parse(sessionStorage.getItem("lp chat")) || {}; } catch { return {}; } },
  write(value) { sessionStorage.setItem("lp chat", JSON.stringify(value)); },
};
const patience = 20000; // LivePerson's window waits for ever

// identity asks every identity function of the page; the first answer counts.
async function identity() {
  for (const ask of window.lpTag?.identities || []) {
    const found = await new Promise((resolve) => { ask(resolve); setTimeout(resolve, patience, null); });
    if (found) { return found; }
  }
  return null;
}

// method finds the configured function by walking the page's global scope.
function method() {
  let context = window;
  for (const name of settings.context.split(".")) {
    if (name !== "window") { context = context?.[name]; }
  }
  const found = context?.[settings.method];
  if (typeof found !== "function") { throw new Error(`The page has no function ${settings.context}.${settings.method}.`); }
  return (...args) => found.apply(context, args);
}

// given calls the page's method: with the callback alone, or with PKCE the challenge
// as second argument. A second argument of the callback's that is neither null nor
// undefined is an error.
async function given() {
  const made = settings.pkce ? await challenge(settings) : null;
  const value = await new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("The page's method has not called back. LivePerson's window would wait for ever.")), patience);
    const callback = (result, error) => {
      if (error !== undefined && error !== null) { reject(new Error(`The page's method called back with an error: ${error}`)); } else { resolve(result); }
    };
    if (made) { method()(callback, made.code_challenge); } else { method()(callback); }
  });
  if (!settings.code) { return { id_token: value }; }
  const out = typeof value === "string" ? { code: value } : { code: value?.ssoKey, redirect_uri: value?.redirect_uri };
  if (made) { out.code_verifier = made.code_verifier; }
  return out;
}

// asCustomer authenticates; whoever was a visitor before goes on in the same
// conversation. A simulator that was started anew does not know the visitor: the
// customer comes in nonetheless, with another code since each works once.
async function asCustomer(current) {
  const { visitor } = memory.read();
  let token;
  try {
    const handed = await given();
    token = await authenticate(settings, visitor ? { ...handed, step_up: visitor } : handed);
  } catch (e) {
    if (!visitor || !(e instanceof Refused) || e.code !== "9008") { throw e; }
    if (current()) { memory.write({}); }
    token = await authenticate(settings, await given());
  }
  if (current()) { memory.write({ who: "customer" }); }
  return token;
}

async function asVisitor(current) {
  const before = memory.read();
  const path = `/api/account/${settings.account}/anonymous/authorize`;
  let external;
  try {
    external = (await call(path, before.external ? { id_token: before.external } : undefined)).token;
  } catch (e) {
    if (!(e instanceof Refused) || !before.external) { throw e; }
    external = (await call(path)).token; // the simulator was started anew
  }
  const token = (await call(`/api/account/${settings.account}/app/${settings.connector}/authenticate?v=3.0`, { id_token: external })).token;
  if (current()) { memory.write({ who: "visitor", external, visitor: token }); }
  return token;
}

const chat = new Chat(settings);
listen(chat);
function open(renew) {
  at("window").hidden = false;
  chat.open(renew);
}

at("embedded").addEventListener("click", () => open(asCustomer));
at("visitor").addEventListener("click", () => open(asVisitor));

function described(who, foreign) {
  if (foreign) { return "The page does not know who you are: it has no identity function."; }
  return who ? `Signed in: the identity function says ${who.sub} by ${who.iss} (${who.acr}).` : "Nobody is signed in: the identity function says null.";
}

async function refreshPopOut() {
  try { at("popout").href = await windowAddress(settings); } catch (e) { at("popout").title = e.message; }
}
// A window must open at once, so its address is ready before anybody clicks.
at("popout").addEventListener("click", () => setTimeout(refreshPopOut, 1000));

const page = location.pathname + "?connector=" + settings.connector;
at("signin").href = settings.sign_in + `&nonce=${crypto.randomUUID()}&redirect_uri=${encodeURIComponent(settings.redirect_uri)}&state=${encodeURIComponent(JSON.stringify({ brandPage: page }))}`;

await refreshPopOut();
at("popout").dataset.ready = "yes";
const who = await identity();
const foreign = !window.lpTag?.identities; // the page script makes the list
at("foreign").hidden = !foreign;
at("who").textContent = described(who, foreign);
at("signin").hidden = who !== null || foreign;
if (at("signout")) { at("signout").hidden = who === null; }
const before = memory.read();
if (who && before.who) {
  open(asCustomer);
} else if (before.who === "visitor") {
  open(asVisitor);
} else if (before.who) {
  memory.write({}); // signed out: what was said then is not for whoever sits here now
}
document.body.dataset.ready = "yes";
