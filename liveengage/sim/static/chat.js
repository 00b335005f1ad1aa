// LivePerson's window: the conversation over the messaging socket, and what both
// kinds of window share. The brand's page and the window of its own differ only in
// how they come by a token.

export const at = (id) => document.getElementById(id);

// Refused is an answer of the idp service: LivePerson's code, and why.
export class Refused extends Error {
  constructor(code, explanation) { super(`${code}: ${explanation}`); this.code = code; }
}

export async function call(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) { throw new Refused(said.internalErrorCode, said.explanation); }
  return said;
}

// payload is what a token of LivePerson's own says.
export function payload(token) {
  const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
}

// authenticate hands over a token or a code and returns LivePerson's own token.
export async function authenticate(settings, given) {
  const version = settings.code && !settings.pkce ? "2.0" : "3.0";
  const said = await call(`/api/account/${settings.account}/app/${settings.connector}/authenticate?v=${version}`, given);
  return said.token || said.jwt;
}

// challenge has LivePerson make a verifier and keep it; the window gets the
// challenge and a handle.
export const challenge = (settings) => call(`/api/account/${settings.account}/app/${settings.connector}/pkce`);

function rfcQuery(settings, state) {
  return `&redirect_uri=${encodeURIComponent(settings.redirect_uri)}&state=${encodeURIComponent(state)}&parentWindowOrigin=${encodeURIComponent(location.origin)}`;
}

// openIDQuery is that of the dialect without RFC compliance: there is no state, what
// the window must know is in the redirect URI, and the nonce is the visitor's id.
function openIDQuery(settings, state, visitor) {
  const back = `${settings.redirect_uri}?lpUnifiedWindowConfig=${encodeURIComponent(state)}`;
  return `&redirect_uri=${encodeURIComponent(back)}&nonce=${encodeURIComponent(visitor)}`;
}

// windowAddress is the address that opens the window of its own: exactly what
// LivePerson's window asks of an authorization endpoint. What the window must know
// when it comes back is kept under the session id in state.
export async function windowAddress(settings) {
  const session = crypto.randomUUID();
  const config = { lpUnifiedWindowConfig: {
    accountId: settings.account, env: "prod", clickedChannel: "-lpuw-authMessaging", external: true, supportBlockCCPattern: false,
    scp: "uw", secureStorageType: "indexedDB",
    engConf: {
      async: true, scid: "2", cid: 3423432, eid: 2342342, lang: "en-US & more", svid: "A2ZTk5YTY0ZjQ+/=", ssid: session, lewid: 8723,
      connector: settings.public, allowUnauthMsg: false, availabilityPolicy: 2, skill: "", skillId: -1,
    },
  } };
  // As long as LivePerson's is with a pasted key, whatever this connector has.
  const missing = 2048 - encodeURIComponent(JSON.stringify(config)).length;
  if (missing > 0) { config.lpUnifiedWindowConfig.filler = "f".repeat(missing); }
  const state = JSON.stringify(config);
  const memory = { settings, state: settings.rfc ? state : "" };
  let query = settings.rfc ? rfcQuery(settings, state) : openIDQuery(settings, state, config.lpUnifiedWindowConfig.engConf.svid);
  if (settings.pkce) {
    const made = await challenge(settings);
    memory.handle = made.code_verifier;
    query += `&code_challenge=${made.code_challenge}&code_challenge_method=${made.code_challenge_method}`;
  }
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("lp ") && Object.keys(localStorage).length > 20) { localStorage.removeItem(key); }
  }
  localStorage.setItem("lp " + session, JSON.stringify(memory));
  return settings.pop_out + query;
}

export function survey(why) {
  at("state").textContent = "";
  at("say").hidden = true;
  at("survey").hidden = false;
  at("why").textContent = why;
}

at("leave")?.addEventListener("click", () => {
  at("survey").replaceChildren(Object.assign(document.createElement("p"), { textContent: "Thank you. (The simulator keeps no messages.)" }));
});

// item is a line of the conversation. Addresses in it can be clicked.
function item(change) {
  const agent = change.originatorMetadata.role !== "CONSUMER";
  const who = Object.assign(document.createElement("span"), { className: "who", textContent: agent ? "Agent" : "You" });
  const text = document.createElement("bdi");
  for (const word of change.event.message.split(/(\s+)/)) {
    const address = /^https?:\/\//.test(word);
    text.append(address ? Object.assign(document.createElement("a"), { href: word, textContent: word, target: "_blank", rel: "noreferrer" }) : word);
  }
  const li = Object.assign(document.createElement("li"), { className: agent ? "theirs" : "ours" });
  li.dataset.sequence = change.sequence;
  li.append(who, text);
  return li;
}

// remark tells the consumer something among the lines that nobody has said.
function remark(text) {
  at("lines").append(Object.assign(document.createElement("li"), { className: "remark", textContent: text }));
}

// Chat is what one consumer says and is told, over one socket after another. What
// waits for the answer of a socket that was hung up waits for ever: nothing of an
// earlier connection goes on beside a later one.
export class Chat {
  #turn = 0; #id = 0; #lost = 0; #token = ""; #who = ""; #conversation = ""; #ready = false; #delivering = null;
  #shown = new Set(); #waiting = new Map(); #unsaid = []; #socket = null; #timers = [];
  constructor(settings) { this.settings = settings; }

  // open begins anew with the token that renew obtains; the last call counts, and
  // renew is handed a function that says whether its own still does. renew is asked
  // again when the token is refused or has expired; where it fails, the offline
  // survey is shown.
  open(renew) {
    this.renew = renew;
    this.#token = "";
    this.#lost = 0;
    return this.#connect();
  }

