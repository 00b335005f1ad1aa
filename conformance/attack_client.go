package conformance

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/internal/robot"
)

func clientAttacks() []Check {
	return []Check{
		{Name: "attack/60-wrong-secret", Says: "A wrong secret gets 401 invalid_client, and costs no code.", do: wrongSecret},
		{Name: "attack/61-two-authentication-methods", Says: "A client that authenticates in two ways is refused.", do: twoMethods},
		{Name: "attack/62-method-not-registered", Says: "A client authenticates in the way that it is registered with.", do: methodNotRegistered},
		{Name: "attack/63-token-endpoint-by-get", Says: "The token endpoint takes POST, and nothing from the address.", do: tokenByGet},
		{Name: "attack/64-basic-encoding", Says: "The halves of a Basic header are form-encoded, and read so.", do: basicEncoding},
		{Name: "attack/66-password-grant", Says: "Nobody trades a password for a token.", do: func(r *run) {
			t := r.exchange(r.target.Web, url.Values{"grant_type": {"password"}, "username": {r.target.Person.Username}, "password": {r.target.Person.Password}, "scope": {"openid"}})
			r.must(t.Status == http.StatusBadRequest && t.AccessToken == "" && slices.Contains([]string{"unsupported_grant_type", "unauthorized_client"}, t.Error), "the password grant is answered by %d %s", t.Status, t.Error)
		}},
		{Name: "attack/67-oversized-and-odd-bodies", Says: "A body that is too large, or of another type, is refused at once.", do: oddBodies},
		{Name: "attack/89-device-code-guessing", Says: "No code can be guessed that no endpoint gives.", do: noDeviceFlow},
	}
}

// token posts a form to the token endpoint and nothing else.
func (r *run) token(form url.Values, edit ...func(*http.Request)) tokens {
	return r.ask(r.meta().TokenEndpoint, form, edit...)
}

func wrongSecret(r *run) {
	b := r.browser()
	c := b.code(r.target.Web)
	form := url.Values{"grant_type": {"authorization_code"}, "code": {c}, "redirect_uri": {r.target.Web.RedirectURI}}
	for _, secret := range []string{"wrong", r.target.Web.Secret + "x", r.target.Web.Secret[:len(r.target.Web.Secret)-1]} {
		t := r.token(form, func(req *http.Request) { req.SetBasicAuth(r.target.Web.ID, secret) })
		r.tokenRefused(t, http.StatusUnauthorized, "invalid_client")
		r.must(strings.HasPrefix(t.Header.Get("WWW-Authenticate"), "Basic"), "WWW-Authenticate is %q where Basic was used (RFC 6749 section 5.2)", t.Header.Get("WWW-Authenticate"))
	}
	t := r.token(form, func(req *http.Request) { req.SetBasicAuth("nobody-"+random(6), "wrong") })
	r.tokenRefused(t, http.StatusUnauthorized, "invalid_client")
	r.redeem(r.target.Web, c) // a stranger must not burn a code
}

func twoMethods(r *run) {
	b := r.browser()
	basic := func(req *http.Request) { req.SetBasicAuth(r.target.Web.ID, r.target.Web.Secret) }
	form := func(more ...string) url.Values {
		v := url.Values{"grant_type": {"authorization_code"}, "code": {b.code(r.target.Web)}, "redirect_uri": {r.target.Web.RedirectURI}}
		for i := 0; i+1 < len(more); i += 2 {
			v.Set(more[i], more[i+1])
		}
		return v
	}
	for why, t := range map[string]tokens{
		"header and body":      r.token(form("client_id", r.target.Web.ID, "client_secret", r.target.Web.Secret), basic),
		"header and assertion": r.token(form("client_assertion", "x.y.z", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), basic),
		"another client_id":    r.token(form("client_id", "other"), basic),
		"two headers": r.token(form(), basic, func(req *http.Request) {
			req.Header.Add("Authorization", "Bearer x")
		}),
	} {
		r.must(t.Status >= 400 && t.AccessToken == "" && slices.Contains([]string{"invalid_request", "invalid_client"}, t.Error), "%s is answered by %d %s", why, t.Status, t.Error)
	}
}

