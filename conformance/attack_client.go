package conformance

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/internal/pkce"
	"idpbridge/internal/robot"
)

func clientAttacks() []Check {
	return []Check{
		{
			Name:        "attack/60-wrong-secret",
			Requirement: "A wrong client secret gets 401 invalid_client and does not use up the code.",
			do:          checkWrongSecret,
		},
		{
			Name:        "attack/61-two-authentication-methods",
			Requirement: "A client that uses two authentication methods at once is rejected.",
			do:          checkTwoMethods,
		},
		{
			Name:        "attack/62-method-not-registered",
			Requirement: "A client can use only its registered authentication method.",
			do:          checkUnregisteredMethod,
		},
		{
			Name:        "attack/63-token-endpoint-by-get",
			Requirement: "The token endpoint accepts only POST and ignores the query.",
			do:          checkTokenByGet,
		},
		{
			Name:        "attack/64-basic-encoding",
			Requirement: "ID and secret in a Basic header are form-encoded.",
			do:          checkBasicEncoding,
		},
		{Name: "attack/66-password-grant", Requirement: "The password grant is not supported.", do: func(r *run) {
			t := r.requestTokens(r.target.Web,
				url.Values{
					"grant_type": {"password"},
					"username":   {r.person().Username},
					"password":   {r.person().Password},
					"scope":      {"openid"},
				})
			r.require(t.Status == http.StatusBadRequest && t.AccessToken == "" && t.rejectsGrant(),
				"the password grant returned %d %s", t.Status, t.Error)
		}},
		{
			Name:        "attack/67-oversized-and-odd-bodies",
			Requirement: "A body that is too large or has another content type is rejected at once.",
			do:          checkOddBodies,
		},
		{
			Name:        "attack/89-device-code-guessing",
			Requirement: "Grants that no endpoint offers are rejected.",
			do:          checkNoDeviceFlow,
		},
	}
}

// postToken posts a form to the token endpoint.
func (r *run) postToken(form url.Values, edit ...func(*http.Request)) tokens {
	return r.postForm(r.metadata().TokenEndpoint, form, edit...)
}

func checkWrongSecret(r *run) {
	b := r.browser()
	c := b.obtainCode(r.target.Web)
	form := url.Values{"grant_type": {"authorization_code"}, "code": {c}, "redirect_uri": {r.target.Web.RedirectURI}}
	for _, secret := range []string{"wrong", r.target.Web.Secret + "x", r.target.Web.Secret[:len(r.target.Web.Secret)-1]} {
		t := r.postToken(form, func(req *http.Request) { req.SetBasicAuth(r.target.Web.ID, secret) })
		r.requireTokenError(t, http.StatusUnauthorized, "invalid_client")
		r.require(strings.HasPrefix(t.Header.Get("WWW-Authenticate"), "Basic"),
			"WWW-Authenticate is %q although Basic was used (RFC 6749 section 5.2)", t.Header.Get("WWW-Authenticate"))
	}
	t := r.postToken(form, func(req *http.Request) { req.SetBasicAuth("unknown-"+randomString(6), "wrong") })
	r.requireTokenError(t, http.StatusUnauthorized, "invalid_client")
	r.redeemCode(r.target.Web, c) // another client must not use up a code
}

