package inspect

// Level is how bad a finding is.
type Level string

const (
	// Error is what LiveEngage refuses, ignores or misreads, or what lets others in.
	Error Level = "error"
	// Warn is what works or may work, and is likely to hurt.
	Warn Level = "warn"
	// Note is what is worth knowing.
	Note Level = "note"
)

// Finding is one thing that Token noticed.
type Finding struct {
	Code    string `json:"code"`  // stable, such as exp-milliseconds
	Level   Level  `json:"level"` // the same for every finding with that code
	Where   string `json:"where"` // token, header.kid, exp, lp_sdes[0].info.customerID, key …
	Problem string `json:"problem"`
	Remedy  string `json:"remedy"`
}

// FindingKind is what findings with one code have in common.
type FindingKind struct {
	Code    string
	Level   Level
	Meaning string // what was noticed, as a clause
	Remedy  string // what to do, unless a finding knows better
}

// FindingKinds lists every code that Token and ReadKeys may use, in the order
// of docs/token-inspect.md, which a test compares with it. The caller may change
// the list.
func FindingKinds() []FindingKind {
	var out []FindingKind
	for _, group := range [][]FindingKind{textKinds(), headerKinds(), encryptionKinds(), signatureKinds(), timeKinds(), whoKinds(), claimKinds(), sdesKinds()} {
		out = append(out, group...)
	}
	return out
}

func textKinds() []FindingKind {
	const take = "take id_token from the token endpoint's answer, or id_token, token or code from the redirect's address"
	return []FindingKind{
		{"not-a-token", Error, "the text is no token: one has three parts with dots between, or five if encrypted", take},
		{"identity-object", Error, "the text is the object of the identity function, not a token", "hand the token to the callback; iss, acr and sub alone prove nothing"},
		{"code-not-token", Error, "the text is an authorization code, not a token", "exchange it at the token endpoint and inspect the id_token of the answer"},
		{"error-answer", Error, "the text is an error answer", "mend the error first: idp liveengage explain knows some"},
		{"liveperson-token", Error, "the token is LivePerson's own, not the brand's", "inspect the token that the brand's provider issues; LivePerson's is for its messaging socket"},
		{"white-space-inside", Warn, "the token has white space in it, which was left out here", "make sure that what LiveEngage gets has none; terminals and mails wrap long lines"},
		{"size-large", Warn, "the token measures more than 4096 bytes; the chat's own window carries it in an address", "leave claims out, or use the code flow"},
		{"size-huge", Error, "the token measures more than 8192 bytes; addresses of that length are refused by servers on the way", "leave claims out, or use the code flow"},
		{"part-not-base64url", Error, "a part of the token is not base64url without padding (RFC 7515 section 2)", "use a library for tokens; it encodes the parts as they must be"},
		{"not-utf8", Error, "the JSON of a part is not UTF-8", "encode the JSON as UTF-8 before base64url"},
		{"duplicate-member", Error, "a member of an object is given twice; which of the two counts is not defined", "write it once"},
		{"control-character", Error, "a text holds a control character; LivePerson's filter of input refuses odd ones (9009)", "leave the character out"},
	}
}

func headerKinds() []FindingKind {
	const rs256 = "sign with RS256; LiveEngage is known to take nothing else"
	return []FindingKind{
		{"header-not-json", Error, "the header is not a JSON object", `write {"alg":"RS256","kid":"…","typ":"JWT"}`},
		{"alg-missing", Error, "the header names no algorithm", rs256},
		{"alg-none", Error, "alg is none: the token is not signed, and anybody can make one for anybody", "switch none off in the library at once, and sign with RS256; whoever accepts such a token can be told anything"},
		{"alg-secret", Error, "alg is an HMAC: whoever can check the token can make one, and LiveEngage has only a public key", rs256},
		{"alg-elliptic", Error, "alg is an elliptic curve algorithm; LivePerson's documentation knows RSA alone", rs256},
		{"alg-pss", Error, "alg is RSA-PSS, which no page of LivePerson's mentions", rs256},
		{"alg-hash", Error, "alg is RSA with a longer hash, which no page of LivePerson's mentions", rs256},
		{"alg-unknown", Error, "alg is no algorithm that signs tokens for LiveEngage", rs256},
		{"typ-odd", Warn, "typ is something other than JWT; at+jwt is an access token, which is not for LiveEngage", "send the ID token, with typ JWT or without typ"},
		{"kid-missing", Warn, "the header has no kid; with a key set of several keys LivePerson cannot choose (1042)", "write the key's kid into the header"},
		{"kid-needed", Error, "the header has no kid, and the key set has several keys (1042)", "write the key's kid into the header"},
		{"kid-type", Error, "kid is not a string", "write kid as a string"},
	}
}

