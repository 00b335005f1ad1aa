package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Codes of the client's credentials and of the token request.
const (
	TokenCredentials Code = "token-credentials" //nolint:gosec // the name of a finding
	TokenSecret      Code = "token-secret"
	TokenForm        Code = "token-form"
)

const runAgainLater = "Run again in a few minutes."

// checkWrongSecret judges the response to a secret that is made up.
func (e *exam) checkWrongSecret(res response) {
	if res.status == http.StatusUnauthorized && (res.oauthError() == "invalid_client" || res.oauthError() == "") {
		e.addOK(TokenSecret, "The token endpoint rejects a wrong secret with 401.")
		return
	}
	if res.isCodeRejected() || res.status < 300 {
		e.addError(TokenSecret, "The token endpoint does not check the client secret: it accepts any.",
			"Give the client a secret, and require client_secret_basic.", res.summarize())
		return
	}
	if res.status == http.StatusTooManyRequests {
		e.addSkip(TokenSecret, "The token endpoint limits requests from this machine, because too many have failed.",
			runAgainLater, res.summarize())
		return
	}
	e.addWarning(TokenSecret, fmt.Sprintf("The token endpoint rejects a wrong secret with %d instead of 401.", res.status),
		"Respond with 401 and WWW-Authenticate: Basic (RFC 6749 section 5.2). Then you can tell a wrong secret from a "+
			"wrong code.", res.summarize())
}

// checkRightSecret sends LivePerson's secret with a code that is made up. It
// returns the response, and false if there is none.
func (e *exam) checkRightSecret(ctx context.Context) (response, bool) {
	if !e.cfg.ClientSecret.IsSet() {
		const giveSecret = "Give the secret: in the configuration (--config), or in IDP_DOCTOR_SECRET."
		e.addSkip(TokenCredentials, "LivePerson's secret was not tried, because it was not given.", giveSecret)
		e.addSkip(TokenJSON, "A JSON body was not tried, because no secret was given.", giveSecret)
		return response{}, false
	}
	res, err := e.postToken(ctx, e.cfg.ClientID, e.cfg.ClientSecret.Reveal(), formBody())
	if err != nil {
		e.addError(TokenAnswers,
			fmt.Sprintf("The token endpoint does not respond to a request with LivePerson's secret: %v.", err),
			"Look in the provider's log.")
		return response{}, false
	}
	if e.checkWrongCode(ctx, res) {
		e.checkJSONBody(ctx)
	}
	return res, true
}

// checkWrongCode judges the response to the right secret with a code that is made
// up. It reports whether the provider got as far as checking the code.
func (e *exam) checkWrongCode(ctx context.Context, res response) bool {
	oauthError := res.oauthError()
	if res.isCodeRejected() {
		e.addOK(TokenCredentials, "The token endpoint accepts LivePerson's client ID and secret.")
		e.addOK(TokenForm, fmt.Sprintf("The token endpoint reads a form, and rejects a wrong code with %s.", oauthError))
		return true
	}
	if res.status == http.StatusTooManyRequests { // our provider also says invalid_client
		e.addSkip(TokenCredentials, "The token endpoint limits requests from this machine, because too many have failed.",
			runAgainLater, res.summarize())
		return false
	}
	if res.status == http.StatusUnauthorized || oauthError == "invalid_client" {
		e.explainRejectedSecret(ctx, res)
		return false
	}
	if res.status < 300 {
		e.addError(TokenForm, "The token endpoint accepts a code that is made up.",
			"Issue tokens only for codes that the provider has issued itself.", res.summarize())
		return true
	}
	if res.status == http.StatusBadRequest && oauthError != "" {
		e.addError(TokenForm,
			fmt.Sprintf("The token endpoint rejects LivePerson's request with %s before it checks the code.", oauthError),
			"Allow this client the grant type authorization_code with what LivePerson sends: a Basic header, and a form "+
				"with grant_type, code and redirect_uri.", res.summarize())
		return false
	}
	e.addError(TokenForm,
		fmt.Sprintf("The token endpoint does not reject a wrong code with 400 and the JSON error invalid_grant. "+
			"Its status is %d.", res.status),
		"Check that the URL is that of the token endpoint, and that it accepts a form with a Basic header.",
		res.summarize())
	return false
}

// explainRejectedSecret finds out whether the secret is wrong, or only rejected
// because LivePerson does not encode it.
func (e *exam) explainRejectedSecret(ctx context.Context, rejected response) {
	const rejects = "The token endpoint rejects the client ID %q with its secret in a Basic header."
	sentence := fmt.Sprintf(rejects, e.cfg.ClientID)
	secret := e.cfg.ClientSecret.Reveal()
	encodedID, encodedSecret := url.QueryEscape(e.cfg.ClientID), url.QueryEscape(secret)
	if encodedID == e.cfg.ClientID && encodedSecret == secret {
		e.addError(TokenCredentials, sentence,
			"Enter the same client ID and secret in the provider and in the connector, without spaces or line ends, and "+
				"allow the client client_secret_basic.", rejected.summarize())
		return
	}
	res, err := e.postToken(ctx, encodedID, encodedSecret, formBody())
	if err == nil && res.isCodeRejected() {
		e.addError(TokenCredentials,
			"The token endpoint accepts the client ID and secret only if special characters are encoded (RFC 6749 section "+
				"2.3.1), and LivePerson does not encode them.",
			"Choose a client ID and a secret of letters and digits only, for example with openssl rand -hex 32.",
			rejected.summarize())
		return
	}
	e.addError(TokenCredentials, sentence,
		"Enter the same client ID and secret in the provider and in the connector, and choose a secret of letters and "+
			"digits only.", rejected.summarize())
}
