package inspect

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"idpbridge/claims"
	"idpbridge/liveengage"
)

// inspectClaims inspects the claims of the token.
func (ins *inspector) inspectClaims(members map[string]json.RawMessage) {
	if decodeString(members["iss"]) == liveengage.Issuer && members["lp.ext"] != nil {
		ins.addFinding("liveperson-token", "iss", "", "")
	}
	ins.inspectTimes(members)
	ins.inspectIssuer(members["iss"])
	ins.inspectSubject(members["sub"])
	subject := decodeString(members["sub"])
	standard := ins.inspectStandardClaims(members)
	attributes := ins.inspectSDEs(members)
	ins.compareClaimsWithSDEs(standard, attributes)
	ins.compareCustomerID(subject, attributes)
	ins.report.AgentSees = listAgentFields(subject, standard, attributes)
}

// inspectTimes inspects exp and iat, which LivePerson's documentation requires.
func (ins *inspector) inspectTimes(members map[string]json.RawMessage) {
	exp, hasExp := ins.parseTime("exp", members["exp"])
	iat, hasIat := ins.parseTime("iat", members["iat"])
	now := ins.expected.Now
	if hasExp && !now.IsZero() && !exp.After(now) {
		ins.addFinding("expired", "exp", "is in the past: "+formatTime(exp)+"; it is now "+formatTime(now)+" (1012)", "")
	}
	if hasIat && !now.IsZero() && iat.After(now.Add(time.Minute)) {
		ins.addFinding("iat-future", "iat", "is in the future: "+formatTime(iat)+"; it is now "+formatTime(now), "")
	}
	if !hasExp || !hasIat {
		return
	}
	lifetime := exp.Sub(iat)
	if lifetime <= 0 {
		ins.addFinding("exp-before-iat", "exp", "is not later than iat: "+formatTime(exp)+" and "+formatTime(iat), "")
	} else if lifetime > 24*time.Hour {
		ins.addFinding("lifetime-long", "exp", fmt.Sprintf("makes the token valid for %d hours; "+
			"LiveEngage notices a sign-out only after exp", int64(lifetime/time.Hour)), "")
	}
}

func formatTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// parseTime parses exp or iat. It reports an unusual form, but goes on with the time
// that was probably meant.
func (ins *inspector) parseTime(name string, raw json.RawMessage) (time.Time, bool) {
	if isAbsent(raw) {
		ins.addFinding(name+"-missing", name, "", "")
		return time.Time{}, false
	}
	kind := kindOf(raw)
	if kind != kindNumber && kind != kindString {
		ins.addFinding(name+"-type", name, "is "+string(kind)+", not a number", "")
		return time.Time{}, false
	}
	number := string(raw)
	if kind == kindString {
		number = strings.TrimSpace(decodeString(raw))
		ins.addFinding(name+"-string", name, "", "")
		if t, err := time.Parse(time.RFC3339, number); err == nil {
			return t, true
		}
	}
	return ins.parseSeconds(name, number)
}

func (ins *inspector) parseSeconds(name, number string) (time.Time, bool) {
	value, err := strconv.ParseFloat(number, 64)
	if err != nil && value == 0 {
		return time.Time{}, false // a string that is not a number; already reported
	}
	if strings.Trim(number, "-0123456789") != "" {
		ins.addFinding(name+"-fraction", name, "", "")
	}
	if value < 0 {
		ins.addFinding(name+"-negative", name, "", "")
		return time.Time{}, false
	}
	// The year 5138 in seconds. A greater number is in milliseconds.
	const latest = 1e11
	if value >= latest {
		ins.addFinding(name+"-milliseconds", name, "", "")
		if value >= latest*1000 {
			return time.Time{}, false
		}
		value /= 1000
	}
	return time.Unix(int64(value), 0), true
}

func (ins *inspector) inspectIssuer(raw json.RawMessage) {
	if !isAbsent(raw) && kindOf(raw) != kindString {
		ins.addFinding("iss-type", "iss", "is "+string(kindOf(raw))+", not a string", "")
		return
	}
	iss := decodeString(raw)
	if iss == "" {
		ins.addFinding("iss-missing", "iss", "", "")
		return
	}
	if u, err := url.Parse(iss); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		ins.addFinding("iss-not-url", "iss", "", "")
	}
	if want := ins.expected.Issuer; want != "" && iss != want {
		ins.addFinding("iss-differs", "iss", "is "+quoteExcerpt(iss)+", expected "+quoteExcerpt(want)+": "+
			describeDifference(iss, want), "")
	}
}

