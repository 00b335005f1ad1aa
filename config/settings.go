package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Setting describes a setting of the configuration file.
type Setting struct {
	// Name is the path in the file, such as lifetimes.code. A setting of every client
	// begins with "clients[].".
	Name string
	// Default is Markdown: a value in backquotes, or in words, or "required".
	Default string
	// Meaning is one sentence or several, in Markdown.
	Meaning string
}

const (
	required      = "required"
	none          = "none"
	acceptedForms = "A string, `{env: NAME}` or `{file: PATH}`."
)

// Settings returns every setting, in the order in which docs/settings.md lists them.
func Settings() []Setting {
	all := append(serverSettings(), clientSettings()...)
	defaults := reflect.ValueOf(Defaults())
	for i := range all {
		if all[i].Default == "" {
			all[i].Default = "`" + formatValue(findField(defaults, all[i].Name)) + "`"
		}
	}
	return all
}

// findField returns the field at a path that has no list in it.
func findField(v reflect.Value, path string) reflect.Value {
	name, rest, nested := strings.Cut(path, ".")
	for i := range v.NumField() {
		if tagName(v.Type().Field(i)) != name {
			continue
		}
		if nested {
			return findField(v.Field(i), rest)
		}
		return v.Field(i)
	}
	panic("config: no setting " + path)
}

// formatValue formats a default as it would be in the file.
func formatValue(v reflect.Value) string {
	if duration, ok := v.Interface().(time.Duration); ok {
		return formatDuration(duration)
	}
	return fmt.Sprint(v.Interface())
}

// serverSettings describes the settings of the server. Those without a default here
// have one in Defaults.
func serverSettings() []Setting {
	return []Setting{
		{"issuer", required, "URL of this server, without a trailing slash. Tokens contain exactly this URL as `iss`. " +
			"It must be https, or http on loopback."},
		{"listen", "", "Address (host:port) for the public endpoints."},
		{"operations", "", "Loopback address (host:port) for metrics, health checks and the set-up page, or `off`."},
		{
			"health", "", "Address (host:port) for `/healthz` and `/readyz` alone, for load balancers and Kubernetes, " +
				"or `off`. It may be any address: it answers for every host name, and reveals nothing.",
		},
		{"data", required, "Directory for the database (`idp.db`) and the instance secret (`secret`)."},
		{
			"store", "SQLite in `data`",
			"PostgreSQL URL, such as `postgres://user:password@host/database`. " + acceptedForms,
		},
		{
			"insecure_store_connection", "`false`",
			"Allows PostgreSQL on another host without TLS that verifies its certificate (`sslmode=verify-full` in the URL).",
		},
		{
			"secret", "the file in `data`",
			"Instance secret: 64 hexadecimal characters, the same for every instance. " + acceptedForms,
		},
		{"tls.certificate", none, "PEM file of the certificate chain, if no proxy terminates TLS."},
		{"tls.key", none, "PEM file of the private key."},
		{
			"proxies", none,
			"Trusted reverse proxies, as IP addresses or networks. `X-Forwarded-*` from anyone else is ignored.",
		},
		{"brand.name", required, "Name of your brand, as pages show it."},
		{"brand.home", none, "Your website, as an https URL. Error pages and the signed-out page lead back to it."},
		{"brand.logo", none, "Your logo, as an https URL."},
		{"brand.help", none, "Your help page, as an https URL."},
		{"brand.privacy", none, "Your privacy policy, as an https URL."},
		{"people", required, "The people file; see [people.md](people.md)."},
		{
			"subjects.key", none,
			"Key to derive subjects from your customer ids with: 64 hexadecimal characters that never change. " +
				acceptedForms + " See [liveengage.md](liveengage.md#subjects).",
		},
		{
			"subjects.known", none,
			"File of subjects that LivePerson knows already; see [liveengage.md](liveengage.md#subjects).",
		},
		{"lifetimes.request", "", "Time from an authorization request to its response."},
		{"lifetimes.code", "", "How long an authorization code is valid; at most `10m`."},
		{"lifetimes.id_token", "", "How long an ID token is valid. " +
			"Keep it below `lifetimes.session_idle`, so that a chat can renew its token."},
		{"lifetimes.access_token", "", "How long an access token is valid."},
		{"lifetimes.session", "", "How long a session lasts at most."},
		{"lifetimes.session_idle", "", "How long a session lasts without a request."},
		{
			"lifetimes.refresh_token", "",
			"How long the refresh tokens of one sign-in are valid, however often they are used.",
		},
		{"lifetimes.refresh_token_idle", "", "How long a refresh token is valid if it is not used."},
		{"lifetimes.refresh_token_grace", "", "How long a used refresh token still works, in case the response was lost. " +
			"`0s` turns this off."},
		{"limits.failures", "", "Failed logins per username and IP address before delays start."},
		{"limits.address_failures", "", "Failed logins per IP address, for all usernames, before delays start."},
		{"limits.delay", "", "The first delay. Each further failure doubles it."},
		{"limits.max_delay", "", "The longest delay."},
		{"limits.window", "", "After this time without a failed login, earlier ones are forgotten."},
		{"limits.body", "", "Largest request body, in bytes."},
		{"limits.header", "", "Largest request header, in bytes."},
		{"limits.timeout", "", "How long reading a request may take."},
		{
			"shutdown_delay", "",
			"How long a server that stops still accepts requests, while `/readyz` says 503, so that load balancers notice.",
		},
	}
}

