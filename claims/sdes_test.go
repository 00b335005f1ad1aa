package claims_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
)

// rejected lists JSON that UnmarshalJSON must reject, each with its only error.
var rejected = []struct{ name, in, want string }{
	{
		"object instead of array",
		`{"customerInfo":{}}`,
		`lp_sdes: is an object; use an array: [{"type":"ctmrinfo","info":{…}},{"type":"personal","personal":{…}}]`,
	},
	{
		"null",
		`null`,
		`lp_sdes: is null; use an array: [{"type":"ctmrinfo","info":{…}},{"type":"personal","personal":{…}}]`,
	},
	{"element that is not an object", `["ctmrinfo"]`, `lp_sdes[0]: is a string; use an object with a type`},
	{"type missing", `[{"info":{}}]`, `lp_sdes[0].type: is missing; use ctmrinfo or personal`},
	{"type of wrong JSON type", `[{"type":1}]`, `lp_sdes[0].type: is a number; use ctmrinfo or personal`},
	{
		"unsupported type",
		`[{"type":"cart","total":1}]`,
		`lp_sdes[0].type: "cart" is not a type that LiveEngage accepts in a token; send only ctmrinfo and personal`,
	},
	{
		"type in wrong case",
		`[{"type":"ctmrInfo","info":{}}]`,
		`lp_sdes[0].type: "ctmrInfo" is not a type that LiveEngage accepts in a token; use ctmrinfo`,
	},
	{
		"type of the reporting API",
		`[{"type":"PERSONAL_INFO"}]`,
		`lp_sdes[0].type: "PERSONAL_INFO" is not a type that LiveEngage accepts in a token; use personal`,
	},
	{"wrapper missing", `[{"type":"personal"}]`, `lp_sdes[0].personal: is missing; use an object`},
	{"wrapper null", `[{"type":"personal","personal":null}]`, `lp_sdes[0].personal: is null; leave it out`},
	{
		"unknown field beside the wrapper",
		`[{"type":"ctmrinfo","info":{},"role":"x"}]`,
		`lp_sdes[0].role: is not allowed next to type ctmrinfo; move it into info`,
	},
	{
		"duplicate type",
		`[{"type":"personal","personal":{}},{"type":"personal","personal":{}}]`,
		`lp_sdes[1].type: personal occurs more than once; send one object with all its fields`,
	},
	{
		"duplicate name",
		`[{"type":"ctmrinfo","info":{"role":"a","role":"b"}}]`,
		`lp_sdes[0].info.role: is a duplicate; set it once`,
	},
	{
		"unknown field",
		`[{"type":"ctmrinfo","info":{"colour":"red"}}]`,
		`lp_sdes[0].info.colour: is not a field of lp_sdes; leave it out`,
	},
	{
		"unknown field with a line break",
		`[{"type":"ctmrinfo","info":{"a\nb":"red"}}]`,
		`lp_sdes[0].info["a\nb"]: is not a field of lp_sdes; leave it out`,
	},
	{
		"field in wrong case",
		`[{"type":"ctmrinfo","info":{"customerID":"1"}}]`,
		`lp_sdes[0].info.customerID: is in the wrong case; use customerId`,
	},
	{
		"field of the reporting API",
		`[{"type":"personal","personal":{"surname":"Doe"}}]`,
		`lp_sdes[0].personal.surname: is not a field of lp_sdes; use lastname`,
	},
	{
		"field of OpenID",
		`[{"type":"personal","personal":{"phone_number":"1"}}]`,
		`lp_sdes[0].personal.phone_number: is not a field of lp_sdes; use contacts[].phone`,
	},
	{
		"flat country",
		`[{"type":"personal","personal":{"contacts":[{"country":"US"}]}}]`,
		`lp_sdes[0].personal.contacts[0].country: is not a field of lp_sdes; use address.country`,
	},
	{
		"age of the reporting API",
		`[{"type":"personal","personal":{"age":{"customerAgeInYears":3}}}]`,
		`lp_sdes[0].personal.age.customerAgeInYears: is not a field of lp_sdes; use age`,
	},
	{
		"storeNumber",
		`[{"type":"ctmrinfo","info":{"storeNumber":"1"}}]`,
		`lp_sdes[0].info.storeNumber: LiveEngage ignores this field for authenticated consumers; leave it out`,
	},
	{
		"storeZipCode",
		`[{"type":"ctmrinfo","info":{"storeZipCode":"20505"}}]`,
		`lp_sdes[0].info.storeZipCode: LiveEngage ignores this field for authenticated consumers; leave it out`,
	},
	{
		"number as string",
		`[{"type":"ctmrinfo","info":{"balance":"-400.99"}}]`,
		`lp_sdes[0].info.balance: is a string; use a number without quotes`,
	},
	{
		"string as number",
		`[{"type":"ctmrinfo","info":{"customerId":17}}]`,
		`lp_sdes[0].info.customerId: is a number; use a string`,
	},
	{
		"string as boolean",
		`[{"type":"ctmrinfo","info":{"role":true}}]`,
		`lp_sdes[0].info.role: is a boolean; use a string`,
	},
	{
		"integer as string",
		`[{"type":"ctmrinfo","info":{"companySize":"5"}}]`,
		`lp_sdes[0].info.companySize: is a string; use a whole number without quotes`,
	},
	{
		"integer with fraction",
		`[{"type":"ctmrinfo","info":{"companySize":5.5}}]`,
		`lp_sdes[0].info.companySize: is not a whole number in range; use an integer without a fraction or an exponent`,
	},
	{
		"integer out of range",
		`[{"type":"ctmrinfo","info":{"loginStatus":99999999999999999999}}]`,
		`lp_sdes[0].info.loginStatus: is not a whole number in range; use an integer without a fraction or an exponent`,
	},
	{
		"double out of range",
		`[{"type":"ctmrinfo","info":{"balance":1e999}}]`,
		`lp_sdes[0].info.balance: does not fit into a double-precision number; use at most 15 significant digits`,
	},
	{
		"double too small",
		`[{"type":"ctmrinfo","info":{"balance":1e-400}}]`,
		`lp_sdes[0].info.balance: does not fit into a double-precision number; use at most 15 significant digits`,
	},
	{
		"double too precise",
		`[{"type":"ctmrinfo","info":{"balance":9007199254740993}}]`,
		`lp_sdes[0].info.balance: does not fit into a double-precision number; use at most 15 significant digits`,
	},
	{
		"gender as number",
		`[{"type":"personal","personal":{"gender":1}}]`,
		`lp_sdes[0].personal.gender: is a number; use "MALE", "FEMALE" or "OTHER"`,
	},
	{
		"age as number",
		`[{"type":"personal","personal":{"age":34}}]`,
		`lp_sdes[0].personal.age: is a number; use an object`,
	},
	{
		"contacts as object",
		`[{"type":"personal","personal":{"contacts":{}}}]`,
		`lp_sdes[0].personal.contacts: is an object; use an array`,
	},
	{
		"contact as string",
		`[{"type":"personal","personal":{"contacts":["a"]}}]`,
		`lp_sdes[0].personal.contacts[0]: is a string; use an object`,
	},
	{
		"contacts empty",
		`[{"type":"personal","personal":{"contacts":[]}}]`,
		`lp_sdes[0].personal.contacts: is empty; leave it out`,
	},
	{"string empty", `[{"type":"ctmrinfo","info":{"role":""}}]`, `lp_sdes[0].info.role: is empty; leave it out`},
	{"field null", `[{"type":"ctmrinfo","info":{"role":null}}]`, `lp_sdes[0].info.role: is null; leave it out`},
	{
		"date as string",
		`[{"type":"ctmrinfo","info":{"lastPaymentDate":"2014-10-15"}}]`,
		`lp_sdes[0].info.lastPaymentDate: is a string; use an object`,
	},
	{
		"date without month",
		`[{"type":"ctmrinfo","info":{"lastPaymentDate":{"day":1,"year":2014}}}]`,
		`lp_sdes[0].info.lastPaymentDate.month: is missing; set day, month and year`,
	},
	{
		"year of birth 0",
		`[{"type":"personal","personal":{"age":{"age":3,"year":0}}}]`,
		`lp_sdes[0].personal.age.year: is 0; leave it out`,
	},
	{
		"half a surrogate pair",
		`[{"type":"ctmrinfo","info":{"role":"\ud800"}}]`,
		`lp_sdes[0].info.role: contains U+FFFD, the replacement for invalid text; send the original text as UTF-8`,
	},
}

