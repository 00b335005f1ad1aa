package oidc_test

// brokenCopy is our own server with one of its checks taken out. The function is
// patched while the program is built (go build -overlay), so that the program has
// no switch for it. Finds is the check of package conformance that must notice.
type brokenCopy struct {
	name   string
	folder string // package, from the module's root
	decl   string // function, Type.method, constant or type
	patch  patch
	finds  string
}

// webCallback is the redirect URI of the client "web" of the conformance checks.
const webCallback = `"https://web.example/test/a/web/callback"`

// brokenCopies returns the table. The code of a patch avoids the names of our own
// functions: a renamed one would show only when the copy is built.
func brokenCopies() []brokenCopy {
	var out []brokenCopy
	for _, part := range [][]brokenCopy{
		brokenRequests(), brokenResponses(), brokenSessions(), brokenTokens(),
		brokenClients(), brokenPages(), brokenLogouts(), brokenMixUps(),
	} {
		out = append(out, part...)
	}
	return out
}

// brokenRequests accept authorization requests that must be rejected.
func brokenRequests() []brokenCopy {
	return []brokenCopy{
		{"nonce", "oidc", "validateNonceAndPKCE", never("wantsIDToken", "Nonce"), "attack/36-nonce-missing"},
		{"nonce length", "oidc", "validateNonceAndPKCE", never("maxNonceLength"), "attack/95-long-nonce"},
		{
			"redirect comparison", "oidc", "Client.allowsRedirectURI",
			setCall(`$f($1, strings.ToLower($2))`, "Contains"), "attack/01-redirect-uri-variants",
		},
		{
			"redirect by prefix", "oidc", "Client.allowsRedirectURI",
			setCall(`slices.ContainsFunc($1, func(known string) bool { return strings.HasPrefix($2, known) })`, "Contains"),
			"basic/oidcc-ensure-registered-redirect-uri",
		},
		{
			"redirect unescaped", "oidc", "Provider.clientOf",
			setCall(`func(s string) string { s, _ = url.QueryUnescape(s); return s }($0)`, "Get", "redirect_uri"),
			"attack/02-redirect-uri-encoded-again",
		},
		{
			"redirect URI by default", "oidc", "Provider.clientOf",
			setCall(`func() string { if !$x.Has("redirect_uri") { $x.Set("redirect_uri", `+webCallback+`) }; return $0 }()`,
				"Get", "redirect_uri"),
			"attack/04-redirect-uri-missing",
		},
		{
			"unknown client", "oidc", "Provider.clientOf",
			setCall(`map[bool]string{true: "web", false: $0}[strings.HasPrefix($0, "unknown-")]`, "Get", "client_id"),
			"attack/03-unknown-client",
		},
		{
			"PKCE of public clients", "oidc", "validateNonceAndPKCE", never("wantsCode", "isPublic"),
			"attack/29-public-client-without-pkce",
		},
		{
			"account of the window", "oidc", "Client.checkWindowAccount", never("account", "Account"),
			"attack/96-window-of-another-account",
		},
		{
			"account of the window named twice", "liveengage", "objectMembers.only", never("len", "1"),
			"attack/96-window-of-another-account",
		},
		{"PKCE plain", "oidc", "validateNonceAndPKCE", never("CodeChallengeMethodS256"), "attack/30-pkce-method"},
		{"token in a query", "oidc", "validateResponseMode", never("wantsIDToken", "wantsToken"), "attack/10-token-in-query"},
		{"unknown response mode", "oidc", "validateResponseMode", endDefault(`return nil`), "attack/19-no-web-message"},
		{"repeated parameters", "oidc", "parseParameters", never("len"), "attack/08-repeated-parameters"},
		{"scope openid", "oidc", "validateScope", never("!", "Contains", "ScopeOpenID"), "attack/39-no-openid"},
		{
			"response mode of a request object", "oidc", "requestObjectMode", begin(`if true { return "" }`),
			"formpost-basic/oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported[code, form_post]",
		},
		{"request object", "oidc", "validateNoRequestObject", never("request"), "attack/87-request-object"},
		{
			"response types of the client", "oidc", "validateResponseType", never("ResponseTypes"),
			"attack/37-access-token-in-front-channel",
		},
		{"prompt=none with another", "oidc", "validatePrompt", never("len"), "attack/71-prompt-none-with-another"},
		{
			"fragment in a posted request", "oidc", "Provider.redirectPostToGet", never("#"),
			"extra/posted-request-makes-no-header",
		},
		{
			"pushed request used twice", "oidc", "Provider.respond", never("first"), "attack/99-request-uri-used-twice",
		},
		{
			"parameters beside a pushed request", "oidc", "Provider.loadPushed",
			setVariable("Query",
				`func() string { v, _ := url.ParseQuery($p1.Query); v.Del("request_uri"); return v.Encode() }()`),
			"extra/par",
		},
		{"pushed request of another client", "oidc", "Provider.loadPushed", never("ClientID"), "extra/par-of-another-client"},
		{"pushed requests unchecked", "oidc", "Provider.pushRequest", never("validateRequest", "err"), "extra/par-refused"},
	}
}

