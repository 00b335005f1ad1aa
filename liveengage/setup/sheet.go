// Package setup fills in LiveEngage's form for an authentication server. It also has
// the connector as JSON and the snippets for the brand's pages and apps.
package setup

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"time"

	"idpbridge/liveengage"
)

// Entry is one field of the form.
type Entry struct {
	Label    string // as in the newest console
	OldLabel string // as in older consoles, if different
	Value    string // what to enter
	Help     string // what the field does
	Mistake  string // the usual mistake; may be empty
	Secret   bool   // Value is a secret: keep it off paper and out of logs
	Hint     bool   // Value says where to find what to enter
}

// Snippet is code to paste.
type Snippet struct{ Title, Where, Code, Mistake string }

// Sheet is the form, filled in for both flows. A LiveEngage account uses one of them
// for web and apps alike.
type Sheet struct {
	Implicit, Code []Entry
	// Delegated is the form of a second connector, for consumer delegation in anonymous
	// conversations; empty if the client has no delegation.
	Delegated []Entry
	// Unseen are settings of a connector that are not in the form: LivePerson sets them.
	Unseen []Entry
	// Window has what is registered here for the pop-out window.
	Window     []Entry
	Key        Key
	KeyAgeDays int         // whole days, never negative
	Pages      []Snippet   // for the brand's pages
	Apps       []Snippet   // for native apps
	Encryption []Entry     // empty: tokens are not encrypted
	Deviations []Deviation `json:"Exceptions"`
	Connector  string      // as JSON, like LivePerson's services write it
	Warnings   []string    // why LiveEngage would not accept this as it is
}

// NewSheet fills in the form, with its fields in the order of the console.
func NewSheet(f Facts) Sheet {
	f = f.withDefaults()
	flow := liveengage.FlowImplicit
	if f.Page.Code {
		flow = liveengage.FlowCode
	}
	s := Sheet{
		Implicit:   f.fillForm(liveengage.FlowImplicit),
		Code:       f.fillForm(liveengage.FlowCode),
		Unseen:     f.listUnseenSettings(),
		Window:     f.listRedirectURIs(),
		Key:        f.Key,
		Pages:      f.writePageSnippets(),
		Apps:       f.writeAppSnippets(),
		Encryption: f.listEncryptionKeys(),
		Deviations: f.Deviations,
		Connector:  marshalConnector(NewConnector(f, flow, liveengage.KeyTypePasted)),
		Warnings:   f.listWarnings(),
	}
	if f.Delegation {
		s.Delegated = f.fillDelegationForm()
	}
	if !f.Key.Created.IsZero() {
		s.KeyAgeDays = max(0, int(f.Now.Sub(f.Key.Created)/(24*time.Hour)))
	}
	return s
}

func marshalConnector(c liveengage.Connector) string {
	out, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return "" // cannot happen: a connector has only texts, numbers and booleans
	}
	return string(out)
}

// listWarnings says why a live account could not use this, or what will soon fail.
func (f Facts) listWarnings() []string {
	var out []string
	issuer, err := url.Parse(f.Issuer)
	if err != nil || issuer.Scheme != "https" || issuer.Port() != "" && issuer.Port() != "443" {
		out = append(out, fmt.Sprintf("LiveEngage reaches an authentication server only by https on port 443. "+
			"This one is %s: fine for trying things out, but a live account cannot use it.", f.Issuer))
	}
	if f.ClientID == "" {
		out = append(out, "No client in the configuration has the profile liveengage. "+
			"Add one and enter its ID as the Client ID.")
	}
	if f.Key.Retired {
		out = append(out, fmt.Sprintf("The pinned key %s now signs for LiveEngage only; all other clients use a newer key. "+
			"Paste the newer key or switch to JWKS Endpoint, then remove pinned_key from the configuration.", f.Key.ID))
	}
	if f.Account == "" && slices.ContainsFunc(f.RedirectURIs, liveengage.IsWindowURI) {
		out = append(out, "The setting liveengage.account is missing. All LiveEngage accounts share LivePerson’s window, "+
			"so anyone with an account can make a link that sends your customers’ tokens to it. Set account to the number "+
			"of your account, and use the code flow: other accounts don’t have the client secret.")
	}
	if len(f.Encryption) > 0 && !f.canEncrypt() {
		out = append(out, "All encryption keys of this client have expired or are not valid yet, "+
			"so no token can be issued. Ask LivePerson for the new key.")
	}
	return out
}

// canEncrypt reports whether one of the encryption keys is valid now.
func (f Facts) canEncrypt() bool {
	for _, k := range f.Encryption {
		if k.validAt(f.Now) {
			return true
		}
	}
	return false
}
