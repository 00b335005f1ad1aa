package config

import (
	"fmt"

	"idpbridge/keys"
	"idpbridge/oidc"
)

// OIDCClients returns the clients as package oidc takes them, with their keys read.
func (c *Config) OIDCClients() ([]oidc.Client, error) {
	out := make([]oidc.Client, 0, len(c.Clients))
	for _, c := range c.Clients {
		client := oidc.Client{
			ID: c.ID, Name: c.Name, Secret: c.Secret, AuthMethods: c.AuthMethods(), Native: c.Type == "native",
			RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, PushedOnly: c.PushedOnly,
			BackchannelLogoutURI: c.BackchannelLogoutURI, FrontchannelLogoutURI: c.FrontchannelLogoutURI,
			ResponseTypes: c.ResponseTypes, Scopes: c.Scopes, ClaimsInIDToken: c.ClaimsInIDToken,
			LiveEngage: c.LiveEngage.toOIDC(), Algorithm: c.Algorithm, PinnedKey: c.PinnedKey, RedirectsOnTo: c.RedirectsOnTo,
		}
		var err error
		if c.JWKS.IsSet() {
			if client.Keys, err = keys.ParseJWKS(c.JWKS.Reveal()); err != nil {
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

// toOIDC returns the profile as package oidc takes it; nil stays nil.
func (l *LiveEngage) toOIDC() *oidc.LiveEngage {
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

// ReadPeople reads the people file, with subjects as configured.
func (c *Config) ReadPeople() ([]Person, error) {
	subjects, err := LoadSubjects(c.Subjects)
	if err != nil {
		return nil, err
	}
	return LoadPeople(c.People, PeopleRules{Subjects: subjects})
}
