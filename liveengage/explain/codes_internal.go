package explain

import "idpbridge/liveengage"

// internalErrors are about LivePerson's own systems. A brand can only tell LivePerson's
// support.
func internalErrors() []ErrorCode {
	var out []ErrorCode
	for _, e := range []struct{ code, name, meaning string }{
		{
			liveengage.CodeSNMPInitFailed, "SNMP_INIT_FAILED",
			"LivePerson could not start its monitoring.",
		},
		{
			liveengage.CodeAESSecretDecodingError, "AES_SECRET_DECODING_ERROR",
			"LivePerson could not read the secret that encrypts claims in its own token.",
		},
		{
			liveengage.CodeEncryptionInitFailed, "ENCRYPTION_INIT_FAILED",
			"LivePerson could not start the encryption of claims in its own token.",
		},
		{
			liveengage.CodeEncryptionFailed, "ENCRYPTION_FAILED",
			"LivePerson could not encrypt claims in its own token.",
		},
		{
			liveengage.CodeDecryptionInitFailed, "DECRYPTION_INIT_FAILED",
			"LivePerson could not start the decryption of claims in its own token.",
		},
		{
			liveengage.CodeDecryptionDecodeException, "DECRYPTION_DECODE_EXCEPTION",
			"LivePerson could not decode the encrypted claims in its own token.",
		},
		{
			liveengage.CodeDecryptionException, "DECRYPTION_EXCEPTION",
			"LivePerson could not decrypt the claims in its own token.",
		},
		{
			liveengage.CodeDependencyTesterInitFailed, "DEPENDENCY_TESTER_INIT_FAILED",
			"LivePerson could not start its health check.",
		},
		{
			liveengage.CodeLEAuthDeserializerFailed, "LE_AUTH_DESERIALIZER_FAILED",
			"LivePerson could not read its own record of an authentication.",
		},
		{
			liveengage.CodeSSLInitFailed, "SSL_INIT_FAILED",
			"LivePerson could not set up a secure connection. It is not known whether a connection to your URLs can cause it.",
		},
		{
			liveengage.CodeCassandraClientInitFailed, "CASSANDRA_CLIENT_INIT_FAILED",
			"LivePerson could not reach its database.",
		},
		{
			liveengage.CodeBlacklistUpdateFailed, "BLACKLIST_UPDATE_FAILED",
			"LivePerson could not update its list of revoked anonymous tokens.",
		},
		{
			liveengage.CodeBlacklistReadFailed, "BLACKLIST_READ_FAILED",
			"LivePerson could not read its list of revoked anonymous tokens.",
		},
		{
			liveengage.CodeBlacklistAddFailed, "BLACKLIST_ADD_FAILED",
			"LivePerson could not revoke an anonymous token.",
		},
		{
			liveengage.CodeBlacklistRemoveFailed, "BLACKLIST_REMOVE_FAILED",
			"LivePerson could not remove an anonymous token from its list of revoked ones.",
		},
	} {
		remedies := []string{tellSupport}
		if e.code == liveengage.CodeSSLInitFailed {
			remedies = []string{runDoctor, tellSupport}
		}
		out = append(out, ErrorCode{e.code, e.name, e.meaning, []string{unrelatedToBrand}, remedies, fromTable})
	}
	return append(out, ErrorCode{
		Code: liveengage.CodeACProvisionDataNotFound, Name: "AC_PROVISION_DATA_NOT_FOUND",
		Meaning:  "The account lacks a feature that is needed for this.",
		Causes:   []string{"Async_Messaging or Authenticated_Chat is not switched on for the account."},
		Remedies: []string{"Ask LivePerson which features the account has; authenticated messaging needs both."},
		Source:   fromTable,
	})
}
