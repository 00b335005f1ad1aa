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

// Brand is what every page says about whose it is. Only Name is required; a
// zero address leaves out what it would lead to.
type Brand struct{ Name, LogoURL, HelpURL, PrivacyURL string }

// SigninPage asks for name and password. It is the page "signin".
type SigninPage struct {
	Client   string       // display name of the application; may be empty
	Request  string       // the sealed request, returned as the field "request"
	Username string       // what was typed, or hinted
	Message  string       // what went wrong and what to do next; empty at first
	People   []DemoPerson // shown in the development mode only
}

// DemoPerson is somebody to sign in as with one click: development mode only.
type DemoPerson struct{ Username, Password, Name, Note string }

// ConsentPage asks whether a client may be told about the person. It is the
// page "consent"; the answer is the field "decision", "allow" or "deny".
type ConsentPage struct {
	Client, Person, Request string
	Scopes                  []string // as requested; unknown ones are shown by name
}

// Told says in words what the scopes release (OIDC Core 5.4). A scope without
// words of its own is named, so nothing is granted unseen.
func (p ConsentPage) Told() []string {
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
			out = append(out, "All of this also later, when you are not there")
		default:
			out = append(out, "What it calls “"+scope+"”")
		}
	}
	return out
}

// ErrorView is the page "error".
type ErrorView struct{ oidc.ErrorPage }

// Compared is a text cut at the first character that differs from another one:
// Mark is that character, empty where the text ends before it.
type Compared struct{ Same, Mark, Rest string }

// Comparison is a registered redirect URI beside the received one.
type Comparison struct{ Received, Registered Compared }

// Comparisons sets the received redirect URI beside each registered one.
func (p ErrorView) Comparisons() []Comparison {
	out := make([]Comparison, 0, len(p.Registered))
	for _, registered := range p.Registered {
		n := shared(p.Received, registered)
		out = append(out, Comparison{Received: cut(p.Received, n), Registered: cut(registered, n)})
	}
	return out
}

// shared is the length in bytes of what two texts begin with alike, in whole
// characters.
func shared(a, b string) int {
	for i := 0; i < len(a); {
		_, size := utf8.DecodeRuneInString(a[i:])
		if !strings.HasPrefix(b[i:], a[i:i+size]) {
			return i
		}
		i += size
	}
	return len(a)
}

func cut(text string, n int) Compared {
	_, size := utf8.DecodeRuneInString(text[n:])
	return Compared{Same: text[:n], Mark: text[n : n+size], Rest: text[n+size:]}
}

// FormPostView sends parameters to a client (OAuth 2.0 Form Post Response Mode). It
// is the page "form_post".
type FormPostView struct {
	Action string
	Fields []oidc.Param
}

// LogoutView asks whether to sign out. It is the page "logout".
type LogoutView struct{ Client, Person, Request string }

// LoggedOutView is the page "signed_out". Its policy needs the frames' origins.
type LoggedOutView struct{ oidc.LoggedOutPage }

// Continue is ContinueURL if a browser may be sent there, else empty: https, http,
// or an app's private scheme, which contains a dot (RFC 8252 section 7.1).
func (p LoggedOutView) Continue() template.URL {
	u, err := url.Parse(p.ContinueURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" && !strings.Contains(u.Scheme, ".") {
		return ""
	}
	return template.URL(p.ContinueURL) //nolint:gosec // the scheme was checked above, and the template still escapes it
}

// Field is a name and its value.
type Field struct{ Name, Value string }

// HomePage explains what runs: the page "home" of the development mode.
type HomePage struct {
	Issuer     string
	DataDir    string // the folder of database and secrets
	Operations string // host:port of metrics and health; empty or "off" where there is none
	ClientID   string // the client that LiveEngage is
	TryURL     string // signs in and shows the token
	InspectURL string // says what LiveEngage would find wrong with a token
	Simulator  string // address of LiveEngage's simulator; empty where there is none
	Person     string // who is signed in in this browser; empty for nobody
	People     []DemoPerson
	Endpoints  []Field // path and full address of each
	Signins    []RecentSignin
}

// Opens says whether an endpoint shows something to whoever follows a link to
// it; the others want parameters, a token or a POST.
func (HomePage) Opens(path string) bool {
	return strings.HasPrefix(path, "/.well-known/") || strings.HasPrefix(path, "/keys/") || path == "/jwks"
}

// Operated says whether there is an operations address to link to.
func (p HomePage) Operated() bool { return p.Operations != "" && p.Operations != "off" }

// RecentSignin is a line of the home page. When is a time as RFC 3339 has it.
type RecentSignin struct{ When, Person, Client, Reference, Outcome string }

// At is When for people to read, in UTC; a text that is no time stays as it is.
func (s RecentSignin) At() string {
	t, err := time.Parse(time.RFC3339, s.When)
	if err != nil {
		return s.When
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05")
}

// TokenPage shows an ID token and its parts to whoever wants to see one. It is
// the page "token" of the development mode.
type TokenPage struct {
	IDToken, Header, Claims string
	InspectURL              string // where the token is inspected, by POST
}

// SetupPage shows LiveEngage's form with the values to paste: the page "setup".
type SetupPage struct{ Sheet setup.Sheet }

// NameOf is what pages call a person; empty if no name is known.
func NameOf(p claims.Person) string {
	return cmp.Or(p.Standard.Name, p.Standard.GivenName, p.Standard.PreferredUsername)
}
