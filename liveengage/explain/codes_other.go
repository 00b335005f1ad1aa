package explain

import "idpbridge/liveengage"

// anonymousErrors are about customers who are not signed in. Their tokens are
// LivePerson's own.
func anonymousErrors() []ErrorCode {
	reload := []string{"Make the chat request a new anonymous token: reload the page."}
	return []ErrorCode{{
		Code: liveengage.CodeUnAuthJWTFoundInBlacklist, Name: "UN_AUTH_JWT_FOUND_IN_BLACKLIST",
		Meaning:  "The anonymous token of this visitor was revoked.",
		Causes:   []string{"The visitor has signed in or out since then."},
		Remedies: reload,
		Source:   fromTable,
	}, {
		Code: liveengage.CodeNonAuthJWTRefreshExpired, Name: "NON_AUTH_JWT_REFRESH_EXPIRED",
		Meaning:  "The anonymous token is too old to be renewed.",
		Causes:   []string{"The visitor came back after about a month."},
		Remedies: reload,
		Source:   fromTable,
	}, {
		Code: liveengage.CodeNonAuthJWTInvalidSignature, Name: "NON_AUTH_JWT_INVALID_SIGNATURE",
		Meaning:  "The anonymous token was not issued by LivePerson.",
		Causes:   []string{"Your token was sent in place of an anonymous one."},
		Remedies: reload,
		Source:   fromTable,
	}, {
		Code: liveengage.CodeNonAuthJWTWrongAccountID, Name: "NON_AUTH_JWT_WRONG_ACCOUNT_ID",
		Meaning:  "The anonymous token is for another account.",
		Causes:   []string{"The site mixes up the test account and the live account."},
		Remedies: []string{"Check the account number in the page's LivePerson tag, then reload the page."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeNonAuthJWTMessagingFeatureOff, Name: "NON_AUTH_JWT_MESSAGING_FEATURE_OFF",
		Meaning:  "The account does not allow messaging before sign-in.",
		Causes:   []string{"The feature Messaging.Un_Auth_Messaging is off."},
		Remedies: []string{"Ask LivePerson to switch it on if visitors should chat before they sign in."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeCaptchaVerificationFailed, Name: "CAPTCHA_VERIFICATION_FAILED",
		Meaning:  "The visitor did not pass the captcha.",
		Causes:   []string{unrelatedToBrand},
		Remedies: reload,
		Source:   fromTable,
	}, {
		Code: liveengage.CodeCaptchaVerificationServiceError, Name: "CAPTCHA_VERIFICATION_SERVICE_ERROR",
		Meaning:  "The captcha could not be checked.",
		Causes:   []string{unrelatedToBrand},
		Remedies: []string{tellSupport},
		Source:   fromTable,
	}}
}

// tokenEndpointErrors are responses of the brand's token endpoint, by the names in
// LivePerson's documentation.
func tokenEndpointErrors() []ErrorCode {
	return []ErrorCode{{
		Code: "json_parse_error", Name: "the body could not be read",
		Meaning: "Your token endpoint could not read the request body. The name is from LivePerson's documentation.",
		Causes: []string{
			"Newer connectors send a form, older ones JSON, and the endpoint accepts only one of them.",
		},
		Remedies: []string{
			"Make the token endpoint accept both. This provider uses OAuth's name for the error, invalid_request.",
			runDoctor,
		},
		Source: fromDocs,
	}, {
		Code: "invalid_code", Name: "the code is not valid",
		Meaning: "Your token endpoint rejected the code. The name is from LivePerson's documentation. LiveEngage reports " +
			"9011.",
		Causes: []string{
			"The code was already used, has expired, or was issued for another client or redirect_uri.",
		},
		Remedies: []string{
			"Find the sign-in in this provider's log, which uses OAuth's name for the error, invalid_grant.",
			"Get a new code for each callback; a code works once.",
		},
		Source: fromDocs,
	}, {
		Code: "unauthorized_client", Name: "the subscriber may not use messaging",
		Meaning: "Your token endpoint responded with this error. In LivePerson's documentation it means that the token " +
			"is valid but the customer may not use messaging. In OAuth it means that the client may not use this grant.",
		Causes: []string{
			"The client may not use the code flow.",
			"A rule of yours excludes this customer.",
		},
		Remedies: []string{"Allow LiveEngage's client the response type code in the configuration.", runDoctor},
		Source:   fromDocs,
	}}
}