func checkTwoMethods(r *run) {
	b := r.browser()
	basic := func(req *http.Request) { req.SetBasicAuth(r.target.Web.ID, r.target.Web.Secret) }
	form := func(more ...string) url.Values {
		v := url.Values{
			"grant_type":   {"authorization_code"},
			"code":         {b.obtainCode(r.target.Web)},
			"redirect_uri": {r.target.Web.RedirectURI},
		}
		for i := 0; i+1 < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	for why, t := range map[string]tokens{
		"header and body": r.postToken(form("client_id", r.target.Web.ID, "client_secret", r.target.Web.Secret), basic),
		"header and assertion": r.postToken(form("client_assertion", "x.y.z", "client_assertion_type",
			"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), basic),
		"another client_id": r.postToken(form("client_id", "other"), basic),
		"two headers": r.postToken(form(), basic, func(req *http.Request) {
			req.Header.Add("Authorization", "Bearer x")
		}),
	} {
		r.require(t.Status >= 400 && t.AccessToken == "" && slices.Contains([]string{"invalid_request", "invalid_client"},
			t.Error), "%s returned %d %s", why, t.Status, t.Error)
	}
}

func checkUnregisteredMethod(r *run) {
	b := r.browser()
	t := r.postToken(url.Values{
		"grant_type":   {"authorization_code"},
		"code":         {b.obtainCode(r.target.Web)},
		"redirect_uri": {r.target.Web.RedirectURI},
		"client_id":    {r.target.Web.ID},
	})
	r.requireTokenError(t, http.StatusUnauthorized, "invalid_client")
	if r.target.Post.ID != "" {
		t = r.postToken(url.Values{
			"grant_type":   {"authorization_code"},
			"code":         {b.obtainCode(r.target.Post)},
			"redirect_uri": {r.target.Post.RedirectURI},
		},
			func(req *http.Request) { req.SetBasicAuth(r.target.Post.ID, r.target.Post.Secret) })
		r.requireTokenError(t, http.StatusUnauthorized, "invalid_client")
	}
	if r.target.Public.ID != "" {
		verifier := randomString(64)
		c := b.obtainCode(r.target.Public, "code_challenge", pkce.Challenge(verifier), "code_challenge_method", "S256")
		t = r.postToken(url.Values{
			"grant_type": {"authorization_code"}, "code": {c},
			"redirect_uri": {r.target.Public.RedirectURI}, "code_verifier": {verifier},
			"client_id": {r.target.Public.ID}, "client_secret": {"anything"},
		})
		r.requireTokenError(t, http.StatusUnauthorized, "invalid_client")
	}
	// client_secret_jwt: an assertion under the secret.
	now := r.target.Now().Unix()
	assertion := r.signClaims(jose.HS256, []byte(r.target.Web.Secret), "", map[string]any{
		"iss": r.target.Web.ID, "sub": r.target.Web.ID, "aud": r.target.Issuer,
		"jti": randomString(22), "iat": now, "exp": now + 60,
	})
	t = r.redeemWithAssertion(b.obtainCode(r.target.Web), r.target.Web, assertion)
	r.requireTokenError(t, http.StatusUnauthorized, "invalid_client")
}

// redeemWithAssertion redeems a code with a given assertion.
func (r *run) redeemWithAssertion(code string, c Client, assertion string) tokens {
	return r.postToken(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
	})
}

func checkTokenByGet(r *run) {
	c := r.browser().obtainCode(r.target.Web)
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {c}, "redirect_uri": {r.target.Web.RedirectURI},
		"client_id": {r.target.Web.ID}, "client_secret": {r.target.Web.Secret},
	}
	rawURL := appendQuery(r.metadata().TokenEndpoint, form.Encode())
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut} {
		res := r.fetch(method, rawURL, nil)
		r.require(res.Status == http.StatusMethodNotAllowed || res.Status == http.StatusNotFound,
			"%s returned %d", method, res.Status)
	}
	res := r.fetch(http.MethodPost, rawURL, url.Values{})
	r.require(res.Status >= 400 && res.Status < 500 && !strings.Contains(res.Body, "access_token"),
		"parameters in the query of a POST returned %d", res.Status)
	grant := url.Values{"grant_type": {"authorization_code"}, "code": {c}, "redirect_uri": {r.target.Web.RedirectURI}}
	none := url.Values{}
	res = r.fetch(http.MethodPost, appendQuery(r.metadata().TokenEndpoint, grant.Encode()), none,
		r.authenticateClient(r.target.Web, none))
	r.require(res.Status >= 400 && res.Status < 500 && !strings.Contains(res.Body, "access_token"),
		"a valid client's code in the query of a POST returned %d", res.Status)
	r.redeemCode(r.target.Web, c) // none of it was processed
}

func checkBasicEncoding(r *run) {
	b := r.browser()
	// Every character encoded, as RFC 6749 section 2.3.1 allows, is the same secret.
	all := func(s string) string {
		var out strings.Builder
		for _, c := range []byte(s) {
			out.WriteString("%" + hexDigits(c))
		}
		return out.String()
	}
	form := url.Values{
		"grant_type":   {"authorization_code"},
		"code":         {b.obtainCode(r.target.Web)},
		"redirect_uri": {r.target.Web.RedirectURI},
	}
	t := r.postToken(form, func(req *http.Request) { req.SetBasicAuth(all(r.target.Web.ID), all(r.target.Web.Secret)) })
	r.require(t.Status == http.StatusOK, "a form-encoded Basic header returned %d %s", t.Status, t.Error)
	for _, header := range []string{"Basic", "Basic !!!", "Basic " + "YQ==", "basic\tx", "Basic JXp6OiV6eg=="} {
		t := r.postToken(url.Values{"grant_type": {"authorization_code"}, "code": {"x"}},
			func(req *http.Request) { req.Header.Set("Authorization", header) })
		r.require(t.Status == http.StatusUnauthorized || t.Status == http.StatusBadRequest,
			"the header %q returned %d", header, t.Status)
	}
}

