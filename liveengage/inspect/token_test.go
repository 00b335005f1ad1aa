package inspect_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
	"idpbridge/liveengage/inspect"
)

func TestGoodTokenHasNoFindings(t *testing.T) {
	t.Parallel()
	good := tokenWith(nil)
	report := inspect.Token(good, goodExpectations())
	require.Empty(t, report.Findings, marshalJSON(report.Findings))
	require.Equal(t, "JWS", report.Form)
	require.Equal(t, inspect.Verified, report.Signature.State)
	require.Equal(t, "k1", report.Signature.KeyID)
	require.Contains(t, report.Signature.Detail, publicKey("k1", brandKey()).Fingerprint())
	require.JSONEq(t, marshalJSON(claimsWith(nil)), string(report.Claims))
	require.JSONEq(t, marshalJSON(goodHeader()), string(report.Header))
	require.True(t, strings.HasPrefix(string(report.Claims), "{\n  \"aud\""), "indented, in the order of the token")

	expected := goodExpectations()
	expected.Decrypt = otherKey()
	report = inspect.Token(encrypt(t, good, nil), expected)
	require.Empty(t, report.Findings)
	require.Equal(t, "JWE", report.Form)
	require.Contains(t, string(report.Outer), "RSA-OAEP-256")
	require.Equal(t, inspect.Verified, report.Signature.State)

	onlyKeys := inspect.Expectations{Keys: goodExpectations().Keys}
	require.Empty(t, codesOf(inspect.Token(good, onlyKeys)), "zero values are not compared")
}

func TestAgentSees(t *testing.T) {
	t.Parallel()
	var got []string
	for _, f := range inspect.Token(tokenWith(nil), goodExpectations()).AgentSees {
		got = append(got, strings.Join([]string{f.Where, f.Label, f.Value, f.From}, " | "))
	}
	require.Equal(t, []string{
		"Consumer info | Customer ID | " + subject + " | sub and lp_sdes[0].info.customerId",
		"Consumer info | User Name | jane | preferred_username",
		"Consumer info | Type | gold | lp_sdes[0].info.ctype",
		"Consumer info | Balance | -400.99 | lp_sdes[0].info.balance",
		"Consumer info | Currency | USD | lp_sdes[0].info.currency",
		"Consumer info | Company Size | 500 | lp_sdes[0].info.companySize",
		"Consumer info | Last Payment Date | 15.10.2014 | lp_sdes[0].info.lastPaymentDate",
		"Personal info | Name | Jane Doe | given_name, family_name and lp_sdes[1].personal.firstname, lastname",
		"Personal info | Email | jane@example.com | email and lp_sdes[1].personal.contacts[0].email",
		"Personal info | Gender | FEMALE | gender and lp_sdes[1].personal.gender",
		"Personal info | Age | 34 | lp_sdes[1].personal.age.age",
		"Personal info | Date of Birth | 15.4.1990 | lp_sdes[1].personal.age",
		"Personal info | Phone | +1 212-788-8877 (MOBILE) | lp_sdes[1].personal.contacts[0].phone",
		"Personal info | Address | New York, US | lp_sdes[1].personal.contacts[0].address",
		"Personal info | Language | en-US | lp_sdes[1].personal.language",
	}, got)
}

func TestTokenIsFoundInPastedText(t *testing.T) {
	t.Parallel()
	good := tokenWith(nil)
	want := inspect.Token(good, goodExpectations())
	const window = "https://lpcdn.lpsnmedia.net/le_unified_window/index.html"
	const beforeToken = `{"access_token":"NotApplicable","token_type":"Bearer","expires_in":3600,"id_token":"`
	for name, text := range map[string]string{
		"white space":           "\r\n\t " + good + " \n",
		"bearer":                "Bearer " + good,
		"header":                "Authorization: bearer " + good,
		"quotes":                `"` + good + `"`,
		"id_token, fragment":    window + "#state=%7B%22a%22%3A1%7D&id_token=" + good,
		"token, query":          window + "?state=x&token=" + good,
		"code, query":           "https://brand.example/cb?code=" + good + "&state=x",
		"only the fragment":     "#id_token=" + good + "&state=x",
		"only the parameter":    "id_token=" + good,
		"code and token":        "https://brand.example/cb?code=abc#id_token=" + good,
		"response":              beforeToken + good + `"}`,
		"part of a response":    `"expires_in":3600,"id_token":"` + good + `",`,
		"in the middle of text": "the token was " + good + " and LivePerson said 9007",
	} {
		require.Equal(t, want, inspect.Token(text, goodExpectations()), name)
	}
	wrapped := good[:40] + "\n  " + good[40:200] + "\r\n" + good[200:]
	require.Equal(t, []string{"white-space-inside"}, codesOf(inspect.Token(wrapped, goodExpectations())))
}

