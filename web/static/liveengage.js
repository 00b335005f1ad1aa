// Your website loads this script; the settings of its client are the argument at the
// end. The script defines the function that LiveEngage's embedded window calls for a
// token or a code, and it tells LiveEngage who is signed in. Nothing here is secret: the
// identity provider decides who gets a token, by the session of this browser and the
// origin of this page. Each call asks again, so that no one gets an old token or that of
// an earlier user.
//
// If your website knows which customer is signed in, set the customer's sub in the
// attribute data-signed-in of the script element. The script then hands out no token,
// code or identity of anyone else. If the browser blocks the identity provider's cookies
// on this page, the page goes to the identity provider and returns with a response.
(function (settings) {
  "use strict";
  const script = document.currentScript;
  const expectedSub = (script && script.getAttribute("data-signed-in")) || "";
  const storageKey = "idp " + settings.client_id;
  const requestTimeout = 10000; // milliseconds
  const expiryMargin = 60; // seconds; a token that expires sooner counts as expired
  const redirectInterval = 60; // seconds between two redirects, so that a page never loops

  const nowInSeconds = () => Date.now() / 1000;
  const readState = () => {
    try { return JSON.parse(sessionStorage.getItem(storageKey)) || {}; } catch { return {}; }
  };
  const writeState = (value) => {
    try { sessionStorage.setItem(storageKey, JSON.stringify(value)); return true; } catch { return false; }
  };

  async function postForm(path, fields) {
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(), requestTimeout);
    try {
      const response = await fetch(settings.issuer + path, {
        method: "POST", credentials: "include", signal: controller.signal,
        body: new URLSearchParams({
          client_id: settings.client_id, ...(expectedSub ? { sub: expectedSub } : {}), ...fields,
        }),
      });
      return await response.json();
    } catch {
      return {
        error: "unreachable",
        error_description: "The identity provider does not respond to this page. Is the page's origin listed there?",
      };
    } finally {
      clearTimeout(timer);
    }
  }

  // redirectToProvider leaves the page for the identity provider, which asks the customer
  // nothing and returns with a response about this customer only.
  function redirectToProvider(challenge) {
    const lastRedirect = readState().left || 0;
    const cannotReturn = !settings.return_uri || new URL(settings.return_uri).origin !== location.origin;
    if (!expectedSub || cannotReturn || nowInSeconds() - lastRedirect < redirectInterval) { return false; }
    const random = crypto.getRandomValues(new Uint8Array(16));
    const state = Array.from(random, (b) => b.toString(16).padStart(2, "0")).join("");
    if (!writeState({ state, challenge, sub: expectedSub, page: location.href, left: nowInSeconds() })) { return false; }
    const query = new URLSearchParams({
      client_id: settings.client_id, redirect_uri: settings.return_uri, scope: "openid", prompt: "none",
      response_type: settings.code ? "code" : "id_token", response_mode: "fragment", state,
      claims: JSON.stringify({ id_token: { sub: { value: expectedSub } } }),
    });
    if (settings.code && challenge) {
      query.set("code_challenge", challenge);
      query.set("code_challenge_method", "S256");
    }
    location.assign(settings.issuer + "/authorize?" + query);
    return true;
  }

  // receiveResponse stores the response that the browser has returned with, and goes back
  // to the page that it left. A response that this page did not ask for is removed from
  // the URL and dropped.
  function receiveResponse() {
    const saved = readState();
    const hash = new URLSearchParams(location.hash.slice(1));
    if (hash.get("iss") !== settings.issuer) { return; }
    history.replaceState(null, "", location.pathname + location.search);
    if (!saved.state || hash.get("state") !== saved.state) { return; }
    const response = { challenge: saved.challenge, sub: saved.sub, redirect_uri: settings.return_uri };
    if (settings.code) {
      response.code = hash.get("code");
      response.ends = nowInSeconds() + settings.code_seconds;
    } else {
      response.id_token = hash.get(settings.parameter);
      response.ends = nowInSeconds() + settings.token_seconds - expiryMargin;
    }
    writeState({ left: saved.left, answer: hash.get("error") ? null : response });
    if (saved.page !== location.href && saved.page.startsWith(location.origin + "/")) { location.replace(saved.page); }
  }

  // findStoredResponse returns the stored response if it is for this page's customer and
  // has not expired. It drops any other.
  function findStoredResponse() {
    const { left, answer: response } = readState();
    if (response && response.sub === expectedSub && response.ends > nowInSeconds()) { return response; }
    if (response) { writeState({ left }); }
    return null;
  }

  // takeStoredResponse returns the stored response and removes it, so that it is used once.
  // A code is returned only for the challenge that it was issued for.
  function takeStoredResponse(challenge) {
    const response = findStoredResponse();
    if (response) { writeState({ left: readState().left }); }
    return response && response.code && (response.challenge || "") !== challenge ? null : response;
  }

  // In the code flow, the challenge is known only when the chat asks, which is when the
  // customer clicks. Without a click the page is not left. A token is fetched earlier, while
  // the page loads.
  const isClicked = () => !navigator.userActivation || navigator.userActivation.isActive;

  async function fetchToken(challenge) {
    const response = await postForm("/liveengage/token", challenge ? { code_challenge: challenge } : {});
    if (!response.error) { return response; }
    const stored = takeStoredResponse(challenge);
    if (stored) { return stored; }
    return settings.code && isClicked() && redirectToProvider(challenge)
      ? { error: "The page goes to the identity provider and comes back." }
      : response;
  }

  async function fetchTokenEarly() {
    if (settings.code || !expectedSub || !settings.return_uri || findStoredResponse()) { return; }
    const identity = await postForm("/liveengage/identity", {});
    if (identity.sub !== expectedSub) { redirectToProvider(""); }
  }

  // getToken always calls back: otherwise the chat would wait forever.
  async function getToken(callback, challenge) {
    let response;
    try {
      response = await fetchToken(typeof challenge === "string" ? challenge : "");
    } catch (e) {
      response = { error: String(e) };
    }
    if (response.code) {
      callback({ ssoKey: response.code, redirect_uri: response.redirect_uri });
    } else if (response.id_token) {
      callback(response.id_token);
    } else {
      callback(settings.code ? {} : "", response.error_description || response.error || "There is no token.");
    }
  }

  // getIdentity tells LiveEngage which customer to offer a chat; null for a visitor. If the
  // identity provider sees no session, the page's data-signed-in counts. If it sees the
  // session of another user, it does not.
  async function getIdentity(callback) {
    let sub = "";
    try {
      const identity = await postForm("/liveengage/identity", {});
      sub = identity.sub || (identity.other ? "" : expectedSub);
    } finally {
      callback(sub ? { iss: settings.issuer, sub, acr: "loa1" } : null);
    }
  }

  receiveResponse();
  fetchTokenEarly();
  let context = window;
  for (const name of settings.js_context.split(".")) {
    if (name === "window") { continue; }
    context[name] = context[name] || {};
    context = context[name];
  }
  context[settings.js_method] = getToken;
  window.lpTag = window.lpTag || {};
  window.lpTag.identities = window.lpTag.identities || [];
  window.lpTag.identities.push(getIdentity);
})