func encryptionKinds() []FindingKind {
	const outer = "encrypt with RSA-OAEP-256 and A128CBC-HS256"
	return []FindingKind{
		{"jwe-alg-misprint", Error, "alg is RSA_OAEP_256, which an older page of LivePerson's misprinted", "write RSA-OAEP-256, with hyphens"},
		{"jwe-alg", Error, "alg of the encryption is not RSA-OAEP-256", outer},
		{"jwe-enc", Warn, "enc is neither A128CBC-HS256 nor A256GCM, the only two that were seen in others' tokens", outer},
		{"jwe-enc-missing", Error, "the header names no enc", outer},
		{"jwe-cty", Warn, "cty is not JWT, which RFC 7519 section 5.2 wants where a signed token is encrypted; others' tokens without it were seen", `write "cty":"JWT" into the outer header`},
		{"jwe-kid-missing", Warn, "the outer header has no kid", "write the kid of LivePerson's encryption key, which LivePerson tells you"},
		{"jwe-zip", Warn, "the token is compressed; whether LivePerson takes that is not known", "encrypt without zip"},
		{"jwe-closed", Note, "what is inside was not looked at, because there is no key to open it", "give the private key with --decrypt, or inspect the token before it is encrypted"},
		{"jwe-not-opened", Error, "the key does not open the token", "encrypt for the public half of this key, or give the private half of the key that it was encrypted for"},
		{"jwe-inner-not-jws", Error, "inside the encryption is no signed token", "sign first, then encrypt the signed token"},
	}
}

func signatureKinds() []FindingKind {
	const compare = "compare the fingerprint with that of idp keys show, and paste the key anew from idp keys show --format line"
	return []FindingKind{
		{"signature-unchecked", Note, "the signature was not checked, because there is no key to check it with", "give the connector's key with --key, or its key set with --jwks"},
		{"signature-missing", Error, "the token has no signature: anybody can make one", "sign the token; its third part must not be empty"},
		{"signature-wrong", Error, "the signature fits none of the connector's keys (9007)", compare},
		{"kid-unknown", Error, "kid names no key of the key set (1041)", "publish the key under this kid, or write the kid of the key that signs"},
		{"kid-names-other-key", Error, "kid names a key that did not sign the token", "write the kid of the key that signs"},
		{"key-small", Error, "the RSA key that signed has less than 2048 bits and can be broken; the private key of an old tutorial of LivePerson's, which is public, has 1024", "make a new key of 2048 bits or more: openssl genrsa 2048"},
		{"key-published", Error, "the key that signed is one whose private half is published: anybody can make tokens for anybody", "make a key of your own at once, and replace the connector's"},
		{"key-not-rsa", Error, "none of the keys is an RSA key", "give LiveEngage the RSA key that signs with RS256"},
		{"key-lines", Error, "the key has line breaks or spaces in it; the field JWT Public Key takes one line", "paste it from idp keys show --format line"},
		{"key-pkcs1", Error, "the key is in PKCS #1 form; LiveEngage takes SubjectPublicKeyInfo", "convert it: openssl rsa -RSAPublicKey_in -in key.pem -pubout"},
		{"jwks-plain-base64", Error, "n or e of a key is in plain base64; LivePerson refuses it", "write n and e in base64url without padding (RFC 7518 section 6.3.1)"},
		{"jwks-x5c-only", Warn, "a key of the set has only a certificate (x5c)", "write n and e too; it is not known that LivePerson reads certificates"},
		{"jwks-key-broken", Error, "a key of the set cannot be read", "publish it as RFC 7518 section 6.3.1 has it, with n and e"},
		{"jwks-kid", Warn, "the set has several keys, and one of them has no kid or another's", "give each key a kid of its own"},
	}
}

func timeKinds() []FindingKind {
	const seconds = "write whole seconds since 1970, as a number"
	var out []FindingKind
	for _, name := range []string{"exp", "iat"} {
		out = append(
			out,
			FindingKind{name + "-missing", Error, name + " is missing; LivePerson's documentation demands it", seconds},
			FindingKind{name + "-milliseconds", Error, name + " is in milliseconds, as in a sample of LivePerson's documentation, or smaller still", "divide by 1000: " + seconds},
			FindingKind{name + "-string", Error, name + " is a string, as in a sample of LivePerson's documentation", seconds},
			FindingKind{name + "-fraction", Error, name + " has a fraction or an exponent", seconds},
			FindingKind{name + "-negative", Error, name + " is negative", seconds},
			FindingKind{name + "-type", Error, name + " is not a number", seconds},
		)
	}
	return append(
		out,
		FindingKind{"expired", Error, "exp is past (1012)", "let the page fetch a fresh token each time the chat asks"},
		FindingKind{"exp-before-iat", Error, "exp is not after iat", "set exp to iat and the lifetime"},
		FindingKind{"iat-future", Error, "iat lies more than a minute in the future", "set the clock of the machine that issues tokens"},
		FindingKind{"lifetime-long", Warn, "the token lives longer than 24 hours; LiveEngage learns of a sign-out only when exp passes", "let it live an hour or less"},
	)
}

