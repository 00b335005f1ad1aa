package selftest

import (
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// outcome is what a good flow has given: the answer, the tokens of the token
// endpoint where there was a code, and the claims of the ID token that counts.
type outcome struct {
	query  url.Values
	answer answer
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

// complete takes a good answer through to its tokens, with all checks.
func (r *run) complete(c Client, q url.Values, a answer) outcome {
	r.good(a, q)
	o := outcome{query: q, answer: a, access: a.Get("access_token")}
	if a.Has("access_token") {
		r.must(strings.EqualFold(a.Get("token_type"), "Bearer"), "token_type is %q", a.Get("token_type"))
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
		o.tokens = r.redeem(c, a.Get("code"))
		o.access = o.tokens.AccessToken
		claims := r.idToken(o.tokens.IDToken, c, q)
		r.hashes(claims, o.tokens.AccessToken, "", false)
		r.onlyAsked(c, q, claims)
		if o.claims != nil {
			r.must(claims["iss"] == o.claims["iss"] && claims["sub"] == o.claims["sub"], "the two ID tokens differ in iss or sub")
		}
		o.claims, o.idText = claims, o.tokens.IDToken
	}
	if o.access != "" {
		info := r.claimsOf(r.userinfo(o.access))
		r.must(info["sub"] == o.claims["sub"] || o.claims == nil, "sub is %v at userinfo and %v in the ID token", info["sub"], o.claims["sub"])
	}
	return o
}

// claimsOf demands a good answer of userinfo.
func (r *run) claimsOf(res response) map[string]any {
	r.must(res.status == http.StatusOK, "userinfo answers %d", res.status)
	r.must(strings.HasPrefix(res.header.Get("Content-Type"), "application/json"), "userinfo answers %q, not JSON", res.header.Get("Content-Type"))
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

// onlyAsked warns of claims in an ID token that nobody asked for.
func (r *run) onlyAsked(c Client, q url.Values, claims map[string]any) {
	if c.ClaimsInIDToken || q.Get("response_type") == "id_token" || q.Has("claims") {
		return
	}
	plain := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "nbf", "jti", "sid", "txn"}
	for name := range claims {
		r.should(slices.Contains(plain, name), "the ID token holds the claim %s, which was not asked for", name)
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

// pageShown demands a page for a person: no redirect, something to read, and
// neither a code nor a token in it.
func (r *run) pageShown(p page, statuses ...int) {
	r.must(p.location == "", "the browser was sent on to %s", excerpt(p.location))
	r.must(slices.Contains(statuses, p.status), "a page with status %v was due, not %d: %s", statuses, p.status, excerpt(p.body))
	r.must(strings.HasPrefix(p.header.Get("Content-Type"), "text/html"), "the page is %q, not HTML", p.header.Get("Content-Type"))
	r.must(len(p.elements("h1", "id"))+len(p.elements("p", "id"))+len(p.elements("title", "id")) > 0, "the page says nothing")
}

// signinShown demands that the person is asked for a password.
func (r *run) signinShown(p page) form {
	f, ok := p.signinForm()
	r.must(ok && p.status == http.StatusOK, "a sign-in page was due, not status %d at %s: %s", p.status, p.address.Path, excerpt(p.location+p.body))
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