// brokenResponses send a client what is not for it, or leave something out.
func brokenResponses() []brokenCopy {
	return []brokenCopy{
		{"state echo", "oidc", "Provider.sendResponse", setElement(1, `strings.ToLower($0)`, "state"), "basic/oidcc-server"},
		{
			"state in fragments", "oidc", "Provider.sendResponse",
			setCall(`url.PathEscape($1)`, "QueryEscape"), "attack/13-hostile-state",
		},
		{"issuer in answers", "oidc", "Provider.sendResponse", remove("iss"), "attack/14-issuer-in-answers"},
		{
			"fragment", "oidc", "errorMode",
			setReturn(`zoidc.ResponseModeQuery`, "ResponseModeFragment"),
			"implicit/oidcc-server[id_token]",
		},
		{
			"error of form_post", "oidc", "Provider.redirectWithError",
			begin(`$p2.ResponseMode = zoidc.ResponseModeQuery`), "attack/12-form-post-error",
		},
		{"nonce echo", "oidc", "tokenIssuer.newIDToken", setField("Nonce", `"n"`), "basic/oidcc-server"},
		{"audience", "oidc", "tokenIssuer.newIDToken", setField("Audience", `"everybody"`), "basic/oidcc-server"},
		{
			"at_hash", "oidc", "tokenIssuer.newIDToken", setElement(0, `$0 + "x"`, "AtHash"),
			"implicit/oidcc-server[id_token token]",
		},
		{"c_hash", "oidc", "tokenIssuer.newIDToken", setElement(0, `""`, "CHash"), "hybrid/oidcc-server[code id_token]"},
		{
			"auth_time of a refresh", "oidc", "tokenIssuer.newIDToken",
			setField("AuthTime", `time.Now().UnixNano()`), "attack/59-refreshed-id-token",
		},
		{"claims nobody asked for", "oidc", "tokenIssuer.newIDToken", always("ClaimsInIDToken"), "basic/oidcc-scope-email"},
		{
			"claims of the scope", "claims", "Standard.Filter",
			setVariable("EmailVerified", `nil`, "EmailVerified"), "basic/oidcc-scope-email",
		},
		{"sub at userinfo", "oidc", "Provider.handleUserinfo", setField("Subject", `$0 + "x"`), "basic/oidcc-userinfo-get"},
		{
			"key set cached for ever", "oidc", "writeCacheable",
			setText("max-age=300", "max-age=31536000"), "attack/85-key-set",
		},
		{
			"cross-origin authorize", "oidc", "Provider.handleAuthorize",
			begin(`$p1.Response().Header().Set("Access-Control-Allow-Origin", "*")`),
			"attack/15-cross-origin-authorize",
		},
	}
}

