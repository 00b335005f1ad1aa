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

// flowResult is the result of a successful flow: the response, the tokens of
// the token endpoint if there was a code, and the claims of the last ID token.
type flowResult struct {
	request     url.Values
	response    robot.Response
	tokens      tokens
	claims      map[string]any
	accessToken string
	idToken     string // the ID token
}

// runFlow signs the target's person in as the client and requires everything
// that the suite checks throughout: the response, the tokens, the ID tokens,
// and that userinfo works.
func (r *run) runFlow(b *browser, c Client, v variant, changes ...string) flowResult {
	request := r.newRequest(c, v, changes...)
	return r.finishFlow(c, request, b.signIn(request))
}

// finishFlow takes a successful response through to its tokens, with all
// checks. Changes apply to the token request.
func (r *run) finishFlow(c Client, request url.Values, response robot.Response, changes ...string) flowResult {
	r.requireSuccess(response, request)
	r.checkMetadata(c)
	flow := flowResult{request: request, response: response, accessToken: response.Get("access_token")}
	if flow.accessToken != "" {
		r.require(strings.EqualFold(response.Get("token_type"), "Bearer"), "token_type is %q", response.Get("token_type"))
		seconds, err := strconv.ParseInt(response.Get("expires_in"), 10, 64)
		r.warnUnless(response.Has("expires_in"), "the access token comes without expires_in")
		r.require(!response.Has("expires_in") || err == nil && seconds > 0 && seconds <= longestToken,
			"expires_in is %q", response.Get("expires_in"))
	}
	if code := response.Get("code"); code != "" {
		r.require(isUnguessable(code), "a code of %d characters has less than 96 bits", len(code))
	}
	if flow.idToken = response.Get("id_token"); flow.idToken != "" {
		flow.claims = r.verifyIDToken(flow.idToken, c, request)
		r.checkHashes(flow.claims, response.Get("access_token"), response.Get("code"), true)
		r.checkRequestedClaims(c, request, flow.claims)
	}
	if response.Has("code") {
		flow.tokens = r.redeemCode(c, response.Get("code"), changes...)
		claims := r.verifyIDToken(flow.tokens.IDToken, c, request)
		r.checkHashes(claims, flow.tokens.AccessToken, response.Get("code"), false)
		r.checkRequestedClaims(c, request, claims)
		if flow.claims != nil {
			r.require(claims["iss"] == flow.claims["iss"] && claims["sub"] == flow.claims["sub"],
				"the two ID tokens differ in iss or sub")
		}
		if flow.accessToken != "" { // the access token from the front channel must work as well
			r.checkUserinfo(flow.accessToken, claims)
		}
		flow.claims, flow.idToken, flow.accessToken = claims, flow.tokens.IDToken, flow.tokens.AccessToken
	}
	if flow.accessToken != "" {
		r.checkUserinfo(flow.accessToken, flow.claims)
	}
	return flow
}

// checkUserinfo requires that userinfo is about the person of the ID token.
func (r *run) checkUserinfo(access string, idToken map[string]any) {
	info := r.decodeUserinfo(r.fetchUserinfo(access))
	r.require(info["sub"] == idToken["sub"], "sub is %v at userinfo and %v in the ID token", info["sub"], idToken["sub"])
}

// checkMetadata requires that discovery lists the client's authentication
// method, if it lists any.
func (r *run) checkMetadata(c Client) {
	method := "client_secret_basic"
	switch {
	case c.Key != nil:
		method = "private_key_jwt"
	case c.Secret == "":
		method = "none"
	case c.ID == r.target.Post.ID:
		method = "client_secret_post"
	}
	methods := r.requireList("token_endpoint_auth_methods_supported", false)
	r.require(len(methods) == 0 || slices.Contains(methods, method),
		"token_endpoint_auth_methods_supported lacks %s", method)
}

