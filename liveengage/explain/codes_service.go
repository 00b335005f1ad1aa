package explain

import "idpbridge/liveengage"

// How an explanation is known. None of them was tested with a live account.
const (
	fromTable = "The name is from a table of error codes that several public tools have copied; LivePerson does not " +
		"document it. The causes are our interpretation."
	fromStaff = "LivePerson's staff explained it in public threads, and published logs contain it; LivePerson does not " +
		"document it."
	fromLogs = "Published logs contain it; the name is from a table of error codes that several public tools have copied."
	fromDocs = "From LivePerson's documentation."
)

// unrelatedToBrand is the cause of errors that a brand cannot cause.
const unrelatedToBrand = "No cause on your side is known."

// Remedies that many codes share.
const (
	inspectToken = "Inspect the token that was sent: idp token inspect, with --issuer and, for the connector's key, " +
		"--jwks or --key."
	runDoctor = "Check the URLs and the key from outside: idp doctor."
	pasteKey  = "Paste the key again from idp keys show --format line, and compare the fingerprint with that of " +
		"idp keys show."
	tellSupport = "Try again in a minute. If the error remains, give LivePerson's support the code, the time and the " +
		"account."
	logCallback = "Log what the page's method passes to its callback."
)

// serviceErrors are the codes that most problems of a brand end in.
func serviceErrors() []ErrorCode {
	return []ErrorCode{{
		Code: liveengage.CodeCustomerJWTNotValid, Name: "CUSTOMER_JWT_NOT_VALID",
		Meaning: "LivePerson rejected your token. In most cases its signature does not match the connector's key.",
		Causes: []string{
			"The field JWT Public Key has a different key, or a character was lost when the key was pasted.",
			"The key was changed, and the connector still has the old one.",
			"The token is signed with an algorithm other than RS256.",
			"iss differs from the connector's issuer, exp is in the past, or iss, iat or exp is missing.",
		},
		Remedies: []string{inspectToken, pasteKey, "For the type JWKS Endpoint, check from outside: idp doctor."},
		Source:   fromStaff,
	}, {
		Code: liveengage.CodeLPJWTNotValid, Name: "LP_JWT_NOT_VALID",
		Meaning: "LivePerson rejected its own token, the one that it issued after it had accepted yours.",
		Causes: []string{
			"The token expired; it is valid as long as yours.",
			"It is for another account or environment.",
		},
		Remedies: []string{
			"Authenticate again with a new token of yours.",
			"Check that the account number is the same everywhere.",
		},
		Source: fromTable,
	}, {
		Code: liveengage.CodeESAPIError, Name: "ESAPI_ERROR",
		Meaning: "LivePerson's input filter, which blocks attacks with unusual characters, rejected the input.",
		Causes: []string{
			"The page passed more than the token: quotes, line breaks or percent signs around or inside it.",
			"A claim contains control characters or text that is encoded twice.",
		},
		Remedies: []string{inspectToken, "Pass only the token to the chat, without a prefix such as Bearer."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeServiceTimeout, Name: "SERVICE_TIMEOUT",
		Meaning:  "LivePerson's service did not finish in time.",
		Causes:   []string{"Your token endpoint or key set responds slowly.", "LivePerson's service was slow."},
		Remedies: []string{runDoctor, tellSupport},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeCustomerAuthFailed, Name: "CUSTOMER_AUTH_FAILED",
		Meaning: "Your token endpoint rejected the code.",
		Causes: []string{
			"The code was already used or has expired.",
			"The redirect_uri at the token endpoint is not the one that the code was issued for. For embedded chat it " +
				"is " + liveengage.EmbeddedRedirectURI + " unless the page passes another one.",
			"The Client ID or Client Secret in the connector is wrong.",
			"PKCE is on in the connector but the code was issued without a challenge, or the reverse.",
		},
		Remedies: []string{
			"Find the sign-in in this provider's log, which says why the code was rejected.",
			"Make the page's callback pass redirect_uri with the code: callback({ssoKey: code, redirect_uri: …}).",
			runDoctor,
		},
		Source: fromTable,
	}}
}

// otherServiceErrors are the less common codes of the same service.
func otherServiceErrors() []ErrorCode {
	return []ErrorCode{{
		Code: liveengage.CodeInputValidationError, Name: "INPUT_VALIDATION_ERROR",
		Meaning: "The text that the chat got does not have the form of a token or a code.",
		Causes: []string{
			"The callback got an object, an error message or nothing instead of the token.",
			"The token is cut off, or longer than LivePerson accepts.",
			"The token is encrypted in a way that LivePerson does not accept. This happened to one brand from one day " +
				"to the next.",
		},
		Remedies: []string{inspectToken, logCallback},
		Source:   fromLogs,
	}, {
		Code: liveengage.CodeAuthenticationTimeout, Name: "AUTHENTICATION_TIMEOUT",
		Meaning: "Your token endpoint did not respond in time. The limit is not known; stay below two seconds.",
		Causes: []string{
			"A firewall drops LivePerson's requests.",
			"The endpoint is slow, or its URL is reachable only from your own network.",
		},
		Remedies: []string{runDoctor, "Open the token endpoint to the internet on port 443."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeAuthenticateException, Name: "AUTHENTICATE_EXCEPTION",
		Meaning: "An unexpected error occurred while LivePerson authenticated the customer.",
		Causes: []string{
			"The token endpoint did not respond with JSON that has an id_token.",
			"LivePerson's service failed.",
		},
		Remedies: []string{inspectToken, runDoctor, tellSupport},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeUnsupportedAuthType, Name: "UNSUPPORTED_AUTH_TYPE",
		Meaning: "The connector's type cannot authenticate this request.",
		Causes: []string{
			"The page passes a code but the connector is set to implicit, or the reverse.",
			"The wrong connector is the account's default.",
		},
		Remedies: []string{"Compare the connector's OAuth 2.0 Authentication Type with what the page passes: implicit " +
			"is for a token, code is for a code."},
		Source: fromTable,
	}, {
		Code: liveengage.CodeDefaultError, Name: "default error",
		Meaning:  "LivePerson has no specific code for this error.",
		Causes:   []string{unrelatedToBrand},
		Remedies: []string{inspectToken, tellSupport},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeServerError, Name: "server error",
		Meaning:  "LivePerson's service failed.",
		Causes:   []string{unrelatedToBrand},
		Remedies: []string{tellSupport},
		Source:   fromTable,
	}}
}
