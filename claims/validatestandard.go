package claims

import (
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// validateStandard checks s against OIDC Core 5.1. Phone numbers may have any form:
// E.164 is only recommended there.
func validateStandard(path string, s Standard, errs *fieldErrors) {
	validateStrings(path, reflect.ValueOf(s), errs)
	for _, u := range []struct{ name, value string }{
		{"profile", s.Profile},
		{"picture", s.Picture},
		{"website", s.Website},
	} {
		if u.value != "" && !isWebURL(u.value) {
			errs.add(path+"."+u.name, "use a URL that starts with https://", "is not a web URL")
		}
	}
	if s.Email != "" {
		validateEmail(path+".email", s.Email, errs)
	}
	if s.Birthdate != "" && !isBirthdate(s.Birthdate) {
		errs.add(path+".birthdate", "use YYYY-MM-DD, 0000-MM-DD without the year, or only YYYY", "is not a date of birth")
	}
	if s.Zoneinfo != "" && !zonePattern.MatchString(s.Zoneinfo) {
		errs.add(path+".zoneinfo", "use an IANA name such as Europe/Paris",
			"%s is not a time zone", quoteExcerpt(s.Zoneinfo))
	}
	if s.Locale != "" && !isLocale(s.Locale) {
		errs.add(path+".locale", "use a BCP 47 tag such as en-US", "%s is not a locale", quoteExcerpt(s.Locale))
	}
	// The year 5138 in seconds. A later time is in milliseconds by mistake.
	const latest = 100_000_000_000
	if s.UpdatedAt < 0 || s.UpdatedAt >= latest {
		errs.add(path+".updated_at", "use seconds since 1970, not milliseconds", "%d is out of range", s.UpdatedAt)
	}
}

func isWebURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != ""
}

// isBirthdate accepts the three forms of OIDC Core 5.1. The year 0000 stands for an
// unknown year. It is a leap year, so it has every day.
func isBirthdate(s string) bool {
	if len(s) == len("2006") {
		year, err := time.Parse("2006", s)
		return err == nil && year.Year() > 0
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil && len(s) == len(time.DateOnly)
}

var (
	// zonePattern is the form of an IANA name. Whether the zone exists depends on a
	// database that not every machine has.
	zonePattern   = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,3}$`)
	localePattern = regexp.MustCompile(`^[A-Za-z]{2,3}([-_][A-Za-z0-9]{1,8})*$`)
)

// isLocale accepts the form of BCP 47, also with underscores (OIDC Core 5.1).
func isLocale(s string) bool {
	if !localePattern.MatchString(s) {
		return false
	}
	language, _, _ := strings.Cut(strings.ReplaceAll(s, "_", "-"), "-")
	return len(language) == 3 || isLanguage(strings.ToLower(language))
}