func methodNotRegistered(r *run) {
	b := r.browser()
	t := r.token(url.Values{"grant_type": {"authorization_code"}, "code": {b.code(r.target.Web)}, "redirect_uri": {r.target.Web.RedirectURI}, "client_id": {r.target.Web.ID}})
	r.tokenRefused(t, http.StatusUnauthorized, "invalid_client")
	if r.target.Post.ID != "" {
		t = r.token(url.Values{"grant_type": {"authorization_code"}, "code": {b.code(r.target.Post)}, "redirect_uri": {r.target.Post.RedirectURI}},
			func(req *http.Request) { req.SetBasicAuth(r.target.Post.ID, r.target.Post.Secret) })
		r.tokenRefused(t, http.StatusUnauthorized, "invalid_client")
	}
	if r.target.Public.ID != "" {
		verifier := random(64)
		c := b.code(r.target.Public, "code_challenge", challenge(verifier), "code_challenge_method", "S256")
		t = r.token(url.Values{
			"grant_type": {"authorization_code"}, "code": {c}, "redirect_uri": {r.target.Public.RedirectURI}, "code_verifier": {verifier},
			"client_id": {r.target.Public.ID}, "client_secret": {"anything"},
		})
		r.tokenRefused(t, http.StatusUnauthorized, "invalid_client")
	}
	// client_secret_jwt: an assertion under the secret.
	now := r.target.Now().Unix()
	assertion := r.signed(jose.HS256, []byte(r.target.Web.Secret), "", map[string]any{
		"iss": r.target.Web.ID, "sub": r.target.Web.ID, "aud": r.target.Issuer, "jti": random(22), "iat": now, "exp": now + 60,
	})
	t = r.asserted(b.code(r.target.Web), r.target.Web, assertion)
	r.tokenRefused(t, http.StatusUnauthorized, "invalid_client")
}

// asserted redeems a code with an assertion as it stands.
func (r *run) asserted(code string, c Client, assertion string) tokens {
	return r.token(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
	})
}

func tokenByGet(r *run) {
	c := r.browser().code(r.target.Web)
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {c}, "redirect_uri": {r.target.Web.RedirectURI},
		"client_id": {r.target.Web.ID}, "client_secret": {r.target.Web.Secret},
	}
	address := withQuery(r.meta().TokenEndpoint, form.Encode())
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut} {
		res := r.fetch(method, address, nil)
		r.must(res.Status == http.StatusMethodNotAllowed || res.Status == http.StatusNotFound, "%s is answered by %d", method, res.Status)
	}
	res := r.fetch(http.MethodPost, address, url.Values{})
	r.must(res.Status >= 400 && res.Status < 500 && !strings.Contains(res.Body, "access_token"), "parameters in the address of a POST are answered by %d", res.Status)
	grant := url.Values{"grant_type": {"authorization_code"}, "code": {c}, "redirect_uri": {r.target.Web.RedirectURI}}
	none := url.Values{}
	res = r.fetch(http.MethodPost, withQuery(r.meta().TokenEndpoint, grant.Encode()), none, r.authenticates(r.target.Web, none))
	r.must(res.Status >= 400 && res.Status < 500 && !strings.Contains(res.Body, "access_token"), "a good client's code in the address of a POST is answered by %d", res.Status)
	r.redeem(r.target.Web, c) // nothing of it was processed
}

func basicEncoding(r *run) {
	b := r.browser()
	// Every character encoded, as RFC 6749 section 2.3.1 allows, is the same secret.
	all := func(s string) string {
		var out strings.Builder
		for _, c := range []byte(s) {
			out.WriteString("%" + hex(c))
		}
		return out.String()
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {b.code(r.target.Web)}, "redirect_uri": {r.target.Web.RedirectURI}}
	t := r.token(form, func(req *http.Request) { req.SetBasicAuth(all(r.target.Web.ID), all(r.target.Web.Secret)) })
	r.must(t.Status == http.StatusOK, "a form-encoded Basic header is answered by %d %s", t.Status, t.Error)
	for _, header := range []string{"Basic", "Basic !!!", "Basic " + "YQ==", "basic\tx", "Basic JXp6OiV6eg=="} {
		t := r.token(url.Values{"grant_type": {"authorization_code"}, "code": {"x"}}, func(req *http.Request) { req.Header.Set("Authorization", header) })
		r.must(t.Status == http.StatusUnauthorized || t.Status == http.StatusBadRequest, "the header %q is answered by %d", header, t.Status)
	}
}

func oddBodies(r *run) {
	kind := func(k string) func(*http.Request) {
		return func(req *http.Request) { req.Header.Set("Content-Type", k) }
	}
	basic := func(req *http.Request) { req.SetBasicAuth(r.target.Web.ID, r.target.Web.Secret) }
	c := r.browser().code(r.target.Web)
	form := url.Values{"grant_type": {"authorization_code"}, "code": {c}, "redirect_uri": {r.target.Web.RedirectURI}}
	for _, k := range []string{"text/plain", "multipart/form-data; boundary=x", "application/xml", ""} {
		t := r.token(form, basic, kind(k))
		r.must(t.Status == http.StatusUnsupportedMediaType || t.Status == http.StatusBadRequest, "a body of type %q is answered by %d", k, t.Status)
	}
	r.redeem(r.target.Web, c) // nothing of it was processed
	form.Set("padding", strings.Repeat("a", 8<<20))
	res, err := r.attempt(&robot.Browser{Transport: r.target.HTTP}, http.MethodPost, r.meta().TokenEndpoint, form, basic)
	// Hanging up before the whole body has come is an answer, too; keeping us
	// waiting is none.
	var slow net.Error
	r.must(err == nil || !errors.As(err, &slow) || !slow.Timeout(), "refusing a body of 8 MB took too long")
	r.must(err != nil || res.Status == http.StatusRequestEntityTooLarge || res.Status == http.StatusBadRequest, "a body of 8 MB is answered by %d", res.Status)
	q := r.request(r.target.Web, code())
	q.Set("claims", strings.Repeat(`{"userinfo":`, 2000))
	p := r.browser().authorize(q)
	r.must(p.Status < 500, "deep JSON is answered by %d", p.Status)
}