// clientSettings describes the settings of a client.
func clientSettings() []Setting {
	settings := []Setting{
		{"id", required, "The `client_id`: printable ASCII without spaces, unique."},
		{"name", "`id`", "Name of the client, as pages show it."},
		{"secret", none, "Client secret of at least 32 characters. " +
			"A client with neither `secret` nor `jwks` is public, and must use PKCE. " + acceptedForms},
		{"jwks", none, "The client's public keys as a JSON Web Key Set, for `private_key_jwt`. " + acceptedForms},
		{
			"application_type", "`web`",
			"`web` or `native`. Only `native` clients can have redirect URIs with http (on loopback) or " +
				"with a private-use scheme such as `com.brand.app:/cb`.",
		},
		{
			"token_endpoint_auth_method", "`client_secret_basic` with a secret, `private_key_jwt` with `jwks`, otherwise `none`",
			"How the client authenticates: one of these, `client_secret_post`, a list of the two with a secret, " +
				"or `any` for that list.",
		},
		{
			"token_endpoint_audience", "`false`",
			"Also accepts the token endpoint as the audience of client assertions, as Spring Security sends it.",
		},
		{
			"require_pushed_authorization_requests", "`false`",
			"Rejects authorization requests that were not pushed to `/par`.",
		},
		{"redirect_uris", required, "Redirect URIs; compared byte for byte."},
		{"post_logout_redirect_uris", none, "URLs that a logout can redirect to; compared byte for byte."},
		{
			"backchannel_logout_uri", none,
			"URL that is sent a logout token when a session ends in which the client got a response.",
		},
		{"frontchannel_logout_uri", none, "URL that is loaded in a frame of the logout page."},
		{
			"server_logout", "`false`",
			"A logout request with an ID token of this client ends the whole session, even without the browser's cookie, " +
				"as oauth2-proxy and Keycloak send it from their server. Otherwise it ends only what this client has. " +
				"Everyone who has an ID token of the client can then end that session.",
		},
		{
			"response_types", "`[code]`",
			"`code`, `id_token`, `id_token token`, `code id_token`, `code token`, `code id_token token`.",
		},
		{
			"response_modes", "all", "Response modes that the client can use: `query`, `fragment`, `form_post`.",
		},
		{
			"require_pkce", "`false`",
			"Rejects code requests without PKCE. Public clients always need it.",
		},
		{
			"scopes", "all but `offline_access`",
			"Scopes that the client can ask for: `openid`, `profile`, `email`, `address`, " +
				"`phone`, `lp_sdes` and `offline_access`, which allows refresh tokens.",
		},
		{"profile", none, "`liveengage` for LiveEngage. " +
			"It always gets `lp_sdes`, and its claims are in the ID token."},
		{"claims_in_id_token", "`false`", "Puts claims into the ID token even if an access token could fetch them."},
		{"id_token_signed_response_alg", "`RS256`", "`RS256` or `ES256`. LiveEngage accepts `RS256` only."},
		{
			"pinned_key", "the active key",
			"The `kid` of the key that always signs for the client, because its public key is pasted elsewhere.",
		},
		{"redirects_on_to", none, "Deprecated, no effect: redirect URIs may redirect anywhere. Remove it."},
	}
	settings = append(append(settings, encryptionSettings()...), liveEngageSettings()...)
	for i := range settings {
		settings[i].Name = "clients[]." + settings[i].Name
	}
	return settings
}

