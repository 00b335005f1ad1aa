// npm package jose verifies the ID tokens for LiveEngage: signed ones, and ones that are
// also encrypted. The environment variable IDP is the path of the idp binary; run.sh sets
// it.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as jose from "jose";

import { Browser } from "./browser.mjs";
import { Server } from "./server.mjs";

const windowURI = "https://lpcdn.lpsnmedia.net/le_unified_window/index.html";
const secret = "interop-secret-0123456789abcdef01234567";

// startServer starts a server with a client for LiveEngage, and returns it with an ID
// token of each flow. more is YAML of additional settings of the client.
async function startServer(more, files) {
  const server = await Server.start({
    client: `  - id: liveengage
    profile: liveengage
    secret: ${secret}
    redirect_uris: [${windowURI}]
    response_types: [code, id_token]${more}`,
    files,
  });
  const browser = new Browser(server.issuer);
  const authorizeURL = (type, mode) =>
    `${server.issuer}/authorize?` +
    new URLSearchParams({
      client_id: "liveengage",
      redirect_uri: windowURI,
      scope: "openid",
      state: "s",
      response_type: type,
      response_mode: mode,
    });
  const login = await browser.open(authorizeURL("id_token", "fragment"));
  const implicit = await browser.signIn(login, "jane", "jane-password");
  const tokens = { implicit: new URLSearchParams(implicit.redirectedTo.hash.slice(1)).get("id_token") };

  const posted = await browser.open(authorizeURL("id_token", "form_post"));
  tokens.form_post = /name="id_token" value="([^"]+)"/.exec(posted.body)[1];

  const callback = await browser.open(authorizeURL("code", "query"));
  const response = await fetch(`${server.issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`liveengage:${secret}`)}` },
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: callback.redirectedTo.searchParams.get("code"),
      redirect_uri: windowURI,
    }),
  });
  tokens.code = (await response.json()).id_token;
  return { server, tokens };
}

// verifyToken verifies a signed token with each format of the public key: the key set,
// PEM, and base64 on one line for LiveEngage's form.
async function verifyToken(server, token) {
  const text = async (path) => (await fetch(server.issuer + path)).text();
  const line = (await text("/keys/public.txt")).trim();
  assert.match(line, /^[A-Za-z0-9+/]+=*$/, "the key is one line, without BEGIN and END");
  const wrapped = `-----BEGIN PUBLIC KEY-----\n${line.match(/.{1,64}/g).join("\n")}\n-----END PUBLIC KEY-----\n`;
  const options = { issuer: server.issuer, audience: "liveengage", algorithms: ["RS256"] };
  for (const key of [
    jose.createRemoteJWKSet(new URL(`${server.issuer}/jwks`)),
    await jose.importSPKI(await text("/keys/public.pem"), "RS256"),
    await jose.importSPKI(wrapped, "RS256"),
  ]) {
    const { payload, protectedHeader } = await jose.jwtVerify(token, key, options);
    assert.equal(payload.sub, "0123456789abcdef");
    assert.deepEqual(payload.lp_sdes, [{ type: "ctmrinfo", info: { ctype: "gold" } }]);
    assert.equal(protectedHeader.typ, "JWT");
    assert.ok(protectedHeader.kid);
  }
}

test("jose verifies signed tokens with the key set, PEM and one-line key", async () => {
  const { server, tokens } = await startServer("");
  try {
    for (const token of Object.values(tokens)) {
      await verifyToken(server, token);
    }
  } finally {
    await server.stop();
  }
});

for (const enc of ["A128CBC-HS256", "A256GCM"]) {
  test(`jose decrypts encrypted tokens: ${enc}`, async () => {
    const { publicKey, privateKey } = await jose.generateKeyPair("RSA-OAEP-256", { extractable: true });
    const { server, tokens } = await startServer(
      `
    id_token_encryption: {enc: ${enc}, keys: [{kid: lpsso2026, key: {file: lpsso2026.pem}}]}`,
      { "lpsso2026.pem": await jose.exportSPKI(publicKey) },
    );
    try {
      assert.deepEqual(Object.keys(tokens).sort(), ["code", "form_post", "implicit"]);
      for (const token of Object.values(tokens)) {
        const { plaintext, protectedHeader } = await jose.compactDecrypt(token, privateKey, {
          keyManagementAlgorithms: ["RSA-OAEP-256"],
          contentEncryptionAlgorithms: [enc],
        });
        const header = { alg: "RSA-OAEP-256", enc, cty: "JWT", kid: "lpsso2026", typ: "JWT" };
        assert.deepEqual({ ...protectedHeader }, header);
        await verifyToken(server, new TextDecoder().decode(plaintext));
      }
    } finally {
      await server.stop();
    }
  });
}
