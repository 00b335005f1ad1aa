package inspect_test

import (
	"encoding/json"
	"strings"
	"time"
)

const (
	customerPath = "lp_sdes[0].info"
	personalPath = "lp_sdes[0].personal"
)

func timeExamples() map[string][]example {
	with := func(name string, value any) example { return example{name, tokenWith(object{name: value}), nil} }
	all := map[string][]example{
		"expired":        {with("exp", now.Unix()), with("exp", "2026-03-01T08:00:00Z")},
		"exp-before-iat": {{"exp", tokenWith(object{"iat": now.Unix() + 7200}), nil}},
		"iat-future":     {with("iat", now.Unix()+61)},
		"lifetime-long":  {with("exp", now.Add(25*time.Hour).Unix())},
	}
	for _, name := range []string{"exp", "iat"} {
		all[name+"-missing"] = []example{with(name, nil), with(name, json.RawMessage("null"))}
		all[name+"-milliseconds"] = []example{
			with(name, now.UnixMilli()),
			with(name, now.UnixMicro()),
			with(name, json.RawMessage("1e400")),
		}
		all[name+"-string"] = []example{with(name, "1772355600"), with(name, "soon")}
		all[name+"-fraction"] = []example{with(name, 1772355600.5), with(name, json.RawMessage("1.7723556e9"))}
		all[name+"-negative"] = []example{with(name, -5)}
		all[name+"-type"] = []example{with(name, true)}
	}
	return all
}

// subjectExamples has the examples for iss and sub.
func subjectExamples() map[string][]example {
	iss := func(value any) example { return example{"iss", tokenWith(object{"iss": value}), nil} }
	sub := func(value any) example { return example{"sub", tokenWith(object{"sub": value}), nil} }
	return map[string][]example{
		"iss-missing":   {iss(nil), iss("")},
		"iss-type":      {iss([]string{issuer})},
		"iss-differs":   {iss("https://login.bank.example/")},
		"iss-not-url":   {iss("bank")},
		"sub-missing":   {sub(nil), sub("")},
		"sub-type":      {sub(4711)},
		"sub-malformed": {sub("jäne-0123456789"), sub(strings.Repeat("ab", 200))},
		"sub-email":     {sub("jane@example.com")},
		"sub-phone":     {sub("+12125550101"), sub("(212) 788-8877"), sub("+972-3-5555-555")},
		"sub-constant":  {sub("111111111"), sub("undefined"), sub("123456789")},
		"sub-short":     {sub("ab12x")},
		"sub-number":    {sub("4711081599")},
		"sub-differs":   {sub("another-0123456789")},
	}
}

func claimExamples() map[string][]example {
	with := func(name string, value any) example { return example{name, tokenWith(object{name: value}), nil} }
	nameOnly := object{"name": "Jane", "given_name": nil, "family_name": nil, "lp_sdes": nil}
	return map[string][]example{
		"claims-not-json": {
			{"claims", tokenWithClaims("[]"), nil},
			{"claims", tokenWithClaims(""), nil},
			{"claims", tokenWithClaims("null"), nil},
		},
		"claim-type":          {with("given_name", 1), with("gender", json.RawMessage("null"))},
		"claim-value":         {with("email", "jane")},
		"claim-odd":           {with("birthdate", "yesterday"), with("email_verified", "true")},
		"name-unseen":         {{"name", tokenWith(nameOnly), nil}},
		"phone-as-imei":       {with("phone_number", "+12125550101")},
		"claim-sde-conflict":  {{"given_name", tokenWithPersonal(`"firstname":"Joan"`), nil}},
		"customer-id-differs": {{customerPath + ".customerId", tokenWithCustomer(`"customerId":"C-1"`), nil}},
		"customer-id-missing": {{customerPath, tokenWithCustomer(`"ctype":"gold"`), nil}},
	}
}

func sdesExamples() map[string][]example {
	sdes := func(where, raw string) example { return example{where, tokenWithSDEs(raw), nil} }
	customer := func(field, fields string) example {
		return example{customerPath + "." + field, tokenWithCustomer(fields), nil}
	}
	personal := func(field, fields string) example {
		return example{personalPath + "." + field, tokenWithPersonal(fields), nil}
	}
	return map[string][]example{
		"sdes-missing":  {{"lp_sdes", tokenWith(object{"lp_sdes": nil}), nil}},
		"sdes-misspelt": {{"lpSdes", tokenWith(object{"lp_sdes": nil, "lpSdes": []int{}}), nil}},
		"sdes-not-array": {
			sdes("lp_sdes", `{"customerInfo":{"ctype":"gold"}}`),
			sdes("lp_sdes", `{"type":"ctmrinfo","info":{}}`),
			sdes("lp_sdes", `"[]"`),
		},
		"sdes-type": {
			sdes("lp_sdes[0].type", `[{"type":"cart","info":{"total":1}}]`),
			sdes("lp_sdes[0].type", `[{"type":"customerInfo","info":{}}]`),
			sdes("lp_sdes[0].type", `[{"info":{}}]`),
		},
		"sdes-wrapper": {
			sdes("lp_sdes[0].customerInfo", `[{"type":"ctmrinfo","customerInfo":{"ctype":"gold"}}]`),
			sdes("lp_sdes[0].info", `[{"type":"ctmrinfo","ctype":"gold"}]`),
			sdes("lp_sdes[0]", `[5]`),
			sdes("lp_sdes[0].info", `[{"type":"ctmrinfo","info":[]}]`),
		},
		"sdes-case": {
			customer("customerID", `"customerID":"C-1"`),
			personal("firstName", `"firstName":"Jane"`),
		},
		"sdes-store": {
			customer("storeZipCode", `"storeZipCode":"20505"`),
			customer("storeNumber", `"storeNumber":"123865"`),
		},
		"sdes-gender": {
			personal("gender", `"gender":1`),
			personal("gender", `"gender":"female"`),
		},
		"sdes-date": {
			customer("lastPaymentDate", `"lastPaymentDate":"2014-10-15"`),
			customer("registrationDate.year", `"registrationDate":{"day":1,"month":1,"year":"2014"}`),
		},
		"sdes-field": {
			customer("balance", `"balance":"5"`),
			customer("mood", `"mood":"good"`),
			personal("firstname", `"firstname":""`),
		},
		"sdes-value": {
			customer("currency", `"currency":"usd"`),
			personal("contacts[1].email", `"contacts":[{"phoneType":1},{"email":"x"}]`),
		},
	}
}