func noDeviceFlow(r *run) {
	if _, has := r.meta().all["device_authorization_endpoint"]; has {
		r.skip("the provider offers the device flow, which this check knows nothing of")
	}
	t := r.exchange(r.target.Web, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {"x"}})
	r.must(t.Status == http.StatusBadRequest && t.Error == "unsupported_grant_type", "the device grant is answered by %d %s", t.Status, t.Error)
}

func assertionAttacks() []Check {
	return []Check{
		{Name: "attack/65-client-assertion", Says: "An assertion is for us alone, lives for minutes, and works once.", do: assertions},
		{Name: "extra/private-key-jwt", Says: "A client that signs its assertions redeems codes.", do: func(r *run) {
			r.needs("client with private_key_jwt", r.target.Keyed.Key != nil)
			r.happy(r.browser(), r.target.Keyed, code())
		}},
	}
}

func assertions(r *run) {
	r.needs("client with private_key_jwt", r.target.Keyed.Key != nil)
	c, b := r.target.Keyed, r.browser()
	kept := b.code(c)
	now := r.target.Now().Unix()
	set := func(name string, value any) func(map[string]any) { return func(m map[string]any) { m[name] = value } }
	drop := func(name string) func(map[string]any) { return func(m map[string]any) { delete(m, name) } }
	bad := map[string]string{
		"aud of the token endpoint": r.assertion(c, set("aud", r.meta().TokenEndpoint)),
		"a list of audiences":       r.assertion(c, set("aud", []string{r.target.Issuer, "https://evil.example"})),
		"aud of somebody else":      r.assertion(c, set("aud", "https://evil.example")),
		"no aud":                    r.assertion(c, drop("aud")),
		"a long life":               r.assertion(c, set("exp", now+24*3600)),
		"expired":                   r.assertion(c, set("exp", now-1)),
		"no exp":                    r.assertion(c, drop("exp")),
		"no jti":                    r.assertion(c, drop("jti")),
		"from the future":           r.assertion(c, set("nbf", now+3600)),
		"another issuer":            r.assertion(c, set("iss", "evil")),
		"another subject":           r.assertion(c, set("sub", r.target.Web.ID)),
		"unsigned":                  unsigned(map[string]any{"iss": c.ID, "sub": c.ID, "aud": r.target.Issuer, "jti": random(22), "exp": now + 60}),
		"a key of its own":          r.ownKey(c),
		"HS256 with the public key": r.confused(c),
		"nonsense":                  "x.y.z",
	}
	for why, assertion := range bad {
		t := r.asserted(kept, c, assertion)
		r.must(t.Status == http.StatusUnauthorized && t.Error == "invalid_client" || t.Status == http.StatusBadRequest && t.Error == "invalid_request" || t.Status == http.StatusTooManyRequests,
			"%s is answered by %d %s", why, t.Status, t.Error)
	}
	again := r.assertion(c)
	t := r.asserted(kept, c, again)
	r.must(t.Status == http.StatusOK, "a good assertion is answered by %d %s: %s", t.Status, t.Error, robot.Excerpt(t.Body))
	r.tokenRefused(r.asserted(b.code(c), c, again), http.StatusUnauthorized, "invalid_client")
}

// ownKey is an assertion whose header brings the key that it is signed with.
func (r *run) ownKey(c Client) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: strangersKey(r)}, (&jose.SignerOptions{EmbedJWK: true}).WithType("JWT"))
	r.must(err == nil, "no signer: %v", err)
	now := r.target.Now().Unix()
	return r.sign(signer, map[string]any{"iss": c.ID, "sub": c.ID, "aud": r.target.Issuer, "jti": random(22), "iat": now, "exp": now + 60})
}

// confused is an assertion whose MAC is made with the public key that everybody
// knows (RFC 8725 section 2.1).
func (r *run) confused(c Client) string {
	der, err := publicDER(c.Key)
	r.must(err == nil, "the client's key cannot be written: %v", err)
	now := r.target.Now().Unix()
	return r.signed(jose.HS256, der, c.KeyID, map[string]any{"iss": c.ID, "sub": c.ID, "aud": r.target.Issuer, "jti": random(22), "iat": now, "exp": now + 60})
}