func checkOddBodies(r *run) {
	kind := func(k string) func(*http.Request) {
		return func(req *http.Request) { req.Header.Set("Content-Type", k) }
	}
	basic := func(req *http.Request) { req.SetBasicAuth(r.target.Web.ID, r.target.Web.Secret) }
	c := r.browser().obtainCode(r.target.Web)
	form := url.Values{"grant_type": {"authorization_code"}, "code": {c}, "redirect_uri": {r.target.Web.RedirectURI}}
	for _, k := range []string{"text/plain", "multipart/form-data; boundary=x", "application/xml", ""} {
		t := r.postToken(form, basic, kind(k))
		r.require(t.Status == http.StatusUnsupportedMediaType || t.Status == http.StatusBadRequest,
			"a body of type %q returned %d", k, t.Status)
	}
	r.redeemCode(r.target.Web, c) // none of it was processed
	form.Set("padding", strings.Repeat("a", 8<<20))
	res, err := r.attempt(&robot.Browser{Transport: r.target.HTTP}, http.MethodPost, r.metadata().TokenEndpoint, form,
		basic)
	// Closing the connection before the whole body has arrived is an acceptable
	// response; keeping the client waiting is not.
	var slow net.Error
	r.require(err == nil || !errors.As(err, &slow) || !slow.Timeout(), "rejecting a body of 8 MB took too long")
	r.require(err != nil || res.Status == http.StatusRequestEntityTooLarge || res.Status == http.StatusBadRequest,
		"a body of 8 MB returned %d", res.Status)
	request := r.newRequest(r.target.Web, codeFlow())
	request.Set("claims", strings.Repeat(`{"userinfo":`, 2000))
	p := r.browser().authorize(request)
	r.require(p.Status < 500, "deep JSON returned %d", p.Status)
}

func checkNoDeviceFlow(r *run) {
	if _, has := r.metadata().all["device_authorization_endpoint"]; has {
		r.skipCheck("the provider offers the device flow, which this check does not cover")
	}
	t := r.requestTokens(r.target.Web,
		url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"x"}})
	r.require(t.Status == http.StatusBadRequest && t.Error == "unsupported_grant_type",
		"the device grant returned %d %s", t.Status, t.Error)
}

func assertionAttacks() []Check {
	return []Check{
		{
			Name:        "attack/65-client-assertion",
			Requirement: "A client assertion is accepted only for this issuer, for a few minutes, and once.",
			do:          checkAssertions,
		},
		{
			Name:        "attack/98-claims-of-an-assertion",
			Requirement: "Claims of an assertion have exact names, occur once, and are numbers in range.",
			do:          checkAssertionClaims,
		},
		{Name: "extra/private-key-jwt", Requirement: "A client can authenticate with a signed assertion.", do: func(r *run) {
			r.skipWithout("client with private_key_jwt", r.target.Keyed.Key != nil)
			r.runFlow(r.browser(), r.target.Keyed, codeFlow())
		}},
	}
}

func checkAssertions(r *run) {
	r.skipWithout("client with private_key_jwt", r.target.Keyed.Key != nil)
	c, b := r.target.Keyed, r.browser()
	kept := b.obtainCode(c)
	now := r.target.Now().Unix()
	set := func(name string, value any) func(map[string]any) { return func(m map[string]any) { m[name] = value } }
	drop := func(name string) func(map[string]any) { return func(m map[string]any) { delete(m, name) } }
	bad := map[string]string{
		"aud of the token endpoint": r.signAssertion(c, set("aud", r.metadata().TokenEndpoint)),
		"a list of audiences":       r.signAssertion(c, set("aud", []string{r.target.Issuer, "https://evil.example"})),
		"aud of another provider":   r.signAssertion(c, set("aud", "https://evil.example")),
		"no aud":                    r.signAssertion(c, drop("aud")),
		"a long lifetime":           r.signAssertion(c, set("exp", now+24*3600)),
		"expired":                   r.signAssertion(c, set("exp", now-1)),
		"no exp":                    r.signAssertion(c, drop("exp")),
		"no jti":                    r.signAssertion(c, drop("jti")),
		"iat in the future":         r.signAssertion(c, set("nbf", now+3600)),
		"iss of another client":     r.signAssertion(c, set("iss", "evil")),
		"sub of another client":     r.signAssertion(c, set("sub", r.target.Web.ID)),
		"unsigned": unsignedObject(map[string]any{
			"iss": c.ID,
			"sub": c.ID,
			"aud": r.target.Issuer,
			"jti": randomString(22),
			"exp": now + 60,
		}),
		"an embedded key":           r.signWithEmbeddedKey(c),
		"HS256 with the public key": r.signWithPublicKey(c),
		"nonsense":                  "x.y.z",
	}
	for why, assertion := range bad {
		t := r.redeemWithAssertion(kept, c, assertion)
		rejected := t.Status == http.StatusUnauthorized && t.Error == "invalid_client" ||
			t.Status == http.StatusBadRequest && t.Error == "invalid_request" || t.Status == http.StatusTooManyRequests
		r.require(rejected,
			"%s returned %d %s", why, t.Status, t.Error)
	}
	again := r.signAssertion(c)
	t := r.redeemWithAssertion(kept, c, again)
	r.require(t.Status == http.StatusOK,
		"a good assertion returned %d %s: %s", t.Status, t.Error, robot.Excerpt(t.Body))
	r.requireTokenError(r.redeemWithAssertion(b.obtainCode(c), c, again), http.StatusUnauthorized, "invalid_client")
}

