package explain

import "idpbridge/liveengage"

// internalErrors are about LivePerson's own machinery: a brand can only tell
// its support.
func internalErrors() []ErrorCode {
	var out []ErrorCode
	for _, e := range [][3]string{
		{liveengage.CodeSNMPInitFailed, "SNMP_INIT_FAILED", "LivePerson's monitoring could not be set up."},
		{liveengage.CodeAESSecretDecodingError, "AES_SECRET_DECODING_ERROR", "LivePerson could not read the secret by which it encrypts claims in its own token."},
		{liveengage.CodeEncryptionInitFailed, "ENCRYPTION_INIT_FAILED", "LivePerson could not set up the encryption of claims in its own token."},
		{liveengage.CodeEncryptionFailed, "ENCRYPTION_FAILED", "LivePerson could not encrypt claims for its own token."},
		{liveengage.CodeDecryptionInitFailed, "DECRYPTION_INIT_FAILED", "LivePerson could not set up the decryption of claims in its own token."},
		{liveengage.CodeDecryptionDecodeException, "DECRYPTION_DECODE_EXCEPTION", "LivePerson could not read the encrypted claims in its own token."},
		{liveengage.CodeDecryptionException, "DECRYPTION_EXCEPTION", "LivePerson could not decrypt the claims in its own token."},
		{liveengage.CodeDependencyTesterInitFailed, "DEPENDENCY_TESTER_INIT_FAILED", "LivePerson's health check could not be set up."},
		{liveengage.CodeLEAuthDeserializerFailed, "LE_AUTH_DESERIALIZER_FAILED", "LivePerson could not read its own record of an authentication."},
		{liveengage.CodeSSLInitFailed, "SSL_INIT_FAILED", "LivePerson could not set up a secure connection. Whether one to a brand's address can cause it is not known."},
		{liveengage.CodeCassandraClientInitFailed, "CASSANDRA_CLIENT_INIT_FAILED", "LivePerson could not reach its database."},
		{liveengage.CodeBlacklistUpdateFailed, "BLACKLIST_UPDATE_FAILED", "LivePerson could not update its list of revoked anonymous tokens."},
		{liveengage.CodeBlacklistReadFailed, "BLACKLIST_READ_FAILED", "LivePerson could not read its list of revoked anonymous tokens."},
		{liveengage.CodeBlacklistAddFailed, "BLACKLIST_ADD_FAILED", "LivePerson could not revoke an anonymous token."},
		{liveengage.CodeBlacklistRemoveFailed, "BLACKLIST_REMOVE_FAILED", "LivePerson could not take an anonymous token off its list of revoked ones."},
	} {
		x := ErrorCode{Code: e[0], Name: e[1], Meaning: e[2], Causes: []string{notUnusual}, Remedies: []string{tellSupport}, Source: fromTable}
		if x.Code == liveengage.CodeSSLInitFailed {
			x.Remedies = []string{runDoctor, tellSupport}
		}
		out = append(out, x)
	}
	return append(out, ErrorCode{
		Code: liveengage.CodeACProvisionDataNotFound, Name: "AC_PROVISION_DATA_NOT_FOUND", Meaning: "The account lacks a feature that this needs.",
		Causes:   []string{"Async_Messaging or Authenticated_Chat is not switched on for the account."},
		Remedies: []string{"Ask LivePerson which features the account has; authenticated messaging needs both."}, Source: fromTable,
	})
}