// TestEveryPitfallIsFound has the pitfalls known from other projects that are visible
// in a token or in the key that it is checked with. The other numbers of that list are
// about documentation (2, 22), URLs (8 to 12), scripts (13, 19, 20), apps (21),
// LivePerson's own changes (23) and servers that are too permissive (17).
func TestEveryPitfallIsFound(t *testing.T) {
	t.Parallel()
	header, claims := marshalJSON(goodHeader()), marshalJSON(claimsWith(nil))
	nameOnly := object{"name": "Jane Doe", "given_name": nil, "family_name": nil, "lp_sdes": nil}
	identity := `{"iss":"` + issuer + `","acr":"loa1","sub":"` + subject + `"}`
	plainBase64 := keySetOf(t, base64.StdEncoding, brandKey())
	misprint := encrypt(t, tokenWith(nil), object{"alg": "RSA_OAEP_256"})
	wrongKey, weak := signToken(header, claims, otherKey()), signToken(header, claims, smallKey())
	phone, customerID := object{"phone_number": "+12125550101"}, tokenWithCustomer(`"customerId":"C-1"`)
	milliseconds := object{"exp": now.Add(time.Hour).UnixMilli()}
	for _, c := range []struct {
		name, code string
		example
	}{
		{"1 key pasted wrongly", "signature-wrong", example{"signature", wrongKey, nil}},
		{"3 phone_number becomes IMEI", "phone-as-imei", example{"phone_number", tokenWith(phone), nil}},
		{"4 name is not displayed", "name-unseen", example{"name", tokenWith(nameOnly), nil}},
		{"5 iss with another spelling", "iss-differs", example{"iss", tokenWith(object{"iss": issuer + "/"}), nil}},
		{"6 RSA_OAEP_256", "jwe-alg-misprint", example{"outer.alg", misprint, nil}},
		{"7 milliseconds", "exp-milliseconds", example{"exp", tokenWith(milliseconds), nil}},
		{"7 times as strings", "iat-string", example{"iat", tokenWith(object{"iat": "1772355600"}), nil}},
		{"14 identity instead of token", "identity-object", example{"token", identity, nil}},
		{"14 one sub for all customers", "sub-constant", example{"sub", tokenWith(object{"sub": "111111111"}), nil}},
		{"15 sub is an email address", "sub-email", example{"sub", tokenWith(object{"sub": "jane@example.com"}), nil}},
		{"15 sub is a phone number", "sub-phone", example{"sub", tokenWith(object{"sub": "+1 212 555 0101"}), nil}},
		{"16 published private key", "key-published", example{"key", tutorialToken, withKey(tutorialKey)}},
		{"16 any key of 1024 bits", "key-small", example{"key", weak, withKeys(publicKey("k1", smallKey()))}},
		{"18 customerId is not the sub", "customer-id-differs", example{customerPath + ".customerId", customerID, nil}},
		{"24 modulus in plain base64", "jwks-plain-base64", example{"key.keys[0]", tokenWith(nil), withKey(plainBase64)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			expected := goodExpectations()
			if c.change != nil {
				c.change(&expected)
			}
			requireFinding(t, inspect.Token(c.text, expected), c.code, c.where)
		})
	}
}

// TestTutorialToken inspects LivePerson's own example.
func TestTutorialToken(t *testing.T) {
	t.Parallel()
	found, findings, err := inspect.ParseKeys(tutorialKey)
	require.NoError(t, err)
	report := inspect.Token(tutorialToken, inspect.Expectations{Now: now, Keys: found, KeyFindings: findings})
	require.Equal(t, inspect.Verified, report.Signature.State)
	require.Equal(t, []string{
		"key-published", "key-small", "sub-phone", "kid-missing", "lifetime-long", "name-unseen", "sdes-missing",
	}, codesOf(report))
	require.Equal(t, 3, report.CountErrors())
	require.Equal(t, 3, report.CountWarnings())
}

func TestAllErrorsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	claims := `{"iss":7,"sub":"jane@example.com","iat":"1772355600.5","exp":1772359200000.25,"given_name":5,"email":"jane",
		"exp":1772359200000.25,
		"lp_sdes":{"customerInfo":{"customerID":"1","lastPaymentDate":"2014-10-15","currency":"usd","storeNumber":"1"},
			"personalInfo":{"gender":1,"age":{"month":13}}}}`
	expected := goodExpectations()
	expected.Keys = []keys.PublicKey{publicKey("k2", otherKey())}
	report := inspect.Token(signToken(`{"alg":"none"}`, claims, brandKey()), expected)
	for code, where := range map[string]string{
		"alg-none":         "header.alg",
		"kid-missing":      "header.kid",
		"iss-type":         "iss",
		"sub-email":        "sub",
		"sub-differs":      "sub",
		"iat-string":       "iat",
		"iat-fraction":     "iat",
		"exp-milliseconds": "exp",
		"exp-fraction":     "exp",
		"duplicate-member": "exp",
		"claim-type":       "given_name",
		"claim-value":      "email",
		"sdes-not-array":   "lp_sdes",
		"sdes-case":        "lp_sdes.customerInfo.customerID",
		"sdes-date":        "lp_sdes.customerInfo.lastPaymentDate",
		"sdes-value":       "lp_sdes.customerInfo.currency",
		"sdes-store":       "lp_sdes.customerInfo.storeNumber",
		"sdes-gender":      "lp_sdes.personalInfo.gender",
	} {
		requireFinding(t, report, code, where)
	}
	requireFinding(t, report, "sdes-value", "lp_sdes.personalInfo.age.month")
	first := inspect.AgentField{Where: "Consumer info", Label: "Customer ID", Value: "jane@example.com", From: "sub"}
	require.Equal(t, first, report.AgentSees[0])
	for _, f := range report.AgentSees {
		require.NotContains(t, f.From, "lp_sdes", "LiveEngage reads nothing from an object")
	}
}

func TestKeyIDs(t *testing.T) {
	t.Parallel()
	good := tokenWith(nil)
	inspectWith := func(set ...keys.PublicKey) inspect.Report {
		expected := goodExpectations()
		expected.Keys = set
		return inspect.Token(good, expected)
	}
	report := inspectWith(publicKey("k1", otherKey()), publicKey("k2", brandKey()))
	f := requireFinding(t, report, "kid-names-other-key", "header.kid")
	require.Contains(t, f.Problem, publicKey("", otherKey()).Fingerprint())
	require.Contains(t, f.Remedy, `"k2"`)
	require.Equal(t, inspect.Verified, report.Signature.State)

	report = inspectWith(publicKey("k2", otherKey()))
	require.Equal(t, inspect.WrongKey, report.Signature.State)
	require.Contains(t, report.Signature.Detail, publicKey("", otherKey()).Fingerprint())
	require.Equal(t, []string{"signature-wrong", "kid-unknown"}, codesOf(report))

	report = inspectWith(publicKey("k1", otherKey()))
	require.Contains(t, requireFinding(t, report, "signature-wrong", "signature").Problem, "that kid names")

	require.Empty(t, codesOf(inspectWith(publicKey("", brandKey()))), "a pasted key has no kid to compare")
	report = inspectWith()
	require.Equal(t, inspect.NotChecked, report.Signature.State)
	require.Equal(t, []string{"signature-unchecked"}, codesOf(report))
}

func TestInvisibleCharactersAreEscaped(t *testing.T) {
	t.Parallel()
	changes := object{"given_name": "Ja\u202ene\x1b[2J", "other": "a\u0085b\U000E0001"}
	report := inspect.Token(tokenWith(changes), goodExpectations())
	require.NotContains(t, string(report.Claims), "\u202e")
	require.NotContains(t, string(report.Claims), "\u0085")
	require.Contains(t, string(report.Claims), `\u202e`)
	var decoded object
	require.NoError(t, json.Unmarshal(report.Claims, &decoded))
	require.Equal(t, "Ja\u202ene\x1b[2J", decoded["given_name"])
	require.Equal(t, "a\u0085b\U000E0001", decoded["other"])
	requireFinding(t, report, "control-character", "given_name")
	requireFinding(t, report, "control-character", "other")
	for _, f := range report.AgentSees {
		require.NotContains(t, f.Value, "\x1b")
	}
}

func TestIssuerDifference(t *testing.T) {
	t.Parallel()
	for iss, want := range map[string]string{
		issuer + "/":                 "a slash at the end",
		" " + issuer:                 "white space",
		"https://Login.bank.example": "upper and lower case differ, first at character 9",
		"https://login.bonk.example": `character 16, "o" instead of "a"`,
		"https://login.bank":         "it ends after character 18",
		issuer + "/realm":            "it continues after character 26",
	} {
		report := inspect.Token(tokenWith(object{"iss": iss}), goodExpectations())
		require.Contains(t, requireFinding(t, report, "iss-differs", "iss").Problem, want)
	}
	expected := goodExpectations()
	expected.Issuer += "/"
	report := inspect.Token(tokenWith(nil), expected)
	require.Contains(t, requireFinding(t, report, "iss-differs", "iss").Problem, "the slash at the end is missing")
}