// decodeUserinfo requires a good response of userinfo and returns its claims.
func (r *run) decodeUserinfo(res *robot.Page) map[string]any {
	r.require(res.Status == http.StatusOK, "userinfo returned %d", res.Status)
	r.require(strings.HasPrefix(res.Header.Get("Content-Type"), "application/json"),
		"userinfo returned %q, not JSON", res.Header.Get("Content-Type"))
	claims := r.decodeObject(res)
	r.checkClaimTypes(claims)
	return claims
}

// checkHashes checks at_hash and c_hash. They must be right if present, and
// must be present if the access token or code comes from the authorization
// endpoint together with the ID token (OIDC Core sections 3.2.2.10 and
// 3.3.2.11).
func (r *run) checkHashes(claims map[string]any, access, code string, required bool) {
	for _, h := range []struct{ name, of string }{{"at_hash", access}, {"c_hash", code}} {
		got, has := claims[h.name]
		if h.of == "" {
			continue
		}
		r.require(has || !required, "%s is missing", h.name)
		r.require(!has || got == halfHash(h.of), "%s is %v instead of %s", h.name, got, halfHash(h.of))
	}
}

// checkRequestedClaims warns of claims in an ID token that were not requested.
// Those of a scope belong in the ID token only if there is no access token to
// fetch them with (OIDC Core section 5.4), those of the claims parameter only
// if it says so (section 5.5).
func (r *run) checkRequestedClaims(c Client, request url.Values, claims map[string]any) {
	if c.ClaimsInIDToken {
		return
	}
	asked := strings.Fields("iss sub aud exp iat auth_time nonce acr amr azp at_hash c_hash s_hash nbf jti sid txn")
	if request.Get("response_type") == "id_token" {
		for _, scope := range strings.Fields(request.Get("scope")) {
			asked = append(asked, scopeClaims(scope)...)
		}
	}
	var parameter struct {
		IDToken map[string]any `json:"id_token"`
	}
	_ = json.Unmarshal([]byte(request.Get("claims")), &parameter)
	for name := range claims {
		_, named := parameter.IDToken[name]
		r.warnUnless(named || slices.Contains(asked, name), "the ID token has the claim %s, which was not requested", name)
	}
}

// isUnguessable reports whether a string has at least 16 bytes and, by the
// Shannon entropy of its own characters, more than 96 bits.
func isUnguessable(s string) bool {
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

// requirePage requires a page for a person: no redirect, text to read, and no
// form that a script might submit to another site.
func (r *run) requirePage(p *robot.Page, statuses ...int) {
	r.require(p.Location == "", "the browser was sent on to %s", robot.Excerpt(p.Location))
	r.require(slices.Contains(statuses, p.Status),
		"expected a page with status %v, got %d: %s", statuses, p.Status, robot.Excerpt(p.Body))
	r.require(strings.HasPrefix(p.Header.Get("Content-Type"), "text/html"),
		"the page is %q, not HTML", p.Header.Get("Content-Type"))
	r.require(p.Text() != "", "the page has no text")
	r.require(p.Header.Get("Refresh") == "", "the page sends the browser on to %q", p.Header.Get("Refresh"))
	for _, f := range p.Forms() {
		to, err := p.URL.Parse(f.Action)
		r.require(err == nil && !r.leavesProvider(to), "the page has a form that leads to %q", f.Action)
	}
}

// requireSignInForm requires a page that asks for a password and returns its
// form.
func (r *run) requireSignInForm(p *robot.Page) robot.Form {
	f, ok := p.PasswordForm()
	r.require(ok && p.Status == http.StatusOK,
		"expected the sign-in page, got status %d at %s: %s", p.Status, p.URL.Path, robot.Excerpt(p.Location+p.Body))
	return f
}

// loginErrors returns the errors for a prompt=none request that needs a page.
func loginErrors() []string {
	return []string{"login_required", "interaction_required", "account_selection_required", "consent_required"}
}

// requireNumber requires that a claim is a number and returns it.
func (r *run) requireNumber(claims map[string]any, name string) float64 {
	n, ok := claims[name].(float64)
	r.require(ok, "%s is %v, not a number", name, claims[name])
	return n
}