// brokenSessions forget who is signed in, where and since when.
func brokenSessions() []brokenCopy {
	return []brokenCopy{
		{
			"browser binding", "oidc", "Provider.openSavedRequest", never("ConstantTimeCompare", "=="),
			"attack/69-session-fixation",
		},
		{"session secret", "session", "Manager.findByCookie", never("ConstantTimeCompare"), "attack/69-session-fixation"},
		{
			"prompt=none", "oidc", "Provider.nextStep", setCall(`(false && $0)`, "PromptNone"),
			"attack/70-prompt-none-shows-nothing",
		},
		{"prompt=login", "oidc", "Provider.requiresLogin", never("PromptLogin"), "basic/oidcc-prompt-login"},
		{"freshness of a sign-in", "oidc", "Provider.nextStep", always("SessionBefore"), "attack/72-fresh-sign-in-passed-by"},
		{
			"hint of another person", "oidc", "authRequest.allowsSubject", always("hint", "subject"),
			"attack/73-hint-of-somebody-else",
		},
		{"hint of another client", "oidc", "Provider.validateHint", never("Audience"), "attack/41-token-of-another-client"},
		{
			"key of a hint", "oidc", "hintKeys.VerifySignature",
			setCall(`$x.UnsafePayloadWithoutVerification(), error(nil)`, "Verify", "Key"),
			"attack/73-hint-of-somebody-else",
		},
		{"logout token as hint", "oidc", "hintKeys.VerifySignature", never("JWT"), "extra/logout-token-is-no-hint"},
	}
}

// brokenTokens issue, accept or keep codes and tokens that they must not.
func brokenTokens() []brokenCopy {
	return []brokenCopy{
		{"single use", "store", "redeemCodeSQL", setText("state = 1 AND", "state < 3 AND"), "attack/23-code-replay"},
		{
			"single use in a race", "store", "redeemCodeSQL",
			setText("state = 1 AND", "state < 3 AND"), "attack/24-parallel-code-redemption",
		},
		{
			"replay ends tokens", "store", "closeReplayedSQL",
			setText("SET state = 3", "SET state = 2"), "attack/23-code-replay",
		},
		{
			"redirect URI at the token endpoint", "oidc", "findCodeMisuse",
			never("!=", "redirectURI", "RedirectURI"), "attack/27-other-redirect-uri-at-token",
		},
		{"code of another client", "oidc", "findCodeMisuse", never("ClientID"), "attack/26-code-of-another-client"},
		{"PKCE", "oidc", "findCodeMisuse", never("verifyPKCE"), "attack/32-wrong-verifier"},
		{"PKCE form", "oidc", "findCodeMisuse", never("isPKCEString"), "attack/31-pkce-form"},
		{
			"PKCE when the verifier is missing", "oidc", "findCodeMisuse",
			both(never("isPKCEString"), setCall(`($1 == "" || $0)`, "verifyPKCE")),
			"attack/34-verifier-missing",
		},
		{
			"verifier without challenge", "oidc", "findCodeMisuse",
			never("challenge", "verifier", "!="), "attack/33-pkce-stripped",
		},
		{"ID token without openid", "oidc", "Provider.issueTokens", never("ScopeOpenID"), "extra/access-token-narrowed"},
		{"no-store", "oidc", "setNoStore", setText("no-store", "private"), "attack/46-caching"},
		{"kinds of token", "oidc", "computeMAC", remove("kind"), "attack/49-bad-token-at-userinfo"},
		{
			"access token in a URL", "oidc", "Provider.readBearerToken",
			beginIf(`return $p1.Request().URL.Query().Get("access_token"), nil`, "access_token"),
			"attack/47-access-token-in-url",
		},
		{"token sent in two ways", "oidc", "Provider.readBearerToken", never("!=", `""`), "attack/48-token-sent-twice"},
		{
			"narrower scope", "oidc", "Provider.findAccessToken", setCall(`$f($1 & 0)`, "dropScopes"),
			"extra/access-token-narrowed",
		},
		{"wider scope", "oidc", "Provider.parseNarrowedScope", never("Grant", "Scopes"), "attack/57-wider-scope-on-refresh"},
		{
			"introspection by other clients", "oidc", "Provider.handleIntrospect", never("ClientID"),
			"attack/50-token-at-another-audience",
		},
		{
			"introspection by public clients", "oidc", "Provider.handleIntrospect", never("isPublic"),
			"attack/51-introspection-unauthenticated",
		},
		{
			"used refresh token introspected", "oidc", "Provider.findToken", never("Number"),
			"extra/refresh-token-introspected",
		},
		{
			"revocation by other clients", "oidc", "Provider.handleRevoke", never("ClientID"),
			"attack/52-revoking-anothers-token",
		},
		{
			"refresh token revoked", "oidc", "Provider.handleRevoke",
			setCall(`error(nil)`, "CloseSignin"), "extra/refresh-token-revoked",
		},
		{
			"used refresh token", "store", "rotateRefreshSQL",
			setText("refresh_number > $3 AND NOT", "refresh_number > $3 + 1000 AND NOT"),
			"attack/54-spent-refresh-token",
		},
		{
			"tokens of a used refresh token", "store", "rotateRefreshSQL",
			setText("THEN 2 ELSE 3 END", "THEN 2 ELSE 2 END"), "attack/54-spent-refresh-token",
		},
		{
			"refresh token of another client", "store", "rotateRefreshSQL",
			setText("client_id = $2 AND state", "$2 <> '' AND state"),
			"attack/56-refresh-token-of-another-client",
		},
	}
}

