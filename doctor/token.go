package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"idpbridge/liveengage"
)

// slow is the longest answer of the token endpoint that is fine. What LivePerson
// waits is not documented.
const slow = 2 * time.Second

// checkTokenEndpoint asks for tokens as LivePerson's servers do, with a code that
// nobody has issued: how it is refused shows how far the request got.
func (e *exam) checkTokenEndpoint(ctx context.Context) {
	switch {
	case !slices.Contains(e.cfg.ResponseTypes, "code"):
		e.addFinding(Skip, TokenAnswers, "The token endpoint was not asked: the client has no code flow.", "If LiveEngage is set to the code flow, allow the client the response type code.")
		return
	case e.meta.TokenEndpoint == "":
		e.addFinding(Skip, TokenAnswers, "The token endpoint was not asked, because its address is not known.", "Put the discovery document right first.")
		return
	}
	wrong, err := e.postToken(ctx, "made-up-"+randomText(), formBody())
	if err != nil {
		e.addFinding(Error, TokenAnswers, fmt.Sprintf("The token endpoint cannot be asked: %v.", err), "Let LivePerson's servers reach it: they are on the internet, not in your network.", e.meta.TokenEndpoint)
		return
	}
	e.checkWrongSecret(wrong)
	answers := []response{wrong}
	if e.cfg.ClientSecret == "" {
		e.addFinding(Skip, TokenCredentials, "Whether LivePerson's secret is accepted was not tried.", "Give the secret: by the configuration (--config), or in IDP_DOCTOR_SECRET.")
		e.addFinding(Skip, TokenJSON, "Whether JSON is accepted was not tried, because there is no secret.", "Give the secret: by the configuration (--config), or in IDP_DOCTOR_SECRET.")
	} else if good, err := e.postToken(ctx, e.cfg.ClientSecret, formBody()); err != nil {
		e.addFinding(Error, TokenAnswers, fmt.Sprintf("The token endpoint does not answer a request with LivePerson's secret: %v.", err), "Look into the provider's log.")
	} else {
		answers = append([]response{good}, answers...)
		if e.checkWrongCode(ctx, good) {
			e.checkJSONBody(ctx)
		}
	}
	e.checkTokenHeaders(answers)
	e.checkTokenGET(ctx)
	if e.slowest > slow {
		e.addFinding(Warn, TokenTime, fmt.Sprintf("The token endpoint took %s to refuse a code.", e.slowest.Round(10*time.Millisecond)),
			"Answer within two seconds: LivePerson gives up after a time that it does not document (errors 9010 and 9013).")
	} else {
		e.addOK(TokenTime, "The token endpoint answers within two seconds.")
	}
}

const (
	typeForm = "application/x-www-form-urlencoded"
	typeJSON = "application/json"
)

// tokenBody is what is posted, and what it is called.
type tokenBody struct{ kind, text string }

func codeGrant() map[string]string {
	return map[string]string{"grant_type": "authorization_code", "code": "idp-doctor-" + randomText(), "redirect_uri": liveengage.EmbeddedRedirectURI}
}

func formBody() tokenBody {
	v := url.Values{}
	for name, value := range codeGrant() {
		v.Set(name, value)
	}
	return tokenBody{typeForm, v.Encode()}
}

// postToken posts to the token endpoint. LivePerson puts id and secret into the
// Basic header as they are (RFC 2617), so this does, too.
func (e *exam) postToken(ctx context.Context, secret string, b tokenBody) (response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.meta.TokenEndpoint, strings.NewReader(b.text))
	if err != nil {
		return response{}, err
	}
	r.Header.Set("Content-Type", b.kind)
	r.SetBasicAuth(e.cfg.ClientID, secret)
	a, err := e.send(r)
	e.slowest = max(e.slowest, a.took)
	return a, err
}

// oauthError is the error in the body of an answer; empty where there is none.
func (a response) oauthError() string {
	var v struct{ Error string }
	if json.Unmarshal([]byte(a.body), &v) != nil {
		return ""
	}
	return v.Error
}

