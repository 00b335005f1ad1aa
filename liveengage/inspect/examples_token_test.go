package inspect_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"idpbridge/keys"
	"idpbridge/liveengage/inspect"
)

// withKey changes the expectations to a key or key set.
func withKey(text string) func(*inspect.Expectations) {
	return func(expected *inspect.Expectations) {
		var err error
		if expected.Keys, expected.KeyFindings, err = inspect.ParseKeys(text); err != nil {
			panic(err)
		}
	}
}

func withKeys(all ...keys.PublicKey) func(*inspect.Expectations) {
	return func(expected *inspect.Expectations) { expected.Keys = all }
}

func withDecryption(expected *inspect.Expectations) { expected.Decrypt = otherKey() }

func textExamples() map[string][]example {
	good, bare := tokenWith(nil), marshalJSON(claimsWith(nil))
	head, rest, _ := strings.Cut(good, ".")
	body, signature, _ := strings.Cut(rest, ".")
	return map[string][]example{
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
		"identity-object": {{"token", `{"iss":"a","sub":"b","acr":"loa1"}`, nil}},
		"code-not-token": {
			{"code", "https://brand.example/cb?code=abc&state=x", nil},
			{"token", `{"ssoKey":"abc"}`, nil},
		},
		"error-answer": {
			{"token", `{"error":"invalid_grant"}`, nil},
			{"token", "https://brand.example/cb?error=access_denied", nil},
		},
		"liveperson-token": {
			{"iss", tokenWith(object{"iss": "https://idp.liveperson.net", "lp.ext": object{"sub": "x"}}), nil},
		},
		"white-space-inside": {{"token", good[:99] + "\n" + good[99:], nil}},
		"size-large":         {{"token", tokenWith(object{"x": strings.Repeat("x", 4000)}), nil}},
		"size-huge":          {{"token", tokenWith(object{"x": strings.Repeat("x", 8000)}), nil}},
		"part-not-base64url": {
			{"claims", head + "." + body + "=." + signature, nil},
			{"header", "!." + rest, nil},
			{"signature", head + "." + body + ".&", nil},
		},
		"not-utf8": {{"claims", tokenWithClaims("{\"x\":\"\xff\"}"), nil}},
		"duplicate-member": {
			{"a.b", tokenWithClaims(`{"a":{"b":1,"b":2}}`), nil},
			{"lp_sdes[0].info.role", tokenWithCustomer(`"role":"a","role":"b"`), nil},
			{"header.kid", signToken(`{"alg":"RS256","kid":"a","kid":"k1"}`, bare, brandKey()), nil},
		},
		"control-character": {
			{`x["\x01"]`, tokenWith(object{"x": object{"\x01": 1}}), nil},
			{customerPath + ".role", tokenWithCustomer(`"role":"a\u0007"`), nil},
		},
		"signature-missing": {
			{"signature", head + "." + body + ".", nil},
			{"signature", head + "." + body, nil},
		},
	}
}

func headerExamples(t testing.TB) map[string][]example {
	t.Helper()
	bare := marshalJSON(claimsWith(nil))
	sameID := keySetOf(t, base64.RawURLEncoding, brandKey(), otherKey())
	withAlg := func(alg any) string { return tokenWithHeader(object{"alg": alg}) }
	return map[string][]example{
		"header-not-json": {
			{"header", signToken("[]", bare, brandKey()), nil},
			{"header", signToken("x", bare, brandKey()), nil},
		},
		"alg-missing":  {{"header.alg", withAlg(nil), nil}},
		"alg-none":     {{"header.alg", withAlg("none"), nil}, {"header.alg", withAlg("nOnE"), nil}},
		"alg-secret":   {{"header.alg", withAlg("HS256"), nil}},
		"alg-elliptic": {{"header.alg", withAlg("ES256"), nil}, {"header.alg", withAlg("EdDSA"), nil}},
		"alg-pss":      {{"header.alg", withAlg("PS256"), nil}},
		"alg-hash":     {{"header.alg", withAlg("RS512"), nil}},
		"alg-unknown":  {{"header.alg", withAlg("rs256"), nil}, {"header.alg", withAlg("SHA256"), nil}},
		"typ-odd": {
			{"header.typ", tokenWithHeader(object{"typ": "at+jwt"}), nil},
			{"header.typ", tokenWithHeader(object{"typ": 5}), nil},
		},
		"kid-missing": {{"header.kid", tokenWithHeader(object{"kid": nil}), nil}},
		"kid-needed":  {{"header.kid", tokenWithHeader(object{"kid": nil}), withKey(sameID)}},
		"kid-type":    {{"header.kid", tokenWithHeader(object{"kid": 1}), nil}},
	}
}