// brokenClients let clients in that have not authenticated.
func brokenClients() []brokenCopy {
	return []brokenCopy{
		{"client secret", "oidc", "Client.matchesSecret", always("ConstantTimeCompare"), "attack/60-wrong-secret"},
		{
			"client authentication method", "oidc", "Provider.authenticateClient",
			always("AuthMethods"), "attack/62-method-not-registered",
		},
		{"two ways to authenticate", "oidc", "readCredentials", never(">", "1"), "attack/61-two-authentication-methods"},
		{
			"form encoding of a Basic header", "oidc", "parseBasicHeader",
			setCall(`$1, nil`, "QueryUnescape", "secret"), "attack/64-basic-encoding",
		},
		{
			"parameters in the URL", "oidc", "Provider.readForm",
			begin(`if $p1.Request().URL.RawQuery != "" { return $p1.Request().URL.Query(), nil }`),
			"attack/63-token-endpoint-by-get",
		},
		{
			"content type", "oidc", "Provider.readForm", never("err", "application/x-www-form-urlencoded"),
			"attack/67-oversized-and-odd-bodies",
		},
		{"assertion used twice", "oidc", "Provider.verifyClientAssertion", never("first"), "attack/65-client-assertion"},
		{"assertion used at once", "store", "Store.RecordAssertion", always("==", "1"), "extra/assertion-spent-once"},
		{
			"claim that occurs twice", "internal/jwtclaims", "Parse", never("twice"),
			"attack/98-claims-of-an-assertion",
		},
		{
			"claim out of range", "internal/jwtclaims", "Claims.ReadTime", never("latestTime"),
			"attack/98-claims-of-an-assertion",
		},
		{"assertion for another provider", "oidc", "findAssertionProblem", never("audiences"), "attack/65-client-assertion"},
	}
}