// anonymousErrors are about consumers who are not signed in, whose tokens are
// LivePerson's own.
func anonymousErrors() []ErrorCode {
	fresh := []string{"Let the chat ask for a new anonymous token: reload the page."}
	return []ErrorCode{{
		Code: liveengage.CodeUnAuthJWTFoundInBlacklist, Name: "UN_AUTH_JWT_FOUND_IN_BLACKLIST", Meaning: "The anonymous token of this visitor was revoked.",
		Causes: []string{"The visitor signed in or out in the meantime."}, Remedies: fresh, Source: fromTable,
	}, {
		Code: liveengage.CodeNonAuthJWTRefreshExpired, Name: "NON_AUTH_JWT_REFRESH_EXPIRED", Meaning: "An anonymous token is too old to be renewed.",
		Causes: []string{"The visitor comes back after about a month."}, Remedies: fresh, Source: fromTable,
	}, {
		Code: liveengage.CodeNonAuthJWTInvalidSignature, Name: "NON_AUTH_JWT_INVALID_SIGNATURE", Meaning: "An anonymous token is not one of LivePerson's.",
		Causes: []string{"A token of yours was sent where an anonymous one belongs."}, Remedies: fresh, Source: fromTable,
	}, {
		Code: liveengage.CodeNonAuthJWTWrongAccountID, Name: "NON_AUTH_JWT_WRONG_ACCOUNT_ID", Meaning: "An anonymous token belongs to another account.",
		Causes:   []string{"Test and live account are mixed up on one site."},
		Remedies: []string{"Check the account number in the page's LivePerson tag, then reload the page."}, Source: fromTable,
	}, {
		Code: liveengage.CodeNonAuthJWTMessagingFeatureOff, Name: "NON_AUTH_JWT_MESSAGING_FEATURE_OFF", Meaning: "The account does not allow messaging without signing in.",
		Causes:   []string{"Messaging.Un_Auth_Messaging is off."},
		Remedies: []string{"Ask LivePerson to switch it on if visitors should chat before they sign in."}, Source: fromTable,
	}, {
		Code: liveengage.CodeCaptchaVerificationFailed, Name: "CAPTCHA_VERIFICATION_FAILED", Meaning: "The visitor did not pass the check that keeps robots out.",
		Causes: []string{notUnusual}, Remedies: fresh, Source: fromTable,
	}, {
		Code: liveengage.CodeCaptchaVerificationServiceError, Name: "CAPTCHA_VERIFICATION_SERVICE_ERROR", Meaning: "The check that keeps robots out could not be made.",
		Causes: []string{notUnusual}, Remedies: []string{tellSupport}, Source: fromTable,
	}}
}

// otherErrors come from elsewhere: the messaging socket, the older chat server,
// and the token endpoint as LivePerson's pages describe it.
func otherErrors() []ErrorCode {
	return []ErrorCode{{
		Code: "4407", Name: "socket closed",
		Meaning:  "The messaging service closed its socket because of LivePerson's own token: it is not valid, has expired, or is for another account.",
		Causes:   []string{"The token that LivePerson issued lives as long as yours did, and yours has expired.", "Your token was used for the socket; it takes only LivePerson's.", "The account in the address is another one."},
		Remedies: []string{"Authenticate again with a fresh token of yours.", "If it happens at once: compare the account in the socket's address with aud of LivePerson's token, acc:ACCOUNT."},
		Source:   "Explained in a public thread and seen in others' logs; LivePerson does not document it.",
	}, {
		Code: "10", Name: "Failed to validate user with customer authentication service",
		Meaning:  "The older chat server, which messaging does not use, refused the customer. It answers 401.",
		Causes:   []string{"The same as for 9007 or 9011: a key that does not fit, or a code that your token endpoint refused.", "Some interfaces for agents use the number 10 for a wrong or old session instead."},
		Remedies: []string{inspectToken, pasteKey, runDoctor},
		Source:   fromLogs,
	}, {
		Code: "json_parse_error", Name: "the body could not be read",
		Meaning:  "An answer of the brand's token endpoint, as LivePerson's documentation names it: the request's body could not be read.",
		Causes:   []string{"Newer connectors send a form, older ones JSON; the endpoint takes only one of them."},
		Remedies: []string{"Let the token endpoint read both. This provider answers with OAuth's own names, here invalid_request.", runDoctor},
		Source:   fromDocs,
	}, {
		Code: "invalid_code", Name: "the code is not valid",
		Meaning:  "An answer of the brand's token endpoint, as LivePerson's documentation names it: the code is not valid. LiveEngage reports 9011.",
		Causes:   []string{"The code was used before, has expired, or was issued for another client or redirect_uri."},
		Remedies: []string{"Look for the sign-in in the log of this provider, which answers with OAuth's own name, invalid_grant.", "Fetch a fresh code for each callback; a code works once."},
		Source:   fromDocs,
	}, {
		Code: "unauthorized_client", Name: "the subscriber may not use messaging",
		Meaning:  "An answer of the brand's token endpoint. LivePerson's documentation means by it that the token is fine but this customer may not use messaging; OAuth means that the client may not use this grant.",
		Causes:   []string{"The client is not allowed the code flow.", "A brand's own rule keeps this customer out."},
		Remedies: []string{"Give LiveEngage's client the response type code in the configuration.", runDoctor},
		Source:   fromDocs,
	}}
}
