package explain

import "idpbridge/liveengage"

// connectorErrors are about finding a connector and reading its key.
func connectorErrors() []ErrorCode {
	return []ErrorCode{{
		Code: liveengage.CodeACClientInitFailed, Name: "AC_CLIENT_INIT_FAILED",
		Meaning:  "LivePerson could not reach its connector store.",
		Causes:   []string{unrelatedToBrand},
		Remedies: []string{tellSupport},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeACConnectorFailed, Name: "AC_CONNECTOR_FAILED",
		Meaning:  "LivePerson could not get the configuration of your connector.",
		Causes:   []string{unrelatedToBrand},
		Remedies: []string{tellSupport},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeACConnectorNotFound, Name: "AC_CONNECTOR_NOT_FOUND",
		Meaning: "The account has no such connector.",
		Causes: []string{
			"No authentication server is configured in this account, or it was deleted.",
			"The request names a different account or connector, or an app names a provider that the account does not " +
				"have.",
		},
		Remedies: []string{
			"Open Consumer Identity Provider in the Management Console and check that the provider is listed.",
			"Compare the Issuer Display Name with the one in the apps.",
		},
		Source: fromTable,
	}, {
		Code: liveengage.CodeACConnectorTypeNotFound, Name: "AC_CONNECTOR_TYPE_NOT_FOUND",
		Meaning: "The connector exists, but its type cannot be used here.",
		Causes:  []string{"The connector is not for authentication."},
		Remedies: []string{
			"Compare the connector's OAuth 2.0 Authentication Type with the flow that your page uses.",
		},
		Source: fromTable,
	}, {
		Code: liveengage.CodeRSADecryptorInitError, Name: "RSA_DECRYPTOR_INIT_ERROR",
		Meaning:  "LivePerson could not load its decryption key.",
		Causes:   []string{encryptionNotSetUp},
		Remedies: []string{setUpEncryption},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeRSAVerifierInitError, Name: "RSA_VERIFIER_INIT_ERROR",
		Meaning: "The connector's public key is not a valid RSA key.",
		Causes: []string{
			"The field JWT Public Key has a missing character, a line break, or the BEGIN and END lines.",
			"The key is an elliptic curve key.",
		},
		Remedies: []string{pasteKey},
		Source:   fromTable,
	}}
}

const (
	encryptionNotSetUp = "The token is encrypted, but the account is not set up for encrypted tokens."
	setUpEncryption    = "Ask LivePerson to set up encryption for the account, or send the signed token unencrypted."
)

// keySetErrors are about key sets: yours, and the one with LivePerson's encryption key.
func keySetErrors() []ErrorCode {
	return []ErrorCode{{
		Code: liveengage.CodeJWKParseFailed, Name: "JWK_PARSE_FAILED",
		Meaning: "The key set could not be read.",
		Causes: []string{
			"The JWKS Endpoint returns a web page instead of a key set.",
			"n or e is in standard base64 instead of base64url, which LivePerson rejects.",
			"A key has only a certificate (x5c), without n and e.",
		},
		Remedies: []string{runDoctor, "Run idp token inspect --jwks URL: it names what is wrong with the keys."},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeSiteSettingsTypeNotFound, Name: "SITE_SETTINGS_TYPE_NOT_FOUND",
		Meaning:  "The account has no setting for LivePerson's encryption key.",
		Causes:   []string{encryptionNotSetUp},
		Remedies: []string{setUpEncryption},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeSiteSettingsJWKNotFound, Name: "SITE_SETTINGS_JWK_NOT_FOUND",
		Meaning:  "The account's encryption setting has no key.",
		Causes:   []string{encryptionNotSetUp},
		Remedies: []string{setUpEncryption},
		Source:   fromTable,
	}, {
		Code: liveengage.CodeJWKIDNotFound, Name: "JWK_ID_NOT_FOUND",
		Meaning: "No key in the key set has the token's kid.",
		Causes: []string{
			"The key was changed, and LivePerson's cached copy of the key set does not have the new one yet.",
			"The JWKS Endpoint is that of another provider.",
			"An encrypted token has your kid in its outer header instead of LivePerson's.",
		},
		Remedies: []string{
			"Run idp token inspect --jwks URL to compare the kid with the key set.",
			"Publish a key a day before it signs. It is not known how long LivePerson caches a key set.",
		},
		Source: fromTable,
	}, {
		Code: liveengage.CodeMultipleJWKWithoutKidHeader, Name: "MULTIPLE_JWK_WITHOUT_KID_HEADER",
		Meaning:  "The key set has several keys, but the token's header has no kid.",
		Causes:   []string{"The library that signs tokens was not given the kid."},
		Remedies: []string{"Add the kid to the header.", inspectToken},
		Source:   fromTable,
	}}
}
