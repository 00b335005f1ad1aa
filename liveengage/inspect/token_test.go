package inspect_test

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
	"idpbridge/liveengage/inspect"
)

func TestInspectPassesAGoodToken(t *testing.T) {
	t.Parallel()
	good := token(nil)
	r := inspect.Token(good, expectations())
	require.Empty(t, r.Findings, spelt(r.Findings))
	require.Equal(t, "JWS", r.Form)
	require.Equal(t, inspect.Verified, r.Signature.State)
	require.Equal(t, "k1", r.Signature.KeyID)
	require.Contains(t, r.Signature.Detail, public("k1", signer()).Fingerprint())
	require.JSONEq(t, spelt(claimsWith(nil)), string(r.Claims))
	require.JSONEq(t, spelt(header()), string(r.Header))
	require.True(t, strings.HasPrefix(string(r.Claims), "{\n  \"aud\""), "indented, in the token's order")

	var got, want []string
	for _, s := range r.AgentSees {
		got = append(got, strings.Join([]string{s.Where, s.Label, s.Value, s.From}, " | "))
	}
	want = []string{
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
	}
	require.Equal(t, want, got)

	x := expectations()
	x.Decrypt = other()
	r = inspect.Token(sealed(t, good, nil), x)
	require.Empty(t, r.Findings)
	require.Equal(t, "JWE", r.Form)
	require.Contains(t, string(r.Outer), "RSA-OAEP-256")
	require.Equal(t, inspect.Verified, r.Signature.State)

	require.Empty(t, codes(inspect.Token(good, inspect.Expectations{Keys: expectations().Keys})), "nothing to compare with")
}

func TestInspectTakesWhatPeoplePaste(t *testing.T) {
	t.Parallel()
	good := token(nil)
	want := inspect.Token(good, expectations())
	for name, text := range map[string]string{
		"white space":         "\r\n\t " + good + " \n",
		"bearer":              "Bearer " + good,
		"header":              "Authorization: bearer " + good,
		"quotes":              `"` + good + `"`,
		"id_token, fragment":  "https://lpcdn.lpsnmedia.net/le_unified_window/index.html#state=%7B%22a%22%3A1%7D&id_token=" + good,
		"token, query":        "https://lpcdn.lpsnmedia.net/le_unified_window/index.html?state=x&token=" + good,
		"code, query":         "https://brand.example/cb?code=" + good + "&state=x",
		"fragment alone":      "#id_token=" + good + "&state=x",
		"parameter alone":     "id_token=" + good,
		"two in one":          "https://brand.example/cb?code=abc#id_token=" + good,
		"answer":              `{"access_token":"NotApplicable","token_type":"Bearer","expires_in":3600,"id_token":"` + good + `"}`,
		"piece of an answer":  `"expires_in":3600,"id_token":"` + good + `",`,
		"in the middle of it": "the token was " + good + " and LivePerson said 9007",
	} {
		r := inspect.Token(text, expectations())
		require.Equal(t, want, r, name)
	}
	wrapped := good[:40] + "\n  " + good[40:200] + "\r\n" + good[200:]
	require.Equal(t, []string{"white-space-inside"}, codes(inspect.Token(wrapped, expectations())))
}

