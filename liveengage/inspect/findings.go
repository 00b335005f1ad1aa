package inspect

import "slices"

// Level is how serious a finding is.
type Level string

const (
	// Error is what LiveEngage rejects, ignores or misreads, or what lets other people in.
	Error Level = "error"
	// Warn is what works or may work, but is likely to cause trouble.
	Warn Level = "warn"
	// Note is what is good to know.
	Note Level = "note"
)

// Finding is one thing that Token or ParseKeys noticed.
type Finding struct {
	Code    string `json:"code"`  // stable, such as exp-milliseconds
	Level   Level  `json:"level"` // the same for all findings with that code
	Where   string `json:"where"` // token, header.kid, exp, lp_sdes[0].info.customerID, key …
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

// FindingKind is what findings with the same code have in common.
type FindingKind struct {
	Code    string
	Level   Level
	Meaning string // what was noticed, as a clause
	Remedy  string // what to do, if the finding itself has no remedy
}

// FindingKinds returns every code that Token and ParseKeys use, in the order of
// docs/token-inspect.md. The caller may change the slice.
func FindingKinds() []FindingKind {
	return slices.Concat(
		textKinds(), headerKinds(), encryptionKinds(), signatureKinds(), keyKinds(),
		timeKinds(), issuerKinds(), subjectKinds(), claimKinds(), sdesKinds(),
	)
}

func textKinds() []FindingKind {
	const useResponse = "use id_token from the token endpoint's response, or id_token, token or code from the redirect URL"
	return []FindingKind{
		{
			"not-a-token", Error,
			"the text is not a token: a token has three parts separated by dots, or five if it is encrypted",
			useResponse,
		},
		{
			"identity-object", Error,
			"the text is the object of the identity function, not a token",
			"pass the token to the callback; iss, acr and sub without a signature prove nothing",
		},
		{
			"code-not-token", Error,
			"the text is an authorization code, not a token",
			"exchange it at the token endpoint, then inspect the id_token in the response",
		},
		{
			"error-answer", Error,
			"the text is an error response",
			"fix that error first; idp liveengage explain describes LivePerson's errors",
		},
		{
			"liveperson-token", Error,
			"the token was issued by LivePerson, not by your provider",
			"inspect the token that your provider issues; LivePerson's token is for its messaging socket",
		},
		{
			"white-space-inside", Warn,
			"the token contains white space, which was ignored here",
			"make sure that LiveEngage gets the token without white space; terminals and email programs wrap long lines",
		},
		{
			"size-large", Warn,
			"the token is longer than 4096 bytes; the pop-out window carries it in a URL",
			"remove claims or use the code flow",
		},
		{
			"size-huge", Error,
			"the token is longer than 8192 bytes; many servers reject URLs of that length",
			"remove claims or use the code flow",
		},
		{
			"part-not-base64url", Error,
			"a part of the token is not base64url without padding (RFC 7515 section 2)",
			"create tokens with a library, which encodes the parts correctly",
		},
		{
			"not-utf8", Error,
			"the JSON of a part is not UTF-8",
			"encode the JSON in UTF-8 before you encode it in base64url",
		},
		{
			"duplicate-member", Error,
			"an object has two members with the same name; it is undefined which one counts",
			"write the member once",
		},
		{
			"control-character", Error,
			"a string contains a control character; LivePerson's input filter rejects unusual characters (9009)",
			"remove the character",
		},
	}
}

func headerKinds() []FindingKind {
	const useRS256 = "sign with RS256, the only algorithm that LiveEngage is known to accept"
	const addKid = "add the kid of the signing key to the header"
	return []FindingKind{
		{
			"header-not-json", Error,
			"the header is not a JSON object",
			`write {"alg":"RS256","kid":"…","typ":"JWT"}`,
		},
		{
			"alg-missing", Error,
			"alg is missing or is not a string",
			useRS256,
		},
		{
			"alg-none", Error,
			"alg is none: the token is not signed, so anyone can create one for any customer",
			"disable none in the library now, and sign with RS256; a server that accepts none accepts forged tokens",
		},
		{
			"alg-secret", Error,
			"alg is an HMAC algorithm: anyone who can verify such a token can forge it, and LiveEngage has only a public key",
			useRS256,
		},
		{
			"alg-elliptic", Error,
			"alg is an elliptic curve algorithm; LivePerson's documentation mentions only RSA",
			useRS256,
		},
		{
			"alg-pss", Error,
			"alg is RSA-PSS, which LivePerson's documentation does not mention",
			useRS256,
		},
		{
			"alg-hash", Error,
			"alg is RSA with a longer hash, which LivePerson's documentation does not mention",
			useRS256,
		},
		{
			"alg-unknown", Error,
			"alg is not an algorithm that signs tokens for LiveEngage",
			useRS256,
		},
		{
			"typ-odd", Warn,
			"typ is not JWT; at+jwt, for example, marks an access token, which is not for LiveEngage",
			"send the ID token, with typ JWT or without typ",
		},
		{
			"kid-missing", Warn,
			"the header has no kid; if a key set has several keys, LivePerson cannot choose one (1042)",
			addKid,
		},
		{
			"kid-needed", Error,
			"the header has no kid, and the key set has several keys (1042)",
			addKid,
		},
		{
			"kid-type", Error,
			"kid is not a string",
			"write kid as a string",
		},
	}
}

func encryptionKinds() []FindingKind {
	const encrypt = "encrypt with RSA-OAEP-256 and A128CBC-HS256"
	return []FindingKind{
		{
			"jwe-alg-misprint", Error,
			"alg is RSA_OAEP_256, a misprint in an older version of LivePerson's documentation",
			"write RSA-OAEP-256, with hyphens",
		},
		{
			"jwe-alg", Error,
			"alg of the encryption is not RSA-OAEP-256",
			encrypt,
		},
		{
			"jwe-enc", Warn,
			"enc is neither A128CBC-HS256 nor A256GCM, the only two seen in published tokens",
			encrypt,
		},
		{
			"jwe-enc-missing", Error,
			"the outer header has no enc",
			encrypt,
		},
		{
			"jwe-cty", Warn,
			"cty is not JWT, although RFC 7519 section 5.2 requires it; published tokens without it exist",
			`add "cty":"JWT" to the outer header`,
		},
		{
			"jwe-kid-missing", Warn,
			"the outer header has no kid",
			"add the kid of LivePerson's encryption key, which LivePerson gives you",
		},
		{
			"jwe-zip", Warn,
			"the token is compressed; it is not known whether LivePerson accepts that",
			"encrypt without zip",
		},
		{
			"jwe-closed", Note,
			"the encrypted token was not inspected, because there is no key to decrypt it",
			"pass the private key with --decrypt, or inspect the token before you encrypt it",
		},
		{
			"jwe-not-opened", Error,
			"the key does not decrypt the token",
			"encrypt to the public half of this key, or pass the private half of the key that the token was encrypted to",
		},
		{
			"jwe-inner-not-jws", Error,
			"the encrypted content is not a signed token",
			"sign first, then encrypt the signed token",
		},
	}
}

func signatureKinds() []FindingKind {
	return []FindingKind{
		{
			"signature-unchecked", Note,
			"the signature was not checked, because there is no key to check it with",
			"pass the connector's key with --key, or its key set with --jwks",
		},
		{
			"signature-missing", Error,
			"the token has no signature, so anyone can create one",
			"sign the token; its third part must not be empty",
		},
		{
			"signature-wrong", Error,
			"the signature matches none of the connector's keys (9007)",
			"compare the fingerprint with that of idp keys show, then paste the key again from idp keys show --format line",
		},
		{
			"kid-unknown", Error,
			"kid is not in the key set (1041)",
			"publish the key with this kid, or use the kid of the signing key",
		},
		{
			"kid-names-other-key", Error,
			"kid names a key that did not sign the token",
			"use the kid of the signing key",
		},
	}
}

func keyKinds() []FindingKind {
	return []FindingKind{
		{
			"key-small", Error,
			"the signing key is an RSA key of less than 2048 bits, which can be broken; " +
				"the key in an old LivePerson tutorial, whose private half is public, has 1024",
			"create a key of at least 2048 bits: openssl genrsa 2048",
		},
		{
			"key-published", Error,
			"the private half of the signing key is published, so anyone can create tokens for any customer",
			"create your own key now, and replace the one in the connector",
		},
		{
			"key-not-rsa", Error,
			"none of the keys is an RSA key",
			"give LiveEngage the RSA key that signs with RS256",
		},
		{
			"key-lines", Error,
			"the key contains line breaks or spaces; the field JWT Public Key needs one line",
			"paste it from idp keys show --format line",
		},
		{
			"key-pkcs1", Error,
			"the key is in PKCS #1 form; LiveEngage needs SubjectPublicKeyInfo",
			"convert it: openssl rsa -RSAPublicKey_in -in key.pem -pubout",
		},
		{
			"jwks-plain-base64", Error,
			"n or e of a key is in standard base64, which LivePerson rejects",
			"encode n and e in base64url without padding (RFC 7518 section 6.3.1)",
		},
		{
			"jwks-x5c-only", Warn,
			"a key in the set has only a certificate (x5c)",
			"add n and e; it is not known whether LivePerson reads certificates",
		},
		{
			"jwks-key-broken", Error,
			"a key in the set cannot be read",
			"publish it with n and e, as in RFC 7518 section 6.3.1",
		},
		{
			"jwks-kid", Warn,
			"the set has several keys, and this one has no kid or the kid of another key",
			"give each key its own kid",
		},
	}
}
