package inspect_test

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
	"idpbridge/liveengage/inspect"
)

// setOf is a key set with n in an encoding; every key is k1.
func setOf(t testing.TB, encoding *base64.Encoding, private ...*rsa.PrivateKey) string {
	t.Helper()
	set := []object{}
	for _, key := range private {
		set = append(set, object{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k1", "n": encoding.EncodeToString(key.N.Bytes()),
			"e": encoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		})
	}
	return spelt(object{"keys": set})
}

// produced is a text that has a finding, and what it is held against.
type produced struct {
	where, text string
	x           func(*inspect.Expectations)
}

func withKey(text string) func(*inspect.Expectations) {
	return func(x *inspect.Expectations) {
		var err error
		if x.Keys, x.KeyFindings, err = inspect.ParseKeys(text); err != nil {
			panic(err)
		}
	}
}

func opened(x *inspect.Expectations) { x.Decrypt = other() }

// producers has a text for every code; a list where one is not enough.
func producers(t testing.TB) map[string][]produced {
	t.Helper()
	one := func(where, text string) []produced { return []produced{{where, text, nil}} }
	keyed := func(where, text string, x func(*inspect.Expectations)) []produced {
		return []produced{{where, text, x}}
	}
	bare := spelt(claimsWith(nil))
	customer := func(fields string) string { return sdesOf(`[{"type":"ctmrinfo","info":{` + fields + `}}]`) }
	personal := func(fields string) string { return sdesOf(`[{"type":"personal","personal":{` + fields + `}}]`) }
	const in, pn = "lp_sdes[0].info", "lp_sdes[0].personal"
	good := token(nil)
	head, rest, _ := strings.Cut(good, ".")
	body, sig, _ := strings.Cut(rest, ".")
	twice := setOf(t, base64.RawURLEncoding, signer(), other())
	chain := strings.ReplaceAll(certificate(t), "\n", "")
	chain = strings.TrimSuffix(strings.TrimPrefix(chain, "-----BEGIN CERTIFICATE-----"), "-----END CERTIFICATE-----")
	all := map[string][]produced{
		"not-a-token": {
			{"token", "", nil},
			{"token", "hello", nil},
			{"token", "hello. This is. Prose", nil},
			{"token", "a.b.c.d", nil},
			{"token", "{", nil},
			{"token", "-----BEGIN PRIVATE KEY-----", nil},
			{"token", "-----BEGIN CERTIFICATE-----", nil},
			{"token", `{"access_token":"x"}`, nil},
			{"token", bare, nil},
			{"id_token", `{"id_token":"x"}`, nil},
			{"token", "https://brand.example/", nil},
			{"id_token", "https://brand.example/cb#id_token=x", nil},
			{"token", "https://brand.example/cb?state=x", nil},
		},
		"identity-object":     one("token", `{"iss":"a","sub":"b","acr":"loa1"}`),
		"code-not-token":      {{"code", "https://brand.example/cb?code=abc&state=x", nil}, {"token", `{"ssoKey":"abc"}`, nil}},
		"error-answer":        {{"token", `{"error":"invalid_grant"}`, nil}, {"token", "https://brand.example/cb?error=access_denied", nil}},
		"liveperson-token":    one("iss", token(object{"iss": "https://idp.liveperson.net", "lp.ext": object{"sub": "x"}})),
		"white-space-inside":  one("token", good[:99]+"\n"+good[99:]),
		"size-large":          one("token", token(object{"x": strings.Repeat("x", 4000)})),
		"size-huge":           one("token", token(object{"x": strings.Repeat("x", 8000)})),
		"part-not-base64url":  {{"claims", head + "." + body + "=." + sig, nil}, {"header", "!." + rest, nil}, {"signature", head + "." + body + ".&", nil}},
		"not-utf8":            one("claims", encode(spelt(header()), "{\"x\":\"\xff\"}", signer())),
		"duplicate-member":    {{"a.b", encode(spelt(header()), `{"a":{"b":1,"b":2}}`, signer()), nil}, {"lp_sdes[0].info.role", customer(`"role":"a","role":"b"`), nil}, {"header.kid", encode(`{"alg":"RS256","kid":"a","kid":"k1"}`, bare, signer()), nil}},
		"control-character":   {{`x["\x01"]`, token(object{"x": object{"\x01": 1}}), nil}, {in + ".role", customer(`"role":"a\u0007"`), nil}},
		"header-not-json":     {{"header", encode("[]", bare, signer()), nil}, {"header", encode("x", bare, signer()), nil}},
		"alg-missing":         one("header.alg", headed(object{"alg": nil})),
		"alg-none":            {{"header.alg", headed(object{"alg": "none"}), nil}, {"header.alg", headed(object{"alg": "nOnE"}), nil}},
		"alg-secret":          one("header.alg", headed(object{"alg": "HS256"})),
		"alg-elliptic":        {{"header.alg", headed(object{"alg": "ES256"}), nil}, {"header.alg", headed(object{"alg": "EdDSA"}), nil}},
		"alg-pss":             one("header.alg", headed(object{"alg": "PS256"})),
		"alg-hash":            one("header.alg", headed(object{"alg": "RS512"})),
		"alg-unknown":         {{"header.alg", headed(object{"alg": "rs256"}), nil}, {"header.alg", headed(object{"alg": "SHA256"}), nil}},
		"typ-odd":             {{"header.typ", headed(object{"typ": "at+jwt"}), nil}, {"header.typ", headed(object{"typ": 5}), nil}},
		"kid-missing":         one("header.kid", headed(object{"kid": nil})),
		"kid-needed":          keyed("header.kid", headed(object{"kid": nil}), withKey(twice)),
		"kid-type":            one("header.kid", headed(object{"kid": 1})),
		"jwe-alg-misprint":    one("outer.alg", sealed(t, good, object{"alg": "RSA_OAEP_256"})),
		"jwe-alg":             {{"outer.alg", sealed(t, good, object{"alg": "RSA-OAEP"}), nil}, {"outer.alg", sealed(t, good, object{"alg": nil}), nil}},
		"jwe-enc":             one("outer.enc", sealed(t, good, object{"enc": "A256CBC-HS512"})),
		"jwe-enc-missing":     one("outer.enc", sealed(t, good, object{"enc": nil})),
		"jwe-cty":             one("outer.cty", sealed(t, good, object{"cty": nil})),
		"jwe-kid-missing":     one("outer.kid", sealed(t, good, object{"kid": nil})),
		"jwe-zip":             one("outer.zip", sealed(t, good, object{"zip": "DEF"})),
		"jwe-closed":          {{"outer", sealed(t, good, nil), nil}, {"outer", sealed(t, good, object{"alg": "RSA-OAEP"}), opened}},
		"jwe-not-opened":      keyed("outer", sealed(t, good, nil), func(x *inspect.Expectations) { x.Decrypt = signer() }),
		"jwe-inner-not-jws":   {{"outer", sealed(t, bare, nil), opened}, {"outer", sealed(t, "x", nil), opened}, {"outer", sealed(t, sealed(t, good, nil), nil), opened}},
		"signature-unchecked": keyed("signature", good, func(x *inspect.Expectations) { x.Keys = nil }),
		"signature-missing":   {{"signature", head + "." + body + ".", nil}, {"signature", head + "." + body, nil}},
		"signature-wrong":     one("signature", encode(spelt(header()), bare, other())),
		"kid-unknown":         {{"header.kid", headed(object{"kid": "k9"}), nil}, {"header.kid", encode(`{"alg":"RS256","kid":"k9"}`, bare, other()), nil}},
		"kid-names-other-key": keyed("header.kid", good, func(x *inspect.Expectations) {
			x.Keys = []keys.PublicKey{public("k1", other()), public("k2", signer())}
		}),
		"key-small":         keyed("key", encode(spelt(header()), bare, small()), func(x *inspect.Expectations) { x.Keys = []keys.PublicKey{public("k1", small())} }),
		"key-published":     keyed("key", tutorialToken, withKey(tutorialKey)),
		"key-not-rsa":       keyed("key", good, withKey(file(t, "es256.pem.golden"))),
		"key-lines":         keyed("key", good, withKey(public("", signer()).Base64()[:64]+"\n"+public("", signer()).Base64()[64:])),
		"key-pkcs1":         keyed("key", good, withKey(file(t, "pkcs1.pem"))),
		"jwks-plain-base64": keyed("key.keys[0]", good, withKey(setOf(t, base64.StdEncoding, signer()))),
		"jwks-x5c-only":     keyed("key.keys[0]", good, withKey(`{"keys":[{"kty":"RSA","kid":"k1","x5c":["`+chain+`"]}]}`)),
		"jwks-key-broken": {
			{"key.keys[0]", good, withKey(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`)},
			{"key.keys[0]", good, withKey(`{"keys":[5]}`)},
			{"key.keys[0]", good, withKey(`{"keys":[{}]}`)},
			{"key.keys[0]", good, withKey(`{"keys":[{"kty":"RSA","x5c":["!"]}]}`)},
			{"key.keys[0]", good, withKey(`{"keys":[{"kty":"RSA","x5c":["AQAB"]}]}`)},
		},
		"jwks-kid":            keyed("key.keys[1]", good, withKey(twice)),
		"expired":             {{"exp", token(object{"exp": now.Unix()}), nil}, {"exp", token(object{"exp": "2026-03-01T08:00:00Z"}), nil}},
		"exp-before-iat":      one("exp", token(object{"iat": now.Unix() + 7200})),
		"iat-future":          one("iat", token(object{"iat": now.Unix() + 61})),
		"lifetime-long":       one("exp", token(object{"exp": now.Add(25 * time.Hour).Unix()})),
		"iss-missing":         {{"iss", token(object{"iss": nil}), nil}, {"iss", token(object{"iss": ""}), nil}},
		"iss-type":            one("iss", token(object{"iss": []string{issuer}})),
		"iss-differs":         one("iss", token(object{"iss": "https://login.bank.example/"})),
		"iss-not-url":         one("iss", token(object{"iss": "bank"})),
		"sub-missing":         {{"sub", token(object{"sub": nil}), nil}, {"sub", token(object{"sub": ""}), nil}},
		"sub-type":            one("sub", token(object{"sub": 4711})),
		"sub-malformed":       {{"sub", token(object{"sub": "jäne-0123456789"}), nil}, {"sub", token(object{"sub": strings.Repeat("ab", 200)}), nil}},
		"sub-email":           one("sub", token(object{"sub": "jane@example.com"})),
		"sub-phone":           {{"sub", token(object{"sub": "+12125550101"}), nil}, {"sub", token(object{"sub": "(212) 788-8877"}), nil}, {"sub", token(object{"sub": "+972-3-5555-555"}), nil}},
		"sub-constant":        {{"sub", token(object{"sub": "111111111"}), nil}, {"sub", token(object{"sub": "undefined"}), nil}, {"sub", token(object{"sub": "123456789"}), nil}},
		"sub-short":           one("sub", token(object{"sub": "ab12x"})),
		"sub-number":          one("sub", token(object{"sub": "4711081599"})),
		"sub-differs":         one("sub", token(object{"sub": "another-0123456789"})),
		"claims-not-json":     {{"claims", encode(spelt(header()), "[]", signer()), nil}, {"claims", encode(spelt(header()), "", signer()), nil}, {"claims", encode(spelt(header()), "null", signer()), nil}},
		"claim-type":          {{"given_name", token(object{"given_name": 1}), nil}, {"gender", token(object{"gender": json.RawMessage("null")}), nil}},
		"claim-value":         one("email", token(object{"email": "jane"})),
		"claim-odd":           {{"birthdate", token(object{"birthdate": "yesterday"}), nil}, {"email_verified", token(object{"email_verified": "true"}), nil}},
		"name-unseen":         one("name", token(object{"name": "Jane", "given_name": nil, "family_name": nil, "lp_sdes": nil})),
		"phone-as-imei":       one("phone_number", token(object{"phone_number": "+12125550101"})),
		"claim-sde-conflict":  one("given_name", personal(`"firstname":"Joan"`)),
		"customer-id-differs": one(in+".customerId", customer(`"customerId":"C-1"`)),
		"customer-id-missing": one(in, customer(`"ctype":"gold"`)),
		"sdes-missing":        one("lp_sdes", token(object{"lp_sdes": nil})),
		"sdes-misspelt":       one("lpSdes", token(object{"lp_sdes": nil, "lpSdes": []int{}})),
		"sdes-not-array":      {{"lp_sdes", sdesOf(`{"customerInfo":{"ctype":"gold"}}`), nil}, {"lp_sdes", sdesOf(`{"type":"ctmrinfo","info":{}}`), nil}, {"lp_sdes", sdesOf(`"[]"`), nil}},
		"sdes-type":           {{"lp_sdes[0].type", sdesOf(`[{"type":"cart","info":{"total":1}}]`), nil}, {"lp_sdes[0].type", sdesOf(`[{"type":"customerInfo","info":{}}]`), nil}, {"lp_sdes[0].type", sdesOf(`[{"info":{}}]`), nil}},
		"sdes-wrapper":        {{"lp_sdes[0].customerInfo", sdesOf(`[{"type":"ctmrinfo","customerInfo":{"ctype":"gold"}}]`), nil}, {"lp_sdes[0].info", sdesOf(`[{"type":"ctmrinfo","ctype":"gold"}]`), nil}, {"lp_sdes[0]", sdesOf(`[5]`), nil}, {"lp_sdes[0].info", sdesOf(`[{"type":"ctmrinfo","info":[]}]`), nil}},
		"sdes-case":           {{in + ".customerID", customer(`"customerID":"C-1"`), nil}, {pn + ".firstName", personal(`"firstName":"Jane"`), nil}},
		"sdes-store":          {{in + ".storeZipCode", customer(`"storeZipCode":"20505"`), nil}, {in + ".storeNumber", customer(`"storeNumber":"123865"`), nil}},
		"sdes-gender":         {{pn + ".gender", personal(`"gender":1`), nil}, {pn + ".gender", personal(`"gender":"female"`), nil}},
		"sdes-date":           {{in + ".lastPaymentDate", customer(`"lastPaymentDate":"2014-10-15"`), nil}, {in + ".registrationDate.year", customer(`"registrationDate":{"day":1,"month":1,"year":"2014"}`), nil}},
		"sdes-field":          {{in + ".balance", customer(`"balance":"5"`), nil}, {in + ".mood", customer(`"mood":"good"`), nil}, {pn + ".firstname", personal(`"firstname":""`), nil}},
		"sdes-value":          {{in + ".currency", customer(`"currency":"usd"`), nil}, {pn + ".contacts[1].email", personal(`"contacts":[{"phoneType":1},{"email":"x"}]`), nil}},
	}
	for _, name := range []string{"exp", "iat"} {
		all[name+"-missing"] = []produced{{name, token(object{name: nil}), nil}, {name, token(object{name: json.RawMessage("null")}), nil}}
		all[name+"-milliseconds"] = []produced{{name, token(object{name: now.UnixMilli()}), nil}, {name, token(object{name: now.UnixMicro()}), nil}, {name, token(object{name: json.RawMessage("1e400")}), nil}}
		all[name+"-string"] = []produced{{name, token(object{name: "1772355600"}), nil}, {name, token(object{name: "soon"}), nil}}
		all[name+"-fraction"] = []produced{{name, token(object{name: 1772355600.5}), nil}, {name, token(object{name: json.RawMessage("1.7723556e9")}), nil}}
		all[name+"-negative"] = one(name, token(object{name: -5}))
		all[name+"-type"] = one(name, token(object{name: true}))
	}
	return all
}

func TestInspectProducesEveryFinding(t *testing.T) {
	t.Parallel()
	all := producers(t)
	known := map[string]bool{}
	for _, k := range inspect.FindingKinds() {
		require.False(t, known[k.Code], "%s twice", k.Code)
		known[k.Code] = true
		require.NotEmpty(t, all[k.Code], "no token produces %s", k.Code)
		require.NotEmpty(t, k.Meaning, k.Code)
		require.NotEmpty(t, k.Remedy, k.Code)
		for _, p := range all[k.Code] {
			x := expectations()
			if p.x != nil {
				p.x(&x)
			}
			r := inspect.Token(p.text, x)
			f := findingOf(t, r, k.Code, p.where)
			require.Equal(t, k.Level, f.Level)
			for _, f := range r.Findings {
				require.NotEmpty(t, f.Problem, f.Code)
				require.NotEmpty(t, f.Remedy, f.Code)
				require.NotEmpty(t, f.Level, "%s is no kind", f.Code)
				require.NotContains(t, f.Problem+f.Where+f.Remedy, "\n", f.Code)
			}
			seen := map[inspect.Finding]bool{}
			for _, f := range r.Findings {
				require.False(t, seen[f], "%s at %s is said twice", f.Code, f.Where)
				seen[f] = true
			}
		}
	}
	for code := range all {
		require.True(t, known[code], "%s is no kind", code)
	}
}
