package conformance

import (
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"idpbridge/internal/robot"
)

// outcome is what a good flow has given: the answer, the tokens of the token
// endpoint where there was a code, and the claims of the ID token that counts.
type outcome struct {
	query  url.Values
	answer robot.Response
	tokens tokens
	claims map[string]any
	access string
	idText string // the ID token
}

// happy signs the target's person in as the client and demands everything that
// the suite checks all along: the answer, the tokens, the ID tokens and that
// userinfo answers.
func (r *run) happy(b *browser, c Client, v variant, changes ...string) outcome {
	q := r.request(c, v, changes...)
	return r.complete(c, q, b.signIn(q))
}

// complete takes a good answer through to its tokens, with all checks. Changes
// are those of the token request.
func (r *run) complete(c Client, q url.Values, a robot.Response, changes ...string) outcome {
	r.good(a, q)
	r.listed(c)
	o := outcome{query: q, answer: a, access: a.Get("access_token")}
	if o.access != "" {
		r.must(strings.EqualFold(a.Get("token_type"), "Bearer"), "token_type is %q", a.Get("token_type"))
		seconds, err := strconv.ParseInt(a.Get("expires_in"), 10, 64)
		r.should(a.Has("expires_in"), "there is no expires_in beside the access token")
		r.must(!a.Has("expires_in") || err == nil && seconds > 0 && seconds <= longestToken, "expires_in is %q", a.Get("expires_in"))
	}
	if code := a.Get("code"); code != "" {
		r.must(strong(code), "the code %d characters long can be guessed: it has less than 96 bits", len(code))
	}
	if o.idText = a.Get("id_token"); o.idText != "" {
		o.claims = r.idToken(o.idText, c, q)
		r.hashes(o.claims, a.Get("access_token"), a.Get("code"), true)
		r.onlyAsked(c, q, o.claims)
	}
	if a.Has("code") {
		o.tokens = r.redeem(c, a.Get("code"), changes...)
		claims := r.idToken(o.tokens.IDToken, c, q)
		r.hashes(claims, o.tokens.AccessToken, a.Get("code"), false)
		r.onlyAsked(c, q, claims)
		if o.claims != nil {
			r.must(claims["iss"] == o.claims["iss"] && claims["sub"] == o.claims["sub"], "the two ID tokens differ in iss or sub")
		}
		if o.access != "" { // the one beside the code must work as well
			r.told(o.access, claims)
		}
		o.claims, o.idText, o.access = claims, o.tokens.IDToken, o.tokens.AccessToken
	}
	if o.access != "" {
		r.told(o.access, o.claims)
	}
	return o
}

// told demands that userinfo answers about the person of the ID token.
func (r *run) told(access string, idToken map[string]any) {
	info := r.claimsOf(r.userinfo(access))
	r.must(info["sub"] == idToken["sub"], "sub is %v at userinfo and %v in the ID token", info["sub"], idToken["sub"])
}

// listed demands that discovery lists the method by which the client
// authenticates, where it lists any.
func (r *run) listed(c Client) {
	method := "client_secret_basic"
	switch {
	case c.Key != nil:
		method = "private_key_jwt"
	case c.Secret == "":
		method = "none"
	case c.ID == r.target.Post.ID:
		method = "client_secret_post"
	}
	methods := r.list("token_endpoint_auth_methods_supported", false)
	r.must(len(methods) == 0 || slices.Contains(methods, method), "token_endpoint_auth_methods_supported lacks %s", method)
}

// claimsOf demands a good answer of userinfo.
func (r *run) claimsOf(res *robot.Page) map[string]any {
	r.must(res.Status == http.StatusOK, "userinfo answers %d", res.Status)
	r.must(strings.HasPrefix(res.Header.Get("Content-Type"), "application/json"), "userinfo answers %q, not JSON", res.Header.Get("Content-Type"))
	claims := r.object(res)
	r.typed(claims)
	return claims
}

// hashes demands at_hash and c_hash: right where they are there, and there where
// token or code come from the authorization endpoint with the ID token (OIDC Core
// sections 3.2.2.10 and 3.3.2.11).
func (r *run) hashes(claims map[string]any, access, code string, required bool) {
	for _, h := range []struct{ name, of string }{{"at_hash", access}, {"c_hash", code}} {
		got, has := claims[h.name]
		if h.of == "" {
			continue
		}
		r.must(has || !required, "%s is missing", h.name)
		r.must(!has || got == half(h.of), "%s is %v instead of %s", h.name, got, half(h.of))
	}
}

// onlyAsked warns of claims in an ID token that nobody asked for. Those of a scope
// belong there where there is no access token to fetch them with (OIDC Core
// section 5.4), and those of the parameter claims where it says so (section 5.5).
func (r *run) onlyAsked(c Client, q url.Values, claims map[string]any) {
	if c.ClaimsInIDToken {
		return
	}
	asked := strings.Fields("iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash s_hash nbf jti sid txn")
	if q.Get("response_type") == "id_token" {
		for _, scope := range strings.Fields(q.Get("scope")) {
			asked = append(asked, claimsOfScope(scope)...)
		}
	}
	var parameter struct {
		IDToken map[string]any `json:"id_token"`
	}
	_ = json.Unmarshal([]byte(q.Get("claims")), &parameter)
	for name := range claims {
		_, named := parameter.IDToken[name]
		r.should(named || slices.Contains(asked, name), "the ID token holds the claim %s, which was not asked for", name)
	}
}

// strong says whether a text has 16 bytes and, by Shannon's measure of its own
// characters, more than 96 bits.
func strong(s string) bool {
	count := map[rune]float64{}
	for _, c := range s {
		count[c]++
	}
	bits, length := 0.0, float64(len(s))
	for _, n := range count {
		bits -= n / length * math.Log2(n/length)
	}
	return len(s) >= 16 && bits*length > 96
}

// pageShown demands a page for a person: no redirect, something to read, and no
// form that a script might send anywhere but to the provider.
func (r *run) pageShown(p *robot.Page, statuses ...int) {
	r.must(p.Location == "", "the browser was sent on to %s", robot.Excerpt(p.Location))
	r.must(slices.Contains(statuses, p.Status), "a page with status %v was due, not %d: %s", statuses, p.Status, robot.Excerpt(p.Body))
	r.must(strings.HasPrefix(p.Header.Get("Content-Type"), "text/html"), "the page is %q, not HTML", p.Header.Get("Content-Type"))
	r.must(p.Text() != "", "the page says nothing")
	r.must(p.Header.Get("Refresh") == "", "the page sends the browser on to %q", p.Header.Get("Refresh"))
	for _, f := range p.Forms() {
		to, err := p.URL.Parse(f.Action)
		r.must(err == nil && !r.leaves(to), "the page has a form that leads to %q", f.Action)
	}
}

// signinShown demands that the person is asked for a password.
func (r *run) signinShown(p *robot.Page) robot.Form {
	f, ok := p.PasswordForm()
	r.must(ok && p.Status == http.StatusOK, "a sign-in page was due, not status %d at %s: %s", p.Status, p.URL.Path, robot.Excerpt(p.Location+p.Body))
	return f
}

// nobody are the errors that say that prompt=none cannot be answered.
func nobody() []string {
	return []string{"login_required", "interaction_required", "account_selection_required", "consent_required"}
}

// number is a claim that is one, or fails the check.
func (r *run) number(claims map[string]any, name string) float64 {
	n, ok := claims[name].(float64)
	r.must(ok, "%s is %v, not a number", name, claims[name])
	return n
}