// accepted lists JSON that must survive decoding and encoding.
var accepted = []string{
	`[]`,
	`[{"type":"ctmrinfo","info":{}}]`,
	`[{"type":"personal","personal":{}},{"type":"ctmrinfo","info":{}}]`,
	`[{"info":{"balance":-0.0,"companySize":0,"loginStatus":-1},"type":"ctmrinfo"}]`,
	`[{"type":"ctmrinfo","info":{"balance":1.5e3,"lastPaymentDate":{"year":2014,"month":0,"day":99}}}]`,
	`[{"type":"personal","personal":{"firstname":"Zo\u00eb <b>\u2028","age":{"age":0},"contacts":[{},{"address":{}}]}}]`,
	`[{"type":"ctmrinfo","info":{"ctype":"vip","balance":123456789012345,"customerId":"C-1"}},
	  {"type":"personal","personal":{"gender":"male","language":"x","contacts":[{"phone":"1","phoneType":"?"}]}}]`,
}

func TestUnmarshalSDEs(t *testing.T) {
	t.Parallel()
	for _, c := range rejected {
		t.Run("rejects "+c.name, func(t *testing.T) {
			t.Parallel()
			s := rich().SDEs()
			err := json.Unmarshal([]byte(c.in), &s)
			require.EqualError(t, err, c.want)
			require.Len(t, claims.FieldErrors(err), 1)
			require.Equal(t, rich().SDEs(), s, "is unchanged")
		})
	}
	for _, in := range accepted {
		t.Run("round trip of "+in, func(t *testing.T) {
			t.Parallel()
			roundTrip(t, []byte(in))
		})
	}
	t.Run("reports every error in the order of the text", func(t *testing.T) {
		t.Parallel()
		var s claims.SDEs
		err := json.Unmarshal([]byte(`[{"type":"personal","personal":{"gender":0,"Company":"x"}},{"type":"lead"}]`), &s)
		var fields []string
		for _, f := range claims.FieldErrors(err) {
			fields = append(fields, f.Field)
		}
		require.Equal(t, []string{"lp_sdes[0].personal.gender", "lp_sdes[0].personal.Company", "lp_sdes[1].type"}, fields)
	})
	t.Run("rejects invalid JSON when called directly", func(t *testing.T) {
		t.Parallel()
		for _, in := range []string{"", "[", "[]]", "[] []", `[{"type"}]`, "[\xff]", strings.Repeat("[", 100000)} {
			require.Error(t, new(claims.SDEs).UnmarshalJSON([]byte(in)), "%.20q", in)
		}
	})
}