  // connect uses LivePerson's token for as long as it lives: the window of its own
  // has no way to another one.
  async #connect() {
    const turn = this.#hangUp();
    const current = () => turn === this.#turn;
    at("survey").hidden = true;
    at("state").textContent = "Connecting …";
    try {
      const token = this.#alive() ? this.#token : await this.renew(current);
      if (!current()) { return; }
      this.#token = token;
      this.#dial();
    } catch (e) {
      if (current()) { survey(e.message); }
    }
  }

  #alive() { return this.#token !== "" && payload(this.#token).exp * 1000 > Date.now(); }

  // hangUp ends whatever is under way and returns the number of the next turn.
  #hangUp() {
    for (const timer of this.#timers.splice(0)) { clearTimeout(timer); }
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    this.#waiting.clear();
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    return ++this.#turn;
  }

  #dial() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = new WebSocket(`${scheme}${location.host}/ws_api/account/${this.settings.account}/messaging/consumer?v=3`);
    this.#socket = socket;
    socket.onmessage = (m) => this.#told(JSON.parse(m.data));
    socket.onclose = (e) => this.#closed(e.code);
    socket.onopen = () => this.#introduce();
  }

  async #introduce() {
    await this.#ask("InitConnection", undefined, [
      { type: ".ams.headers.ClientProperties", deviceFamily: "DESKTOP", os: "OTHER" },
      { type: ".ams.headers.ConsumerAuthentication", jwt: this.#token },
    ]);
    await this.#converse();
    const claims = payload(this.#token);
    const ends = new Date(claims.exp * 1000);
    at("state").textContent = `Connected ${claims["lp.ext"] ? "as " + claims["lp.ext"].sub : "as a visitor"}; until ${ends.toLocaleTimeString()}`;
    at("say").hidden = false;
    this.#lost = 0;
    this.#ready = true;
    this.#timers.push(setInterval(() => this.#ask("GetClock"), 30000));
    this.#timers.push(setTimeout(() => { this.#token = ""; this.#connect(); }, Math.min(Math.max(ends - Date.now(), 1000), 2 ** 31 - 1)));
    this.#deliver();
  }

  // converse opens a conversation, or finds the one that is open, and asks for all of
  // its lines: an agent may have answered before anybody was told of lines.
  async #converse() {
    const opened = await this.#ask("cm.ConsumerRequestConversation");
    this.#turnTo(opened.body.conversationId);
    await this.#ask("ms.SubscribeMessagingEvents", this.#about({ fromSeq: 0 }));
  }

  // turnTo clears the window where the conversation is another one. What somebody
  // else has written and not sent is not said in it.
  #turnTo(conversation) {
    const { sub } = payload(this.#token);
    const before = { conversation: this.#conversation, who: this.#who };
    this.#conversation = conversation;
    this.#who = sub;
    if (conversation === before.conversation) { return; }
    at("lines").replaceChildren();
    this.#shown.clear();
    if (sub !== before.who) {
      this.#unsaid = [];
    } else {
      remark("The earlier conversation was closed. This is a new one.");
    }
  }

  #about(more) { return { conversationId: this.#conversation, dialogId: this.#conversation, ...more }; }

  #ask(type, body, headers) {
    const id = String(this.#id++);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ kind: "req", id, type, body, headers }));
    });
  }

  // say sends a line, at once or as soon as there is a connection. One that was not
  // confirmed before the connection was lost is said again.
  say(text) {
    this.#unsaid.push(text);
    if (this.#ready) { this.#deliver(); }
  }

  // deliver sends what waits, one line after another so that their order stays.
  async #deliver() {
    if (this.#delivering === this.#socket) { return; }
    this.#delivering = this.#socket;
    while (this.#unsaid.length > 0) {
      if (await this.#delivered(this.#unsaid[0])) { this.#unsaid.shift(); }
    }
    this.#delivering = null;
  }

  // delivered is false where the line has to be said again in a new conversation,
  // because the earlier one is closed.
  async #delivered(text) {
    const conversation = this.#conversation;
    const said = await this.#ask("ms.PublishEvent", this.#about({ event: { type: "ContentEvent", contentType: "text/plain", message: text } }));
    if (said.code === 200) { return true; }
    await this.#converse();
    if (this.#conversation !== conversation) { return false; }
    remark(`“${text}” could not be sent: ${said.body}`);
    return true;
  }

  #told(frame) {
    if (frame.kind === "resp") {
      this.#waiting.get(frame.reqId)?.(frame);
      this.#waiting.delete(frame.reqId);
      return;
    }
    for (const change of frame.body.changes || []) {
      if (change.conversationId === this.#conversation && !this.#shown.has(change.sequence)) { this.#show(change); }
    }
  }

  // show puts a line where it belongs: a new one may overtake those from before.
  #show(change) {
    this.#shown.add(change.sequence);
    const lines = at("lines");
    const next = Array.from(lines.children).find((li) => Number(li.dataset.sequence) > change.sequence);
    lines.insertBefore(item(change), next || null);
  }

  // closed asks for a new token at 4407, and else tries again with the same one, ever
  // more seldom.
  #closed(code) {
    this.#hangUp();
    this.#lost++;
    const refused = code === 4407;
    if (refused) { this.#token = ""; }
    at("say").hidden = !refused;
    if (refused && this.#lost < 3) { this.#connect(); return; }
    at("state").textContent = "The connection was lost; trying again …";
    this.#timers.push(setTimeout(() => this.#connect(), Math.min(500 * 2 ** this.#lost, 60000)));
  }
}

export function listen(chat) {
  at("say").addEventListener("submit", (e) => {
    e.preventDefault();
    const text = at("line").value.trim();
    at("line").value = "";
    if (text) { chat.say(text); }
  });
}