// isShown reports whether LiveEngage shows a standard claim to agents.
func isShown(name string) bool {
	switch name {
	case "given_name", "family_name", "email", "gender", "preferred_username", "phone_number":
		return true
	}
	return false
}

// inspectStandardClaims decodes the standard claims one by one, so that a wrong type
// does not hide the others, and validates them with the rules of package claims.
func (ins *inspector) inspectStandardClaims(members map[string]json.RawMessage) claims.Standard {
	var standard claims.Standard
	for _, name := range slices.Sorted(maps.Keys(members)) {
		raw := members[name]
		if claims.ScopeOf(name) == "" {
			continue
		}
		one, err := json.Marshal(map[string]json.RawMessage{name: raw})
		if err == nil {
			err = json.Unmarshal(one, &standard)
		}
		if err == nil && kindOf(raw) != kindNull {
			continue
		}
		ins.reportClaim("claim-type", name, "is "+string(kindOf(raw))+", which this claim cannot be", "")
	}
	// "-" is a valid subject; inspectSubject inspects the real one.
	for _, f := range claims.FieldErrors(claims.Person{Subject: "-", Standard: standard}.Validate()) {
		if f.Code == claims.ControlCharacter {
			continue // scanJSON has reported it
		}
		ins.reportClaim("claim-value", strings.TrimPrefix(f.Field, "claims."), f.Problem, f.Remedy)
	}
	return standard
}

// reportClaim reports a standard claim; one that LiveEngage does not show is only odd.
func (ins *inspector) reportClaim(code, name, problem, remedy string) {
	if !isShown(name) {
		code = "claim-odd"
	}
	ins.addFinding(code, name, problem, remedy)
}

// compareClaimsWithSDEs compares what the claims and lp_sdes say about the same thing.
func (ins *inspector) compareClaimsWithSDEs(standard claims.Standard, attributes sdes) {
	customer, personal := attributes.customer(), attributes.personal()
	if standard.Name != "" && standard.GivenName == "" && standard.FamilyName == "" &&
		personal.FirstName == "" && personal.LastName == "" {
		ins.addFinding("name-unseen", "name", "", "")
	}
	if standard.PhoneNumber != "" {
		ins.addFinding("phone-as-imei", "phone_number", "", "")
	}
	email := ""
	if len(personal.Contacts) > 0 {
		email = personal.Contacts[0].Email
	}
	for _, pair := range []struct{ claim, value, field, fieldValue string }{
		{"given_name", standard.GivenName, attributes.personalPath + ".firstname", personal.FirstName},
		{"family_name", standard.FamilyName, attributes.personalPath + ".lastname", personal.LastName},
		{"email", standard.Email, attributes.personalPath + ".contacts[0].email", email},
		{"gender", strings.ToUpper(standard.Gender), attributes.personalPath + ".gender", personal.Gender},
		{"preferred_username", standard.PreferredUsername, attributes.customerPath + ".userName", customer.UserName},
		{"phone_number", standard.PhoneNumber, attributes.customerPath + ".imei", customer.IMEI},
	} {
		if pair.value != "" && pair.fieldValue != "" && pair.value != pair.fieldValue {
			ins.addFinding("claim-sde-conflict", pair.claim,
				"differs from "+pair.field+"; it is not known which one LiveEngage shows", "")
		}
	}
}

// compareCustomerID compares the subject with customerId in lp_sdes.
func (ins *inspector) compareCustomerID(subject string, attributes sdes) {
	if attributes.CustomerInfo == nil || subject == "" {
		return
	}
	id := attributes.customer().CustomerID
	if id == "" {
		ins.addFinding("customer-id-missing", attributes.customerPath, "", "")
	} else if id != subject {
		ins.addFinding("customer-id-differs", attributes.customerPath+".customerId", "", "")
	}
}
