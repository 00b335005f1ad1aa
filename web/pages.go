package web

import (
	"cmp"
	"html/template"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"idpbridge/claims"
	"idpbridge/liveengage/setup"
	"idpbridge/oidc"
)

// Brand is the name, the logo and the links on every page, and the brand's own website,
// which error and logout pages lead back to. Only Name is required.
type Brand struct{ Name, HomeURL, LogoURL, HelpURL, PrivacyURL string }

// signInPage asks for username and password: the page "signin".
type signInPage struct {
	Client   string       // display name of the app; may be empty
	Request  string       // the saved request, returned as the field "request"
	Username string       // as typed, or from login_hint
	Notice   string       // what happened before; may be empty
	Message  string       // what went wrong and what to do; empty at first
	People   []DemoPerson // shown in development mode only
}

// DemoPerson can be signed in with one click, in development mode only.
type DemoPerson struct{ Username, Password, Name, Note string }

// consentPage asks whether to share the user's details with a client: the page
// "consent". The decision is the field "decision", "allow" or "deny".
type consentPage struct {
	Client, Person, Request string
	Scopes                  []string
}

// SharedData describes what the scopes release (OIDC Core section 5.4). A scope without
// a description is shown by name, so nothing is granted unseen.
func (p consentPage) SharedData() []string {
	out := make([]string, 0, len(p.Scopes))
	for _, scope := range p.Scopes {
		switch scope {
		case "openid":
			out = append(out, "An identifier that stays the same each time you sign in")
		case "profile":
			out = append(out, "Your name and profile details, such as birthday and language")
		case "email":
			out = append(out, "Your email address")
		case "phone":
			out = append(out, "Your phone number")
		case "address":
			out = append(out, "Your postal address")
		case "lp_sdes":
			out = append(out, "Your customer record, so that the person you chat with can help you")
		case "offline_access":
			out = append(out, "Keep this access when you're not using the app")
		default:
			out = append(out, "Data that it calls “"+scope+"”")
		}
	}
	return out
}

// errorView is the page "error".
type errorView struct{ oidc.ErrorPage }

// markedText is a string cut at the first character that differs from another string.
// Mark is that character, or empty if the string ends there.
type markedText struct{ Same, Mark, Rest string }

// uriComparison is the received redirect URI next to a registered one.
type uriComparison struct{ Received, Registered markedText }

// Comparisons compares the received redirect URI with each registered one.
func (p errorView) Comparisons() []uriComparison {
	out := make([]uriComparison, 0, len(p.Registered))
	for _, registered := range p.Registered {
		n := commonPrefixLength(p.Received, registered)
		out = append(out, uriComparison{
			Received: markDifference(p.Received, n), Registered: markDifference(registered, n),
		})
	}
	return out
}

// commonPrefixLength is the length in bytes of the characters that two strings share at
// their start.
func commonPrefixLength(a, b string) int {
	for i := 0; i < len(a); {
		_, size := utf8.DecodeRuneInString(a[i:])
		if !strings.HasPrefix(b[i:], a[i:i+size]) {
			return i
		}
		i += size
	}
	return len(a)
}

// markDifference marks the character after the first n bytes.
func markDifference(s string, n int) markedText {
	_, size := utf8.DecodeRuneInString(s[n:])
	return markedText{Same: s[:n], Mark: s[n : n+size], Rest: s[n+size:]}
}

// formPostView sends parameters to a client (OAuth 2.0 Form Post Response Mode): the
// page "form_post".
type formPostView struct {
	Action string
	Fields []oidc.Param
}

// continueView continues to a URL by itself: the page "continue". The URL is one of ours or
// a registered redirect URI.
type continueView struct{ URL template.URL }

// logoutView asks whether to sign out: the page "logout".
type logoutView struct{ Client, Person, Request string }

// loggedOutView is the page "signed_out". Its policy needs the frames' origins.
type loggedOutView struct{ oidc.LoggedOutPage }

// SafeContinueURL is ContinueURL if it is safe to link to, else empty: https, http, or
// an app's private scheme, which contains a dot (RFC 8252 section 7.1).
func (p loggedOutView) SafeContinueURL() template.URL {
	u, err := url.Parse(p.ContinueURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && !strings.Contains(u.Scheme, ".") {
		return ""
	}
	return template.URL(p.ContinueURL) //nolint:gosec // the scheme was checked above, and the template still escapes it
}

// Field is a name and its value.
type Field struct{ Name, Value string }

// HomePage is the start page of idp dev: the page "home".
type HomePage struct {
	Issuer     string
	DataDir    string // folder of the database and the instance secret
	Operations string // host:port of metrics and health checks; empty or "off" if there is none
	ClientID   string // of LiveEngage
	TryURL     string // signs in and shows the token
	InspectURL string // inspects a token
	Simulator  string // URL of the LivePerson simulator; empty if there is none
	Person     string // the user who is signed in in this browser; empty if there is none
	People     []DemoPerson
	Endpoints  []Field // path and full URL
	Signins    []RecentSignin
}

// IsLink reports whether opening an endpoint in a browser shows something. The others
// need parameters, a token or a POST.
func (HomePage) IsLink(path string) bool {
	return strings.HasPrefix(path, "/.well-known/") || strings.HasPrefix(path, "/keys/") || path == "/jwks"
}

// HasOperations reports whether there is an operations address to link to.
func (p HomePage) HasOperations() bool { return p.Operations != "" && p.Operations != "off" }

// RecentSignin is a row of the start page. When is a time in RFC 3339 format.
type RecentSignin struct{ When, Person, Client, Reference, Outcome string }

// FormattedTime is When in UTC in a readable format, or When itself if it is not a time.
func (s RecentSignin) FormattedTime() string {
	t, err := time.Parse(time.RFC3339, s.When)
	if err != nil {
		return s.When
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05")
}

// TokenPage shows an ID token and its parts: the page "token" of development mode.
type TokenPage struct {
	IDToken, Header, Claims string
	InspectURL              string // inspects the token, by POST
}

// SetupPage shows the fields of LiveEngage's form with the values to paste: the page
// "setup".
type SetupPage struct{ Sheet setup.Sheet }

// NameOf is what pages call a person; empty if no name is known.
func NameOf(p claims.Person) string {
	return cmp.Or(p.Standard.Name, p.Standard.GivenName, p.Standard.PreferredUsername)
}
