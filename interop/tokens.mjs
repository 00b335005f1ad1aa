// jose from npm opens what LiveEngage would open: ID tokens that are signed, and
// ones that are encrypted to LivePerson's key as well. run.sh sets IDP.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as jose from "jose";

import { Browser } from "./browser.mjs";
import { Served } from "./served.mjs";

const windowURI = "https://lpcdn.lpsnmedia.net/le_unified_window/index.html";
const secret = "interop-secret-0123456789abcdef01234567";

// started runs a server with a client for LiveEngage that has more settings, and
// returns it with the ID token of each flow that LivePerson may use.
async function started(more, files) {
  const server = await Served.start({
    client: `  - id: liveengage
    profile: liveengage
    secret: ${secret}
    redirect_uris: [${windowURI}]
    response_types: [code, id_token]${more}`,
    files,
  });
  const browser = new Browser(server.issuer);
  const ask = (type, mode) =>
    `${server.issuer}/authorize?` +
    new URLSearchParams({ client_id: "liveengage", redirect_uri: windowURI, scope: "openid", state: "s", response_type: type, response_mode: mode });
  const first = await browser.signIn(await browser.open(ask("id_token", "fragment")), "jane", "jane-password");
  const tokens = { implicit: new URLSearchParams(first.left.hash.slice(1)).get("id_token") };

  const posted = await browser.open(ask("id_token", "form_post"));
  tokens.form_post = /name="id_token" value="([^"]+)"/.exec(posted.body)[1];

  const back = await browser.open(ask("code", "query"));
  const answer = await fetch(`${server.issuer}/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa(`liveengage:${secret}`)}` },
    body: new URLSearchParams({ grant_type: "authorization_code", code: back.left.searchParams.get("code"), redirect_uri: windowURI }),
  });
  tokens.code = (await answer.json()).id_token;
  return { server, tokens };
}

// verified checks a signed token by each form in which the key is to be had: the
// key set, PEM, and the one line of LiveEngage's form.
async function verified(server, token) {
  const text = async (path) => (await fetch(server.issuer + path)).text();
  const line = (await text("/keys/public.txt")).trim();
  assert.match(line, /^[A-Za-z0-9+/]+=*$/, "one line, without BEGIN and END");
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

test("jose verifies signed tokens by key set, PEM and one line", async () => {
  const { server, tokens } = await started("");
  try {
    for (const token of Object.values(tokens)) {
      await verified(server, token);
    }
  } finally {
    await server.stop();
  }
});

for (const enc of ["A128CBC-HS256", "A256GCM"]) {
  test(`jose opens encrypted tokens: ${enc}`, async () => {
    const { publicKey, privateKey } = await jose.generateKeyPair("RSA-OAEP-256", { extractable: true });
    const { server, tokens } = await started(
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
        assert.deepEqual({ ...protectedHeader }, { alg: "RSA-OAEP-256", enc, cty: "JWT", kid: "lpsso2026", typ: "JWT" });
        await verified(server, new TextDecoder().decode(plaintext));
      }
    } finally {
      await server.stop();
    }
  });
}
