// LivePerson's pop-out window. The identity provider redirects the browser here, with
// its response in the query or in the fragment.
import { Chat, authenticate, byId, connectForm, createWindowURL, showSurvey } from "./chat.js";

const response = new URLSearchParams(location.search);
for (const [name, value] of new URLSearchParams(location.hash.slice(1))) { response.set(name, value); }
history.replaceState(null, "", location.pathname);

function parseJSON(text) {
  try { return JSON.parse(text) || {}; } catch { return {}; }
}

// loadSaved returns what createWindowURL has kept, by the session ID in the state.
function loadSaved() {
  const state = response.get("state") || response.get("lpUnifiedWindowConfig") || "";
  const session = parseJSON(state).lpUnifiedWindowConfig?.engConf?.ssid;
  const saved = parseJSON(localStorage.getItem("lp " + session));
  if (!saved.settings) {
    throw new Error("The state came back changed, or not at all, so this window cannot tell which chat it belongs to.");
  }
  if (saved.state && saved.state !== state) {
    throw new Error("The state came back changed: the identity provider must return it byte for byte.");
  }
  return saved;
}

function describeFailure(settings) {
  const error = response.get("error");
  if (error) { return `The identity provider returned the error ${error}: ${response.get("error_description") || ""}`; }
  return `The response has no ${settings.code ? "code" : "id_token, token or code"}.`;
}

async function start() {
  const { settings, handle } = loadSaved();
  const offerSignIn = async () => {
    byId("again").href = await createWindowURL(settings);
    byId("again").hidden = false;
  };
  const value = settings.code ? response.get("code") : response.get("id_token") || response.get("token") || response.get("code");
  if (response.get("error") || !value) {
    showSurvey(describeFailure(settings));
    await offerSignIn();
    return;
  }
  let used = false;
  const chat = new Chat(settings);
  connectForm(chat);
  await chat.open(async () => {
    if (used) {
      await offerSignIn();
      throw new Error("Your sign-in has expired. Sign in again to continue.");
    }
    used = true;
    if (!settings.code) { return authenticate(settings, { id_token: value }); }
    const credential = { code: value };
    if (settings.rfc) { credential.redirect_uri = settings.redirect_uri; }
    if (handle) { credential.code_verifier = handle; }
    return authenticate(settings, credential);
  });
}

// The brand page's sign-in also returns to this URL.
const page = parseJSON(response.get("state")).brandPage;
if (typeof page === "string" && page.startsWith("/brand?")) {
  location.replace(page);
} else {
  try { await start(); } catch (e) { showSurvey(e.message); }
}