func encryptionExamples(t testing.TB) map[string][]example {
	t.Helper()
	good := tokenWith(nil)
	outer := func(name string, value any) string { return encrypt(t, good, object{name: value}) }
	withBrandKey := func(expected *inspect.Expectations) { expected.Decrypt = brandKey() }
	return map[string][]example{
		"jwe-alg-misprint": {{"outer.alg", outer("alg", "RSA_OAEP_256"), nil}},
		"jwe-alg":          {{"outer.alg", outer("alg", "RSA-OAEP"), nil}, {"outer.alg", outer("alg", nil), nil}},
		"jwe-enc":          {{"outer.enc", outer("enc", "A256CBC-HS512"), nil}},
		"jwe-enc-missing":  {{"outer.enc", outer("enc", nil), nil}},
		"jwe-cty":          {{"outer.cty", outer("cty", nil), nil}},
		"jwe-kid-missing":  {{"outer.kid", outer("kid", nil), nil}},
		"jwe-zip":          {{"outer.zip", outer("zip", "DEF"), nil}},
		"jwe-closed": {
			{"outer", encrypt(t, good, nil), nil},
			{"outer", outer("alg", "RSA-OAEP"), withDecryption},
		},
		"jwe-not-opened": {{"outer", encrypt(t, good, nil), withBrandKey}},
		"jwe-inner-not-jws": {
			{"outer", encrypt(t, marshalJSON(claimsWith(nil)), nil), withDecryption},
			{"outer", encrypt(t, "x", nil), withDecryption},
			{"outer", encrypt(t, encrypt(t, good, nil), nil), withDecryption},
		},
	}
}

func keyExamples(t testing.TB) map[string][]example {
	t.Helper()
	good, bare := tokenWith(nil), marshalJSON(claimsWith(nil))
	header := marshalJSON(goodHeader())
	line := publicKey("", brandKey()).Base64()
	sameID := keySetOf(t, base64.RawURLEncoding, brandKey(), otherKey())
	chain := strings.ReplaceAll(readCertificate(t), "\n", "")
	chain = strings.TrimSuffix(strings.TrimPrefix(chain, "-----BEGIN CERTIFICATE-----"), "-----END CERTIFICATE-----")
	inSet := func(jwk string) example { return example{"key.keys[0]", good, withKey(`{"keys":[` + jwk + `]}`)} }
	return map[string][]example{
		"signature-unchecked": {{"signature", good, withKeys()}},
		"signature-wrong":     {{"signature", signToken(header, bare, otherKey()), nil}},
		"kid-unknown": {
			{"header.kid", tokenWithHeader(object{"kid": "k9"}), nil},
			{"header.kid", signToken(`{"alg":"RS256","kid":"k9"}`, bare, otherKey()), nil},
		},
		"kid-names-other-key": {
			{"header.kid", good, withKeys(publicKey("k1", otherKey()), publicKey("k2", brandKey()))},
		},
		"key-small":         {{"key", signToken(header, bare, smallKey()), withKeys(publicKey("k1", smallKey()))}},
		"key-published":     {{"key", tutorialToken, withKey(tutorialKey)}},
		"key-not-rsa":       {{"key", good, withKey(readFixture(t, "es256.pem.golden"))}},
		"key-lines":         {{"key", good, withKey(line[:64] + "\n" + line[64:])}},
		"key-pkcs1":         {{"key", good, withKey(readFixture(t, "pkcs1.pem"))}},
		"jwks-plain-base64": {{"key.keys[0]", good, withKey(keySetOf(t, base64.StdEncoding, brandKey()))}},
		"jwks-x5c-only":     {inSet(`{"kty":"RSA","kid":"k1","x5c":["` + chain + `"]}`)},
		"jwks-key-broken": {
			inSet(`{"kty":"RSA","n":"AQAB","e":"AQAB"}`),
			inSet(`5`),
			inSet(`{}`),
			inSet(`{"kty":"RSA","x5c":["!"]}`),
			inSet(`{"kty":"RSA","x5c":["AQAB"]}`),
		},
		"jwks-kid": {{"key.keys[1]", good, withKey(sameID)}},
	}
}
