package main

import (
	"fmt"

	"idpbridge/config"
	"idpbridge/keys"
	"idpbridge/oidc"
)

// configuredClients translates the configuration file's clients.
func configuredClients(in []config.Client) ([]oidc.Client, error) {
	out := make([]oidc.Client, 0, len(in))
	for _, c := range in {
		client := oidc.Client{
			ID: c.ID, Name: c.Name, Secret: string(c.Secret), AuthMethods: c.AuthMethods(), Native: c.Type == "native",
			RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, PushedOnly: c.PushedOnly,
			BackchannelLogoutURI: c.BackchannelLogoutURI, FrontchannelLogoutURI: c.FrontchannelLogoutURI,
			ResponseTypes: c.ResponseTypes, Scopes: c.Scopes, ClaimsInIDToken: c.ClaimsInIDToken,
			LiveEngage: profile(c.LiveEngage), Algorithm: c.Algorithm, PinnedKey: c.PinnedKey, RedirectsOnTo: c.RedirectsOnTo,
		}
		var err error
		if c.JWKS != "" {
			if client.Keys, err = keys.ParseJWKS(string(c.JWKS)); err != nil {
				return nil, fmt.Errorf("client %q: %w", c.ID, err)
			}
		}
		if c.Encryption != nil {
			if client.Encryption, err = c.Encryption.Load(); err != nil {
				return nil, fmt.Errorf("client %q: %w", c.ID, err)
			}
		}
		out = append(out, client)
	}
	return out, nil
}

// profile translates how LivePerson's services talk to a client.
func profile(l *config.LiveEngage) *oidc.LiveEngage {
	if l == nil {
		return nil
	}
	out := &oidc.LiveEngage{
		Legacy: l.Dialect == "legacy", RedirectKeys: l.RedirectQueryKeys, AnswerParameter: l.ImplicitParameter,
		AnswerInQuery: l.ImplicitIn == "query", JSONRequests: l.TokenRequests == "form_or_json",
		LivePersonErrors: l.TokenErrors == "liveperson", Delegation: l.Delegation,
		JSMethod: l.JSMethod, JSContext: l.JSContext,
	}
	if l.TokenRedirectURI != "same" {
		out.TokenRedirectURI = l.TokenRedirectURI
	}
	if p := l.Page; p != nil {
		out.Page = oidc.Page{Origins: p.Origins, Code: p.HandsOut == "code", ReturnURI: p.ReturnURI, AcrossSites: p.AcrossSites}
	}
	return out
}

// loadPeople reads the people file of a configuration, with subjects as it says.
func loadPeople(cfg *config.Config) ([]config.Person, error) {
	subjects, err := config.LoadSubjects(cfg.Subjects)
	if err != nil {
		return nil, err
	}
	return config.LoadPeople(cfg.People, config.PeopleRules{Subjects: subjects})
}
