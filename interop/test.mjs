// openid-client from npm signs in at a running idp dev. ISSUER says where; run.sh
// starts one and sets it.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as client from "openid-client";

import { Browser } from "./browser.mjs";
import { Other, Served } from "./served.mjs";

const issuer = process.env.ISSUER;
if (!issuer) {
  throw new Error("ISSUER is not set; run interop/run.sh, which starts a server and sets it");
}

// Nothing listens there: the browser stops where it would leave the issuer. The
// port is one that was never registered (RFC 8252 section 7.3).
const redirectURI = "http://127.0.0.1:49152/cb";

const clients = {
  "local-app": { secret: undefined, authentication: client.None() },
  "local-web": {
    secret: "local-web-development-secret-0000000000000",
    authentication: client.ClientSecretBasic("local-web-development-secret-0000000000000"),
  },
};

async function discovered(id) {
  const { secret, authentication } = clients[id];
  return client.discovery(new URL(issuer), id, secret, authentication, {
    execute: [client.allowInsecureRequests], // plain http, on loopback
  });
}

// started prepares an authorization request; pkce is undefined for none.
async function started(config, { pkce, ...more }) {
  const checks = { expectedState: client.randomState(), expectedNonce: client.randomNonce(), idTokenExpected: true };
  const parameters = {
    redirect_uri: redirectURI,
    scope: "openid profile email address phone lp_sdes",
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...more,
  };
  if (pkce) {
    checks.pkceCodeVerifier = client.randomPKCECodeVerifier();
    parameters.code_challenge = await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier);
    parameters.code_challenge_method = "S256";
  }
  return { address: client.buildAuthorizationUrl(config, parameters), checks };
}

function isJane(claims, id) {
  assert.equal(claims.iss, issuer);
  assert.equal(claims.aud, id);
  assert.match(claims.sub, /^[^@]+$/, "sub is opaque");
  for (const name of ["exp", "iat", "auth_time"]) {
    assert.ok(Number.isInteger(claims[name]), `${name} is whole seconds`);
  }
  assert.equal(claims.acr, "loa1");
}

for (const [id, pkce] of [["local-app", true], ["local-web", false], ["local-web", true]]) {
  test(`${id} completes the code flow ${pkce ? "with" : "without"} PKCE`, async () => {
    const config = await discovered(id);
    const browser = new Browser(issuer);

    const { address, checks } = await started(config, { pkce });
    const back = await browser.signIn(await browser.open(address), "jane", "jane-password");
    assert.ok(back.left, `still at the issuer: ${back.status} ${back.body}`);
    assert.equal(back.left.searchParams.get("iss"), issuer, "RFC 9207");

    const tokens = await client.authorizationCodeGrant(config, back.left, checks);
    const claims = tokens.claims();
    isJane(claims, id);

    const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
    assert.equal(person.given_name, "Jane");
    assert.equal(person.email, "jane@example.com");
    assert.deepEqual(person.lp_sdes.map((sde) => sde.type).sort(), ["ctmrinfo", "personal"]);

    // A code that comes back is refused, and ends what came of it.
    await assert.rejects(client.authorizationCodeGrant(config, back.left, checks), { error: "invalid_grant" });
    await assert.rejects(client.fetchUserInfo(config, tokens.access_token, claims.sub));

    // Signed in already: one request is enough.
    const again = await started(config, { pkce, prompt: "none" });
    const before = browser.hops;
    const answer = await browser.open(again.address);
    assert.equal(browser.hops - before, 1);
    const second = await client.authorizationCodeGrant(config, answer.left, again.checks);
    assert.equal(second.claims().sub, claims.sub);
    assert.equal(second.claims().auth_time, claims.auth_time);
  });
}

test("local-web completes the implicit flow", async () => {
  const config = await discovered("local-web");
  client.useIdTokenResponseType(config);
  const browser = new Browser(issuer);
  const { address, checks } = await started(config, {});
  const back = await browser.signIn(await browser.open(address), "jane", "jane-password");
  const claims = await client.implicitAuthentication(config, back.left, checks.expectedNonce, {
    expectedState: checks.expectedState,
  });
  isJane(claims, "local-web");
  assert.equal(claims.given_name, "Jane");
});

