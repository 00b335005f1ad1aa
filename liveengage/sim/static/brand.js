// The brand's page with LivePerson's window embedded. This script does what
// LivePerson's tag does on a page. The page's own part, the method and the identity
// function, comes from the identity provider's page script.
import { Chat, ServiceError, authenticate, byId, connectForm, createChallenge, createWindowURL, post } from "./chat.js";

const settings = JSON.parse(byId("settings").dataset.settings);
const timeout = 20000; // milliseconds; LivePerson's window waits forever

// The chat that this tab had before: who (customer or visitor), and the visitor's
// tokens.
const saved = {
  read() { try { return JSON.parse(sessionStorage.getItem("lp chat")) || {}; } catch { return {}; } },
  write(value) { sessionStorage.setItem("lp chat", JSON.stringify(value)); },
};

// getIdentity calls the page's identity functions; the first result counts.
async function getIdentity() {
  for (const identityFunction of window.lpTag?.identities || []) {
    const identity = await new Promise((resolve) => { identityFunction(resolve); setTimeout(resolve, timeout, null); });
    if (identity) { return identity; }
  }
  return null;
}

// findMethod finds the configured function in the page's global scope.
function findMethod() {
  let context = window;
  for (const name of settings.context.split(".")) {
    if (name !== "window") { context = context?.[name]; }
  }
  const method = context?.[settings.method];
  if (typeof method !== "function") { throw new Error(`The page has no function ${settings.context}.${settings.method}.`); }
  return (...args) => method.apply(context, args);
}

// callMethod calls the page's function with a callback, and with PKCE also the
// challenge. A second argument of the callback that is neither null nor undefined is
// an error.
async function callMethod() {
  const pkce = settings.pkce ? await createChallenge(settings) : null;
  const value = await new Promise((resolve, reject) => {
    const late = new Error("The page's function did not call back. LivePerson's window would wait forever.");
    setTimeout(() => reject(late), timeout);
    const callback = (result, error) => {
      if (error !== undefined && error !== null) {
        reject(new Error(`The page's function called back with an error: ${error}`));
      } else {
        resolve(result);
      }
    };
    if (pkce) { findMethod()(callback, pkce.code_challenge); } else { findMethod()(callback); }
  });
  if (!settings.code) { return { id_token: value }; }
  const credential = typeof value === "string" ? { code: value } : { code: value?.ssoKey, redirect_uri: value?.redirect_uri };
  if (pkce) { credential.code_verifier = pkce.code_verifier; }
  return credential;
}

// authenticateCustomer returns LivePerson's token for a customer. If this tab was a
// visitor's, the same conversation continues (step-up). A simulator that has
// restarted does not know the visitor. Then the customer is authenticated with
// another code, because each code works once.
async function authenticateCustomer(isCurrent) {
  const { visitor } = saved.read();
  let token;
  try {
    const credential = await callMethod();
    token = await authenticate(settings, visitor ? { ...credential, step_up: visitor } : credential);
  } catch (e) {
    if (!visitor || !(e instanceof ServiceError) || e.code !== "9008") { throw e; }
    if (isCurrent()) { saved.write({}); }
    token = await authenticate(settings, await callMethod());
  }
  if (isCurrent()) { saved.write({ who: "customer" }); }
  return token;
}

async function authenticateVisitor(isCurrent) {
  const before = saved.read();
  const path = `/api/account/${settings.account}/anonymous/authorize`;
  let external;
  try {
    external = (await post(path, before.external ? { id_token: before.external } : undefined)).token;
  } catch (e) {
    if (!(e instanceof ServiceError) || !before.external) { throw e; }
    external = (await post(path)).token; // the simulator has restarted
  }
  const authenticatePath = `/api/account/${settings.account}/app/${settings.connector}/authenticate?v=3.0`;
  const { token } = await post(authenticatePath, { id_token: external });
  if (isCurrent()) { saved.write({ who: "visitor", external, visitor: token }); }
  return token;
}

const chat = new Chat(settings);
connectForm(chat);
function openChat(getToken) {
  byId("window").hidden = false;
  chat.open(getToken);
}

byId("embedded").addEventListener("click", () => openChat(authenticateCustomer));
byId("visitor").addEventListener("click", () => openChat(authenticateVisitor));

function describeUser(user, hasPageScript) {
  if (!hasPageScript) { return "This page does not know who you are, because it has no identity function."; }
  if (!user) { return "You are not signed in: the identity function returned null."; }
  return `You are signed in: the identity function returned ${user.sub} from ${user.iss} (${user.acr}).`;
}

async function refreshPopOut() {
  try { byId("popout").href = await createWindowURL(settings); } catch (e) { byId("popout").title = e.message; }
}
// Browsers open a window only during a click, so its URL must be ready before.
byId("popout").addEventListener("click", () => setTimeout(refreshPopOut, 1000));

// The window belongs to an account, so that the identity provider may check it.
const page = location.pathname + "?connector=" + settings.connector;
const state = JSON.stringify({ lpUnifiedWindowConfig: { accountId: settings.account }, brandPage: page });
byId("signin").href = settings.sign_in + `&nonce=${crypto.randomUUID()}` +
  `&redirect_uri=${encodeURIComponent(settings.redirect_uri)}&state=${encodeURIComponent(state)}`;

await refreshPopOut();
byId("popout").dataset.ready = "yes";
const user = await getIdentity();
const hasPageScript = Boolean(window.lpTag?.identities); // the page script creates the list
byId("foreign").hidden = hasPageScript;
byId("who").textContent = describeUser(user, hasPageScript);
byId("signin").hidden = user !== null || !hasPageScript;
if (byId("signout")) { byId("signout").hidden = user === null; }
const before = saved.read();
if (user && before.who) {
  openChat(authenticateCustomer);
} else if (before.who === "visitor") {
  openChat(authenticateVisitor);
} else if (before.who) {
  saved.write({}); // The customer has signed out; the next user must not see the chat.
}
document.body.dataset.ready = "yes";
