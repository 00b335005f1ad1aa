package explain

import (
	"slices"

	"idpbridge/liveengage/oauth1"
)

// keyProblem is a word of oauth_problem.
type keyProblem struct {
	problem  oauth1.Problem
	meaning  string
	causes   []string
	remedies []string
}

const (
	keyMixedUp = "The four values were mixed up or cut off, or belong to another account."
	checkURL   = "Check the account number in the URL."
	allowAPI   = "Give the key the API in LiveEngage."
)

// keyErrors are the words of oauth_problem: why a request signed with an API key was
// rejected.
func keyErrors() []ErrorCode {
	var out []ErrorCode
	for _, e := range slices.Concat(credentialProblems(), headerProblems()) {
		out = append(out, ErrorCode{
			Code: string(e.problem), Name: "an API key was rejected", Meaning: e.meaning,
			Causes: e.causes, Remedies: e.remedies, Source: fromProblems,
		})
	}
	return out
}

// credentialProblems are about the key and its signature.
func credentialProblems() []keyProblem {
	return []keyProblem{
		{
			oauth1.ProblemSignature, "The signature of the request is wrong.",
			[]string{
				"The wrong secret was used; the key is the two secrets, percent-encoded, with & between them.",
				"The query parameters were not signed, or a JSON body was, which must not be.",
				"A proxy or a redirect changed the scheme, the host, the path or the query after signing.",
				"Characters such as space, * and ~ were encoded differently than RFC 3986 says.",
			},
			[]string{signAgain, checkKey},
		},
		{
			oauth1.ProblemConsumerKey, "The account has no API key with this app key.",
			[]string{keyMixedUp, "The key was created a moment ago."},
			[]string{checkKey, checkURL},
		},
		{
			"consumer_key_rejected", "The app key is not accepted.",
			[]string{
				"The key is disabled, or not for this API.",
				"The address is not on the key's list of allowed addresses.",
			},
			[]string{"Check the key's APIs and addresses in LiveEngage; a change takes up to five minutes."},
		},
		{
			"consumer_key_refused", "The app key is not accepted at the moment.",
			[]string{"The key is disabled, or makes too many requests."},
			[]string{"Check the key in LiveEngage.", "Wait a minute, then try again."},
		},
		{
			oauth1.ProblemToken, "The access token does not belong to the app key.",
			[]string{keyMixedUp, "A key for one API was used for another, for example chat and messaging."},
			[]string{checkKey},
		},
		{
			"token_expired", "The access token has expired.",
			[]string{"The key was replaced."},
			[]string{"Create a new key in LiveEngage."},
		},
		{
			"token_revoked", "The access token was revoked.",
			[]string{"The key was disabled."},
			[]string{"Enable the key in LiveEngage, or create a new one."},
		},
		{
			"token_used", "The token was already used.",
			[]string{"A request token was sent in place of the access token."},
			[]string{checkKey},
		},
	}
}

// headerProblems are about the Authorization header and what the key may do.
func headerProblems() []keyProblem {
	return []keyProblem{
		{
			oauth1.ProblemTimestamp, "The timestamp is too far from the service's time.",
			[]string{
				"The clock of the machine that signs is wrong.",
				"The header was made earlier; it is valid for a few minutes.",
			},
			[]string{"Set the clock, and sign each request just before it is sent."},
		},
		{
			oauth1.ProblemNonceUsed, "The nonce was already used.",
			[]string{"The same header was sent twice; a retry needs a new one."},
			[]string{"Sign each request and each retry again."},
		},
		{
			oauth1.ProblemTooManyNonces, "The service cannot remember more nonces.",
			[]string{"Too many requests were sent with this key."},
			[]string{"Wait a few minutes."},
		},
		{
			oauth1.ProblemParameterAbsent, "A parameter is missing in the Authorization header.",
			[]string{"The header was made by hand, or cut at a line break."},
			[]string{signAgain, "Send the header on one line."},
		},
		{
			oauth1.ProblemParameter, "A parameter in the Authorization header is not accepted.",
			[]string{"A parameter occurs twice or is not percent-encoded."},
			[]string{signAgain},
		},
		{
			oauth1.ProblemSignatureMethod, "The signature method is not accepted.",
			[]string{"It is not HMAC-SHA1, the only one that LivePerson's documentation names."},
			[]string{"Sign with HMAC-SHA1.", signAgain},
		},
		{
			oauth1.ProblemVersion, "The version is not accepted.",
			[]string{"oauth_version is not 1.0."},
			[]string{"Send oauth_version=\"1.0\", or leave it out."},
		},
		{
			oauth1.ProblemPermission, "The key may not do this.",
			[]string{"The key is not for this API, or is read-only.", "The URL has another account."},
			[]string{allowAPI, checkURL},
		},
		{
			"permission_unknown", "It is not known whether the key may do this.",
			[]string{"The key is not for this API."},
			[]string{allowAPI},
		},
		{
			oauth1.ProblemAuthorizationType, "The scheme of the Authorization header is not one that the service knows.",
			[]string{
				"The header does not begin with OAuth or Bearer, or it is missing.",
				"The service accepts only one of API keys and sessions.",
			},
			[]string{signAgain, logInAgain},
		},
	}
}
