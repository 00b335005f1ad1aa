package server

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/config"
	"idpbridge/keys"
	"idpbridge/liveengage/setup"
	"idpbridge/oidc"
	"idpbridge/web"
)

// ShowSetup shows LiveEngage's form with the values to paste, for the client that
// client_id names, or the first with the profile liveengage.
func (s *Server) ShowSetup(c echo.Context) error {
	page := web.SetupPage{Sheet: s.newSheet(c)}
	return s.Renderer.Render(c.Response(), http.StatusOK, "setup", page, web.Policy{})
}

// serveSheet is the set-up page for programs, such as idp doctor.
func (s *Server) serveSheet(c echo.Context) error { return c.JSON(http.StatusOK, s.newSheet(c)) }

func (s *Server) newSheet(c echo.Context) setup.Sheet {
	facts := SetupFacts(s.Settings, s.Clients, c.QueryParam("client_id"), s.Keys, s.Now())
	facts.ClientSecret = s.SetupSecret
	return setup.NewSheet(facts)
}

// SetupFacts are the values of LiveEngage's connector form for the client with that
// id, or the first with the profile liveengage. The client's secret is not among them.
func SetupFacts(
	settings config.Config, clients []oidc.Client, id string, ring *keys.Ring, now time.Time,
) setup.Facts {
	issuer, active := settings.Issuer, ring.ActiveKey("RS256")
	f := setup.Facts{
		Issuer: issuer, AuthorizationEndpoint: issuer + oidc.PathAuthorize, TokenEndpoint: issuer + oidc.PathToken,
		JWKSEndpoint: issuer + oidc.PathJWKS, DisplayName: settings.Brand.Name, Now: now,
	}
	key := active
	if client, ok := findLiveEngageClient(clients, id); ok {
		l := client.LiveEngage
		f.ClientID, f.JSMethod, f.JSContext, f.Account = client.ID, l.Method(), l.Context(), l.Account
		f.Legacy, f.TokenRedirectURI, f.Delegation = l.Legacy, l.TokenRedirectURI, l.Delegation
		f.RedirectURIs = client.RedirectURIs
		if len(l.Page.Origins) > 0 {
			script := issuer + web.PathPageScript + "?client_id=" + url.QueryEscape(client.ID)
			f.Page = setup.Page{Script: script, Origins: l.Page.Origins, Code: l.Page.Code, ReturnURI: l.Page.ReturnURI}
		}
		if pinned, ok := ring.Key(client.PinnedKey); ok {
			key = pinned
			f.Key.Pinned, f.Key.Retired = true, key.ID != active.ID
		}
		if e := client.Encryption; e != nil {
			f.ContentEncoding = e.ContentEncryption()
			for _, r := range e.Recipients() {
				f.Encryption = append(f.Encryption, setup.EncryptionKey{
					ID: r.ID, Fingerprint: r.Fingerprint(), NotBefore: r.NotBefore, NotAfter: r.NotAfter,
				})
			}
		}
		for _, e := range client.Deviations() {
			f.Deviations = append(f.Deviations, setup.Deviation{Name: string(e), Sentence: e.String()})
		}
	}
	f.Key.Line, f.Key.ID, f.Key.Fingerprint, f.Key.Created = key.Base64(), key.ID, key.Fingerprint(), key.Created
	return f
}

// findLiveEngageClient returns the client with that id, or the first one, with the
// profile liveengage.
func findLiveEngageClient(clients []oidc.Client, id string) (oidc.Client, bool) {
	for _, c := range clients {
		if c.LiveEngage != nil && (id == "" || id == c.ID) {
			return c, true
		}
	}
	return oidc.Client{}, false
}
