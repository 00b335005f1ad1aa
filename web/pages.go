package web

import "idpbridge/liveengage"

// Brand is what a page says about whose it is. Only Name is required.
type Brand struct{ Name, LogoURL, HelpURL, PrivacyURL string }

// SigninPage asks for name and password.
type SigninPage struct {
	Client   string // display name of the application
	Request  string // sealed
	Username string // what was typed, or hinted
	Message  string // what went wrong and what to do
	People   []DemoPerson
}

// DemoPerson is somebody to click on in the development mode.
type DemoPerson struct{ Username, Password, Name, Note string }

// ConsentPage asks whether a client may be told about the person.
type ConsentPage struct {
	Client, Person, Request string
	Scopes                  []string
}

// Told says in words what a consent page's scopes release.
func (p ConsentPage) Told() []string {
	words := map[string]string{
		"openid": "that it is you", "profile": "your name and profile", "email": "your e-mail address",
		"phone": "your phone number", "address": "your postal address", "lp_sdes": "your customer record",
	}
	var out []string
	for _, s := range p.Scopes {
		if w, ok := words[s]; ok {
			out = append(out, w)
		}
	}
	return out
}

// ErrorPage says what happened, what to do, and which reference to read out.
type ErrorPage struct {
	Title, Happened, Todo, Reference string
	Cause, Received                  string   // development mode only
	Registered                       []string // development mode only
}

// Compared is a registered redirect URI against the one received: what they
// share, and where each goes on differently.
type Compared struct{ Same, Registered, Received string }

// Comparisons sets the received redirect URI beside each registered one.
func (p ErrorPage) Comparisons() []Compared {
	out := make([]Compared, 0, len(p.Registered))
	for _, r := range p.Registered {
		n := 0
		for n < len(r) && n < len(p.Received) && r[n] == p.Received[n] {
			n++
		}
		out = append(out, Compared{Same: r[:n], Registered: r[n:], Received: p.Received[n:]})
	}
	return out
}

// Field is a name and its value.
type Field struct{ Name, Value string }

// FormPostPage sends fields to a client (OAuth 2.0 Form Post Response Mode).
type FormPostPage struct {
	Action string
	Fields []Field
}

// LogoutPage asks whether to sign out.
type LogoutPage struct{ Person, Request string }

// SignedOutPage says that it is done.
type SignedOutPage struct{}

// HomePage explains what runs: the development mode alone.
type HomePage struct {
	Issuer, DataDir, Operations, ClientID, TryURL string
	Person                                        string // who is signed in in this browser
	People                                        []DemoPerson
	Endpoints                                     []Field
	Signins                                       []RecentSignin
}

// RecentSignin is a line of the home page.
type RecentSignin struct{ When, Person, Client, Reference, Outcome string }

// TokenPage shows a token to somebody who wants to see one: development only.
type TokenPage struct{ IDToken, Header, Claims string }

// SetupPage shows LiveEngage's form with the values to paste.
type SetupPage struct{ Sheet liveengage.Sheet }
