package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// badFile is the good file with one change, and the error that it leads to.
type badFile struct {
	name     string
	old, new string // without old, new is appended
	want     string // without the name of the file
}

func (b badFile) text() string {
	if b.old == "" {
		return good + b.new
	}
	return strings.Replace(good, b.old, b.new, 1)
}

func TestParseReportsProblems(t *testing.T) {
	t.Parallel()
	for _, b := range badFiles {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			require.Contains(t, good, b.old)
			_, err := parse(t, b.text())
			require.EqualError(t, err, "idp.yaml:"+b.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

// What the changes of badFiles begin with.
const (
	secretLine   = "    secret: {env: SHOP_SECRET}"
	profileStart = secretLine + "\n    profile: liveengage\n    liveengage: "
	pageStart    = profileStart + "{page: "
)

var badFiles = []badFile{ //nolint:gochecknoglobals // read only
	{
		"unknown key", ``, "colour: blue\n",
		`12:1: unknown key "colour"; ` +
			`use one of: brand, clients, data, health, insecure_store_connection, issuer, lifetimes, ` +
			`limits, listen, operations, people, proxies, ` +
			`secret, shutdown_delay, store, subjects, tls`,
	},
	{
		"misspelled key", ``, "lifetime: {}\n",
		`12:1: unknown key "lifetime"; did you mean "lifetimes"?`,
	},
	{
		"misspelled key in a client", secretLine, secretLine + "\n    redirect_uri: x",
		`10:5: client "shop": unknown key "redirect_uri"; did you mean "redirect_uris"?`,
	},
	{
		"duplicate key", `data: data`, "data: data\ndata: other",
		`3:1: duplicate key "data" (first set on line 2)`,
	},
	{
		"duplicate key in a map", ``, "lifetimes: {code: 1m, code: 2m}\n",
		`12:23: duplicate key "lifetimes.code" (first set on line 12)`,
	},
	{
		"empty key", secretLine, secretLine + "\n    '': true",
		`10:5: unknown key ""; use one of: application_type, backchannel_logout_uri, ` +
			`claims_in_id_token, frontchannel_logout_uri, id, id_token_encryption, id_token_signed_response_alg, jwks, ` +
			`liveengage, name, pinned_key, post_logout_redirect_uris, profile, redirect_uris, redirects_on_to, ` +
			`require_pkce, require_pushed_authorization_requests, response_modes, response_types, scopes, secret, ` +
			`server_logout, token_endpoint_audience, token_endpoint_auth_method`,
	},
	{
		"number instead of a string", `data: data`, `data: 7`,
		`2:7: data must be a string, not a number; put it in quotes`,
	},
	{
		"map instead of a string", `data: data`, `data: {a: b}`,
		`2:7: data must be a string, not a map`,
	},
	{
		"key without a value", `data: data`, `data:`,
		`2:6: data has no value; set one or remove the key`,
	},
	{
		"server_logout of a public client", secretLine, "    server_logout: true",
		`9:20: client "shop": server_logout needs a client with a secret or jwks; remove it`,
	},
	{
		"server_logout of LiveEngage", secretLine, secretLine + "\n    profile: liveengage\n    server_logout: true",
		`11:20: client "shop": server_logout is not for the profile liveengage: ` +
			`everyone in a chat has its ID token; remove it`,
	},
	{
		"empty string", `data: data`, `data: ''`,
		`2:7: data is empty; set it to a directory for the database and the keys, such as /var/lib/idp`,
	},
	{
		"string instead of a list", `proxies: [127.0.0.1]`, `proxies: 127.0.0.1`,
		`4:10: proxies must be a list such as [a, b], not a string`,
	},
	{
		"list instead of a map", `  name: Brand`, `  [a]`,
		`6:3: brand must be a map of settings, not a list`,
	},
	{
		"string instead of true", secretLine, secretLine + "\n    claims_in_id_token: yes",
		`10:25: client "shop": claims_in_id_token must be true or false, not a string`,
	},
	{
		"string instead of a number", ``, "limits: {failures: many}\n",
		`12:20: limits.failures must be a whole number, not a string`,
	},
	{
		"number instead of a duration", ``, "lifetimes: {code: 60}\n",
		`12:19: lifetimes.code is not a duration; use a value such as 90s, 15m, or 1h`,
	},
	{
		"invalid duration", ``, "lifetimes: {code: one minute}\n",
		`12:19: lifetimes.code is not a duration; use a value such as 90s, 15m, or 1h`,
	},
	{
		"alias", `data: data`, "data: &a data\nlisten: *a",
		"2:7: data is a YAML anchor (&), which is not supported; write the value itself\n" +
			`idp.yaml:3:9: listen is a YAML alias (*), which is not supported; write the value itself`,
	},
	{
		"second document", ``, "---\na: b\n",
		`13:1: only one document is allowed; remove ---`,
	},
	{
		"invalid YAML", `data: data`, `data: [a`,
		`3:1: not valid YAML: ',' or ']' must be specified`,
	},
	{
		"tab", `  name: Brand`, `	name: Brand`,
		`6:1: not valid YAML: found character '\t' that cannot start any token`,
	},
	{
		"issuer missing", "issuer: https://login.brand.example\n", ``,
		`1:1: issuer is missing; set it to the URL of this server that browsers and LiveEngage use`,
	},
	{
		"issuer http", `issuer: https://login.brand.example`, `issuer: http://login.brand.example`,
		`1:9: issuer "http://login.brand.example" uses http; use https (http is allowed on loopback only)`,
	},
	{
		"issuer with query", `issuer: https://login.brand.example`, `issuer: https://login.brand.example?a=b`,
		`1:9: issuer "https://login.brand.example?a=b" has a query or fragment; remove it (OIDC Discovery section 3)`,
	},
	{
		"issuer with fragment", `issuer: https://login.brand.example`, `issuer: https://login.brand.example#a`,
		`1:9: issuer "https://login.brand.example#a" has a query or fragment; remove it (OIDC Discovery section 3)`,
	},
	{
		"issuer with password", `issuer: https://login.brand.example`, `issuer: https://me:hunter2@login.brand.example`,
		`1:9: issuer "https://…@login.brand.example" contains a username or password; remove it`,
	},
	{
		"issuer with slash", `issuer: https://login.brand.example`, `issuer: https://login.brand.example/`,
		`1:9: issuer "https://login.brand.example/" ends with a slash; remove it`,
	},
	{
		"issuer with capitals", `issuer: https://login.brand.example`, `issuer: https://Login.brand.example`,
		`1:9: issuer "https://Login.brand.example" has capital letters in its scheme or host; use lower case`,
	},
	{
		"issuer is not a URL", `issuer: https://login.brand.example`, `issuer: login.brand.example`,
		`1:9: issuer "login.brand.example" is not a URL; use one such as https://login.brand.example`,
	},
	{
		"data missing", "data: data\n", ``,
		`1:1: data is missing; set it to a directory for the database and the keys, such as /var/lib/idp`,
	},
	{
		"people missing", "people: people.yaml\n", ``,
		`1:1: people is missing; set it to the people file, such as people.yaml`,
	},
	{
		"brand without name", `  name: Brand`, `  help: https://www.brand.example/help`,
		`6:3: brand.name is missing; pages show it as the name of your brand`,
	},
	{
		"brand logo http", `  name: Brand`, "  name: Brand\n  logo: http://www.brand.example/logo.svg",
		`7:9: brand.logo is not an https URL; use one such as https://www.brand.example/logo`,
	},
	{
		"store is not PostgreSQL", ``, "store: mysql://root:hunter2@localhost/idp\n",
		`12:8: store is not a PostgreSQL URL; ` +
			`use one such as postgres://user@host/database, or remove the key to use SQLite`,
	},
	{
		"instance secret short", ``, "secret: {env: SHORT}\n",
		`12:9: secret is not 64 hexadecimal characters; generate it with: openssl rand -hex 32`,
	},
	{
		"store with an unknown sslmode", ``, "store: 'postgres://me:hunter2@127.0.0.1/idp?sslmode=bogus'\n",
		`12:8: store cannot be used: sslmode is invalid`,
	},
	{
		"store with a root certificate that does not exist", ``,
		"store: 'postgres://me:hunter2@db/idp?sslmode=verify-full&sslrootcert=/nonexistent.pem'\n",
		`12:8: store cannot be used: unable to read CA file: open /nonexistent.pem: no such file or directory`,
	},
	{
		"store on another host without TLS", ``, "store: 'postgres://me:hunter2@db/idp?sslmode=require'\n",
		`12:8: store is on another host without verified TLS; add sslmode=verify-full to its URL, ` +
			`and sslrootcert if its certificate is from your own authority; ` +
			`if the network is trusted, set insecure_store_connection: true`,
	},
	{
		"instance secret from idp dev", secretLine, "    secret: liveengage-development-secret-000000000000",
		`9:13: client "shop": secret is from the documentation, where everyone can read it; ` +
			`generate one with: openssl rand -hex 32`,
	},
	{
		"client secret with a line break", secretLine, "    secret: \"hunter2-hunter2-hunter2\\nhunter2-hunter2\"",
		`9:13: client "shop": secret has a line break or another character that is not printable ASCII; ` +
			`remove it (RFC 6749 appendix A.2)`,
	},
	{
		"client secret with a space at its end", secretLine, "    secret: 'hunter2-hunter2-hunter2-hunter2-hunter2 '",
		`9:13: client "shop": secret starts or ends with a space; remove it`,
	},
	{
		"issuer http with TLS", "issuer: https://login.brand.example\n",
		"issuer: http://127.0.0.1:8080\ntls: {certificate: cert.pem, key: key.pem}\n",
		`1:9: issuer is http, but tls is set; use https, or remove tls`,
	},
	{
		"https without TLS or proxy", "proxies: [127.0.0.1]\n", ``,
		`1:9: issuer is https, but there is no TLS; set tls, or set proxies to the address of your TLS proxy`,
	},
	{
		"listen without TLS or proxy",
		"issuer: https://login.brand.example\ndata: data\npeople: people.yaml\nproxies: [127.0.0.1]",
		"issuer: http://127.0.0.1:8080\ndata: data\npeople: people.yaml\nlisten: 0.0.0.0:8080",
		`4:9: listen "0.0.0.0:8080" is reachable from other machines without TLS; ` +
			`set tls, or set proxies to the address of your TLS proxy`,
	},
	{
		"listen without port", `data: data`, "data: data\nlisten: localhost",
		`3:9: listen "localhost" is not host:port; use a value such as 127.0.0.1:8080`,
	},
	{
		"operations on all addresses", `data: data`, "data: data\noperations: 0.0.0.0:8081",
		`3:13: operations "0.0.0.0:8081" is not a loopback address; use a value such as 127.0.0.1:8081, or off`,
	},
	{
		"operations same as listen", `data: data`, "data: data\noperations: 127.0.0.1:8080",
		`3:13: operations and listen are both "127.0.0.1:8080"; use different ports`,
	},
	{
		"operations takes the port of listen", `data: data`, "data: data\nlisten: :8090\noperations: localhost:8090",
		`4:13: operations "localhost:8090" and listen ":8090" take the same port; use different ports`,
	},
	{
		"health takes the ports of both", `data: data`,
		"data: data\noperations: localhost:8081\nhealth: 127.0.0.1:8081",
		`4:9: health "127.0.0.1:8081" and operations "localhost:8081" take the same port; use different ports`,
	},
	{
		"every address trusted as a proxy", `proxies: [127.0.0.1]`, `proxies: [0.0.0.0/0]`,
		`4:11: proxies[0] trusts every address, so anyone could spoof X-Forwarded-For; ` +
			`list the addresses of your proxies`,
	},
	{
		"proxy by name", `proxies: [127.0.0.1]`, `proxies: [proxy.example]`,
		`4:11: proxies[0] is not an IP address or network; use a value such as 10.0.0.7 or 10.0.0.0/24`,
	},
	{
		"certificate without key", `data: data`, "data: data\ntls: {certificate: cert.pem}",
		`3:6: tls.key is missing; set it to the PEM file of the private key`,
	},
	{
		"code too long", ``, "lifetimes:\n  code: 11m\n",
		`13:9: lifetimes.code is 11m; use 1s to 10m`,
	},
	{
		"session too short", ``, "lifetimes:\n  session: 1s\n",
		`13:12: lifetimes.session is 1s; use 1m to 2160h`,
	},
	{
		"session_idle longer than session", ``, "lifetimes: {session: 1h, session_idle: 2h}\n",
		`12:40: lifetimes.session_idle is 2h, longer than lifetimes.session, which is 1h; make it shorter`,
	},
	{
		"id_token longer than session", ``, "lifetimes: {session: 1h, id_token: 2h}\n",
		`12:36: lifetimes.id_token is 2h, longer than lifetimes.session, which is 1h; make it shorter`,
	},
	{
		"refresh_token_idle longer than refresh_token", ``, "lifetimes: {refresh_token: 24h, refresh_token_idle: 48h}\n",
		`12:53: lifetimes.refresh_token_idle is 48h, longer than lifetimes.refresh_token, which is 24h; make it shorter`,
	},
	{
		"max_delay longer than window", ``, "limits: {max_delay: 30m, window: 15m}\n",
		`12:21: limits.max_delay is 30m, longer than limits.window, which is 15m; make it shorter`,
	},
	{
		"UTF-16", good, "\xff\xfei\x00s\x00s\x00", "1:1: the file is UTF-16; save it as UTF-8",
	},
	{
		"not UTF-8", `name: Brand`, "name: B\xe4r", "6:10: this character is not UTF-8; save the file as UTF-8",
	},
	{
		"negative failures", ``, "limits: {failures: -1}\n",
		`12:20: limits.failures is -1; use 1 to 1000`,
	},
	{
		"body too small", ``, "limits: {body: 10}\n",
		`12:16: limits.body is 10; use 4096 to 16777216`,
	},
	{
		"max_delay below delay", ``, "limits: {delay: 1m, max_delay: 30s}\n",
		`12:32: limits.max_delay is 30s, less than limits.delay; use 1m or more`,
	},
	{
		"no clients",
		"clients:\n  - id: shop\n    secret: {env: SHOP_SECRET}\n    redirect_uris:\n      - https://shop.example/cb",
		`clients: []`,
		`7:10: clients is missing; list at least one client`,
	},
	{
		"client id missing", "  - id: shop\n    secret: {env: SHOP_SECRET}", `  - secret: {env: SHOP_SECRET}`,
		`8:5: clients[0]: id is missing; set it to the client_id`,
	},
	{
		"client id with space", `id: shop`, `id: my shop`,
		`8:9: client "my shop": id has spaces or non-ASCII characters; use letters, digits, - and _`,
	},
	{
		"duplicate client id", ``, "  - id: shop\n    redirect_uris: [https://other.example/cb]\n",
		`12:9: client "shop": another client already has this id`,
	},
	{
		"client secret short", `SHOP_SECRET`, `SHORT`,
		`9:13: client "shop": secret has fewer than 32 characters; generate one with: openssl rand -hex 32`,
	},
	{
		"client secret not set", `SHOP_SECRET`, `UNSET_SECRET`,
		`9:13: client "shop": environment variable UNSET_SECRET (used by secret) is not set`,
	},
	{
		"client secret in the name", `SHOP_SECRET`, `a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4`,
		`9:13: client "shop": the environment variable used by secret is not set`,
	},
	{
		"client secret file missing", `{env: SHOP_SECRET}`, `{file: nowhere}`,
		`9:13: client "shop": the file for secret does not exist; its path is relative to /etc/idp`,
	},
	{
		"client secret from an unknown source", `{env: SHOP_SECRET}`, `{vault: hunter2}`,
		`9:13: client "shop": secret must have one of env and file: {env: NAME} or {file: PATH}`,
	},
	{
		"client secret is a number", `{env: SHOP_SECRET}`, `12345678901234567890`,
		`9:13: client "shop": secret must be a string, {env: NAME}, or {file: PATH}, not a number`,
	},
	{
		"client secret empty", `{env: SHOP_SECRET}`, `''`,
		`9:13: client "shop": secret is empty; use {env: NAME} or {file: PATH}, or remove the key`,
	},
	{
		"application_type unknown", secretLine, secretLine + "\n    application_type: spa",
		`10:23: client "shop": unknown application_type "spa"; use one of: web, native`,
	},
	{
		"method without its keys", secretLine, "    token_endpoint_auth_method: private_key_jwt",
		`9:33: client "shop": token_endpoint_auth_method is private_key_jwt, but jwks is not set; ` +
			`add jwks: {file: client.jwks.json}`,
	},
	{
		"keys and a secret", secretLine, secretLine + "\n    jwks: '{\"keys\":[]}'",
		`10:11: client "shop": secret and jwks are both set; remove one of them`,
	},
	{
		"keys with another method", secretLine, "    token_endpoint_auth_method: none\n    jwks: hunter2",
		"9:33: client \"shop\": token_endpoint_auth_method is none, but secret or jwks is set; remove one of them\n" +
			`idp.yaml:10:11: client "shop": jwks: not a JSON Web Key Set; use {"keys":[…]} with public keys`,
	},
	{
		"logout URI over http", secretLine, secretLine + "\n    backchannel_logout_uri: http://shop.example/out",
		`10:29: client "shop": "http://shop.example/out" is not an https URL without a fragment; ` +
			`use one such as https://www.brand.example/signed-out`,
	},
	{
		"refresh token grace too long", ``, "lifetimes: {refresh_token_grace: 2m}\n",
		`12:34: lifetimes.refresh_token_grace is 2m; use 0s to 1m`,
	},
	{
		"method unknown", secretLine, secretLine + "\n    token_endpoint_auth_method: client_secret_jwt",
		`10:33: client "shop": unknown token_endpoint_auth_method "client_secret_jwt"; ` +
			`use one of: client_secret_basic, client_secret_post, private_key_jwt, none, any`,
	},
	{
		"method with a key and a secret", secretLine,
		secretLine + "\n    token_endpoint_auth_method: [private_key_jwt, client_secret_post]",
		`10:33: client "shop": token_endpoint_auth_method combines private_key_jwt or none with another method; ` +
			`only client_secret_basic and client_secret_post can be combined`,
	},
	{
		"response mode unknown", secretLine, secretLine + "\n    response_modes: [web_message]",
		`10:22: client "shop": unknown response mode "web_message"; use one of: query, fragment, form_post`,
	},
	{
		"audience without keys", secretLine, secretLine + "\n    token_endpoint_audience: true",
		`10:30: client "shop": token_endpoint_audience is for private_key_jwt, but jwks is not set; remove it`,
	},
	{
		"method none with a secret", secretLine, secretLine + "\n    token_endpoint_auth_method: none",
		`10:33: client "shop": token_endpoint_auth_method is none, but secret or jwks is set; remove one of them`,
	},
	{
		"method without a secret", secretLine, `    token_endpoint_auth_method: client_secret_post`,
		`9:33: client "shop": token_endpoint_auth_method is client_secret_post, but secret is not set; ` +
			`add secret: {env: NAME}, or use none`,
	},
	{
		"response type unknown", secretLine, secretLine + "\n    response_types: [code, token]",
		`10:28: client "shop": unknown response type "token"; ` +
			`use one of: code, id_token, id_token token, code id_token, code token, code id_token token`,
	},
	{
		"scope unknown", secretLine, secretLine + "\n    scopes: [openid, offline]",
		`10:22: client "shop": unknown scope "offline"; ` +
			`use one of: openid, profile, email, address, phone, lp_sdes, offline_access`,
	},
	{
		"scopes without openid", secretLine, secretLine + "\n    scopes: [email]",
		`10:13: client "shop": scopes lacks openid, which every sign-in needs; add it (OIDC Core section 3.1.2.1)`,
	},
	{
		"profile unknown", secretLine, secretLine + "\n    profile: liveperson",
		`10:14: client "shop": unknown profile "liveperson"; use one of: liveengage`,
	},
	{
		"liveengage without a secret", secretLine, `    profile: liveengage`,
		`9:14: client "shop": profile liveengage needs a secret for the code flow; ` +
			`add secret: {env: NAME}, or use response_types: [id_token]`,
	},
	{
		"account with a slash", secretLine, profileStart + "{account: ../1}",
		`11:27: client "shop": account "../1" is not an account number; ` +
			`use its digits and letters only, as in the URL of the LiveEngage console`,
	},
	{
		"account as a number", secretLine, profileStart + "{account: 12345678}",
		`11:27: client "shop": liveengage.account must be a string, not a number; put it in quotes`,
	},
	{
		"account empty", secretLine, profileStart + "{account: ''}",
		`11:27: client "shop": account is empty; set it to the number of the LiveEngage account, or remove the key`,
	},
	{
		"delegation of another account", "      - https://shop.example/cb",
		"      - https://lo.idp.liveperson.net/callback/9/redirectCode\n" +
			"    profile: liveengage\n    liveengage: {account: '1'}",
		`11:9: client "shop": redirect URI "https://lo.idp.liveperson.net/callback/9/redirectCode" ` +
			`is that of the account 9, ` +
			`but account is 1; correct one of them`,
	},
	{
		"dialect unknown", secretLine, profileStart + "{dialect: openid}",
		`11:27: client "shop": unknown dialect "openid"; use one of: rfc, legacy`,
	},
	{
		"query keys without the legacy dialect", secretLine, profileStart + "{redirect_query_keys: [a]}",
		`11:39: client "shop": redirect_query_keys needs dialect: legacy; add it, or remove the key`,
	},
	{
		"implicit_parameter unknown", secretLine, profileStart + "{implicit_parameter: jwt}",
		`11:38: client "shop": unknown implicit_parameter "jwt"; use one of: id_token, token, code`,
	},
	{
		"implicit_in unknown", secretLine, profileStart + "{implicit_in: body}",
		`11:31: client "shop": unknown implicit_in "body"; use one of: fragment, query`,
	},
	{
		"token requests unknown", secretLine, profileStart + "{token_requests: json}",
		`11:34: client "shop": unknown token_requests "json"; use one of: form_or_json, form`,
	},
	{
		"token errors unknown", secretLine, profileStart + "{token_errors: lp}",
		`11:32: client "shop": unknown token_errors "lp"; use one of: oauth, liveperson`,
	},
	{
		"token redirect URI over http", secretLine, profileStart + "{token_redirect_uri: 'http://liveperson.net'}",
		`11:38: client "shop": redirect URI "http://liveperson.net" uses http; ` +
			`use https (http is allowed on loopback only, with application_type: native)`,
	},
	{
		"JavaScript method with a dot", secretLine, profileStart + "{js_method: window.get}",
		`11:29: client "shop": js_method "window.get" is not the name of a JavaScript function; ` +
			`use one such as lpGetAuthenticationToken`,
	},
	{
		"JavaScript context with code", secretLine, profileStart + "{js_context: 'a;alert(1)'}",
		`11:30: client "shop": js_context "a;alert(1)" is not the name of a JavaScript object; ` +
			`use one such as window or lpMethods`,
	},
	{
		"page without origins", secretLine, pageStart + "{hands_out: code}}",
		`11:24: client "shop": origins is missing; list the origins of your pages, such as https://www.brand.example`,
	},
	{
		"page over http", secretLine, pageStart + "{origins: ['http://www.brand.example']}}",
		`11:35: client "shop": "http://www.brand.example" is not an origin as browsers send it; ` +
			`use https:// and a host only, such as https://www.brand.example (http is allowed on loopback only)`,
	},
	{
		"page with an origin that no browser sends: http://localhost:80",
		secretLine,
		pageStart + "{origins: ['http://localhost:80']}}",
		`11:35: client "shop": "http://localhost:80" is not an origin as browsers send it; ` +
			`use https:// and a host only, such as https://www.brand.example (http is allowed on loopback only)`,
	},
	{
		"page with an origin that no browser sends: https://www.brand.example:99999",
		secretLine,
		pageStart + "{origins: ['https://www.brand.example:99999']}}",
		`11:35: client "shop": "https://www.brand.example:99999" is not an origin as browsers send it; ` +
			`use https:// and a host only, such as https://www.brand.example (http is allowed on loopback only)`,
	},
	{
		"page with an origin that no browser sends: https://www.brand.example:",
		secretLine,
		pageStart + "{origins: ['https://www.brand.example:']}}",
		`11:35: client "shop": "https://www.brand.example:" is not an origin as browsers send it; ` +
			`use https:// and a host only, such as https://www.brand.example (http is allowed on loopback only)`,
	},
	{
		"page with an origin that no browser sends: https://www.brand.example:443",
		secretLine,
		pageStart + "{origins: ['https://www.brand.example:443']}}",
		`11:35: client "shop": "https://www.brand.example:443" is not an origin as browsers send it; ` +
			`use https:// and a host only, such as https://www.brand.example (http is allowed on loopback only)`,
	},
	{
		"page with an origin that no browser sends: https://WWW.brand.example",
		secretLine,
		pageStart + "{origins: ['https://WWW.brand.example']}}",
		`11:35: client "shop": "https://WWW.brand.example" is not an origin as browsers send it; ` +
			`use https:// and a host only, such as https://www.brand.example (http is allowed on loopback only)`,
	},
	{
		"page with a path", secretLine, pageStart + "{origins: ['https://www.brand.example/']}}",
		`11:35: client "shop": "https://www.brand.example/" is not an origin as browsers send it; ` +
			`use https:// and a host only, such as https://www.brand.example (http is allowed on loopback only)`,
	},
	{
		"page with a wildcard", secretLine, pageStart + "{origins: ['https://*.brand.example']}}",
		`11:35: client "shop": "https://*.brand.example" is not an origin as browsers send it; ` +
			`use https:// and a host only, such as https://www.brand.example (http is allowed on loopback only)`,
	},
	{
		"page hands out what the client cannot use",
		secretLine,
		pageStart + "{origins: ['https://www.brand.example'], hands_out: id_token}}",
		`11:76: client "shop": hands_out is id_token, which is not in this client's response_types; add it there`,
	},
	{
		"return URI that is not registered",
		secretLine,
		pageStart + "{origins: ['https://www.brand.example'], return_uri: 'https://www.brand.example/chat'}}",
		`11:77: client "shop": return_uri "https://www.brand.example/chat" must be in redirect_uris and on one of ` +
			`the origins`,
	},
	{
		"across_sites is a string",
		secretLine,
		pageStart + "{origins: ['https://www.brand.example'], across_sites: yes}}",
		`11:79: client "shop": liveengage.page.across_sites must be true or false, not a string`,
	},
	{
		"liveengage without the profile", secretLine, secretLine + "\n    liveengage: {dialect: legacy}",
		`10:17: client "shop": liveengage is only for clients with profile: liveengage; ` +
			`add that profile, or remove the key`,
	},
	{
		"subjects without a key", `data: data`, "data: data\nsubjects: {known: known.yaml}",
		`3:11: subjects.key is not 64 hexadecimal characters; ` +
			`generate it with: openssl rand -hex 32, and never change it`,
	},
	{
		"liveengage with ES256",
		secretLine,
		secretLine + "\n    profile: liveengage\n    id_token_signed_response_alg: ES256",
		`11:35: client "shop": LiveEngage accepts RS256 only; remove id_token_signed_response_alg`,
	},
	{
		"algorithm none", secretLine, secretLine + "\n    id_token_signed_response_alg: none",
		`10:35: client "shop": unknown id_token_signed_response_alg "none"; use one of: RS256, ES256`,
	},
	{
		"no redirect URI", "    redirect_uris:\n      - https://shop.example/cb\n", ``,
		`8:5: client "shop": redirect_uris is missing; list at least one URL`,
	},
	{
		"redirect URI with wildcard", `https://shop.example/cb`, `https://*.shop.example/cb`,
		`11:9: client "shop": redirect URI "https://*.shop.example/cb" has a wildcard; ` +
			`list each URL in full (RFC 9700 section 4.1.3)`,
	},
	{
		"redirect URI with fragment", `https://shop.example/cb`, `https://shop.example/cb#top`,
		`11:9: client "shop": redirect URI "https://shop.example/cb#top" has a fragment; ` +
			`remove it (RFC 6749 section 3.1.2)`,
	},
	{
		"redirect URI with script", `https://shop.example/cb`, `'javascript:alert(1)'`,
		`11:9: client "shop": redirect URI "javascript:alert(1)" has a scheme that runs code or shows content; ` +
			`use an https URL`,
	},
	{
		"redirect URI with data", `https://shop.example/cb`, `'data:text/html,x'`,
		`11:9: client "shop": redirect URI "data:text/html,x" has a scheme that runs code or shows content; ` +
			`use an https URL`,
	},
	{
		"redirect URI http", `https://shop.example/cb`, `http://shop.example/cb`,
		`11:9: client "shop": redirect URI "http://shop.example/cb" uses http; ` +
			`use https (http is allowed on loopback only, with application_type: native)`,
	},
	{
		"redirect URI http on loopback of web", `https://shop.example/cb`, `http://127.0.0.1/cb`,
		`11:9: client "shop": redirect URI "http://127.0.0.1/cb" uses http; ` +
			`use https (http is allowed on loopback only, with application_type: native)`,
	},
	{
		"redirect URI with password", `https://shop.example/cb`, `https://me:hunter2@shop.example/cb`,
		`11:9: client "shop": redirect URI "https://…@shop.example/cb" contains a username or password; remove it`,
	},
	{
		"redirect URI relative", `https://shop.example/cb`, `/cb`,
		`11:9: client "shop": redirect URI "/cb" is not an absolute URL; use one such as https://www.brand.example/cb`,
	},
	{
		"redirect URI with dots", `https://shop.example/cb`, `https://shop.example/a/../cb`,
		`11:9: client "shop": redirect URI "https://shop.example/a/../cb" has . or .. in its path; ` +
			`use the path that it resolves to`,
	},
	{
		"redirect URI with private-use scheme", `https://shop.example/cb`, `com.shop.app:/cb`,
		`11:9: client "shop": redirect URI "com.shop.app:/cb" has a private-use scheme; ` +
			`use https, or with application_type: native a reversed domain name such as com.brand.app:/cb (RFC 8252 ` +
			`section 7.1)`,
	},
	{
		"duplicate redirect URI", `https://shop.example/cb`,
		"https://shop.example/cb\n      - https://shop.example/cb",
		`12:9: client "shop": redirect_uris lists "https://shop.example/cb" twice; remove one`,
	},
	{
		"post-logout redirect URI http", secretLine,
		secretLine + "\n    post_logout_redirect_uris: [http://shop.example/bye]",
		`10:33: client "shop": redirect URI "http://shop.example/bye" uses http; ` +
			`use https (http is allowed on loopback only, with application_type: native)`,
	},
}