// checkAssertionClaims sends assertions that some readers of JSON take for good ones: names
// in another case (RFC 7519 section 10.1.1), names that occur twice (section 4), numbers that
// are not times.
func checkAssertionClaims(r *run) {
	r.skipWithout("client with private_key_jwt", r.target.Keyed.Key != nil)
	c, now := r.target.Keyed, r.target.Now().Unix()
	code := r.browser().obtainCode(c)
	claims := func(change func(string) string) string {
		return r.signPayload(c, change(fmt.Sprintf(`{"iss":%q,"sub":%q,"aud":%q,"jti":%q,"iat":%d,"exp":%d}`,
			c.ID, c.ID, r.target.Issuer, randomString(22), now, now+60)))
	}
	set := func(old, changed string) func(string) string {
		return func(s string) string { return strings.Replace(s, old, changed, 1) }
	}
	issuer, expires := fmt.Sprintf(`"aud":%q`, r.target.Issuer), fmt.Sprintf(`"exp":%d`, now+60)
	for why, change := range map[string]func(string) string{
		"AUD overrides aud": set(issuer, `"aud":"https://evil.example",`+strings.ToUpper(issuer[:5])+issuer[5:]),
		"AUD":               set(issuer, strings.ToUpper(issuer[:5])+issuer[5:]),
		"Exp overrides exp": set(expires, fmt.Sprintf(`"exp":%d,"Exp":%d`, now-60, now+60)),
		"JTI":               set(`"jti"`, `"JTI"`),
		"exp twice":         set(expires, fmt.Sprintf(`"exp":%d,%s`, now-60, expires)),
		"aud twice":         set(issuer, `"aud":"https://evil.example",`+issuer),
		"nbf 1e300":         set(expires, expires+`,"nbf":1e300`),
		"iat 1e300":         set(fmt.Sprintf(`"iat":%d`, now), `"iat":1e300`),
		"exp 1e19":          set(expires, `"exp":1e19`),
		"exp -1e300":        set(expires, `"exp":-1e300`),
		"exp is a string":   set(expires, fmt.Sprintf(`"exp":"%d"`, now+60)),
		"nbf is null":       set(expires, expires+`,"nbf":null`),
		"text after it":     func(s string) string { return s + "{}" },
	} {
		t := r.redeemWithAssertion(code, c, claims(change))
		r.require(t.Status == http.StatusUnauthorized && t.Error == "invalid_client" ||
			t.Status == http.StatusTooManyRequests, "%s: returned %d %s", why, t.Status, t.Error)
	}
}

// signPayload returns an assertion whose payload is the given text.
func (r *run) signPayload(c Client, payload string) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: c.Key},
		(&jose.SignerOptions{}).WithType("JWT").WithHeader("kid", c.KeyID))
	r.require(err == nil, "no signer: %v", err)
	jws, err := signer.Sign([]byte(payload))
	r.require(err == nil, "not signed: %v", err)
	token, err := jws.CompactSerialize()
	r.require(err == nil, "not signed: %v", err)
	return token
}

// signWithEmbeddedKey returns an assertion that is signed with the key in its
// own header.
func (r *run) signWithEmbeddedKey(c Client) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: generateKey(r)},
		(&jose.SignerOptions{EmbedJWK: true}).WithType("JWT"))
	r.require(err == nil, "no signer: %v", err)
	now := r.target.Now().Unix()
	return r.signWith(signer,
		map[string]any{
			"iss": c.ID,
			"sub": c.ID,
			"aud": r.target.Issuer,
			"jti": randomString(22),
			"iat": now,
			"exp": now + 60,
		})
}

// signWithPublicKey returns an assertion whose MAC is made with the client's
// public key (RFC 8725 section 2.1).
func (r *run) signWithPublicKey(c Client) string {
	der, err := publicDER(c.Key)
	r.require(err == nil, "the client's key cannot be written: %v", err)
	now := r.target.Now().Unix()
	return r.signClaims(jose.HS256, der, c.KeyID,
		map[string]any{
			"iss": c.ID,
			"sub": c.ID,
			"aud": r.target.Issuer,
			"jti": randomString(22),
			"iat": now,
			"exp": now + 60,
		})
}
