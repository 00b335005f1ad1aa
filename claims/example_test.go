package claims_test

import (
	"encoding/json"
	"fmt"

	"idpbridge/claims"
)

func Example() {
	person := claims.Person{
		Subject:      "356cbfbfe86f0c45e3d082a8d26dcaab",
		Standard:     claims.Standard{GivenName: "Jane", Email: "jane@example.com"},
		CustomerInfo: &claims.CustomerInfo{Balance: new(-400.99), Currency: "usd"},
		PersonalInfo: &claims.PersonalInfo{Company: "Bank"},
	}
	fmt.Println(person.Validate())

	person.CustomerInfo.Currency = "USD"
	fmt.Println(person.Validate())

	standard, _ := json.Marshal(person.Standard.Filter([]string{"openid", "email"}, nil))
	fmt.Println(string(standard))
	sdes, _ := json.Marshal(person.SDEs())
	fmt.Println(string(sdes))
	// Output:
	// customerInfo.currency: "usd" is not a currency code; use an ISO 4217 code in upper case, such as USD
	// <nil>
	// {"email":"jane@example.com"}
	// [{"type":"ctmrinfo","info":{"balance":-400.99,"currency":"USD"}},{"type":"personal","personal":{"company":"Bank"}}]
}

func ExampleSDEs_UnmarshalJSON() {
	var s claims.SDEs
	err := json.Unmarshal([]byte(`[{"type":"ctmrinfo","info":{"customerID":"C-1","storeNumber":"7"}}]`), &s)
	fmt.Println(err)
	// Output:
	// lp_sdes[0].info.customerID: is in the wrong case; use customerId
	// lp_sdes[0].info.storeNumber: LiveEngage ignores this field for authenticated consumers; leave it out
}