// isCodeRejected says whether an answer is that to a wrong code, which comes only
// after everything else was accepted (RFC 6749 section 5.2; LivePerson's own
// pages call it invalid_code).
func (a response) isCodeRejected() bool {
	return a.status == http.StatusBadRequest && (a.oauthError() == "invalid_grant" || a.oauthError() == "invalid_code")
}

// checkWrongCode judges the answer to a made-up code with the right secret. It is
// true where the provider has come as far as looking at the code.
func (e *exam) checkWrongCode(ctx context.Context, a response) bool {
	switch {
	case a.isCodeRejected():
		e.addOK(TokenCredentials, "LivePerson's id and secret are accepted: of the request only the made-up code was wrong.")
		e.addOK(TokenForm, fmt.Sprintf("A form is read, and a wrong code is refused with %s.", a.oauthError()))
		return true
	case a.status == http.StatusTooManyRequests: // ours says invalid_client, too
		e.addFinding(Skip, TokenCredentials, "The token endpoint lets this machine wait after too many failures.", "Run the examination again in some minutes.", a.summarize())
	case a.status == http.StatusUnauthorized || a.oauthError() == "invalid_client":
		e.checkCredentials(ctx, a)
	case a.status < 300:
		e.addFinding(Error, TokenForm, "The token endpoint takes a code that was made up.", "Let it give tokens for codes that it has issued itself, and for nothing else.", a.summarize())
		return true
	case a.status == http.StatusBadRequest && a.oauthError() != "":
		e.addFinding(Error, TokenForm, fmt.Sprintf("The token endpoint refuses LivePerson's request with %s before it looks at the code.", a.oauthError()),
			"Allow this client the grant authorization_code with a Basic header, a form and nothing more: grant_type, code, redirect_uri.", a.summarize())
	default:
		e.addFinding(Error, TokenForm, fmt.Sprintf("The token endpoint answers a wrong code by %d instead of 400 with invalid_grant in JSON.", a.status),
			"Check that the address is that of the token endpoint and that it takes forms with a Basic header.", a.summarize())
	}
	return false
}

// checkCredentials finds out why LivePerson's secret is refused: for good, or for the
// way in which LivePerson writes it.
func (e *exam) checkCredentials(ctx context.Context, refused response) {
	id, secret := url.QueryEscape(e.cfg.ClientID), url.QueryEscape(e.cfg.ClientSecret)
	if id == e.cfg.ClientID && secret == e.cfg.ClientSecret {
		e.addFinding(Error, TokenCredentials, fmt.Sprintf("The token endpoint refuses the id %q with its secret in a Basic header.", e.cfg.ClientID),
			"Enter the same id and secret in the provider and in the connector, without a space or line end, and let the client authenticate by client_secret_basic.", refused.summarize())
		return
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.meta.TokenEndpoint, strings.NewReader(formBody().text))
	if err != nil {
		return
	}
	r.Header.Set("Content-Type", typeForm)
	r.SetBasicAuth(id, secret)
	if a, err := e.send(r); err == nil && a.isCodeRejected() {
		e.addFinding(Error, TokenCredentials, "Id and secret are accepted only if their special characters are encoded (RFC 6749 section 2.3.1), and LivePerson writes them as they are.",
			"Choose an id and a secret of letters and digits alone, such as openssl rand -hex 32 makes.", refused.summarize())
		return
	}
	e.addFinding(Error, TokenCredentials, fmt.Sprintf("The token endpoint refuses the id %q with its secret in a Basic header.", e.cfg.ClientID),
		"Enter the same id and secret in the provider and in the connector, and choose a secret of letters and digits alone.", refused.summarize())
}

// checkWrongSecret judges the answer to a secret that was made up.
func (e *exam) checkWrongSecret(a response) {
	switch {
	case a.status == http.StatusUnauthorized && (a.oauthError() == "invalid_client" || a.oauthError() == ""):
		e.addOK(TokenSecret, "A wrong secret is refused with 401.")
	case a.isCodeRejected() || a.status < 300:
		e.addFinding(Error, TokenSecret, "The token endpoint does not look at the secret: a made-up one is as good as LivePerson's.", "Give the client a secret, and let it authenticate by client_secret_basic.", a.summarize())
	case a.status == http.StatusTooManyRequests:
		e.addFinding(Skip, TokenSecret, "The token endpoint lets this machine wait after too many failures.", "Run the examination again in some minutes.", a.summarize())
	default:
		e.addFinding(Warn, TokenSecret, fmt.Sprintf("A wrong secret in a Basic header is answered by %d instead of 401.", a.status),
			"Answer 401 with WWW-Authenticate: Basic (RFC 6749 section 5.2), so that a wrong secret can be told from a wrong code.", a.summarize())
	}
}

