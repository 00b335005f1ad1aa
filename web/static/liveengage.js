// The brand's pages load this script, with the settings of their client in front
// of it. It defines the function that LiveEngage's embedded window calls for a
// token or a code, and tells LiveEngage who is signed in. Nothing here is secret:
// who may have a token is decided by the identity provider, from the session of
// this browser and the origin of this page. Every call asks anew, so that nobody is
// handed a token that is old, or of whoever was signed in before.
(function (settings) {
  "use strict";
  // A page of which the brand knows that its customer is signed in says so by the
  // attribute data-signed-in, best with the customer's sub as its value. Only there
  // does the script leave the page to ask the identity provider, where the browser
  // keeps cookies from it.
  const script = document.currentScript;
  const signedIn = script !== null && script.hasAttribute("data-signed-in");
  const expected = signedIn ? script.getAttribute("data-signed-in") : "";
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
        body: new URLSearchParams({ client_id: settings.client_id, ...fields }),
      });
      return await answer.json();
    } catch {
      return { error: "unreachable", error_description: "The identity provider does not answer this page. Is the page's origin listed there?" };
    } finally {
      clearTimeout(timer);
    }
  }

  // leave goes by the identity provider, which asks the customer nothing, and comes
  // back with an answer.
  function leave(challenge) {
    const left = read().left || 0;
    if (!signedIn || !settings.return_uri || now() - left < pause) { return false; }
    const random = crypto.getRandomValues(new Uint8Array(16));
    const state = Array.from(random, (b) => b.toString(16).padStart(2, "0")).join("");
    if (!write({ state, challenge, page: location.href, left: now() })) { return false; }
    const query = new URLSearchParams({
      client_id: settings.client_id, redirect_uri: settings.return_uri, scope: "openid", prompt: "none",
      response_type: settings.code ? "code" : "id_token", response_mode: "fragment", state,
    });
    if (settings.code && challenge) {
      query.set("code_challenge", challenge);
      query.set("code_challenge_method", "S256");
    }
    location.assign(settings.issuer + "/authorize?" + query);
    return true;
  }

  // returned takes up what the browser has come back with, and goes on to the page
  // that it had left.
  function returned() {
    const memory = read();
    const hash = new URLSearchParams(location.hash.slice(1));
    if (!memory.state || hash.get("state") !== memory.state) { return; }
    const answer = { challenge: memory.challenge, redirect_uri: settings.return_uri };
    if (settings.code) {
      answer.code = hash.get("code");
      answer.ends = now() + settings.code_seconds;
    } else {
      answer.id_token = hash.get(settings.parameter);
      const claims = payload(answer.id_token);
      answer.sub = claims.sub;
      answer.ends = claims.exp || now() + settings.token_seconds;
    }
    write({ left: memory.left, answer: hash.get("error") ? null : answer });
    history.replaceState(null, "", location.pathname + location.search);
    if (memory.page !== location.href && memory.page.startsWith(location.origin + "/")) { location.replace(memory.page); }
  }

  // payload is what a signed token says; of an encrypted one nothing.
  function payload(token) {
    try {
      const part = token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      return JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(part), (c) => c.charCodeAt(0)))) || {};
    } catch {
      return {};
    }
  }

  // brought is what the browser came back with, if it is for this customer and not
  // old. A code is handed out once, and only for the challenge it was made with.
  function brought(challenge) {
    const memory = read();
    const answer = memory.answer;
    if (!answer) { return null; }
    const other = !signedIn || (expected && answer.sub && answer.sub !== expected);
    const old = answer.ends - now() < (answer.code ? 0 : early);
    if (other || old || answer.code) { write({ left: memory.left }); }
    return other || old || (answer.code && (answer.challenge || "") !== challenge) ? null : answer;
  }

  async function obtain(challenge) {
    const answer = await ask("/liveengage/token", challenge ? { code_challenge: challenge } : {});
    if (!answer.error) { return answer; }
    return brought(challenge) || (leave(challenge) ? { error: "The page goes to the identity provider and comes back." } : answer);
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
  async function identify(callback) {
    let sub = "";
    try {
      sub = (await ask("/liveengage/identity", {})).sub || expected;
      if (!sub && !settings.code) {
        const answer = brought("");
        sub = answer ? answer.sub : "";
        if (!sub && leave("")) { return; }
      }
    } finally {
      callback(sub ? { iss: settings.issuer, sub, acr: "loa1" } : null);
    }
  }

  returned();
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
