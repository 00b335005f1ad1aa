// LivePerson's window: the conversation over the messaging socket, and what both
// kinds of window share. The brand's page and the window of its own differ only in
// how they come by a token.

export const at = (id) => document.getElementById(id);

// Refused is an answer of the idp service: LivePerson's code, and why.
export class Refused extends Error {}

export async function call(path, body) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) { throw new Refused(`${said.internalErrorCode}: ${said.explanation}`); }
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
  let query = `&redirect_uri=${encodeURIComponent(settings.redirect_uri)}&state=${encodeURIComponent(state)}`;
  if (!settings.rfc) {
    query = `&redirect_uri=${encodeURIComponent(settings.redirect_uri + "?lpUnifiedWindowConfig=" + encodeURIComponent(state))}`;
  }
  query += `&parentWindowOrigin=${encodeURIComponent(location.origin)}`;
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

// Chat is one conversation. renew obtains LivePerson's token, at first and whenever
// it has expired; where it fails, the offline survey is shown.
export class Chat {
  #id = 0; #next = 0; #lost = 0; #waiting = new Map(); #unsaid = []; #socket = null; #timers = [];
  constructor(settings, renew) { this.settings = settings; this.renew = renew; }

  async start() {
    for (const timer of this.#timers.splice(0)) { clearTimeout(timer); }
    if (this.#socket) { this.#socket.onclose = null; this.#socket.close(); }
    at("survey").hidden = true;
    at("state").textContent = "Connecting …";
    let token;
    try {
      token = await this.renew();
    } catch (e) {
      survey(e.message);
      return;
    }
    const claims = payload(token);
    const scheme = location.protocol === "https:" ? "wss://" : "ws://";
    const socket = new WebSocket(`${scheme}${location.host}/ws_api/account/${this.settings.account}/messaging/consumer?v=3`);
    this.#socket = socket;
    socket.onmessage = (m) => this.#told(JSON.parse(m.data));
    socket.onclose = (e) => this.#closed(e);
    socket.onopen = async () => {
      await this.#ask("InitConnection", undefined, [
        { type: ".ams.headers.ClientProperties", deviceFamily: "DESKTOP", os: "OTHER" },
        { type: ".ams.headers.ConsumerAuthentication", jwt: token },
      ]);
      const opened = await this.#ask("cm.ConsumerRequestConversation");
      this.conversation = opened.body.conversationId;
      await this.#ask("ms.SubscribeMessagingEvents", { conversationId: this.conversation, dialogId: this.conversation, fromSeq: this.#next });
      const ends = new Date(claims.exp * 1000);
      at("state").textContent = `Connected ${claims["lp.ext"] ? "as " + claims["lp.ext"].sub : "as a visitor"}; until ${ends.toLocaleTimeString()}`;
      at("say").hidden = false;
      this.#lost = 0;
      for (const text of this.#unsaid.splice(0)) { this.say(text); }
      this.#timers.push(setInterval(() => this.#ask("GetClock"), 30000));
      this.#timers.push(setTimeout(() => this.start(), Math.min(Math.max(ends - Date.now(), 1000), 2 ** 31 - 1)));
    };
  }

  #ask(type, body, headers) {
    const id = String(this.#id++);
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ kind: "req", id, type, body, headers }));
    });
  }

  // say sends a line. One that was not confirmed before the connection was lost is
  // said again.
  async say(text) {
    if (this.#socket.readyState !== WebSocket.OPEN) { this.#unsaid.push(text); return; }
    this.#unsaid.push(text);
    await this.#ask("ms.PublishEvent", {
      conversationId: this.conversation, dialogId: this.conversation, event: { type: "ContentEvent", contentType: "text/plain", message: text },
    });
    this.#unsaid = this.#unsaid.filter((t) => t !== text);
  }

  #told(frame) {
    if (frame.kind === "resp") {
      this.#waiting.get(frame.reqId)?.(frame);
      this.#waiting.delete(frame.reqId);
      return;
    }
    for (const change of frame.body.changes || []) {
      if (change.sequence < this.#next) { continue; }
      this.#next = change.sequence + 1;
      const agent = change.originatorMetadata.role !== "CONSUMER";
      const who = Object.assign(document.createElement("span"), { className: "who", textContent: agent ? "Agent" : "You" });
      const li = document.createElement("li");
      li.className = agent ? "theirs" : "ours";
      const text = document.createElement("bdi");
      for (const word of change.event.message.split(/(\s+)/)) {
        if (/^https?:\/\//.test(word)) {
          text.append(Object.assign(document.createElement("a"), { href: word, textContent: word, target: "_blank", rel: "noreferrer" }));
        } else {
          text.append(word);
        }
      }
      li.append(who, text);
      at("lines").append(li);
    }
  }

  // closed asks for a new token at 4407, and else tries again, ever more seldom.
  #closed(e) {
    this.#waiting.clear();
    at("say").hidden = e.code !== 4407;
    this.#lost++;
    if (e.code === 4407 && this.#lost < 3) { this.start(); return; }
    at("state").textContent = "The connection was lost; trying again …";
    this.#timers.push(setTimeout(() => this.start(), Math.min(1000 * 2 ** this.#lost, 60000)));
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
