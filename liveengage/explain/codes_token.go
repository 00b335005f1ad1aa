package explain

import "idpbridge/liveengage"

// tokenErrors are about tokens that cannot be parsed or decrypted.
func tokenErrors() []ErrorCode {
	notToken := []string{
		"The callback got something other than the token: an object, an error message, or a code although the " +
			"connector is set to implicit.",
		"The token was cut off or changed in transit.",
	}
	return []ErrorCode{{
		Code: liveengage.CodeParseError, Name: "PARSE_ERROR",
		Meaning:  "The token could not be split into its parts.",
		Causes:   notToken,
		Remedies: []string{inspectToken, logCallback},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeNoSuchAlgorithm, Name: "NO_SUCH_ALGORITHM",
		Meaning: "The token names an algorithm that LivePerson does not support.",
		Causes: []string{
			"alg is not RS256, or is misspelt.",
			"An encrypted token has the alg RSA_OAEP_256, a misprint in an older version of the documentation. The " +
				"correct name is RSA-OAEP-256.",
		},
		Remedies: []string{inspectToken, "Sign with RS256, and encrypt the key with RSA-OAEP-256."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeJOSEException, Name: "JOSE_EXCEPTION",
		Meaning: "LivePerson could not decrypt your token.",
		Causes: []string{
			"It was encrypted to a key that is not LivePerson's current one.",
			"alg is not exactly RSA-OAEP-256, or LivePerson does not support the enc.",
		},
		Remedies: []string{inspectToken, "Ask LivePerson for its current encryption key and the kid."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeInvalidKeySpec, Name: "INVALID_KEY_SPEC",
		Meaning: "A key could not be read. In most cases it is the connector's JWT Public Key.",
		Causes: []string{
			"The field has a certificate, a PKCS #1 key, or the BEGIN and END lines.",
			"A character was lost or added when the key was pasted.",
		},
		Remedies: []string{pasteKey},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeUnsupportedEncoding, Name: "UNSUPPORTED_ENCODING",
		Meaning:  "A text is not in the encoding that LivePerson expects.",
		Causes:   []string{"The token is not base64url without padding, or its claims are not UTF-8."},
		Remedies: []string{inspectToken},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeJWTNotValid, Name: "JWT_NOT_VALID",
		Meaning: "The text does not have the form of a token: three parts separated by dots, or five if it is " +
			"encrypted.",
		Causes:   notToken,
		Remedies: []string{inspectToken, logCallback},
		Source:   fromTable,
	}}
}

// claimErrors are about the contents of a token.
func claimErrors() []ErrorCode {
	return []ErrorCode{{
		Code: liveengage.CodeJWTParsingError, Name: "JWT_PARSING_ERROR",
		Meaning: "The token has the right form, but its contents could not be read.",
		Causes: []string{
			"exp or iat is a string or has a fraction.",
			"The header or the claims are not JSON, or not base64url.",
		},
		Remedies: []string{inspectToken},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeLPJWTParsingError, Name: "LP_JWT_PARSING_ERROR",
		Meaning:  "LivePerson could not read its own token.",
		Causes:   []string{"Your token was sent to an API that expects LivePerson's token."},
		Remedies: []string{"Exchange your token at LivePerson's authenticate API first, and use the token that it returns."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeJWTMissingClaimset, Name: "JWT_MISSING_CLAIMSET",
		Meaning: "The token has no claims.",
		Causes: []string{
			"The second part is empty or is not a JSON object.",
			"An encrypted token contains the claims instead of a signed token.",
		},
		Remedies: []string{inspectToken, "Sign first, then encrypt the signed token."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeJWTExpired, Name: "JWT_EXPIRED",
		Meaning: "The token has expired: exp is in the past.",
		Causes: []string{
			"The page kept a token from an earlier sign-in.",
			"The clock of the server that issues tokens is wrong.",
			"exp is not in seconds.",
		},
		Remedies: []string{"Make the page's method get a new token each time it is called.", inspectToken},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeSDEParseException, Name: "SDE_PARSE_EXCEPTION",
		Meaning: "lp_sdes could not be read.",
		Causes: []string{
			"lp_sdes is an object instead of an array.",
			"It has a type other than ctmrinfo and personal, or fields outside info and personal.",
			"A field has the wrong JSON type, such as a date as a string or gender as a number.",
		},
		Remedies: []string{"Run idp token inspect: it names every wrong field and says what to write instead."},
		Source:   fromTable,
	}}
}
