package dev

import (
	"cmp"
	_ "embed" // for people.yaml

	"idpbridge/config"
	"idpbridge/internal/secret"
	"idpbridge/liveengage"
	"idpbridge/oidc"
	"idpbridge/web"
)

// brandName is the name of the demo brand.
const brandName = "Example Brand"

// The secrets of the demo clients are public: they protect nothing but a development
// server.
const (
	LiveEngageSecret = "liveengage-development-secret-000000000000"
	LocalWebSecret   = "local-web-development-secret-0000000000000"
	LocalPostSecret  = "local-post-development-secret-000000000000"
)

// PeopleFile is people.yaml: the demo people, with public passwords. It must never be
// loaded into a production database.
//
//go:embed people.yaml
var PeopleFile []byte

func loadPeople() ([]config.Person, error) {
	return config.ParsePeople("people.yaml", PeopleFile, config.PeopleRules{PlainPasswords: true})
}

// demoPeople are the people that can be signed in with one click.
func demoPeople(people []config.Person) []web.DemoPerson {
	out := make([]web.DemoPerson, 0, len(people))
	for _, p := range people {
		name := cmp.Or(web.NameOf(p.Person), p.Username)
		out = append(out, web.DemoPerson{Username: p.Username, Password: p.Password, Name: name, Note: p.Note})
	}
	return out
}

// Clients are the clients of development; the first is LiveEngage.
func Clients() []oidc.Client {
	scopes := []string{"profile", "email", "address", "phone", "offline_access", oidc.ScopeSDEs}
	all := []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}
	basicOrPost := []string{oidc.AuthBasic, oidc.AuthPost}
	loopback := []string{"http://127.0.0.1/cb"}
	return []oidc.Client{
		{
			ID: "liveengage", Name: "Example Brand chat", Secret: secret.New(LiveEngageSecret), AuthMethods: basicOrPost,
			RedirectURIs:  []string{liveengage.WindowURI},
			ResponseTypes: []string{"code", "id_token"}, Scopes: scopes, ClaimsInIDToken: true,
			LiveEngage: &oidc.LiveEngage{
				Account: Account, TokenRedirectURI: liveengage.EmbeddedRedirectURI, JSONRequests: true,
			},
		},
		{
			ID: "local-web", Name: "Local web application", Native: true,
			Secret: secret.New(LocalWebSecret), AuthMethods: basicOrPost,
			RedirectURIs: loopback, PostLogoutRedirectURIs: loopback, ResponseTypes: all, Scopes: scopes,
		},
		{
			ID: "local-post", Name: "Another local web application", Native: true,
			Secret: secret.New(LocalPostSecret), AuthMethods: []string{oidc.AuthPost},
			RedirectURIs: loopback, PostLogoutRedirectURIs: loopback, ResponseTypes: all, Scopes: scopes,
		},
		{
			ID: "local-app", Name: "Local app", Native: true,
			RedirectURIs: loopback, PostLogoutRedirectURIs: loopback, ResponseTypes: []string{"code"}, Scopes: scopes,
		},
	}
}
