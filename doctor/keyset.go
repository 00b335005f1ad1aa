package doctor

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"strings"

	"idpbridge/keys"
)

// webKey is a JSON Web Key as it was written (RFC 7517): the texts are what is
// looked at, so no library may have read them before.
type webKey struct {
	Kty, Kid, Use, Alg string
	N, E               string
	D, P, Q, K         string
	X5c                []string
}

// publicKey is a key that tokens may be verified with.
type publicKey struct {
	keys.PublicKey
	signs bool // RS256, by what the key set says
}

// checkKeySet reads the key set as LivePerson does: without a session, without a
// password, and by the letter of RFC 7518.
func (e *exam) checkKeySet(ctx context.Context) {
	if e.meta.JWKSURI == "" {
		e.addFinding(Skip, KeysDocument, "The key set was not read, because its address is not known.", "Put the discovery document right first.")
		return
	}
	a, err := e.get(ctx, e.meta.JWKSURI)
	if err != nil {
		e.addFinding(Error, KeysDocument, fmt.Sprintf("The key set cannot be fetched: %v.", err), "Let everybody fetch it: LivePerson has no password for it.", e.meta.JWKSURI)
		return
	}
	if !e.checkKeySetResponse(a) {
		return
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal([]byte(a.body), &set); err != nil || len(set.Keys) == 0 {
		e.addFinding(Error, KeysDocument, "The key set is not JSON with a list of keys.", `Publish {"keys":[…]} with the public signing key (RFC 7517 section 5).`, a.summarize())
		return
	}
	var all []webKey
	set.Keys = firstListed(set.Keys)
	for i, raw := range set.Keys {
		var k webKey
		if err := json.Unmarshal(raw, &k); err != nil {
			e.addFinding(Error, KeysDocument, fmt.Sprintf("Key %d of the key set has a member of the wrong type.", i+1), "Write every member as text, as RFC 7517 has it.", string(raw))
			continue
		}
		all = append(all, k)
	}
	if len(all) == len(set.Keys) {
		e.addOK(KeysDocument, fmt.Sprintf("The key set is open to everybody and has %s.", pluralize(len(all), "key")))
	}
	e.checkKeyIDs(all)
	grave := func() int { return e.report.Totals[Error] + e.report.Totals[Warn] }
	before := grave()
	for _, k := range all {
		e.checkKey(k)
	}
	if grave() == before && len(e.keys) > 0 {
		e.addOK(KeysEncoding, "Every RSA key is public, long enough, and written in base64url.")
	}
	e.checkSigningKeys()
}

// checkKeySetResponse says whether the answer can be a key set at all.
func (e *exam) checkKeySetResponse(a response) bool {
	switch {
	case a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status == http.StatusProxyAuthRequired:
		e.addFinding(Error, KeysDocument, fmt.Sprintf("The key set answers %d: it asks who is there.", a.status),
			"Take it out from behind the password or client certificate: public keys are no secret, and LivePerson sends neither.", a.summarize())
	case a.status >= 300 && a.status < 400:
		e.addFinding(Error, KeysDocument, fmt.Sprintf("The key set answers %d and leads elsewhere.", a.status),
			"Enter the address that it leads to, or let the key set answer where it is: whether LivePerson follows is not known.", a.summarize())
	case a.status != http.StatusOK:
		e.addFinding(Error, KeysDocument, fmt.Sprintf("The key set answers %d instead of 200.", a.status), "Check jwks_uri in the discovery document, and what stands in front of it.", a.summarize())
	case !a.isJSON():
		e.addFinding(Warn, KeysDocument, fmt.Sprintf("The key set is sent as %q, not as JSON.", a.header.Get("Content-Type")), "Send it as application/json.")
		return true
	default:
		return true
	}
	return false
}

// checkKeyIDs looks at the names by which LivePerson picks a key.
func (e *exam) checkKeyIDs(all []webKey) {
	seen, bad := map[string]bool{}, false
	for i, k := range all {
		switch {
		case k.Kid == "":
			bad = true
			e.addFinding(Error, KeysKid, fmt.Sprintf("Key %d of the key set has no kid.", i+1),
				"Give every key a kid and name it in the header of the tokens: LivePerson picks the key by it (errors 1041 and 1042).")
		case seen[k.Kid]:
			bad = true
			e.addFinding(Error, KeysKid, fmt.Sprintf("The kid %q stands at more than one key.", k.Kid), "Give every key a kid of its own.")
		}
		seen[k.Kid] = true
	}
	if !bad && len(all) > 0 {
		e.addOK(KeysKid, "Every key has a kid of its own.")
	}
}

// checkKey looks at one key, and keeps it where tokens can be verified with it. It
// finds nothing where there is nothing to say.
func (e *exam) checkKey(k webKey) {
	name := fmt.Sprintf("The key %q", k.Kid)
	if k.D != "" || k.P != "" || k.Q != "" || k.K != "" {
		e.addFinding(Error, KeysPrivate, name+" is published together with its private half.",
			"Take it down now and make a new key: with this one anybody can sign in as anybody. Publish kty, n, e, kid, use and alg only.")
	}
	if k.Kty != "RSA" {
		e.addFinding(Note, KeysKind, fmt.Sprintf("%s is of the kind %q, which LivePerson does not read.", name, k.Kty), "It does no harm beside an RSA key; make sure that LivePerson's tokens are signed with RS256.")
		return
	}
	if k.N == "" || k.E == "" {
		what := name + " has no n or no e"
		if len(k.X5c) > 0 {
			what += ", only a certificate (x5c)"
		}
		e.addFinding(Error, KeysNumbers, what+".", "Publish the modulus as n and the exponent as e, in base64url (RFC 7518 section 6.3.1).")
		return
	}
	n, okN := e.decodeNumber(name, "n", k.N)
	x, okE := e.decodeNumber(name, "e", k.E)
	if !okN || !okE {
		return
	}
	if n.BitLen() < 2048 {
		e.addFinding(Error, KeysSize, fmt.Sprintf("%s has %d bits.", name, n.BitLen()), "Make one of 2048 bits or more; a shorter one can be broken.")
	}
	if !x.IsInt64() || x.Int64() < 3 || x.Int64() > 1<<31-1 || x.Bit(0) == 0 {
		e.addFinding(Error, KeysNumbers, name+" has an exponent that no key has.", "Write the exponent in base64url; that of nearly every key is AQAB.", k.E)
		return
	}
	signs := (k.Use == "" || k.Use == "sig") && (k.Alg == "" || k.Alg == "RS256")
	if !signs {
		e.addFinding(Note, KeysUse, fmt.Sprintf("%s is for use %q and alg %q, not for RS256 signatures.", name, k.Use, k.Alg), `LivePerson's tokens must be signed with another key, one with use "sig" and alg "RS256".`)
	}
	public := &rsa.PublicKey{N: n, E: int(x.Int64())}
	e.keys = append(e.keys, publicKey{keys.PublicKey{ID: k.Kid, Algorithm: "RS256", Key: public}, signs})
}

// decodeNumber reads a number of a key, strictly: base64url without padding (RFC 7518
// section 6.3.1.1).
func (e *exam) decodeNumber(name, member, text string) (*big.Int, bool) {
	for i, c := range text {
		if c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' {
			continue
		}
		e.addFinding(Error, KeysEncoding, fmt.Sprintf("%s has %q as character %d of %s, so it is not base64url without padding.", name, c, i+1, member),
			"Write - for +, _ for /, and leave the = at the end out (RFC 7518 section 6.3.1.1). LivePerson refuses plain base64.")
		return nil, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 {
		e.addFinding(Error, KeysEncoding, fmt.Sprintf("%s has an %s that broke off: its length fits no base64url.", name, member), "Publish the whole number.")
		return nil, false
	}
	if raw[0] == 0 {
		e.addFinding(Warn, KeysEncoding, fmt.Sprintf("%s has an %s with a zero byte in front.", name, member),
			"Leave the zero out, which some libraries add as a sign (RFC 7518 section 6.3.1.1).")
	}
	return new(big.Int).SetBytes(raw), true
}

// checkSigningKeys looks whether there is a key for LivePerson's tokens.
func (e *exam) checkSigningKeys() {
	var kids []string
	for _, k := range e.keys {
		if k.signs {
			kids = append(kids, k.ID)
		}
	}
	if len(kids) == 0 {
		e.addFinding(Error, KeysRS256, "No key of the key set can be used for RS256.", "Publish an RSA key of 2048 bits or more, with use sig and alg RS256: LivePerson knows no other signature.")
		return
	}
	e.addOK(KeysRS256, fmt.Sprintf("For RS256 there is %s.", strings.Join(kids, ", ")))
}

func pluralize(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
