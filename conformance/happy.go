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

// flowResult is what a good flow has given: the answer, the tokens of the token
// endpoint where there was a code, and the claims of the ID token that counts.
type flowResult struct {
	request     url.Values
	response    robot.Response
	tokens      tokens
	claims      map[string]any
	accessToken string
	idToken     string // the ID token
}

// runFlow signs the target's person in as the client and demands everything that
// the suite checks all along: the answer, the tokens, the ID tokens and that
// userinfo answers.
func (r *run) runFlow(b *browser, c Client, v variant, changes ...string) flowResult {
	request := r.newRequest(c, v, changes...)
	return r.finishFlow(c, request, b.signIn(request))
}

// finishFlow takes a good answer through to its tokens, with all checks. Changes
// are those of the token request.
func (r *run) finishFlow(c Client, request url.Values, response robot.Response, changes ...string) flowResult {
	r.requireSuccess(response, request)
	r.checkMetadata(c)
	flow := flowResult{request: request, response: response, accessToken: response.Get("access_token")}
	if flow.accessToken != "" {
		r.require(strings.EqualFold(response.Get("token_type"), "Bearer"), "token_type is %q", response.Get("token_type"))
		seconds, err := strconv.ParseInt(response.Get("expires_in"), 10, 64)
		r.warnUnless(response.Has("expires_in"), "there is no expires_in beside the access token")
		r.require(!response.Has("expires_in") || err == nil && seconds > 0 && seconds <= longestToken, "expires_in is %q", response.Get("expires_in"))
	}
	if code := response.Get("code"); code != "" {
		r.require(isUnguessable(code), "the code %d characters long can be guessed: it has less than 96 bits", len(code))
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
			r.require(claims["iss"] == flow.claims["iss"] && claims["sub"] == flow.claims["sub"], "the two ID tokens differ in iss or sub")
		}
		if flow.accessToken != "" { // the one beside the code must work as well
			r.checkUserinfo(flow.accessToken, claims)
		}
		flow.claims, flow.idToken, flow.accessToken = claims, flow.tokens.IDToken, flow.tokens.AccessToken
	}
	if flow.accessToken != "" {
		r.checkUserinfo(flow.accessToken, flow.claims)
	}
	return flow
}

// checkUserinfo demands that userinfo answers about the person of the ID token.
func (r *run) checkUserinfo(access string, idToken map[string]any) {
	info := r.decodeUserinfo(r.fetchUserinfo(access))
	r.require(info["sub"] == idToken["sub"], "sub is %v at userinfo and %v in the ID token", info["sub"], idToken["sub"])
}

// checkMetadata demands that discovery lists the method by which the client
// authenticates, where it lists any.
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
	r.require(len(methods) == 0 || slices.Contains(methods, method), "token_endpoint_auth_methods_supported lacks %s", method)
}

// decodeUserinfo demands a good answer of userinfo.
func (r *run) decodeUserinfo(res *robot.Page) map[string]any {
	r.require(res.Status == http.StatusOK, "userinfo answers %d", res.Status)
	r.require(strings.HasPrefix(res.Header.Get("Content-Type"), "application/json"), "userinfo answers %q, not JSON", res.Header.Get("Content-Type"))
	claims := r.decodeObject(res)
	r.checkClaimTypes(claims)
	return claims
}

// checkHashes demands at_hash and c_hash: right where they are there, and there where
// token or code come from the authorization endpoint with the ID token (OIDC Core
// sections 3.2.2.10 and 3.3.2.11).
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

// checkRequestedClaims warns of claims in an ID token that nobody asked for. Those of a scope
// belong there where there is no access token to fetch them with (OIDC Core
// section 5.4), and those of the parameter claims where it says so (section 5.5).
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
		r.warnUnless(named || slices.Contains(asked, name), "the ID token holds the claim %s, which was not asked for", name)
	}
}

// isUnguessable says whether a text has 16 bytes and, by Shannon's measure of its own
// characters, more than 96 bits.
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

// requirePage demands a page for a person: no redirect, something to read, and no
// form that a script might send anywhere but to the provider.
func (r *run) requirePage(p *robot.Page, statuses ...int) {
	r.require(p.Location == "", "the browser was sent on to %s", robot.Excerpt(p.Location))
	r.require(slices.Contains(statuses, p.Status), "a page with status %v was due, not %d: %s", statuses, p.Status, robot.Excerpt(p.Body))
	r.require(strings.HasPrefix(p.Header.Get("Content-Type"), "text/html"), "the page is %q, not HTML", p.Header.Get("Content-Type"))
	r.require(p.Text() != "", "the page says nothing")
	r.require(p.Header.Get("Refresh") == "", "the page sends the browser on to %q", p.Header.Get("Refresh"))
	for _, f := range p.Forms() {
		to, err := p.URL.Parse(f.Action)
		r.require(err == nil && !r.leavesProvider(to), "the page has a form that leads to %q", f.Action)
	}
}

// requireSignInForm demands that the person is asked for a password.
func (r *run) requireSignInForm(p *robot.Page) robot.Form {
	f, ok := p.PasswordForm()
	r.require(ok && p.Status == http.StatusOK, "a sign-in page was due, not status %d at %s: %s", p.Status, p.URL.Path, robot.Excerpt(p.Location+p.Body))
	return f
}

// loginErrors are the errors that say that prompt=none cannot be answered.
func loginErrors() []string {
	return []string{"login_required", "interaction_required", "account_selection_required", "consent_required"}
}

// requireNumber is a claim that is one, or fails the check.
func (r *run) requireNumber(claims map[string]any, name string) float64 {
	n, ok := claims[name].(float64)
	r.require(ok, "%s is %v, not a number", name, claims[name])
	return n
}