// TestInspectFindsEveryPitfall has a token for each pitfall of the field that
// shows in a token or in the key that it is checked with: the others are about
// documentation (2, 22), addresses (8 to 12), scripts (13, 19, 20), apps (21),
// LivePerson's own changes (23) and what servers let others do (17).
func TestInspectFindsEveryPitfall(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, code, where string
	}{
		"1 key pasted wrongly":              {encode(spelt(header()), spelt(claimsWith(nil)), other()), "signature-wrong", "signature"},
		"3 phone_number becomes IMEI":       {token(object{"phone_number": "+12125550101"}), "phone-as-imei", "phone_number"},
		"4 name is not displayed":           {token(object{"name": "Jane Doe", "given_name": nil, "family_name": nil, "lp_sdes": nil}), "name-unseen", "name"},
		"5 iss of another spelling":         {token(object{"iss": issuer + "/"}), "iss-differs", "iss"},
		"6 RSA_OAEP_256":                    {sealed(t, token(nil), object{"alg": "RSA_OAEP_256"}), "jwe-alg-misprint", "outer.alg"},
		"7 milliseconds":                    {token(object{"exp": now.Add(time.Hour).UnixMilli()}), "exp-milliseconds", "exp"},
		"7 times as strings":                {token(object{"iat": "1772355600"}), "iat-string", "iat"},
		"14 identity instead of a token":    {`{"iss":"` + issuer + `","acr":"loa1","sub":"` + subject + `"}`, "identity-object", "token"},
		"14 the same sub for everybody":     {token(object{"sub": "111111111"}), "sub-constant", "sub"},
		"15 sub is an email address":        {token(object{"sub": "jane@example.com"}), "sub-email", "sub"},
		"15 sub is a phone number":          {token(object{"sub": "+1 212 555 0101"}), "sub-phone", "sub"},
		"16 published private key":          {tutorialToken, "key-published", "key"},
		"16 any key of 1024 bits":           {encode(spelt(header()), spelt(claimsWith(nil)), small()), "key-small", "key"},
		"18 customerId that is not the sub": {sdesOf(`[{"type":"ctmrinfo","info":{"customerId":"C-1"}}]`), "customer-id-differs", "lp_sdes[0].info.customerId"},
		"24 modulus in plain base64":        {token(nil), "jwks-plain-base64", "key.keys[0]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := expectations()
			switch {
			case strings.HasPrefix(name, "16 published"):
				var err error
				x.Keys, x.KeyFindings, err = inspect.ParseKeys(tutorialKey)
				require.NoError(t, err)
			case strings.HasPrefix(name, "16"):
				x.Keys = []keys.PublicKey{public("k1", small())}
			case strings.HasPrefix(name, "24"):
				var err error
				x.Keys, x.KeyFindings, err = inspect.ParseKeys(setOf(t, base64.StdEncoding, signer()))
				require.NoError(t, err)
			}
			findingOf(t, inspect.Token(c.text, x), c.code, c.where)
		})
	}
}

// TestInspectTutorialToken reads LivePerson's own sample.
func TestInspectTutorialToken(t *testing.T) {
	t.Parallel()
	found, notes, err := inspect.ParseKeys(tutorialKey)
	require.NoError(t, err)
	r := inspect.Token(tutorialToken, inspect.Expectations{Now: now, Keys: found, KeyFindings: notes})
	require.Equal(t, inspect.Verified, r.Signature.State)
	require.Equal(t, []string{"key-published", "key-small", "sub-phone", "kid-missing", "lifetime-long", "name-unseen", "sdes-missing"}, codes(r))
	require.Equal(t, 3, r.CountErrors())
	require.Equal(t, 3, r.CountWarnings())
}

func TestInspectReportsEveryFaultAtOnce(t *testing.T) {
	t.Parallel()
	raw := `{"iss":7,"sub":"jane@example.com","iat":"1772355600.5","exp":1772359200000.25,"given_name":5,"email":"jane","exp":1772359200000.25,
		"lp_sdes":{"customerInfo":{"customerID":"1","lastPaymentDate":"2014-10-15","currency":"usd","storeNumber":"1"},"personalInfo":{"gender":1,"age":{"month":13}}}}`
	x := expectations()
	x.Keys = []keys.PublicKey{public("k2", other())}
	r := inspect.Token(encode(`{"alg":"none"}`, raw, signer()), x)
	for code, where := range map[string]string{
		"alg-none": "header.alg", "kid-missing": "header.kid", "iss-type": "iss", "sub-email": "sub", "sub-differs": "sub",
		"iat-string": "iat", "iat-fraction": "iat", "exp-milliseconds": "exp", "exp-fraction": "exp", "duplicate-member": "exp",
		"claim-type": "given_name", "claim-value": "email", "sdes-not-array": "lp_sdes", "sdes-case": "lp_sdes.customerInfo.customerID",
		"sdes-date": "lp_sdes.customerInfo.lastPaymentDate", "sdes-value": "lp_sdes.customerInfo.currency",
		"sdes-store": "lp_sdes.customerInfo.storeNumber", "sdes-gender": "lp_sdes.personalInfo.gender",
	} {
		findingOf(t, r, code, where)
	}
	findingOf(t, r, "sdes-value", "lp_sdes.personalInfo.age.month")
	require.Equal(t, []inspect.AgentField{{Where: "Consumer info", Label: "Customer ID", Value: "jane@example.com", From: "sub"}, {Where: "Personal info", Label: "Name", Value: "Doe", From: "family_name"}}[:1], r.AgentSees[:1])
	for _, s := range r.AgentSees {
		require.NotContains(t, s.From, "lp_sdes", "LiveEngage reads nothing of an object")
	}
}

