// Runs another provider to test idp conformance and the LiveEngage simulator: npm package
// oidc-provider with its development pages, in memory, on a loopback port. It prints its
// issuer when it is ready, and exits when its standard input ends.

import Provider from "oidc-provider";

const client = (id, method) => ({
  client_id: id,
  client_secret: `${id}-secret-0123456789abcdef0123456789`,
  redirect_uris: ["https://web.example/cb"],
  post_logout_redirect_uris: ["https://web.example/bye"],
  response_types: ["code", "id_token", "code id_token"],
  grant_types: ["authorization_code", "implicit", "refresh_token"],
  token_endpoint_auth_method: method,
});

const claims = (sub) => ({
  sub,
  name: "Jane Doe",
  given_name: "Jane",
  family_name: "Doe",
  middle_name: "Alice",
  nickname: "Janie",
  preferred_username: "jane",
  profile: "https://example.com/jane",
  picture: "https://example.com/jane.png",
  website: "https://jane.example.com",
  gender: "female",
  birthdate: "1984-04-15",
  zoneinfo: "America/New_York",
  locale: "en-US",
  updated_at: 1764547200,
  email: "jane@example.com",
  email_verified: true,
  phone_number: "+12125550101",
  phone_number_verified: true,
  address: { formatted: "17 Harbour Street" },
});

const port = Number(process.argv[2]);
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    client("web", "client_secret_basic"),
    client("other", "client_secret_basic"),
    client("post", "client_secret_post"),
  ],
  responseTypes: ["code", "id_token", "code id_token"],
  pkce: { required: () => false },
  acrValues: ["loa1"],
  enableHttpPostMethods: true,
  cookies: { long: { sameSite: "none" }, keys: ["interop"] },
  claims: {
    address: ["address"],
    email: ["email", "email_verified"],
    phone: ["phone_number", "phone_number_verified"],
    profile: [
      "birthdate", "family_name", "gender", "given_name", "locale", "middle_name", "name", "nickname", "picture",
      "preferred_username", "profile", "updated_at", "website", "zoneinfo",
    ],
  },
  features: { claimsParameter: { enabled: true } },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => claims(sub) }),
});
provider.listen(port, "127.0.0.1", () => console.log(provider.issuer));
process.stdin.on("end", () => process.exit(0)).resume();
