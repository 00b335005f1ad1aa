// The brand's pages load this script, with the settings of their client in front
// of it. It defines the function that LiveEngage's embedded window calls for a
// token or a code, and tells LiveEngage who is signed in. Nothing here is secret:
// who may have a token is decided by the identity provider, from the session of
// this browser and the origin of this page. Every call asks anew, so that nobody is
// handed a token that is old, or of whoever was signed in before.
//
// A page of which the brand knows that its customer is signed in names the
// customer's sub in the attribute data-signed-in. Then nobody else's token, code or
// identity is handed out; and where the browser keeps cookies from the identity
// provider, the page goes there and comes back with an answer.
(function (settings) {
  "use strict";
  const script = document.currentScript;
  const expected = (script && script.getAttribute("data-signed-in")) || "";
  const store = "idp " + settings.client_id;
  const patience = 10000; // milliseconds for one request
  const early = 60; // seconds before its end from which a token counts as old
  const pause = 60; // seconds between two departures, so that no page goes in circles

  const now = () => Date.now() / 1000;
  const read = () => {
    try { return JSON.parse(sessionStorage.getItem(store)) || {}; } catch { return {}; }
  };
  const write = (value) => {
    try { sessionStorage.setItem(store, JSON.stringify(value)); return true; } catch { return false; }
  };

  async function ask(path, fields) {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), patience);
    try {
      const answer = await fetch(settings.issuer + path, {
        method: "POST", credentials: "include", signal: stop.signal,
        body: new URLSearchParams({ client_id: settings.client_id, ...(expected ? { sub: expected } : {}), ...fields }),
      });
      return await answer.json();
    } catch {
      return { error: "unreachable", error_description: "The identity provider does not answer this page. Is the page's origin listed there?" };
    } finally {
      clearTimeout(timer);
    }
  }

  // leave goes by the identity provider, which asks the customer nothing, and comes
  // back with an answer about this customer and no other.
  function leave(challenge) {
    const left = read().left || 0;
    const apart = !settings.return_uri || new URL(settings.return_uri).origin !== location.origin;
    if (!expected || apart || now() - left < pause) { return false; }
    const random = crypto.getRandomValues(new Uint8Array(16));
    const state = Array.from(random, (b) => b.toString(16).padStart(2, "0")).join("");
    if (!write({ state, challenge, sub: expected, page: location.href, left: now() })) { return false; }
    const query = new URLSearchParams({
      client_id: settings.client_id, redirect_uri: settings.return_uri, scope: "openid", prompt: "none",
      response_type: settings.code ? "code" : "id_token", response_mode: "fragment", state,
      claims: JSON.stringify({ id_token: { sub: { value: expected } } }),
    });
    if (settings.code && challenge) {
      query.set("code_challenge", challenge);
      query.set("code_challenge_method", "S256");
    }
    location.assign(settings.issuer + "/authorize?" + query);
    return true;
  }

  // returned takes up what the browser has come back with, and goes on to the page
  // that it had left. An answer that nobody asked for here is taken out of the
  // address and dropped.
  function returned() {
    const memory = read();
    const hash = new URLSearchParams(location.hash.slice(1));
    if (hash.get("iss") !== settings.issuer) { return; }
    history.replaceState(null, "", location.pathname + location.search);
    if (!memory.state || hash.get("state") !== memory.state) { return; }
    const answer = { challenge: memory.challenge, sub: memory.sub, redirect_uri: settings.return_uri };
    if (settings.code) {
      answer.code = hash.get("code");
      answer.ends = now() + settings.code_seconds;
    } else {
      answer.id_token = hash.get(settings.parameter);
      answer.ends = now() + settings.token_seconds - early;
    }
    write({ left: memory.left, answer: hash.get("error") ? null : answer });
    if (memory.page !== location.href && memory.page.startsWith(location.origin + "/")) { location.replace(memory.page); }
  }

  // kept is what the browser came back with, if it is for this page's customer and
  // not old. What is for anybody else is dropped.
  function kept() {
    const { left, answer } = read();
    if (answer && answer.sub === expected && answer.ends > now()) { return answer; }
    if (answer) { write({ left }); }
    return null;
  }

  // brought is kept, handed out: once, and a code only for the challenge that it was
  // made with.
  function brought(challenge) {
    const answer = kept();
    if (answer) { write({ left: read().left }); }
    return answer && answer.code && (answer.challenge || "") !== challenge ? null : answer;
  }

  // In the code flow the challenge is known only when the chat asks, which the
  // customer's click makes it do: without one the page is not left. A token is
  // fetched before, while the page is still being loaded.
  const clicked = () => !navigator.userActivation || navigator.userActivation.isActive;

  async function obtain(challenge) {
    const answer = await ask("/liveengage/token", challenge ? { code_challenge: challenge } : {});
    if (!answer.error) { return answer; }
    const back = brought(challenge);
    if (back) { return back; }
    return settings.code && clicked() && leave(challenge) ? { error: "The page goes to the identity provider and comes back." } : answer;
  }

  async function prepare() {
    if (settings.code || !expected || !settings.return_uri || kept()) { return; }
    const who = await ask("/liveengage/identity", {});
    if (who.sub !== expected) { leave(""); }
  }

  // getToken always calls back: without an answer the chat would wait for ever.
  async function getToken(callback, challenge) {
    let answer;
    try {
      answer = await obtain(typeof challenge === "string" ? challenge : "");
    } catch (e) {
      answer = { error: String(e) };
    }
    if (answer.code) {
      callback({ ssoKey: answer.code, redirect_uri: answer.redirect_uri });
    } else if (answer.id_token) {
      callback(answer.id_token);
    } else {
      callback(settings.code ? {} : "", answer.error_description || answer.error || "There is no token.");
    }
  }

  // identify tells LiveEngage whom to offer a chat as; null for a visitor.
  // Where the identity provider sees no session the page is believed, but not where
  // it sees somebody else's.
  async function identify(callback) {
    let sub = "";
    try {
      const who = await ask("/liveengage/identity", {});
      sub = who.sub || (who.other ? "" : expected);
    } finally {
      callback(sub ? { iss: settings.issuer, sub, acr: "loa1" } : null);
    }
  }

  returned();
  prepare();
  let context = window;
  for (const name of settings.js_context.split(".")) {
    if (name === "window") { continue; }
    context[name] = context[name] || {};
    context = context[name];
  }
  context[settings.js_method] = getToken;
  window.lpTag = window.lpTag || {};
  window.lpTag.identities = window.lpTag.identities || [];
  window.lpTag.identities.push(identify);
})