func TestMarshalSDEs(t *testing.T) {
	t.Parallel()
	t.Run("a rich person", func(t *testing.T) {
		t.Parallel()
		golden(t, "rich_lp_sdes", rich().SDEs())
		out, err := json.Marshal(rich().SDEs())
		require.NoError(t, err)
		var back claims.SDEs
		require.NoError(t, json.Unmarshal(out, &back))
		require.Equal(t, rich().SDEs(), back)
	})
	t.Run("the zero value is an empty array", func(t *testing.T) {
		t.Parallel()
		out, err := json.Marshal(claims.SDEs{})
		require.NoError(t, err)
		require.Equal(t, "[]", string(out))
	})
	t.Run("a balance that is not finite is an error", func(t *testing.T) {
		t.Parallel()
		_, err := json.Marshal(claims.SDEs{CustomerInfo: &claims.CustomerInfo{Balance: new(math.NaN())}})
		require.ErrorContains(t, err, "encode lp_sdes")
	})
}

func TestEmptySDEs(t *testing.T) {
	t.Parallel()
	require.True(t, claims.SDEs{}.Empty())
	require.True(t, claims.SDEs{CustomerInfo: &claims.CustomerInfo{}, PersonalInfo: &claims.PersonalInfo{}}.Empty())
	require.False(t, rich().SDEs().Empty())
	require.False(t, claims.SDEs{CustomerInfo: &claims.CustomerInfo{LoginStatus: new(0)}}.Empty())
	require.False(t, claims.SDEs{PersonalInfo: &claims.PersonalInfo{Company: "x"}}.Empty())
	blank := claims.Person{CustomerInfo: &claims.CustomerInfo{}, PersonalInfo: &claims.PersonalInfo{}}
	require.Equal(t, claims.SDEs{}, blank.SDEs())
}

// roundTrip checks that decoding and encoding preserve the JSON value.
func roundTrip(t *testing.T, in []byte) {
	t.Helper()
	var s claims.SDEs
	require.NoError(t, json.Unmarshal(in, &s))
	out, err := json.Marshal(s)
	require.NoError(t, err)
	var want, got any
	require.NoError(t, json.Unmarshal(in, &want))
	require.NoError(t, json.Unmarshal(out, &got))
	require.Equal(t, want, got)
	var again claims.SDEs
	require.NoError(t, json.Unmarshal(out, &again))
	require.Equal(t, s, again)
}

func FuzzSDEs(f *testing.F) {
	for _, c := range rejected {
		f.Add([]byte(c.in))
	}
	for _, in := range accepted {
		f.Add([]byte(in))
	}
	for _, name := range []string{"rich", "jane", "noa"} {
		seed, err := os.ReadFile("testdata/" + name + "_lp_sdes.golden")
		if err == nil {
			f.Add(seed)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var s claims.SDEs
		if err := json.Unmarshal(in, &s); err != nil {
			return
		}
		_ = s.Validate() // must not panic
		roundTrip(t, in)
	})
}
