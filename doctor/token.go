package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"idpbridge/liveengage"
)

// Codes of the token endpoint.
const (
	TokenAnswers   Code = "token-answers"
	TokenHeaders   Code = "token-headers"
	TokenChallenge Code = "token-challenge"
	TokenJSON      Code = "token-json"
	TokenMethod    Code = "token-method"
	TokenTime      Code = "token-time"
)

// slowResponse is the longest good response time of the token endpoint. LivePerson
// does not document its own timeout.
const slowResponse = 2 * time.Second

const (
	typeForm = "application/x-www-form-urlencoded"
	typeJSON = "application/json"
)

// checkTokenEndpoint sends token requests as LivePerson's servers do, with codes
// that are made up: the error shows how far a request got.
func (e *exam) checkTokenEndpoint(ctx context.Context) {
	if !e.usesCode() {
		e.addSkip(TokenAnswers, "The token endpoint was not checked, because the client does not use the code flow.",
			"If LiveEngage is set to the code flow, allow the client the response type code.")
		return
	}
	if e.meta.TokenEndpoint == "" {
		e.addSkip(TokenAnswers, "The token endpoint was not checked, because its URL is not known.", fixDiscovery)
		return
	}
	wrongSecret, err := e.postToken(ctx, e.cfg.ClientID, "made-up-"+randomText(), formBody())
	if err != nil {
		e.addError(TokenAnswers, fmt.Sprintf("The token endpoint does not respond: %v.", err),
			"Make it reachable from the internet, where LivePerson's servers are.", e.meta.TokenEndpoint)
		return
	}
	e.checkWrongSecret(wrongSecret)
	responses := []response{wrongSecret}
	if rightSecret, ok := e.checkRightSecret(ctx); ok {
		responses = []response{rightSecret, wrongSecret}
	}
	e.checkTokenHeaders(responses[0])
	e.checkChallenge(responses)
	e.checkTokenGET(ctx)
	e.checkTokenTime()
}

// tokenBody is the body of a token request.
type tokenBody struct{ contentType, content string }

// codeGrant returns the parameters of a token request with a code that is made up.
func codeGrant() map[string]string {
	return map[string]string{
		"grant_type":   "authorization_code",
		"code":         "idp-doctor-" + randomText(),
		"redirect_uri": liveengage.EmbeddedRedirectURI,
	}
}

func formBody() tokenBody {
	form := url.Values{}
	for name, value := range codeGrant() {
		form.Set(name, value)
	}
	return tokenBody{typeForm, form.Encode()}
}

// postToken sends a token request. LivePerson does not encode the ID and the secret
// in the Basic header (RFC 2617), so this does not either.
func (e *exam) postToken(ctx context.Context, clientID, secret string, body tokenBody) (response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.meta.TokenEndpoint, strings.NewReader(body.content))
	if err != nil {
		return response{}, err
	}
	r.Header.Set("Content-Type", body.contentType)
	r.SetBasicAuth(clientID, secret)
	res, err := e.send(r)
	e.slowest = max(e.slowest, res.took)
	return res, err
}

// oauthError returns the error code in the body of a response, or "".
func (res response) oauthError() string {
	var body struct{ Error string }
	if json.Unmarshal([]byte(res.body), &body) != nil {
		return ""
	}
	return body.Error
}

// isCodeRejected reports whether a response is the one to a wrong code, which comes
// only after everything else was accepted (RFC 6749 section 5.2). LivePerson's pages
// call the error invalid_code.
func (res response) isCodeRejected() bool {
	oauthError := res.oauthError()
	return res.status == http.StatusBadRequest && (oauthError == "invalid_grant" || oauthError == "invalid_code")
}

