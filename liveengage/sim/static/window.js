// LivePerson's window of its own: the identity provider sends the browser here with
// an answer in the query or in the fragment.
import { Chat, at, authenticate, listen, survey, windowAddress } from "./chat.js";

const answer = new URLSearchParams(location.search);
for (const [name, value] of new URLSearchParams(location.hash.slice(1))) { answer.set(name, value); }
history.replaceState(null, "", location.pathname);

function parsed(text) {
  try { return JSON.parse(text) || {}; } catch { return {}; }
}

// recalled is what was kept when the window was opened, by the session in the state
// that came back.
function recalled() {
  const state = answer.get("state") || answer.get("lpUnifiedWindowConfig") || "";
  const session = parsed(state).lpUnifiedWindowConfig?.engConf?.ssid;
  const memory = parsed(localStorage.getItem("lp " + session));
  if (!memory.settings) { throw new Error("The state came back changed, or not at all: the window does not know who opened it."); }
  if (memory.state && memory.state !== state) { throw new Error("The state came back changed: it must be returned byte for byte."); }
  return memory;
}

async function start() {
  const { settings, handle } = recalled();
  const offer = async () => {
    at("again").href = await windowAddress(settings);
    at("again").hidden = false;
  };
  const value = settings.code ? answer.get("code") : answer.get("id_token") || answer.get("token") || answer.get("code");
  if (answer.get("error") || !value) {
    survey(answer.get("error") ? `The identity provider answers ${answer.get("error")}: ${answer.get("error_description") || ""}`
      : `The answer has no ${settings.code ? "code" : "id_token, token or code"}.`);
    await offer();
    return;
  }
  let used = false;
  const chat = new Chat(settings);
  listen(chat);
  await chat.open(async () => {
    if (used) {
      await offer();
      throw new Error("Your sign-in has expired. Sign in again to go on.");
    }
    used = true;
    if (!settings.code) { return authenticate(settings, { id_token: value }); }
    const given = { code: value };
    if (settings.rfc) { given.redirect_uri = settings.redirect_uri; }
    if (handle) { given.code_verifier = handle; }
    return authenticate(settings, given);
  });
}

// The brand's page sends its customers by here, too, when they sign in.
const page = parsed(answer.get("state")).brandPage;
if (typeof page === "string" && page.startsWith("/brand?")) {
  location.replace(page);
} else {
  try { await start(); } catch (e) { survey(e.message); }
}