test("local-web completes the hybrid flow", async () => {
  const config = await discovered("local-web");
  client.useCodeIdTokenResponseType(config); // checks c_hash and both ID tokens
  const browser = new Browser(issuer);
  const { address, checks } = await started(config, { pkce: true });
  const back = await browser.signIn(await browser.open(address), "jane", "jane-password");
  const tokens = await client.authorizationCodeGrant(config, back.left, checks);
  isJane(tokens.claims(), "local-web");
});

test("local-web refreshes, narrows, introspects and revokes", async () => {
  const config = await discovered("local-web");
  const browser = new Browser(issuer);
  const { address, checks } = await started(config, { scope: "openid email offline_access" });
  const back = await browser.signIn(await browser.open(address), "jane", "jane-password");
  const first = await client.authorizationCodeGrant(config, back.left, checks);
  assert.ok(first.refresh_token);

  const second = await client.refreshTokenGrant(config, first.refresh_token);
  assert.notEqual(second.refresh_token, first.refresh_token);
  assert.equal(second.claims().sub, first.claims().sub);
  assert.equal(second.claims().auth_time, first.claims().auth_time);

  const narrow = await client.refreshTokenGrant(config, second.refresh_token, { scope: "openid" });
  assert.equal(narrow.scope, "openid");
  assert.equal((await client.fetchUserInfo(config, narrow.access_token, first.claims().sub)).email, undefined);
  await assert.rejects(client.refreshTokenGrant(config, narrow.refresh_token, { scope: "openid profile" }), { error: "invalid_scope" });

  assert.equal((await client.tokenIntrospection(config, narrow.access_token)).active, true);
  await client.tokenRevocation(config, narrow.refresh_token);
  assert.equal((await client.tokenIntrospection(config, narrow.access_token)).active, false);
  await assert.rejects(client.refreshTokenGrant(config, narrow.refresh_token), { error: "invalid_grant" });
});

test("local-web pushes its request", async () => {
  const config = await discovered("local-web");
  const { address, checks } = await started(config, { pkce: true });
  const pushed = await client.buildAuthorizationUrlWithPAR(config, address.searchParams);
  assert.deepEqual([...pushed.searchParams.keys()].sort(), ["client_id", "request_uri"]);
  const browser = new Browser(issuer);
  const back = await browser.signIn(await browser.open(pushed), "jane", "jane-password");
  isJane((await client.authorizationCodeGrant(config, back.left, checks)).claims(), "local-web");
});

test("a client authenticates by private_key_jwt", async () => {
  const { publicKey, privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]);
  const jwk = { ...(await crypto.subtle.exportKey("jwk", publicKey)), kid: "k1", alg: "ES256", use: "sig" };
  const server = await Served.start({
    client: '  - {id: keyed, jwks: {file: jwks.json}, application_type: native, redirect_uris: ["http://127.0.0.1/cb"]}',
    files: { "jwks.json": JSON.stringify({ keys: [jwk] }) },
  });
  try {
    const config = await client.discovery(new URL(server.issuer), "keyed", undefined, client.PrivateKeyJwt({ key: privateKey, kid: "k1" }), {
      execute: [client.allowInsecureRequests],
    });
    const browser = new Browser(server.issuer);
    const { address, checks } = await started(config, { pkce: true });
    const back = await browser.signIn(await browser.open(address), "jane", "jane-password");
    const tokens = await client.authorizationCodeGrant(config, back.left, checks);
    assert.equal(tokens.claims().aud, "keyed");
    assert.ok(await client.tokenIntrospection(config, tokens.access_token));
  } finally {
    await server.stop();
  }
});

// The conformance checks, pointed at a provider that is not ours and that is certified by
// the OpenID Foundation: a module that fails there would be a fault of the module.
for (const plan of ["basic/", "implicit/", "hybrid/", "rp-initiated-logout/"]) {
  test(`idp conformance finds no fault in another provider: ${plan}`, async () => {
    const other = await Other.start();
    try {
      const { code, stdout, stderr } = await other.conformance("--only", plan);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^passed  /m);
      assert.doesNotMatch(stdout, /^failed/m);
    } finally {
      await other.stop();
    }
  });
}

test("a public client without PKCE is refused at its redirect URI", async () => {
  const config = await discovered("local-app");
  const { address, checks } = await started(config, {});
  const back = await new Browser(issuer).open(address);
  await assert.rejects(client.authorizationCodeGrant(config, back.left, checks), { error: "invalid_request" });
});
