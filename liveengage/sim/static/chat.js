// LivePerson's chat window: a conversation over the messaging WebSocket. The
// embedded window and the pop-out window share it; they differ in how they get a
// token.

export const byId = (id) => document.getElementById(id);

// ServiceError is an error response of LivePerson's idp service.
export class ServiceError extends Error {
  constructor(code, explanation) {
    super(`${code}: ${explanation}`);
    this.code = code;
  }
}

export async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const content = await response.json();
  if (!response.ok) { throw new ServiceError(content.internalErrorCode, content.explanation); }
  return content;
}

// decodeToken returns the claims of one of LivePerson's tokens.
function decodeToken(token) {
  const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0))));
}

// authenticate exchanges the brand's token or code for one of LivePerson's tokens.
export async function authenticate(settings, credential) {
  const version = settings.code && !settings.pkce ? "2.0" : "3.0";
  const path = `/api/account/${settings.account}/app/${settings.connector}/authenticate?v=${version}`;
  const content = await post(path, credential);
  return content.token || content.jwt;
}

// createChallenge has LivePerson create a PKCE verifier and keep it. The window gets
// the challenge, and a handle for the verifier.
export const createChallenge = (settings) =>
  post(`/api/account/${settings.account}/app/${settings.connector}/pkce`);

function rfcQuery(settings, state) {
  return `&redirect_uri=${encodeURIComponent(settings.redirect_uri)}&state=${encodeURIComponent(state)}` +
    `&parentWindowOrigin=${encodeURIComponent(location.origin)}`;
}

// openIDQuery is for a connector without RFC compliance. Such a request has no state:
// what the window must know is in the redirect URI, and the nonce is the visitor's ID.
function openIDQuery(settings, state, visitor) {
  const redirectURI = `${settings.redirect_uri}?lpUnifiedWindowConfig=${encodeURIComponent(state)}`;
  return `&redirect_uri=${encodeURIComponent(redirectURI)}&nonce=${encodeURIComponent(visitor)}`;
}

// windowConfig is what LivePerson's window puts into state, with the same length as
// with a pasted key.
function windowConfig(settings, session) {
  const minLength = 2048;
  const config = { lpUnifiedWindowConfig: {
    accountId: settings.account, env: "prod", clickedChannel: "-lpuw-authMessaging", external: true, supportBlockCCPattern: false,
    scp: "uw", secureStorageType: "indexedDB",
    engConf: {
      async: true, scid: "2", cid: 3423432, eid: 2342342, lang: "en-US & more", svid: "A2ZTk5YTY0ZjQ+/=", ssid: session, lewid: 8723,
      connector: settings.public, allowUnauthMsg: false, availabilityPolicy: 2, skill: "", skillId: -1,
    },
  } };
  const missing = minLength - encodeURIComponent(JSON.stringify(config)).length;
  if (missing > 0) { config.lpUnifiedWindowConfig.filler = "f".repeat(missing); }
  return config;
}

// createWindowURL returns the URL that opens the pop-out window: an authorization
// request as LivePerson's window makes it. What the window must know when it comes
// back is kept in localStorage, by the session ID in state.
export async function createWindowURL(settings) {
  const session = crypto.randomUUID();
  const config = windowConfig(settings, session);
  const state = JSON.stringify(config);
  const saved = { settings, state: settings.rfc ? state : "" };
  let query = settings.rfc ? rfcQuery(settings, state) : openIDQuery(settings, state, config.lpUnifiedWindowConfig.engConf.svid);
  if (settings.pkce) {
    const pkce = await createChallenge(settings);
    saved.handle = pkce.code_verifier;
    query += `&code_challenge=${pkce.code_challenge}&code_challenge_method=${pkce.code_challenge_method}`;
  }
  removeOldSessions();
  localStorage.setItem("lp " + session, JSON.stringify(saved));
  return settings.pop_out + query;
}

function removeOldSessions() {
  const maxKept = 20;
  for (const key of Object.keys(localStorage)) {
    if (key.startsWith("lp ") && Object.keys(localStorage).length > maxKept) { localStorage.removeItem(key); }
  }
}

// showSurvey shows the offline survey instead of the chat, with the reason.
export function showSurvey(reason) {
  byId("state").textContent = "";
  byId("say").hidden = true;
  byId("survey").hidden = false;
  byId("why").textContent = reason;
}