func whoKinds() []FindingKind {
	const random = "give every customer a random sub that never changes"
	return []FindingKind{
		{"iss-missing", Error, "iss is missing; LivePerson's documentation demands it", "write the issuer as it stands in the connector"},
		{"iss-type", Error, "iss is not a string", "write the issuer as it stands in the connector"},
		{"iss-differs", Error, "iss is not the issuer that is expected", "make iss the same in the token, the connector and the identity function, letter by letter"},
		{"iss-not-url", Warn, "iss is no web address; the newest form of LiveEngage wants one", "use the https address of the provider"},
		{"sub-missing", Error, "sub is missing; without it LiveEngage cannot tell customers apart", random},
		{"sub-type", Error, "sub is not a string", "write sub as a string, in quotes"},
		{"sub-malformed", Error, "sub is not what OIDC Core section 2 allows", random},
		{"sub-email", Error, "sub is an email address, which LivePerson's documentation forbids: others can guess it", random},
		{"sub-phone", Error, "sub is a phone number, which LivePerson's documentation forbids: others can guess it", random},
		{"sub-constant", Warn, "sub looks as if it were the same for everybody, which merges all customers into one conversation", random},
		{"sub-short", Warn, "sub has fewer than 8 characters and can be guessed", random},
		{"sub-number", Warn, "sub is a number that can be counted through", random},
		{"sub-differs", Error, "sub is not that of the identity function", "let the identity function and the token say the same sub"},
	}
}

func claimKinds() []FindingKind {
	return []FindingKind{
		{"claims-not-json", Error, "the claims are not a JSON object (1009, 1011)", "write the claims as one JSON object"},
		{"claim-type", Error, "a claim that LiveEngage shows is of the wrong type", "write a string, or leave the claim out"},
		{"claim-value", Error, "a claim that LiveEngage shows has a value that is none", "correct the value, or leave the claim out"},
		{"claim-odd", Warn, "a standard claim that LiveEngage does not show is not as OIDC Core section 5.1 has it", "correct it, or leave the claim out"},
		{"name-unseen", Warn, "name is there without given_name or family_name; agents don't see name", "send given_name and family_name"},
		{"phone-as-imei", Note, "agents see phone_number in the field IMEI", "put phones into lp_sdes, as contacts of personal"},
		{"claim-sde-conflict", Warn, "a claim and lp_sdes say different things; which of the two wins is not known", "keep them equal"},
		{"customer-id-differs", Note, "customerId in lp_sdes is not sub; agents see one of them as the customer's number", "nothing, if that is meant"},
		{"customer-id-missing", Note, "ctmrinfo has no customerId; agents see sub as the customer's number", "send customerId if agents should see the brand's own number"},
	}
}

func sdesKinds() []FindingKind {
	const remedy = "see the finding"
	return []FindingKind{
		{"sdes-missing", Note, "there is no lp_sdes: agents see the standard claims only", "send lp_sdes with ctmrinfo and personal if agents should see more"},
		{"sdes-misspelt", Warn, "a claim is named almost like lp_sdes, and LiveEngage does not read it", "write lp_sdes"},
		{"sdes-not-array", Error, "lp_sdes is not an array (1026)", `write [{"type":"ctmrinfo","info":{…}},{"type":"personal","personal":{…}}]`},
		{"sdes-type", Error, "a type that LiveEngage does not take from a token, such as cart or purchase", "send only ctmrinfo and personal"},
		{"sdes-wrapper", Error, "the fields are not within info (ctmrinfo) or personal (personal)", "put the fields into info or personal"},
		{"sdes-case", Error, "a field in the wrong case", remedy},
		{"sdes-store", Error, "storeZipCode or storeNumber, which LiveEngage does not take from an authenticated customer", "leave the field out"},
		{"sdes-gender", Error, "gender is not MALE, FEMALE or OTHER; a table of LivePerson's shows numbers, every example words", `write "MALE", "FEMALE" or "OTHER"`},
		{"sdes-date", Error, "a date is not an object of day, month and year", `write {"day":15,"month":10,"year":2014}`},
		{"sdes-field", Error, "a field that LiveEngage does not know, is of the wrong type, or is empty", remedy},
		{"sdes-value", Error, "a field has a value that is none, such as an unknown currency", remedy},
	}
}
