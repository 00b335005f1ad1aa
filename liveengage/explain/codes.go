package explain

import "idpbridge/liveengage"

// How an explanation is known. None of it was tried against a live account.
const (
	fromTable  = "The name is in a table of error codes that several public tools copy; LivePerson does not document it. The causes are our reading."
	fromStaff  = "Explained by LivePerson's staff in public threads and seen in others' logs; LivePerson does not document it."
	fromLogs   = "Seen in others' logs; the name is in a table of error codes that several public tools copy."
	fromDocs   = "Known from LivePerson's documentation."
	notUnusual = "Not known to depend on anything of a brand's."
)

// Remedies that many codes share.
const (
	inspectToken = "Inspect the token that was sent: idp token inspect, with --jwks or --key for the key that the connector has, and --issuer."
	runDoctor    = "Check the addresses and the key from outside: idp doctor."
	pasteKey     = "Paste the key anew from idp keys show --format line, and compare the fingerprint with that of idp keys show."
	tellSupport  = "Try again in a minute; if it stays, give LivePerson's support the code, the time and the account."
)

// serviceErrors are those of the 9000s: the answers that a brand's faults
// mostly end in.
func serviceErrors() []ErrorCode {
	return append([]ErrorCode{{
		Code: liveengage.CodeCustomerJWTNotValid, Name: "CUSTOMER_JWT_NOT_VALID",
		Meaning: "LivePerson refused your token: mostly its signature does not fit the key of the connector.",
		Causes: []string{
			"The key in JWT Public Key is another one, or lost a character while it was pasted.",
			"The key was changed and the connector still has the old one.",
			"The token is signed with another algorithm than RS256.",
			"iss differs from the connector's, exp is past, or iss, iat or exp is missing.",
		},
		Remedies: []string{inspectToken, pasteKey, "With the type JWKS Endpoint: " + runDoctor},
		Source:   fromStaff,
	}, {
		Code: liveengage.CodeLPJWTNotValid, Name: "LP_JWT_NOT_VALID",
		Meaning:  "LivePerson refused a token of its own, not yours: the one that its service issued after it had accepted yours.",
		Causes:   []string{"The token expired; it lives as long as yours did.", "It belongs to another account or environment."},
		Remedies: []string{"Authenticate again with a fresh token of yours.", "Check that the account number is the same everywhere."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeESAPIError, Name: "ESAPI_ERROR",
		Meaning: "The input did not pass LivePerson's filter against attacks by odd characters.",
		Causes: []string{
			"What was handed over is not a bare token: it has quotes, line ends or percent signs around or in it.",
			"A claim holds control characters or text that is encoded twice.",
		},
		Remedies: []string{inspectToken, "Hand the chat the bare token, without a prefix such as Bearer."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeServiceTimeout, Name: "SERVICE_TIMEOUT",
		Meaning:  "LivePerson's service did not finish in time.",
		Causes:   []string{"Your token endpoint or key set answers slowly.", "LivePerson's own service was slow."},
		Remedies: []string{runDoctor, tellSupport},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeCustomerAuthFailed, Name: "CUSTOMER_AUTH_FAILED",
		Meaning: "Your token endpoint refused the code.",
		Causes: []string{
			"The code was used before, or had expired.",
			"redirect_uri at the token endpoint is not the one that the code was issued for. For chat embedded in a page it is https://liveperson.net unless the page says otherwise.",
			"Client ID or Client Secret in the connector is wrong.",
			"PKCE is on in the connector and the code was issued without its challenge, or the other way round.",
		},
		Remedies: []string{
			"Look for the sign-in in the log of this provider: it says why the code was refused.",
			"Let the page's callback pass redirect_uri along with the code: callback({ssoKey: code, redirect_uri: …}).",
			runDoctor,
		},
		Source: fromTable,
	}}, moreServiceErrors()...)
}

func moreServiceErrors() []ErrorCode {
	return []ErrorCode{{
		Code: liveengage.CodeInputValidationError, Name: "INPUT_VALIDATION_ERROR",
		Meaning: "What the chat was handed does not have the form of a token or a code.",
		Causes: []string{
			"The callback was given an object, an error text or nothing instead of the token.",
			"The token is cut off, or longer than LivePerson takes.",
			"It is encrypted in a way that LivePerson does not take; one brand's encrypted tokens were refused so overnight.",
		},
		Remedies: []string{inspectToken, "Log what the page's method hands to its callback."},
		Source:   fromLogs,
	}, {
		Code: liveengage.CodeAuthenticationTimeout, Name: "AUTHENTICATION_TIMEOUT",
		Meaning:  "Your token endpoint did not answer in time. How many seconds it has is not known; stay below two.",
		Causes:   []string{"A firewall drops LivePerson's requests.", "The endpoint is slow, or its address is one of your own network."},
		Remedies: []string{runDoctor, "Open the token endpoint to the internet on port 443."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeAuthenticateException, Name: "AUTHENTICATE_EXCEPTION",
		Meaning:  "Something that LivePerson did not expect happened while it authenticated the customer.",
		Causes:   []string{"The token endpoint answered with something other than JSON with an id_token.", "A fault at LivePerson."},
		Remedies: []string{inspectToken, runDoctor, tellSupport},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeUnsupportedAuthType, Name: "UNSUPPORTED_AUTH_TYPE",
		Meaning:  "The connector is of a type that cannot authenticate this request.",
		Causes:   []string{"The page hands over a code and the connector is set to implicit, or the other way round.", "The wrong connector is the default one of the account."},
		Remedies: []string{"Compare OAuth 2.0 Authentication Type in the connector with what the page hands over: a token is implicit, a code is code."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeDefaultError, Name: "default error",
		Meaning:  "LivePerson has no better code for what happened.",
		Causes:   []string{notUnusual},
		Remedies: []string{inspectToken, tellSupport},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeServerError, Name: "server error",
		Meaning:  "A fault within LivePerson's service.",
		Causes:   []string{notUnusual},
		Remedies: []string{tellSupport},
		Source:   fromTable,
	}}
}

// tokenErrors are about a token that cannot be read or no longer counts.
func tokenErrors() []ErrorCode {
	notToken := []string{"The callback was given something other than the token: an object, a code where the connector is implicit, an error text.", "The token was cut off or changed on its way."}
	own := []ErrorCode{{
		Code: liveengage.CodeParseError, Name: "PARSE_ERROR", Meaning: "The token could not be taken apart.", Causes: notToken,
		Remedies: []string{inspectToken, "Log what the page's method hands to its callback."}, Source: fromTable,
	}, {
		Code: liveengage.CodeNoSuchAlgorithm, Name: "NO_SUCH_ALGORITHM", Meaning: "The token names an algorithm that LivePerson does not have.",
		Causes:   []string{"alg is not RS256, or misspelt.", "An encrypted token says RSA_OAEP_256, which an older page of the documentation misprinted; RSA-OAEP-256 is right."},
		Remedies: []string{inspectToken, "Sign with RS256; encrypt the key with RSA-OAEP-256."}, Source: fromTable,
	}, {
		Code: liveengage.CodeJOSEException, Name: "JOSE_EXCEPTION", Meaning: "LivePerson could not decrypt your token.",
		Causes:   []string{"It was encrypted for another key than LivePerson's present one.", "alg is not exactly RSA-OAEP-256, or enc is one that LivePerson does not have."},
		Remedies: []string{inspectToken, "Ask LivePerson for its present encryption key and its kid."}, Source: fromTable,
	}, {
		Code: liveengage.CodeInvalidKeySpec, Name: "INVALID_KEY_SPEC", Meaning: "A key could not be read: mostly the JWT Public Key of the connector.",
		Causes:   []string{"The field holds a certificate, a PKCS #1 key or the BEGIN and END lines.", "A character was lost or added while pasting."},
		Remedies: []string{pasteKey}, Source: fromTable,
	}, {
		Code: liveengage.CodeUnsupportedEncoding, Name: "UNSUPPORTED_ENCODING", Meaning: "A text was not in the encoding that LivePerson expects.",
		Causes:   []string{"The token is not base64url without padding, or its claims are not UTF-8."},
		Remedies: []string{inspectToken}, Source: fromTable,
	}, {
		Code: liveengage.CodeJWTNotValid, Name: "JWT_NOT_VALID", Meaning: "What was handed over does not have the form of a token: three parts with dots between, or five if encrypted.",
		Causes: notToken, Remedies: []string{inspectToken, "Log what the page's method hands to its callback."}, Source: fromTable,
	}, {
		Code: liveengage.CodeJWTParsingError, Name: "JWT_PARSING_ERROR", Meaning: "The token has the right form, and its contents could not be read.",
		Causes:   []string{"exp or iat is a text or has a fraction.", "Header or claims are not JSON, or not base64url."},
		Remedies: []string{inspectToken}, Source: fromTable,
	}, {
		Code: liveengage.CodeLPJWTParsingError, Name: "LP_JWT_PARSING_ERROR", Meaning: "LivePerson could not read a token of its own.",
		Causes:   []string{"A token of yours was sent to an interface that wants LivePerson's."},
		Remedies: []string{"Exchange your token at LivePerson's authenticate interface first, and use what it returns."}, Source: fromTable,
	}, {
		Code: liveengage.CodeJWTMissingClaimset, Name: "JWT_MISSING_CLAIMSET", Meaning: "The token has no claims.",
		Causes:   []string{"The second part is empty or is not a JSON object.", "An encrypted token holds the bare claims and not a signed token."},
		Remedies: []string{inspectToken, "Sign first, then encrypt the signed token."}, Source: fromTable,
	}, {
		Code: liveengage.CodeJWTExpired, Name: "JWT_EXPIRED", Meaning: "exp of the token is past.",
		Causes:   []string{"The page kept a token from an earlier sign-in.", "The clock of the server that issues tokens is wrong.", "exp is in another unit than seconds."},
		Remedies: []string{"Let the page's method fetch a fresh token each time it is called.", inspectToken}, Source: fromTable,
	}, {
		Code: liveengage.CodeSDEParseException, Name: "SDE_PARSE_EXCEPTION", Meaning: "lp_sdes could not be read.",
		Causes:   []string{"lp_sdes is an object and not an array.", "A type other than ctmrinfo and personal, or fields outside info and personal.", "A field has the wrong JSON type: a date as a text, gender as a number."},
		Remedies: []string{"idp token inspect names every field that is wrong and what to write instead."}, Source: fromTable,
	}}
	return own
}

// keyErrors are about finding and reading keys and connectors.
func keyErrors() []ErrorCode {
	return []ErrorCode{{
		Code: liveengage.CodeACClientInitFailed, Name: "AC_CLIENT_INIT_FAILED", Meaning: "LivePerson could not reach its own store of connectors.",
		Causes: []string{notUnusual}, Remedies: []string{tellSupport}, Source: fromTable,
	}, {
		Code: liveengage.CodeACConnectorFailed, Name: "AC_CONNECTOR_FAILED", Meaning: "LivePerson could not fetch the configuration of your connector.",
		Causes: []string{notUnusual}, Remedies: []string{tellSupport}, Source: fromTable,
	}, {
		Code: liveengage.CodeACConnectorNotFound, Name: "AC_CONNECTOR_NOT_FOUND", Meaning: "The account has no such connector.",
		Causes:   []string{"No authentication server is configured in this account, or it was deleted.", "The request names another account or connector; an app names a provider that the account does not have."},
		Remedies: []string{"Open Consumer Identity Provider in the Management Console and check that the provider is there.", "Compare the Issuer Display Name with the one that apps use."}, Source: fromTable,
	}, {
		Code: liveengage.CodeACConnectorTypeNotFound, Name: "AC_CONNECTOR_TYPE_NOT_FOUND", Meaning: "The connector exists, and its type cannot be used here.",
		Causes:   []string{"It is a connector for something other than authentication."},
		Remedies: []string{"Compare OAuth 2.0 Authentication Type in the connector with the flow that your page uses."}, Source: fromTable,
	}, {
		Code: liveengage.CodeRSADecryptorInitError, Name: "RSA_DECRYPTOR_INIT_ERROR", Meaning: "LivePerson could not set up its own decryption key.",
		Causes:   []string{"The token is encrypted, and the account is not set up for encrypted tokens."},
		Remedies: []string{"Ask LivePerson whether encryption is set up for the account, or send the signed token without it."}, Source: fromTable,
	}, {
		Code: liveengage.CodeRSAVerifierInitError, Name: "RSA_VERIFIER_INIT_ERROR", Meaning: "The public key of the connector is not a valid RSA key.",
		Causes:   []string{"JWT Public Key lost a character, or has the BEGIN and END lines or a line break in it.", "The key is an elliptic curve key."},
		Remedies: []string{pasteKey}, Source: fromTable,
	}, {
		Code: liveengage.CodeJWKParseFailed, Name: "JWK_PARSE_FAILED", Meaning: "The key set could not be read.",
		Causes:   []string{"JWKS Endpoint leads to a page and not to a key set.", "n or e is in plain base64 and not in base64url; this is refused.", "A key has only a certificate (x5c) and neither n nor e."},
		Remedies: []string{runDoctor, "idp token inspect --jwks URL names what is wrong with the keys."}, Source: fromTable,
	}, {
		Code: liveengage.CodeSiteSettingsTypeNotFound, Name: "SITE_SETTINGS_TYPE_NOT_FOUND", Meaning: "The account lacks the setting with LivePerson's encryption key.",
		Causes:   []string{"The token is encrypted, and the account is not set up for encrypted tokens."},
		Remedies: []string{"Ask LivePerson to set up encryption for the account, or send the signed token without it."}, Source: fromTable,
	}, {
		Code: liveengage.CodeSiteSettingsJWKNotFound, Name: "SITE_SETTINGS_JWK_NOT_FOUND", Meaning: "The account's setting for encryption holds no key.",
		Causes:   []string{"The token is encrypted, and the account is not set up for encrypted tokens."},
		Remedies: []string{"Ask LivePerson to set up encryption for the account, or send the signed token without it."}, Source: fromTable,
	}, {
		Code: liveengage.CodeJWKIDNotFound, Name: "JWK_ID_NOT_FOUND", Meaning: "No key of the key set has the kid of the token.",
		Causes:   []string{"The key was changed, and the key set that LivePerson keeps does not have the new one yet.", "JWKS Endpoint is another provider's.", "An encrypted token names your kid in its outer header, which must name LivePerson's."},
		Remedies: []string{"idp token inspect --jwks URL compares the kid with the key set.", "Publish a key a day before it signs. How long LivePerson keeps a key set is not known."}, Source: fromTable,
	}, {
		Code: liveengage.CodeMultipleJWKWithoutKidHeader, Name: "MULTIPLE_JWK_WITHOUT_KID_HEADER", Meaning: "The key set has several keys, and the token's header has no kid to choose by.",
		Causes:   []string{"The library that signs tokens was not told the kid."},
		Remedies: []string{"Write kid into the header.", inspectToken}, Source: fromTable,
	}}
}
