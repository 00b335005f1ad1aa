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
	"unicode/utf8"

	"idpbridge/claims"
	"idpbridge/liveengage"
)

// claims inspects everything within the second part.
func (in *inspector) claims(m map[string]json.RawMessage) {
	if text(m["iss"]) == liveengage.TokenIssuer && m["lp.ext"] != nil {
		in.add("liveperson-token", "iss", "", "")
	}
	in.times(m)
	in.issuer(m["iss"])
	in.subject(m["sub"])
	standard := in.standard(m)
	told := in.sdes(m)
	in.compare(text(m["sub"]), standard, told)
	in.report.AgentSees = seen(text(m["sub"]), standard, told)
}

// times inspects exp and iat, which LivePerson's documentation demands.
func (in *inspector) times(m map[string]json.RawMessage) {
	exp, hasExp := in.instant("exp", m["exp"])
	iat, hasIat := in.instant("iat", m["iat"])
	now := in.x.Now
	if hasExp && !now.IsZero() && !exp.After(now) {
		in.add("expired", "exp", "is past: "+spell(exp)+", and it is "+spell(now)+" (1012)", "")
	}
	if hasIat && !now.IsZero() && iat.After(now.Add(time.Minute)) {
		in.add("iat-future", "iat", "lies in the future: "+spell(iat)+", and it is "+spell(now), "")
	}
	if !hasExp || !hasIat {
		return
	}
	if lifetime := exp.Sub(iat); lifetime <= 0 {
		in.add("exp-before-iat", "exp", "is not after iat: "+spell(exp)+" and "+spell(iat), "")
	} else if lifetime > 24*time.Hour {
		in.add("lifetime-long", "exp", fmt.Sprintf("lets the token live %d hours; LiveEngage learns of a sign-out only when it passes", int64(lifetime/time.Hour)), "")
	}
}

