package config_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// badFile is the good file with one change and what is said about it.
type badFile struct {
	name     string
	old, new string // without old, new comes after the end
	want     string // without the file's name
}

func (b badFile) text() string {
	if b.old == "" {
		return good + b.new
	}
	return strings.Replace(good, b.old, b.new, 1)
}

func TestParseRefuses(t *testing.T) {
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

var badFiles = []badFile{ //nolint:gochecknoglobals // read only
	{
		"unknown key far from any", ``, "colour: blue\n",
		`12:1: key "colour" is not known; write one of: brand, clients, data, issuer, lifetimes, limits, listen, operations, people, proxies, secret, store, subjects, tls`,
	},
	{
		"unknown key near one", ``, "lifetime: {}\n",
		`12:1: key "lifetime" is not known; did you mean lifetimes?`,
	},
	{
		"unknown key in a client", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    redirect_uri: x",
		`10:5: client "shop": key "redirect_uri" is not known; did you mean redirect_uris?`,
	},
	{
		"key twice", `data: data`, "data: data\ndata: other",
		`3:1: data stands here a second time, after line 2; write it once`,
	},
	{
		"number for a text", `data: data`, `data: 7`,
		`2:7: data is a number; write a text, in quotes if need be`,
	},
	{
		"map for a text", `data: data`, `data: {a: b}`,
		`2:7: data is a map; write a text, in quotes if need be`,
	},
	{
		"key without a value", `data: data`, `data:`,
		`2:6: data has no value; write one, or leave the key out`,
	},
	{
		"empty text", `data: data`, `data: ''`,
		`2:7: data is empty; name a folder for the database and the keys, such as /var/lib/idp`,
	},
	{
		"text for a list", `proxies: [127.0.0.1]`, `proxies: 127.0.0.1`,
		`4:10: proxies is a text; write a list, such as [a, b]`,
	},
	{
		"list for keys and values", `  name: Brand`, `  [a]`,
		`6:3: brand is a list; write keys and values`,
	},
	{
		"text for true", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    claims_in_id_token: yes",
		`10:25: client "shop": claims_in_id_token is a text; write true or false`,
	},
	{
		"text for a number", ``, "limits: {failures: many}\n",
		`12:20: limits.failures is a text; write a whole number`,
	},
	{
		"number for a duration", ``, "lifetimes: {code: 60}\n",
		`12:19: lifetimes.code is not a duration; write one such as 90s, 15m or 1h`,
	},
	{
		"no duration", ``, "lifetimes: {code: one minute}\n",
		`12:19: lifetimes.code is not a duration; write one such as 90s, 15m or 1h`,
	},
	{
		"alias", `data: data`, "data: &a data\nlisten: *a",
		"2:7: data is an anchor (&), which is not read here; write the value itself\nidp.yaml:3:9: listen is an alias (*), which is not read here; write the value itself",
	},
	{
		"second document", ``, "---\na: b\n",
		`13:1: a second document begins; write one only, without ---`,
	},
	{
		"no YAML", `data: data`, `data: [a`,
		`3:1: is not YAML: ',' or ']' must be specified`,
	},
	{
		"tab", `  name: Brand`, `	name: Brand`,
		`6:1: is not YAML: found character '\t' that cannot start any token`,
	},
	{
		"issuer missing", "issuer: https://login.brand.example\n", ``,
		`1:1: issuer is missing; write the address that people and LiveEngage reach this program at`,
	},
	{
		"issuer http", `issuer: https://login.brand.example`, `issuer: http://login.brand.example`,
		`1:9: issuer "http://login.brand.example" is http; write https (http is for loopback addresses alone)`,
	},
	{
		"issuer with query", `issuer: https://login.brand.example`, `issuer: https://login.brand.example?a=b`,
		`1:9: issuer "https://login.brand.example?a=b" has a query or a fragment; leave it out (OIDC Discovery section 3)`,
	},
	{
		"issuer with fragment", `issuer: https://login.brand.example`, `issuer: https://login.brand.example#a`,
		`1:9: issuer "https://login.brand.example#a" has a query or a fragment; leave it out (OIDC Discovery section 3)`,
	},
	{
		"issuer with password", `issuer: https://login.brand.example`, `issuer: https://me:hunter2@login.brand.example`,
		`1:9: issuer "https://…@login.brand.example" has a user in front of the host; leave it out`,
	},
	{
		"issuer with slash", `issuer: https://login.brand.example`, `issuer: https://login.brand.example/`,
		`1:9: issuer "https://login.brand.example/" ends in a slash; leave it out`,
	},
	{
		"issuer with capitals", `issuer: https://login.brand.example`, `issuer: https://Login.brand.example`,
		`1:9: issuer "https://Login.brand.example" has capitals in its scheme or host; write them in lower case`,
	},
	{
		"issuer no address", `issuer: https://login.brand.example`, `issuer: login.brand.example`,
		`1:9: issuer "login.brand.example" is not an address; write one such as https://login.brand.example`,
	},
	{
		"data missing", "data: data\n", ``,
		`1:1: data is missing; name a folder for the database and the keys, such as /var/lib/idp`,
	},
	{
		"people missing", "people: people.yaml\n", ``,
		`1:1: people is missing; name the people file, such as people.yaml`,
	},
	{
		"brand without name", `  name: Brand`, `  help: https://www.brand.example/help`,
		`6:3: brand.name is missing; pages say whose they are`,
	},
	{
		"brand logo http", `  name: Brand`, "  name: Brand\n  logo: http://www.brand.example/logo.svg",
		`7:9: brand.logo is not an https address; write one such as https://www.brand.example/logo`,
	},
	{
		"store not PostgreSQL", ``, "store: mysql://root:hunter2@localhost/idp\n",
		`12:8: store is no address of PostgreSQL; write one such as postgres://user@host/database, or leave it out for SQLite`,
	},
	{
		"instance secret short", ``, "secret: {env: SHORT}\n",
		`12:9: secret is not 64 hexadecimal characters; make one with: openssl rand -hex 32`,
	},
	{
		"https without TLS or proxy", "proxies: [127.0.0.1]\n", ``,
		`1:9: issuer is https, but nothing here ends TLS; add tls, or proxies with the address of the one in front`,
	},
	{
		"listen without TLS or proxy", "issuer: https://login.brand.example\ndata: data\npeople: people.yaml\nproxies: [127.0.0.1]", "issuer: http://127.0.0.1:8080\ndata: data\npeople: people.yaml\nlisten: 0.0.0.0:8080",
		`4:9: listen "0.0.0.0:8080" can be reached from elsewhere without TLS; add tls, or proxies with the address of the one in front`,
	},
	{
		"listen without port", `data: data`, "data: data\nlisten: localhost",
		`3:9: listen "localhost" is not host:port; write one such as 127.0.0.1:8080`,
	},
	{
		"operations on all addresses", `data: data`, "data: data\noperations: 0.0.0.0:8081",
		`3:13: operations "0.0.0.0:8081" is not a loopback address; write one such as 127.0.0.1:8081, or off`,
	},
	{
		"operations where listen is", `data: data`, "data: data\noperations: 127.0.0.1:8080",
		`3:13: operations and listen are both "127.0.0.1:8080"; give each a port of its own`,
	},
	{
		"everybody a proxy", `proxies: [127.0.0.1]`, `proxies: [0.0.0.0/0]`,
		`4:11: proxies[0] is everybody, who could then say whom a request comes from; write the addresses of your proxies`,
	},
	{
		"proxy by name", `proxies: [127.0.0.1]`, `proxies: [proxy.example]`,
		`4:11: proxies[0] is not an address or a network; write one such as 10.0.0.7 or 10.0.0.0/24`,
	},
	{
		"certificate without key", `data: data`, "data: data\ntls: {certificate: cert.pem}",
		`3:6: tls.key is missing; name the PEM file of the key`,
	},
	{
		"code too long", ``, "lifetimes:\n  code: 11m\n",
		`13:9: lifetimes.code is 11m; write 1s to 10m`,
	},
	{
		"session too short", ``, "lifetimes:\n  session: 1s\n",
		`13:12: lifetimes.session is 1s; write 1m to 2160h`,
	},
	{
		"negative failures", ``, "limits: {failures: -1}\n",
		`12:20: limits.failures is -1; write 1 to 1000`,
	},
	{
		"body too small", ``, "limits: {body: 10}\n",
		`12:16: limits.body is 10; write 4096 to 16777216`,
	},
	{
		"max_delay below delay", ``, "limits: {delay: 1m, max_delay: 30s}\n",
		`12:32: limits.max_delay is 30s, less than limits.delay; write 1m or more`,
	},
	{
		"no clients", "clients:\n  - id: shop\n    secret: {env: SHOP_SECRET}\n    redirect_uris:\n      - https://shop.example/cb", `clients: []`,
		`7:10: clients is missing; list at least one`,
	},
	{
		"client id missing", "  - id: shop\n    secret: {env: SHOP_SECRET}", `  - secret: {env: SHOP_SECRET}`,
		`8:5: clients[0]: id is missing; write the client_id`,
	},
	{
		"client id with space", `id: shop`, `id: my shop`,
		`8:9: client "my shop": id has spaces or characters beyond ASCII; write letters, digits, - and _`,
	},
	{
		"client id twice", ``, "  - id: shop\n    redirect_uris: [https://other.example/cb]\n",
		`12:9: client "shop": another client has that id; give each one of its own`,
	},
	{
		"client secret short", `SHOP_SECRET`, `SHORT`,
		`9:13: client "shop": secret has fewer than 32 characters; make one with: openssl rand -hex 32`,
	},
	{
		"client secret not set", `SHOP_SECRET`, `NOBODY_SET_THIS`,
		`9:13: client "shop": secret is to come from the environment variable NOBODY_SET_THIS, which is not set; set it, or write {file: PATH}`,
	},
	{
		"client secret in the name", `SHOP_SECRET`, `a1b2c3d4e5f6a1b2c3d4e5f6a1b2c3d4`,
		`9:13: client "shop": secret is to come from an environment variable, which is not set; set it, or write {file: PATH}`,
	},
	{
		"client secret file missing", `{env: SHOP_SECRET}`, `{file: nowhere}`,
		`9:13: client "shop": secret is to come from a file that does not exist; name one that this user may read, relative to /etc/idp`,
	},
	{
		"client secret by another way", `{env: SHOP_SECRET}`, `{vault: hunter2}`,
		`9:13: client "shop": secret is a map with other keys than one of env and file; write {env: NAME} or {file: PATH}`,
	},
	{
		"client secret a number", `{env: SHOP_SECRET}`, `12345678901234567890`,
		`9:13: client "shop": secret is a number; write a text, {env: NAME} or {file: PATH}`,
	},
	{
		"client secret empty", `{env: SHOP_SECRET}`, `''`,
		`9:13: client "shop": secret is empty; write {env: NAME} or {file: PATH}, or leave it out`,
	},
	{
		"application_type unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    application_type: spa",
		`10:23: client "shop": application_type "spa" is not known; write one of: web, native`,
	},
	{
		"method without its keys", `    secret: {env: SHOP_SECRET}`, "    token_endpoint_auth_method: private_key_jwt",
		`9:33: client "shop": token_endpoint_auth_method is private_key_jwt, but there are no keys; add jwks: {file: client.jwks.json}`,
	},
	{
		"keys and a secret", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    jwks: '{\"keys\":[]}'",
		`10:11: client "shop": there is a secret and a key set; leave one of them out`,
	},
	{
		"keys for another method", `    secret: {env: SHOP_SECRET}`, "    token_endpoint_auth_method: none\n    jwks: hunter2",
		`9:33: client "shop": token_endpoint_auth_method is none, but there is a secret or a key set; leave one of them out` + "\n" +
			`idp.yaml:10:11: client "shop": jwks: not a JSON Web Key Set; use {"keys":[…]} with public keys`,
	},
	{
		"logout address over http", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    backchannel_logout_uri: http://shop.example/out",
		`10:29: client "shop": "http://shop.example/out" is not an https address without a fragment; write one such as https://www.brand.example/signed-out`,
	},
	{
		"grace too long", ``, "lifetimes: {refresh_token_grace: 2m}\n",
		`12:34: lifetimes.refresh_token_grace is 2m; write 0s to 1m`,
	},
	{
		"method unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    token_endpoint_auth_method: client_secret_jwt",
		`10:33: client "shop": token_endpoint_auth_method "client_secret_jwt" is not known; write one of: client_secret_basic, client_secret_post, private_key_jwt, none`,
	},
	{
		"method none with a secret", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    token_endpoint_auth_method: none",
		`10:33: client "shop": token_endpoint_auth_method is none, but there is a secret or a key set; leave one of them out`,
	},
	{
		"method without a secret", `    secret: {env: SHOP_SECRET}`, `    token_endpoint_auth_method: client_secret_post`,
		`9:33: client "shop": token_endpoint_auth_method is client_secret_post, but there is no secret; add secret: {env: NAME}, or write none`,
	},
	{
		"response type unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    response_types: [code, token]",
		`10:28: client "shop": response_types "token" is not known; write one of: code, id_token, id_token token, code id_token, code token, code id_token token`,
	},
	{
		"scope unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    scopes: [openid, offline]",
		`10:22: client "shop": scopes "offline" is not known; write one of: openid, profile, email, address, phone, lp_sdes, offline_access`,
	},
	{
		"scopes without openid", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    scopes: [email]",
		`10:13: client "shop": scopes lacks openid, without which nobody can sign in; add it (OIDC Core section 3.1.2.1)`,
	},
	{
		"profile unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveperson",
		`10:14: client "shop": profile "liveperson" is not known; write one of: liveengage`,
	},
	{
		"liveengage without a secret", `    secret: {env: SHOP_SECRET}`, `    profile: liveengage`,
		`9:14: client "shop": profile liveengage has no secret for the code flow; add secret: {env: NAME}, or write response_types: [id_token]`,
	},
	{
		"dialect unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {dialect: openid}",
		`11:27: client "shop": dialect "openid" is not known; write one of: rfc, legacy`,
	},
	{
		"query keys without the legacy dialect", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {redirect_query_keys: [a]}",
		`11:39: client "shop": redirect_query_keys is for dialect: legacy; leave it out`,
	},
	{
		"parameter of implicit answers unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {implicit_parameter: jwt}",
		`11:38: client "shop": implicit_parameter "jwt" is not known; write one of: id_token, token, code`,
	},
	{
		"place of implicit answers unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {implicit_in: body}",
		`11:31: client "shop": implicit_in "body" is not known; write one of: fragment, query`,
	},
	{
		"token requests unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {token_requests: json}",
		`11:34: client "shop": token_requests "json" is not known; write one of: form_or_json, form`,
	},
	{
		"token errors unknown", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {token_errors: lp}",
		`11:32: client "shop": token_errors "lp" is not known; write one of: oauth, liveperson`,
	},
	{
		"token redirect URI over http", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {token_redirect_uri: 'http://liveperson.net'}",
		`11:38: client "shop": redirect URI "http://liveperson.net" is http; write https (http is for the loopback address of an application_type native)`,
	},
	{
		"JavaScript method with a dot", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {js_method: window.get}",
		`11:29: client "shop": js_method "window.get" is no name of a JavaScript function; write one such as lpGetAuthenticationToken`,
	},
	{
		"JavaScript context with code", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {js_context: 'a;alert(1)'}",
		`11:30: client "shop": js_context "a;alert(1)" is no name of a JavaScript object; write one such as window or lpMethods`,
	},
	{
		"page without origins", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {hands_out: code}}",
		`11:24: client "shop": origins is missing; list the origins of your pages, such as https://www.brand.example`,
	},
	{
		"page over http", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['http://www.brand.example']}}",
		`11:35: client "shop": "http://www.brand.example" is not an origin as browsers write it; write https:// and a host alone, such as https://www.brand.example (http is for loopback)`,
	},
	{
		"page whose origin no browser writes: http://localhost:80", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['http://localhost:80']}}",
		`11:35: client "shop": "http://localhost:80" is not an origin as browsers write it; write https:// and a host alone, such as https://www.brand.example (http is for loopback)`,
	},
	{
		"page whose origin no browser writes: https://www.brand.example:99999", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['https://www.brand.example:99999']}}",
		`11:35: client "shop": "https://www.brand.example:99999" is not an origin as browsers write it; write https:// and a host alone, such as https://www.brand.example (http is for loopback)`,
	},
	{
		"page whose origin no browser writes: https://www.brand.example:", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['https://www.brand.example:']}}",
		`11:35: client "shop": "https://www.brand.example:" is not an origin as browsers write it; write https:// and a host alone, such as https://www.brand.example (http is for loopback)`,
	},
	{
		"page whose origin no browser writes: https://www.brand.example:443", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['https://www.brand.example:443']}}",
		`11:35: client "shop": "https://www.brand.example:443" is not an origin as browsers write it; write https:// and a host alone, such as https://www.brand.example (http is for loopback)`,
	},
	{
		"page whose origin no browser writes: https://WWW.brand.example", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['https://WWW.brand.example']}}",
		`11:35: client "shop": "https://WWW.brand.example" is not an origin as browsers write it; write https:// and a host alone, such as https://www.brand.example (http is for loopback)`,
	},
	{
		"page with a path", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['https://www.brand.example/']}}",
		`11:35: client "shop": "https://www.brand.example/" is not an origin as browsers write it; write https:// and a host alone, such as https://www.brand.example (http is for loopback)`,
	},
	{
		"page with a wildcard", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['https://*.brand.example']}}",
		`11:35: client "shop": "https://*.brand.example" is not an origin as browsers write it; write https:// and a host alone, such as https://www.brand.example (http is for loopback)`,
	},
	{
		"page that hands out what the client may not have", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['https://www.brand.example'], hands_out: id_token}}",
		`11:76: client "shop": hands_out is id_token, which is not among the response_types of this client; add it there`,
	},
	{
		"return URI that is not registered", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['https://www.brand.example'], return_uri: 'https://www.brand.example/chat'}}",
		`11:77: client "shop": return_uri "https://www.brand.example/chat" is not both one of redirect_uris and on one of origins; add it there`,
	},
	{
		"page across sites, yes or no", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    liveengage: {page: {origins: ['https://www.brand.example'], across_sites: yes}}",
		`11:79: client "shop": liveengage.page.across_sites is a text; write true or false`,
	},
	{
		"liveengage for another client", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    liveengage: {dialect: legacy}",
		`10:17: client "shop": liveengage belongs to a client with profile: liveengage; its exceptions are for no other`,
	},
	{
		"subjects without a key", `data: data`, "data: data\nsubjects: {known: known.yaml}",
		`3:11: subjects.key is not 64 hexadecimal characters; make one with: openssl rand -hex 32, and keep it for ever`,
	},
	{
		"liveengage with ES256", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    profile: liveengage\n    id_token_signed_response_alg: ES256",
		`11:35: client "shop": LiveEngage reads RS256 only; leave id_token_signed_response_alg out`,
	},
	{
		"algorithm none", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    id_token_signed_response_alg: none",
		`10:35: client "shop": id_token_signed_response_alg "none" is not known; write one of: RS256, ES256`,
	},
	{
		"no redirect URI", "    redirect_uris:\n      - https://shop.example/cb\n", ``,
		`8:5: client "shop": redirect_uris is missing; list at least one address`,
	},
	{
		"redirect URI with wildcard", `https://shop.example/cb`, `https://*.shop.example/cb`,
		`11:9: client "shop": redirect URI "https://*.shop.example/cb" has a wildcard; list each address in full (RFC 9700 section 4.1.3)`,
	},
	{
		"redirect URI with fragment", `https://shop.example/cb`, `https://shop.example/cb#top`,
		`11:9: client "shop": redirect URI "https://shop.example/cb#top" has a fragment; leave it out (RFC 6749 section 3.1.2)`,
	},
	{
		"redirect URI with script", `https://shop.example/cb`, `'javascript:alert(1)'`,
		`11:9: client "shop": redirect URI "javascript:alert(1)" has a scheme that runs or shows content; write an https address`,
	},
	{
		"redirect URI with data", `https://shop.example/cb`, `'data:text/html,x'`,
		`11:9: client "shop": redirect URI "data:text/html,x" has a scheme that runs or shows content; write an https address`,
	},
	{
		"redirect URI http", `https://shop.example/cb`, `http://shop.example/cb`,
		`11:9: client "shop": redirect URI "http://shop.example/cb" is http; write https (http is for the loopback address of an application_type native)`,
	},
	{
		"redirect URI http on loopback of web", `https://shop.example/cb`, `http://127.0.0.1/cb`,
		`11:9: client "shop": redirect URI "http://127.0.0.1/cb" is http; write https (http is for the loopback address of an application_type native)`,
	},
	{
		"redirect URI with password", `https://shop.example/cb`, `https://me:hunter2@shop.example/cb`,
		`11:9: client "shop": redirect URI "https://…@shop.example/cb" has a user in front of the host; leave it out`,
	},
	{
		"redirect URI relative", `https://shop.example/cb`, `/cb`,
		`11:9: client "shop": redirect URI "/cb" is not an address in full; write one such as https://www.brand.example/cb`,
	},
	{
		"redirect URI with dots", `https://shop.example/cb`, `https://shop.example/a/../cb`,
		`11:9: client "shop": redirect URI "https://shop.example/a/../cb" has . or .. in its path; write the path that it leads to`,
	},
	{
		"redirect URI with scheme of its own", `https://shop.example/cb`, `com.shop.app:/cb`,
		`11:9: client "shop": redirect URI "com.shop.app:/cb" has a scheme of its own; write https, or for an application_type native a reversed domain name such as com.brand.app:/cb (RFC 8252 section 7.1)`,
	},
	{
		"redirect URI twice", `https://shop.example/cb`, "https://shop.example/cb\n      - https://shop.example/cb",
		`12:9: client "shop": redirect_uris lists "https://shop.example/cb" twice; write it once`,
	},
	{
		"post-logout address http", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    post_logout_redirect_uris: [http://shop.example/bye]",
		`10:33: client "shop": redirect URI "http://shop.example/bye" is http; write https (http is for the loopback address of an application_type native)`,
	},
	{
		"redirects_on_to with path", `    secret: {env: SHOP_SECRET}`, "    secret: {env: SHOP_SECRET}\n    redirects_on_to: [https://www.shop.example/a]",
		`10:23: client "shop": "https://www.shop.example/a" is not an origin; write https:// and a host alone, such as https://www.brand.example`,
	},
}