// brokenPages are unsafe in a browser.
func brokenPages() []brokenCopy {
	return []brokenCopy{
		{"login form of another site", "web", "RequireSameOrigin", never("CheckFormOrigin", "err"), "attack/68-login-csrf"},
		{
			"password posted on", "web", "Renderer.RedirectTo",
			setCall(`$f(http.StatusTemporaryRedirect, $2)`, "StatusSeeOther"),
			"attack/18-credentials-posted-on",
		},
		{"throttle", "internal/limit", "Limiter.delayAfter", always("<"), "attack/74-password-guessing"},
		{
			"unknown user", "web", "Site.submitSignIn",
			beginIf(`if $p1.FormValue("username") != "jane" { return $p1.String(http.StatusNotFound, "unknown") }`,
				"ErrRefused"),
			"attack/75-unknown-user",
		},
		{
			"frames", "web", "Renderer.contentSecurityPolicy",
			setText("frame-ancestors 'none'", "frame-ancestors *"), "attack/16-framed-page",
		},
		{"referrer", "internal/pages", "Set.Render", setText("no-referrer", "unsafe-url"), "attack/17-referrer-leak"},
		{
			"strict transport", "server", "Server.checkTransport", remove("Strict-Transport-Security"),
			"attack/20-strict-transport",
		},
		{"cookie for scripts", "internal/cookie", "Policy.newCookie", setField("HttpOnly", `false`), "extra/session-cookie"},
		{
			"cookie for other sites", "internal/cookie", "Policy.newCookie",
			setField("SameSite", `http.SameSiteNoneMode`), "extra/session-cookie",
		},
	}
}

// brokenLogouts sign out the wrong person, or not everywhere.
func brokenLogouts() []brokenCopy {
	const backchannel = "backchannel-logout/oidcc-backchannel-rp-initiated-logout[code]"
	return []brokenCopy{
		{
			"sign-out ends tokens", "store", "Store.EndSession",
			setText("SET state = 3", "SET state = state"), "attack/58-refresh-after-sign-out",
		},
		{
			"sign-out without a question", "oidc", "Provider.handleEndSession",
			never("isFor"), "attack/81-logout-by-image",
		},
		{
			"sign-out by post", "oidc", "Provider.handleEndSessionPost",
			begin(`return $p1.Redirect(http.StatusSeeOther, ` + webCallback + `)`), "extra/end-session-by-post",
		},
		{
			"post-logout redirect URI", "oidc", "Provider.readLogoutRequest",
			always("PostLogoutRedirectURIs"), "attack/82-unregistered-post-logout",
		},
		{
			"hint for another client", "oidc", "Provider.readLogoutRequest",
			never("!=", "Audience", "0"), "extra/sign-out-hint-of-another-client",
		},
		{
			"state at sign-out", "oidc", "appendState", setCall(`$1`, "appendParam"),
			"rp-initiated-logout/oidcc-rp-initiated-logout[code]",
		},
		{
			"logout token without events", "oidc", "logoutEvents",
			setText("event/backchannel-logout", "event/other"), backchannel,
		},
		{
			"clients not told", "oidc", "Provider.issueResponse", never("wantsLogout"),
			"frontchannel-logout/oidcc-frontchannel-rp-initiated-logout[id_token]",
		},
		{
			"frame for another session", "oidc", "Provider.frameURLs",
			setCall(`$f($1, $2, $3 + "x")`, "sid"),
			"frontchannel-logout/oidcc-frontchannel-rp-initiated-logout[code]",
		},
	}
}

// brokenMixUps accept what is meant for another session, browser or endpoint.
func brokenMixUps() []brokenCopy {
	return []brokenCopy{
		{
			"hint ends the session", "oidc", "Provider.endWithoutBrowser", always("ServerLogout"),
			"attack/100-hint-without-the-browser",
		},
		{
			"consent of another session", "oidc", "Provider.RecordConsent", never("ShownTo"),
			"attack/101-consent-of-another-session",
		},
		{
			"request finished twice", "oidc", "Provider.continueRequest", never("!", "first"),
			"attack/102-finished-request-again",
		},
		{
			"form of another browser", "oidc", "Provider.openSavedRequest", never("BrowserHash"),
			"attack/103-form-without-origin",
		},
		{"prefetch", "oidc", "refusePrefetch", never("prefetch"), "attack/104-prefetch"},
		{"NUL", "oidc", "validateNonceAndPKCE", never("isStorable"), "attack/105-unstorable-text"},
		{
			"form filled by a link", "web", "readPostForm",
			setReturn(`$p1.Request().Form, nil`, "PostForm"), "attack/106-password-in-the-url",
		},
	}
}
