package claims

import (
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// validateStandard holds s to OIDC Core 5.1. Telephone numbers may have any
// form: E.164 is a recommendation there.
func validateStandard(path string, s Standard, f *faults) {
	validateText(path, reflect.ValueOf(s), f)
	for _, u := range []struct{ name, value string }{
		{"profile", s.Profile},
		{"picture", s.Picture},
		{"website", s.Website},
	} {
		if u.value != "" && !isWebAddress(u.value) {
			f.add(path+"."+u.name, "write an address that starts with https://", "is no web address")
		}
	}
	if s.Email != "" && !isEmail(s.Email) {
		f.add(path+".email", "write an address such as jane@example.com", "is no e-mail address")
	}
	if s.Birthdate != "" && !isBirthdate(s.Birthdate) {
		f.add(path+".birthdate", "write YYYY-MM-DD, 0000-MM-DD without the year, or YYYY alone", "is no date of birth")
	}
	if s.Zoneinfo != "" && !zoneForm.MatchString(s.Zoneinfo) {
		f.add(path+".zoneinfo", "write an IANA name such as Europe/Paris", "%s is no time zone", excerpt(s.Zoneinfo))
	}
	if s.Locale != "" && !isLocale(s.Locale) {
		f.add(path+".locale", "write a BCP 47 tag such as en-US", "%s is no locale", excerpt(s.Locale))
	}
	// The year 5138 in seconds: whoever is beyond it has sent milliseconds.
	const latest = 100_000_000_000
	if s.UpdatedAt < 0 || s.UpdatedAt >= latest {
		f.add(path+".updated_at", "write seconds since 1970, not milliseconds", "%d is out of range", s.UpdatedAt)
	}
}

func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != ""
}

// isBirthdate accepts the three forms of OIDC Core 5.1. The year 0000 stands for
// one that isn't told, and as a leap year it has every day.
func isBirthdate(s string) bool {
	if len(s) == len("2006") {
		year, err := time.Parse("2006", s)
		return err == nil && year.Year() > 0
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil && len(s) == len(time.DateOnly)
}

var (
	// zoneForm is the form of an IANA name. Whether there is such a zone depends
	// on a database that isn't on every machine.
	zoneForm   = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,3}$`)
	localeForm = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$`)
)

// isLocale accepts BCP 47's form, also with the underscores of OIDC Core 5.1.
func isLocale(s string) bool {
	if !localeForm.MatchString(s) {
		return false
	}
	language, _, _ := strings.Cut(strings.ReplaceAll(s, "_", "-"), "-")
	return len(language) == 3 || isLanguage(strings.ToLower(language))
}