// encryptionSettings describes the settings of encrypted ID tokens.
func encryptionSettings() []Setting {
	return []Setting{
		{"id_token_encryption.enc", "`A128CBC-HS256`", "Content encryption of ID tokens: `A128CBC-HS256` or `A256GCM`. " +
			"See [liveengage.md](liveengage.md#encrypted-id-tokens)."},
		{"id_token_encryption.keys[].kid", required, "Name of the key, as its owner gave it to you."},
		{
			"id_token_encryption.keys[].key", required,
			"Certificate or public key, in PEM or as base64 on one line. " + acceptedForms,
		},
		{
			"id_token_encryption.keys[].until", "the end of its certificate",
			"Last day, in UTC, on which the key is used, as `YYYY-MM-DD`.",
		},
		{"id_token_encryption.keys[].insecure_short_key", "`false`", "Allows a key of 1024 to 2047 bits."},
	}
}

// liveEngageSettings describes the settings of a client's profile liveengage.
func liveEngageSettings() []Setting {
	return []Setting{
		{
			"liveengage.account", none,
			"Number of your LiveEngage account. LivePerson's window, which all accounts share, then gets a response " +
				"only for this account; see [liveengage.md](liveengage.md#whose-window-is-it).",
		},
		{"liveengage.dialect", "`rfc`", "`rfc`, or `legacy` for connectors without RFC compliance."},
		{
			"liveengage.redirect_query_keys", "`[lpUnifiedWindowConfig]` with `dialect: legacy`",
			"Keys that the query of a redirect URI can have in the legacy dialect.",
		},
		{
			"liveengage.token_redirect_uri", "`https://liveperson.net`",
			"Redirect URI that LivePerson sends to the token endpoint " +
				"if your page names none, or `same` to require the one of the authorization request.",
		},
		{"liveengage.implicit_parameter", "`id_token`", "Parameter with the token in an implicit response: " +
			"`id_token`, `token` or `code`."},
		{
			"liveengage.implicit_in", "`fragment`",
			"`fragment`, or `query`, which ends up in logs and browser history.",
		},
		{"liveengage.token_requests", "`form_or_json`", "`form_or_json`, or `form` to reject JSON."},
		{"liveengage.token_errors", "`oauth`", "Names of errors at the token endpoint: `oauth` or `liveperson`."},
		{
			"liveengage.delegation", "`false`",
			"Returns a refresh token with every code, for LivePerson's consumer delegation.",
		},
		{"liveengage.js_method", "`lpGetAuthenticationToken`", "Name of the function that the page script defines."},
		{"liveengage.js_context", "`window`", "Object that the function belongs to."},
		{"liveengage.page.origins", none, "Origins of your pages that can use the page script."},
		{
			"liveengage.page.hands_out", "`code` if the client can use codes, otherwise `id_token`",
			"What the function returns.",
		},
		{
			"liveengage.page.return_uri", none,
			"One of `redirect_uris`, on one of the origins, that the page script uses if the " +
				"browser keeps cookies from it; see [liveengage.md](liveengage.md#pages-on-another-site).",
		},
		{"liveengage.page.across_sites", "`false`", "Sends a second session cookie to pages on another site; " +
			"see [liveengage.md](liveengage.md#pages-on-another-site)."},
	}
}