func TestInspectKids(t *testing.T) {
	t.Parallel()
	inspectWith := func(text string, set ...keys.PublicKey) inspect.Report {
		x := expectations()
		x.Keys = set
		return inspect.Token(text, x)
	}
	r := inspectWith(headed(nil), public("k1", other()), public("k2", signer()))
	f := findingOf(t, r, "kid-names-other-key", "header.kid")
	require.Contains(t, f.Problem, public("", other()).Fingerprint())
	require.Contains(t, f.Remedy, `"k2"`)
	require.Equal(t, inspect.Verified, r.Signature.State)

	r = inspectWith(headed(nil), public("k2", other()))
	require.Equal(t, inspect.WrongKey, r.Signature.State)
	require.Contains(t, r.Signature.Detail, public("", other()).Fingerprint())
	require.Equal(t, []string{"signature-wrong", "kid-unknown"}, codes(r))

	r = inspectWith(headed(nil), public("k1", other()))
	require.Contains(t, findingOf(t, r, "signature-wrong", "signature").Problem, "that kid names")

	require.Empty(t, codes(inspectWith(headed(nil), public("", signer()))), "a pasted key has no kid to compare")
	r = inspectWith(headed(nil))
	require.Equal(t, inspect.NotChecked, r.Signature.State)
	require.Equal(t, []string{"signature-unchecked"}, codes(r))
}

func TestInspectHidesNothingInText(t *testing.T) {
	t.Parallel()
	r := inspect.Token(token(object{"given_name": "Ja\u202ene\x1b[2J", "other": "a\u0085b\U000E0001"}), expectations())
	require.NotContains(t, string(r.Claims), "\u202e")
	require.NotContains(t, string(r.Claims), "\u0085")
	require.Contains(t, string(r.Claims), `\u202e`)
	var back object
	require.NoError(t, json.Unmarshal(r.Claims, &back))
	require.Equal(t, "Ja\u202ene\x1b[2J", back["given_name"])
	require.Equal(t, "a\u0085b\U000E0001", back["other"])
	findingOf(t, r, "control-character", "given_name")
	findingOf(t, r, "control-character", "other")
	for _, s := range r.AgentSees {
		require.NotContains(t, s.Value, "\x1b")
	}
}

var update = flag.Bool("update", false, "rewrite the table in docs/token-inspect.md") //nolint:gochecknoglobals // a test flag

func TestIssuerDifference(t *testing.T) {
	t.Parallel()
	for iss, want := range map[string]string{
		issuer + "/": "a slash at the end", " " + issuer: "white space", "https://Login.bank.example": "upper and lower case differ, first at character 9",
		"https://login.bonk.example": `character 16, "o" instead of "a"`, "https://login.bank": "it ends after character 18", issuer + "/realm": "it continues after character 26",
	} {
		require.Contains(t, findingOf(t, inspect.Token(token(object{"iss": iss}), expectations()), "iss-differs", "iss").Problem, want)
	}
	x := expectations()
	x.Issuer += "/"
	require.Contains(t, findingOf(t, inspect.Token(token(nil), x), "iss-differs", "iss").Problem, "the slash at the end is missing")
}

// TestFindingKindsAreDocumented compares the page with the code; -update writes
// its table anew.
func TestFindingKindsAreDocumented(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- findings: written by the tests with -update -->\n", "<!-- end of findings -->"
	var table strings.Builder
	table.WriteString("| code | level | what it means | what to do |\n| --- | --- | --- | --- |\n")
	plain := strings.NewReplacer("|", `\|`, "<", "&lt;")
	for _, k := range inspect.FindingKinds() {
		table.WriteString("| `" + k.Code + "` | " + string(k.Level) + " | " + plain.Replace(k.Meaning) + " | " + plain.Replace(k.Remedy) + " |\n")
	}
	file := filepath.Join("..", "..", "docs", "token-inspect.md")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(raw), begin)
	require.True(t, ok)
	old, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o644))
		return
	}
	require.Equal(t, table.String(), old)
}
