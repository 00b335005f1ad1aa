package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Codes of the key set.
const (
	KeysDocument Code = "keys-document"
	KeysKid      Code = "keys-kid"
	KeysRS256    Code = "keys-rs256"
)

// checkKeySet reads the key set (JWKS) as LivePerson does: without a session or a
// password, and exactly by RFC 7518.
func (e *exam) checkKeySet(ctx context.Context) {
	all, ok := e.fetchKeySet(ctx)
	if !ok {
		return
	}
	e.checkKeyIDs(all)
	before := e.report.problems()
	for _, k := range all {
		e.checkKey(k)
	}
	if e.report.problems() == before && len(e.keys) > 0 {
		e.addOK(KeysEncoding, "Every RSA key is public, long enough, and encoded as base64url.")
	}
	e.checkSigningKeys()
}

// fetchKeySet returns the keys that could be read. It returns false if there is no
// key set.
func (e *exam) fetchKeySet(ctx context.Context) ([]webKey, bool) {
	if e.meta.JWKSURI == "" && e.cfg.PastedKey != "" {
		e.addSkip(KeysDocument, "The key set (JWKS) was not read: there is none, and a key is pasted into the connector.",
			"Nothing, unless you want to change keys without editing the connector.")
		return nil, false
	}
	if e.meta.JWKSURI == "" {
		e.addSkip(KeysDocument, "The key set (JWKS) was not read, because its URL is not known.", fixDiscovery)
		return nil, false
	}
	res, err := e.get(ctx, e.meta.JWKSURI)
	if err != nil {
		e.addError(KeysDocument, fmt.Sprintf("The key set (JWKS) cannot be read: %v.", err),
			"Make sure that it can be read from the internet without a password, as LivePerson does.", e.meta.JWKSURI)
		return nil, false
	}
	if !e.checkKeySetResponse(res) {
		return nil, false
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal([]byte(res.body), &set); err != nil || len(set.Keys) == 0 {
		e.addError(KeysDocument, "The key set (JWKS) is not JSON with a list of keys.",
			`Publish {"keys":[…]} with the public signing key (RFC 7517 section 5).`, res.summarize())
		return nil, false
	}
	var all []webKey
	set.Keys = firstListed(set.Keys)
	for i, raw := range set.Keys {
		var k webKey
		if err := json.Unmarshal(raw, &k); err != nil {
			e.addError(KeysDocument, fmt.Sprintf("Key %d of the key set has a member of the wrong type.", i+1),
				"Make every member a JSON string (RFC 7517).", string(raw))
			continue
		}
		all = append(all, k)
	}
	if len(all) == len(set.Keys) {
		e.addOK(KeysDocument, fmt.Sprintf("The key set (JWKS) is public and has %s.", pluralize(len(all), "key")))
	}
	return all, true
}

// checkKeySetResponse reports whether the response can be a key set.
func (e *exam) checkKeySetResponse(res response) bool {
	switch res.status {
	case http.StatusOK:
		if !res.isJSON {
			e.addWarning(KeysDocument,
				fmt.Sprintf("The key set (JWKS) is sent as %q instead of JSON.", res.header.Get("Content-Type")),
				"Send it as application/json.")
		}
		return true
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		e.addError(KeysDocument, fmt.Sprintf("The key set (JWKS) requires authentication: its status is %d.", res.status),
			"Make it public. LivePerson sends no password and no client certificate, and public keys are not secret.",
			res.summarize())
		return false
	}
	if res.status >= 300 && res.status < 400 {
		e.addError(KeysDocument, fmt.Sprintf("The key set (JWKS) redirects with status %d.", res.status),
			"Use the URL that it redirects to, or serve the key set without a redirect: it is not documented whether "+
				"LivePerson follows redirects.", res.summarize())
		return false
	}
	e.addError(KeysDocument, fmt.Sprintf("The key set (JWKS) has status %d instead of 200.", res.status),
		"Check jwks_uri in the discovery document, and the proxy in front of the provider.", res.summarize())
	return false
}

// checkKeyIDs checks the IDs by which LivePerson picks a key.
func (e *exam) checkKeyIDs(all []webKey) {
	seen, bad := map[string]bool{}, false
	for i, k := range all {
		if k.Kid == "" {
			bad = true
			e.addError(KeysKid, fmt.Sprintf("Key %d of the key set has no kid.", i+1),
				"Give every key a kid, and put it in the header of the tokens: LivePerson finds the key by its kid "+
					"(errors 1041 and 1042).")
		} else if seen[k.Kid] {
			bad = true
			e.addError(KeysKid, fmt.Sprintf("More than one key has the kid %q.", k.Kid), "Give every key a different kid.")
		}
		seen[k.Kid] = true
	}
	if !bad && len(all) > 0 {
		e.addOK(KeysKid, "Every key has a different kid.")
	}
}

// checkSigningKeys checks that a key for LivePerson's tokens exists.
func (e *exam) checkSigningKeys() {
	var ids []string
	for _, k := range e.keys {
		if k.signs {
			ids = append(ids, k.ID)
		}
	}
	if len(ids) == 0 {
		e.addError(KeysRS256, "No key of the key set can be used for RS256, the only signature that LivePerson accepts.",
			`Publish an RSA key of 2048 bits or more, with use "sig" and alg "RS256".`)
		return
	}
	e.addOK(KeysRS256, fmt.Sprintf("Keys for RS256 signatures: %s.", strings.Join(ids, ", ")))
}