// checkJSONBody sends the request as JSON, as older connectors do.
func (e *exam) checkJSONBody(ctx context.Context) {
	content, err := json.Marshal(codeGrant())
	if err != nil {
		return
	}
	res, err := e.postToken(ctx, e.cfg.ClientID, e.cfg.ClientSecret.Reveal(), tokenBody{typeJSON, string(content)})
	if err != nil {
		e.addNote(TokenJSON, fmt.Sprintf("The token endpoint does not respond to a JSON body: %v.", err), e.jsonRemedy())
		return
	}
	if !res.isCodeRejected() {
		e.addNote(TokenJSON, "The token endpoint does not accept a JSON body, which older connectors send.",
			e.jsonRemedy(), res.summarize())
		return
	}
	e.addOK(TokenJSON, "The token endpoint also accepts a JSON body, which older connectors send.")
}

func (e *exam) jsonRemedy() string {
	if e.cfg.JSONRemedy != "" {
		return e.cfg.JSONRemedy
	}
	return "Nothing to do for current connectors, which send forms. If the provider's log shows rejected requests with " +
		"application/json, accept JSON, or ask LivePerson support to switch the connector to forms."
}

func (e *exam) checkTokenHeaders(res response) {
	if !res.isJSON {
		e.addError(TokenHeaders,
			fmt.Sprintf("The token endpoint responds with %q instead of application/json.", res.header.Get("Content-Type")),
			"Send all responses as JSON, including errors. Check that no proxy replaces error responses with pages.",
			res.summarize())
		return
	}
	var missing []string
	for _, want := range []struct{ name, value string }{{"Cache-Control", "no-store"}, {"Pragma", "no-cache"}} {
		if !strings.Contains(strings.ToLower(res.header.Get(want.name)), want.value) {
			missing = append(missing, want.name+": "+want.value)
		}
	}
	if len(missing) > 0 {
		e.addWarning(TokenHeaders,
			fmt.Sprintf("Responses of the token endpoint lack %s.", strings.Join(missing, " and ")),
			"Send both headers, so that no cache keeps a token (RFC 6749 section 5.1).", res.summarize())
		return
	}
	e.addOK(TokenHeaders, "The token endpoint responds with JSON that caches must not keep.")
}

func (e *exam) checkChallenge(responses []response) {
	for _, res := range responses {
		if res.status != http.StatusUnauthorized && res.header.Get("WWW-Authenticate") != "" {
			e.addWarning(TokenChallenge, fmt.Sprintf("A response with status %d has the header WWW-Authenticate.", res.status),
				"Send this header only with status 401 (RFC 9110 section 11.6.1).", res.summarize())
			return
		}
	}
	e.addOK(TokenChallenge, "WWW-Authenticate is only sent with status 401.")
}

// checkTokenGET checks that codes and secrets are not accepted in a URL.
func (e *exam) checkTokenGET(ctx context.Context) {
	res, err := e.get(ctx, e.meta.TokenEndpoint)
	if err != nil {
		e.addNote(TokenMethod, fmt.Sprintf("The token endpoint does not respond to GET: %v.", err),
			"Respond with status 405.")
		return
	}
	if res.status < 300 {
		e.addError(TokenMethod, "The token endpoint accepts GET, so codes and secrets can end up in logs.",
			"Accept only POST (RFC 6749 section 3.2).", res.summarize())
		return
	}
	if res.status != http.StatusMethodNotAllowed {
		e.addNote(TokenMethod, fmt.Sprintf("The token endpoint responds to GET with %d instead of 405.", res.status),
			"Check that the URL is right. If it is, there is nothing to do: LivePerson only uses POST.", res.summarize())
		return
	}
	e.addOK(TokenMethod, "The token endpoint accepts only POST.")
}

func (e *exam) checkTokenTime() {
	if e.slowest > slowResponse {
		e.addWarning(TokenTime,
			fmt.Sprintf("The token endpoint took %s to reject a code.", e.slowest.Round(10*time.Millisecond)),
			"Respond within two seconds. LivePerson gives up after a time that it does not document (errors 9010 and 9013).")
		return
	}
	e.addOK(TokenTime, "The token endpoint responds within two seconds.")
}
