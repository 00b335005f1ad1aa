package liveengage

// Error codes of LivePerson's services. The names are LivePerson's; only those of
// 9000, 9001 and 2003 are ours. Package explain says what the codes mean.
const (
	// The service that takes tokens and codes.
	CodeDefaultError          = "9000"
	CodeServerError           = "9001"
	CodeCustomerJWTNotValid   = "9007"
	CodeLPJWTNotValid         = "9008"
	CodeESAPIError            = "9009"
	CodeServiceTimeout        = "9010"
	CodeCustomerAuthFailed    = "9011"
	CodeInputValidationError  = "9012"
	CodeAuthenticationTimeout = "9013"
	CodeAuthenticateException = "9014"
	CodeUnsupportedAuthType   = "9015"

	// Tokens, keys and connectors.
	CodeParseError                  = "1001"
	CodeNoSuchAlgorithm             = "1003"
	CodeJOSEException               = "1004"
	CodeInvalidKeySpec              = "1005"
	CodeUnsupportedEncoding         = "1006"
	CodeSNMPInitFailed              = "1007"
	CodeJWTNotValid                 = "1008"
	CodeJWTParsingError             = "1009"
	CodeLPJWTParsingError           = "1010"
	CodeJWTMissingClaimset          = "1011"
	CodeJWTExpired                  = "1012"
	CodeACClientInitFailed          = "1022"
	CodeACConnectorFailed           = "1023"
	CodeACConnectorNotFound         = "1024"
	CodeACConnectorTypeNotFound     = "1025"
	CodeSDEParseException           = "1026"
	CodeRSADecryptorInitError       = "1027"
	CodeRSAVerifierInitError        = "1028"
	CodeAESSecretDecodingError      = "1029"
	CodeEncryptionInitFailed        = "1030"
	CodeEncryptionFailed            = "1031"
	CodeDecryptionInitFailed        = "1032"
	CodeDecryptionDecodeException   = "1033"
	CodeDecryptionException         = "1034"
	CodeDependencyTesterInitFailed  = "1036"
	CodeLEAuthDeserializerFailed    = "1037"
	CodeJWKParseFailed              = "1038"
	CodeSiteSettingsTypeNotFound    = "1039"
	CodeSiteSettingsJWKNotFound     = "1040"
	CodeJWKIDNotFound               = "1041"
	CodeMultipleJWKWithoutKidHeader = "1042"
	CodeSSLInitFailed               = "1043"
	CodeCassandraClientInitFailed   = "1044"
	CodeBlacklistUpdateFailed       = "1045"
	CodeBlacklistReadFailed         = "1046"
	CodeBlacklistAddFailed          = "1047"
	CodeBlacklistRemoveFailed       = "1048"
	CodeUnAuthJWTFoundInBlacklist   = "1049"
	CodeACProvisionDataNotFound     = "1050"

	// Tokens of visitors who are not signed in.
	CodeNonAuthJWTRefreshExpired        = "2001"
	CodeNonAuthJWTInvalidSignature      = "2002"
	CodeNonAuthJWTAccountUnknown        = "2003"
	CodeNonAuthJWTWrongAccountID        = "2004"
	CodeNonAuthJWTMessagingFeatureOff   = "2005"
	CodeCaptchaVerificationFailed       = "2006"
	CodeCaptchaVerificationServiceError = "2007"
)

// Close codes of the messaging socket, about LivePerson's own token.
const (
	// CloseTokenRevoked means that the token was revoked while the socket was open.
	CloseTokenRevoked = 4401
	// CloseTokenInvalid means that the token is not valid, has expired or is for another
	// account.
	CloseTokenInvalid = 4407
)

// Codes of the Login Service, which other services for agents use as well. Public logs
// contain 5 and 10; the others are guesses.
const (
	LoginBadCredentials = 2
	LoginSessionExpired = 3
	LoginBadRequest     = 4
	LoginBadAuthHeader  = 5
	LoginRejected       = 10 // for several reasons, which only the message tells apart
)