byId("leave")?.addEventListener("click", () => {
  const thanks = document.createElement("p");
  thanks.textContent = "Thank you. (The simulator does not keep messages.)";
  byId("survey").replaceChildren(thanks);
});

// createLine returns the list item for a message, with links.
function createLine(change) {
  const fromAgent = change.originatorMetadata.role !== "CONSUMER";
  const who = Object.assign(document.createElement("span"), { className: "who", textContent: fromAgent ? "Agent" : "You" });
  const text = document.createElement("bdi");
  for (const word of change.event.message.split(/(\s+)/)) {
    text.append(/^https?:\/\//.test(word) ? createLink(word) : word);
  }
  const line = Object.assign(document.createElement("li"), { className: fromAgent ? "theirs" : "ours" });
  line.dataset.sequence = change.sequence;
  line.append(who, text);
  return line;
}

function createLink(url) {
  return Object.assign(document.createElement("a"), { href: url, textContent: url, target: "_blank", rel: "noreferrer" });
}

// addRemark adds a line that is not a message.
function addRemark(text) {
  byId("lines").append(Object.assign(document.createElement("li"), { className: "remark", textContent: text }));
}

// Chat is one consumer's chat. It may use several sockets, one after another. A
// promise that waits for a response of an earlier socket never resolves, so nothing
// of an earlier connection continues next to a later one.
export class Chat {
  #turn = 0; // number of the connection
  #lastRequest = 0;
  #failures = 0; // connections lost in a row
  #token = ""; // LivePerson's
  #consumer = "";
  #conversation = "";
  #ready = false;
  #delivering = null; // the socket for which deliver runs
  #shown = new Set(); // sequence numbers of messages
  #requests = new Map(); // resolve functions by request ID
  #unsent = [];
  #socket = null;
  #timers = [];

  constructor(settings) { this.settings = settings; }

  // open starts the chat with the token that getToken returns. Only the last call
  // counts: getToken is passed a function that reports whether its call is still
  // current. It is called again when the token was rejected or has expired. If it
  // fails, the offline survey is shown.
  open(getToken) {
    this.getToken = getToken;
    this.#token = "";
    this.#failures = 0;
    return this.#connect();
  }

  // connect uses LivePerson's token as long as it is valid, because the pop-out window
  // cannot get another one.
  async #connect() {
    const turn = this.#disconnect();
    const isCurrent = () => turn === this.#turn;
    byId("survey").hidden = true;
    byId("state").textContent = "Connecting …";
    try {
      const token = this.#hasValidToken() ? this.#token : await this.getToken(isCurrent);
      if (!isCurrent()) { return; }
      this.#token = token;
      this.#openSocket();
    } catch (e) {
      if (isCurrent()) { showSurvey(e.message); }
    }
  }

  #hasValidToken() { return this.#token !== "" && decodeToken(this.#token).exp * 1000 > Date.now(); }

  // disconnect ends the current connection and returns the number of the next one.
  #disconnect() {
    for (const timer of this.#timers.splice(0)) { clearTimeout(timer); }
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    this.#requests.clear();
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
    return ++this.#turn;
  }

  #openSocket() {
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = new WebSocket(`${scheme}${location.host}/ws_api/account/${this.settings.account}/messaging/consumer?v=3`);
    this.#socket = socket;
    socket.onmessage = (m) => this.#receive(JSON.parse(m.data));
    socket.onclose = (e) => this.#handleClose(e.code);
    socket.onopen = () => this.#initialize();
  }

  async #initialize() {
    await this.#request("InitConnection", undefined, [
      { type: ".ams.headers.ClientProperties", deviceFamily: "DESKTOP", os: "OTHER" },
      { type: ".ams.headers.ConsumerAuthentication", jwt: this.#token },
    ]);
    await this.#requestConversation();
    const claims = decodeToken(this.#token);
    const expires = new Date(claims.exp * 1000);
    const consumer = claims["lp.ext"] ? claims["lp.ext"].sub : "a visitor";
    byId("state").textContent = `Connected as ${consumer} until ${expires.toLocaleTimeString()}`;
    byId("say").hidden = false;
    this.#failures = 0;
    this.#ready = true;
    this.#timers.push(setInterval(() => this.#request("GetClock"), 30000));
    this.#timers.push(setTimeout(() => this.#renewToken(), Math.min(Math.max(expires - Date.now(), 1000), 2 ** 31 - 1)));
    this.#deliver();
  }

  #renewToken() {
    this.#token = "";
    this.#connect();
  }

  // requestConversation opens a conversation, or finds the open one, and subscribes to
  // all its messages: an agent may have replied before the subscription.
  async #requestConversation() {
    const opened = await this.#request("cm.ConsumerRequestConversation");
    this.#showConversation(opened.body.conversationId);
    await this.#request("ms.SubscribeMessagingEvents", this.#withConversation({ fromSeq: 0 }));
  }

  // showConversation clears the window if this is a different conversation. Messages
  // that another consumer has not sent yet are dropped.
  #showConversation(conversation) {
    const { sub } = decodeToken(this.#token);
    const before = { conversation: this.#conversation, consumer: this.#consumer };
    this.#conversation = conversation;
    this.#consumer = sub;
    if (conversation === before.conversation) { return; }
    byId("lines").replaceChildren();
    this.#shown.clear();
    if (sub !== before.consumer) {
      this.#unsent = [];
    } else {
      addRemark("The earlier conversation was closed. This is a new one.");
    }
  }

  #withConversation(body) { return { conversationId: this.#conversation, dialogId: this.#conversation, ...body }; }

  #request(type, body, headers) {
    const id = String(this.#lastRequest++);
    return new Promise((resolve) => {
      this.#requests.set(id, resolve);
      this.#socket.send(JSON.stringify({ kind: "req", id, type, body, headers }));
    });
  }

  // say sends a message now, or as soon as there is a connection. A message that was
  // not confirmed before the connection was lost is sent again.
  say(text) {
    this.#unsent.push(text);
    if (this.#ready) { this.#deliver(); }
  }

  // deliver sends the unsent messages one at a time, so that their order stays.
  async #deliver() {
    if (this.#delivering === this.#socket) { return; }
    this.#delivering = this.#socket;
    while (this.#unsent.length > 0) {
      if (await this.#publish(this.#unsent[0])) { this.#unsent.shift(); }
    }
    this.#delivering = null;
  }

  // publish sends a message. It returns false if the message must be sent again,
  // because the conversation was closed and there is a new one.
  async #publish(text) {
    const conversation = this.#conversation;
    const event = { type: "ContentEvent", contentType: "text/plain", message: text };
    const response = await this.#request("ms.PublishEvent", this.#withConversation({ event }));
    if (response.code === 200) { return true; }
    await this.#requestConversation();
    if (this.#conversation !== conversation) { return false; }
    addRemark(`“${text}” could not be sent: ${response.body}`);
    return true;
  }

  #receive(frame) {
    if (frame.kind === "resp") {
      this.#requests.get(frame.reqId)?.(frame);
      this.#requests.delete(frame.reqId);
      return;
    }
    for (const change of frame.body.changes || []) {
      if (change.conversationId === this.#conversation && !this.#shown.has(change.sequence)) { this.#showMessage(change); }
    }
  }

  // showMessage inserts a message in order: a new one may arrive before older ones.
  #showMessage(change) {
    this.#shown.add(change.sequence);
    const lines = byId("lines");
    const next = Array.from(lines.children).find((line) => Number(line.dataset.sequence) > change.sequence);
    lines.insertBefore(createLine(change), next || null);
  }

  // handleClose gets a new token if the old one was rejected (4407). Otherwise it
  // reconnects with the same one, after a delay that grows.
  #handleClose(code) {
    this.#disconnect();
    this.#failures++;
    const rejected = code === 4407;
    if (rejected) { this.#token = ""; }
    byId("say").hidden = !rejected;
    if (rejected && this.#failures < 3) {
      this.#connect();
      return;
    }
    byId("state").textContent = "The connection was lost; trying again …";
    this.#timers.push(setTimeout(() => this.#connect(), Math.min(500 * 2 ** this.#failures, 60000)));
  }
}

// connectForm sends what the user submits in the message form.
export function connectForm(chat) {
  byId("say").addEventListener("submit", (e) => {
    e.preventDefault();
    const text = byId("line").value.trim();
    byId("line").value = "";
    if (text) { chat.say(text); }
  });
}