func spell(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// instant reads a time, and goes on with what was probably meant where it is
// badly written.
func (in *inspector) instant(name string, raw json.RawMessage) (time.Time, bool) {
	number := string(raw)
	switch kindOf(raw) {
	case "missing", "null":
		in.add(name+"-missing", name, "", "")
		return time.Time{}, false
	case "a number":
	case "a string":
		number = strings.TrimSpace(text(raw))
		in.add(name+"-string", name, "", "")
		if t, err := time.Parse(time.RFC3339, number); err == nil {
			return t, true
		}
	default:
		in.add(name+"-type", name, "is "+kindOf(raw)+", not a number", "")
		return time.Time{}, false
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil && value == 0 {
		return time.Time{}, false // a string that is no number: said already
	}
	if strings.Trim(number, "-0123456789") != "" {
		in.add(name+"-fraction", name, "", "")
	}
	if value < 0 {
		in.add(name+"-negative", name, "", "")
		return time.Time{}, false
	}
	// The year 5138 in seconds: whoever is beyond it has sent milliseconds.
	const latest = 1e11
	if value >= latest {
		in.add(name+"-milliseconds", name, "", "")
		if value >= latest*1000 {
			return time.Time{}, false
		}
		value /= 1000
	}
	return time.Unix(int64(value), 0), true
}

func (in *inspector) issuer(raw json.RawMessage) {
	iss := text(raw)
	if kind := kindOf(raw); kind != "a string" && kind != "missing" && kind != "null" {
		in.add("iss-type", "iss", "is "+kind+", not a string", "")
		return
	}
	if iss == "" {
		in.add("iss-missing", "iss", "", "")
		return
	}
	if u, err := url.Parse(iss); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		in.add("iss-not-url", "iss", "", "")
	}
	if want := in.x.Issuer; want != "" && iss != want {
		in.add("iss-differs", "iss", "is "+excerpt(iss)+", and "+excerpt(want)+" is expected: "+difference(iss, want), "")
	}
}

// difference says in words how two texts differ that should be alike.
func difference(got, want string) string {
	switch {
	case strings.TrimSpace(got) == want:
		return "there is white space around it"
	case got == want+"/":
		return "there is a slash at its end"
	case got+"/" == want:
		return "the slash at its end is missing"
	case strings.EqualFold(got, want):
		return "the case of letters differs, first at character " + count(1+shared(got, want))
	}
	n := shared(got, want)
	a, b := []rune(got)[n:], []rune(want)[n:]
	switch {
	case len(a) == 0:
		return "it ends after character " + count(n)
	case len(b) == 0:
		return "it goes on after character " + count(n)
	}
	return "the first difference is character " + count(n+1) + ", " + excerpt(string(a[0])) + " for " + excerpt(string(b[0]))
}

// shared is how many characters two texts have in common at their beginning.
func shared(a, b string) int {
	x, y := []rune(a), []rune(b)
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}

// displayed are the standard claims that LiveEngage shows to agents.
func displayed(name string) bool {
	switch name {
	case "given_name", "family_name", "email", "gender", "preferred_username", "phone_number":
		return true
	}
	return false
}

// standard reads the standard claims one by one, so that one of the wrong type
// hides no other, and holds them to the rules of package claims.
func (in *inspector) standard(m map[string]json.RawMessage) claims.Standard {
	var s claims.Standard
	for _, name := range slices.Sorted(maps.Keys(m)) {
		raw := m[name]
		if claims.ScopeOf(name) == "" {
			continue
		}
		one, err := json.Marshal(map[string]json.RawMessage{name: raw})
		if err == nil {
			err = json.Unmarshal(one, &s)
		}
		if err == nil && kindOf(raw) != "null" {
			continue
		}
		code := "claim-odd"
		if displayed(name) {
			code = "claim-type"
		}
		in.add(code, name, "is "+kindOf(raw)+", which this claim cannot be", "")
	}
	// The subject here is one that always passes; subject looks at the real one.
	for _, f := range claims.FieldErrors(claims.Person{Subject: "-", Standard: s}.Validate()) {
		name := strings.TrimPrefix(f.Field, "claims.")
		if f.Code == claims.ControlCharacter {
			continue // scan has found it
		}
		code := "claim-odd"
		if displayed(name) {
			code = "claim-value"
		}
		in.add(code, name, f.Problem, f.Remedy)
	}
	return s
}

// compare looks at what claims and lp_sdes say of the same thing.
func (in *inspector) compare(sub string, s claims.Standard, told sdes) {
	customer, personal := told.customer(), told.personal()
	if s.Name != "" && s.GivenName == "" && s.FamilyName == "" && personal.FirstName == "" && personal.LastName == "" {
		in.add("name-unseen", "name", "", "")
	}
	if s.PhoneNumber != "" {
		in.add("phone-as-imei", "phone_number", "", "")
	}
	email := ""
	if len(personal.Contacts) > 0 {
		email = personal.Contacts[0].Email
	}
	for _, pair := range [][4]string{
		{"given_name", s.GivenName, told.personalPath + ".firstname", personal.FirstName},
		{"family_name", s.FamilyName, told.personalPath + ".lastname", personal.LastName},
		{"email", s.Email, told.personalPath + ".contacts[0].email", email},
		{"gender", strings.ToUpper(s.Gender), told.personalPath + ".gender", personal.Gender},
		{"preferred_username", s.PreferredUsername, told.customerPath + ".userName", customer.UserName},
		{"phone_number", s.PhoneNumber, told.customerPath + ".imei", customer.IMEI},
	} {
		if pair[1] != "" && pair[3] != "" && pair[1] != pair[3] {
			in.add("claim-sde-conflict", pair[0], "is not what "+pair[2]+" says; which of the two wins is not known", "")
		}
	}
	switch {
	case told.CustomerInfo == nil || sub == "":
	case customer.CustomerID == "":
		in.add("customer-id-missing", told.customerPath, "", "")
	case customer.CustomerID != sub:
		in.add("customer-id-differs", told.customerPath+".customerId", "", "")
	}
}

// printable is a value fit for one line of a table.
func printable(s string) string {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, odd) {
		return excerpt(s)
	}
	return s
}