// checkJSONBody tries the body that older connectors send.
func (e *exam) checkJSONBody(ctx context.Context) {
	text, err := json.Marshal(codeGrant())
	if err != nil {
		return
	}
	a, err := e.postToken(ctx, e.cfg.ClientSecret, tokenBody{typeJSON, string(text)})
	switch {
	case err != nil:
		e.addFinding(Note, TokenJSON, fmt.Sprintf("A body in JSON is not answered: %v.", err), e.jsonRemedy())
	case a.isCodeRejected():
		e.addOK(TokenJSON, "A body in JSON, as older connectors send it, is read as well.")
	default:
		e.addFinding(Note, TokenJSON, "A body in JSON, as older connectors send it, is refused.", e.jsonRemedy(), a.summarize())
	}
}

func (e *exam) jsonRemedy() string {
	if e.cfg.JSONRemedy != "" {
		return e.cfg.JSONRemedy
	}
	return "Nothing, if the connector is of today: those send forms. If the provider's log shows refused bodies of application/json, let it accept them, or ask LivePerson's support to switch the connector."
}

// checkTokenHeaders looks at how refusals are sent: the first answer stands for all of them.
func (e *exam) checkTokenHeaders(all []response) {
	first := all[0]
	var lacks []string
	if !strings.Contains(strings.ToLower(first.header.Get("Cache-Control")), "no-store") {
		lacks = append(lacks, "Cache-Control: no-store")
	}
	if !strings.Contains(strings.ToLower(first.header.Get("Pragma")), "no-cache") {
		lacks = append(lacks, "Pragma: no-cache")
	}
	switch {
	case !first.isJSON():
		e.addFinding(Error, TokenHeaders, fmt.Sprintf("The token endpoint answers in %q instead of application/json.", first.header.Get("Content-Type")),
			"Answer in JSON, errors too; check that no proxy replaces error answers by pages of its own.", first.summarize())
	case len(lacks) > 0:
		e.addFinding(Warn, TokenHeaders, fmt.Sprintf("Answers of the token endpoint lack %s.", strings.Join(lacks, " and ")), "Send both, so that no cache keeps a token (RFC 6749 section 5.1).", first.summarize())
	default:
		e.addOK(TokenHeaders, "The token endpoint answers in JSON that no cache may keep.")
	}
	for _, a := range all {
		if a.status != http.StatusUnauthorized && a.header.Get("WWW-Authenticate") != "" {
			e.addFinding(Warn, TokenChallenge, fmt.Sprintf("An answer %d has the header WWW-Authenticate.", a.status), "Send it with 401 alone (RFC 9110 section 11.6.1).", a.summarize())
			return
		}
	}
	e.addOK(TokenChallenge, "WWW-Authenticate stands at 401 alone.")
}

// checkTokenGET looks whether codes and secrets may come in addresses.
func (e *exam) checkTokenGET(ctx context.Context) {
	a, err := e.get(ctx, e.meta.TokenEndpoint)
	switch {
	case err != nil:
		e.addFinding(Note, TokenMethod, fmt.Sprintf("GET is not answered by the token endpoint: %v.", err), "Answer 405.")
	case a.status < 300:
		e.addFinding(Error, TokenMethod, "The token endpoint answers GET, whose parameters end up in logs.", "Take POST alone (RFC 6749 section 3.2).", a.summarize())
	case a.status != http.StatusMethodNotAllowed:
		e.addFinding(Note, TokenMethod, fmt.Sprintf("The token endpoint answers GET by %d instead of 405.", a.status), "Nothing, if it is the right address: LivePerson sends POST alone.", a.summarize())
	default:
		e.addOK(TokenMethod, "The token endpoint takes POST alone.")
	}
}
