package web

import (
	"strings"
	"time"

	"idpbridge/liveengage/inspect"
	"idpbridge/liveengage/setup"
	"idpbridge/oidc"
)

// exampleBrand has a URL for everything; the logo is on another host.
var exampleBrand = Brand{
	Name: "Example Bank", LogoURL: "https://cdn.bank.example/logo.svg",
	HelpURL: "https://bank.example/help", PrivacyURL: "https://bank.example/privacy",
}

// examplePage is a page with everything on it that it can have.
type examplePage struct {
	name   string
	data   any
	policy Policy
}

// examplePages returns the pages by the names of their golden files.
func examplePages() map[string]examplePage {
	people := []DemoPerson{
		{Username: "jane", Password: "jane-password", Name: "Jane Alice Doe", Note: "Gold customer"},
		{Username: "noa", Password: "noa-password", Name: "נועה לוי", Note: "A name from right to left"},
	}
	return map[string]examplePage{
		"signin": {"signin", signInPage{Client: "Example Shop", Request: "sealed"}, Policy{}},
		"signin_refused": {"signin", signInPage{
			Client: "Example Shop", Request: "sealed", Username: "jane",
			Message: "Check both and try again.", People: people,
		}, Policy{}},
		"consent": {"consent", consentPage{
			Client: "Example Shop", Person: "Jane", Request: "sealed",
			Scopes: []string{"openid", "lp_sdes", "points", "offline_access"},
		}, Policy{}},
		"error": {"error", exampleError(), Policy{}},
		"form_post": {"form_post", formPostView{
			Action: "https://shop.example/cb", Fields: []oidc.Param{{Name: "state", Value: `{"a": "b+c"}`}},
		}, Policy{}},
		"logout": {"logout", logoutView{Client: "Example Shop", Person: "Jane", Request: "sealed"}, Policy{}},
		"signed_out": {"signed_out", loggedOutView{oidc.LoggedOutPage{
			ContinueURL: "https://shop.example/bye",
		}}, Policy{}},
		"signed_out_frames": {"signed_out", loggedOutView{oidc.LoggedOutPage{
			ContinueURL: "https://shop.example/bye?state=a%26b",
			Frames:      []string{"https://shop.example/out?iss=https%3A%2F%2Fbank.example&sid=s"},
		}}, Policy{Frames: []string{"https://shop.example"}}},
		"home": {"home", exampleHome(people), Policy{}},
		"token": {"token", TokenPage{
			IDToken: "e30.e30.c2ln", Header: "{}", Claims: "{}", InspectURL: "/base/inspect",
		}, Policy{}},
		"setup":          {"setup", SetupPage{Sheet: exampleSheet()}, Policy{}},
		"inspect":        {"inspect", InspectPage{Action: "/base/inspect", Issuer: "https://login.bank.example"}, Policy{}},
		"inspect_report": {"inspect", exampleReport(), Policy{}},
	}
}

func exampleError() errorView {
	return errorView{oidc.ErrorPage{
		Title: "That didn't work", Message: "The return address is not registered.", Remedy: "Tell the app's support team.",
		Reference: "7QK4-M2XD", Cause: "redirect_uri", Received: "https://shop.example/cb",
		Registered: []string{"https://shop.example/CB", "https://shop.example/cb/"},
	}}
}

func exampleHome(people []DemoPerson) HomePage {
	return HomePage{
		Issuer: "http://localhost:8080", DataDir: "/data/idp", Operations: "127.0.0.1:8081", ClientID: "liveengage",
		TryURL: "/base/try", InspectURL: "/base/inspect", Person: "Jane", People: people,
		Endpoints: []Field{
			{Name: "/jwks", Value: "http://localhost:8080/jwks"}, {Name: "/token", Value: "http://localhost:8080/token"},
		},
		Signins: []RecentSignin{{
			When: "2026-03-04T17:00:00Z", Person: "jane", Client: "local-app", Reference: "7QK4-M2XD", Outcome: "redeemed",
		}},
	}
}

func exampleReport() InspectPage {
	const unsigned = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmJhbmsuZXhhbXBsZSIsInN1YiI6" +
		"ImphbmVAZXhhbXBsZS5jb20iLCJnaXZlbl9uYW1lIjoiPGI-In0."
	report := inspect.Token(unsigned, inspect.Expectations{Now: keyCreated})
	return InspectPage{
		Action: "/base/inspect", Issuer: "https://login.bank.example", Pasted: "</textarea>e30.e30.c2ln",
		Verdict: "2 errors", Report: &report,
	}
}

var keyCreated = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func exampleSheet() setup.Sheet {
	return setup.NewSheet(setup.Facts{
		Issuer: "https://login.bank.example", AuthorizationEndpoint: "https://login.bank.example/authorize",
		TokenEndpoint: "https://login.bank.example/token", JWKSEndpoint: "https://login.bank.example/jwks",
		ClientID: "liveengage", Now: keyCreated.Add(80 * time.Hour), Delegation: true,
		TokenRedirectURI: "https://liveperson.net",
		Key: setup.Key{
			Line: "MIIBIjANBgkqhkiG9w0B" + strings.Repeat("AbC/", 90) + "IDAQAB", ID: "k1",
			Fingerprint: "SHA256:Wv0mVx2tQ5tTqjVbqz5fG0bqj1x0o2kC1lYf3b8m9aE", Created: keyCreated,
			Pinned: true, Retired: true,
		},
		RedirectURIs: []string{"https://lpcdn.lpsnmedia.net/le_unified_window/index.html"},
		Page: setup.Page{
			Script:  "https://login.bank.example/liveengage.js?client_id=liveengage",
			Origins: []string{"https://www.bank.example"}, Code: true, ReturnURI: "https://www.bank.example/chat",
		},
		Encryption: []setup.EncryptionKey{
			{ID: "lpsso2026", Fingerprint: "AA:BB", NotAfter: keyCreated.AddDate(2, 0, 0)},
		},
		ContentEncoding: "A128CBC-HS256",
		Deviations:      []setup.Deviation{{Name: "nonce_optional", Sentence: "The window sends none."}},
	})
}
