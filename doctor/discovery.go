package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Codes of the discovery document.
const (
	DiscoveryDocument Code = "discovery-document"
	DiscoveryIssuer   Code = "discovery-issuer"
	DiscoverySupport  Code = "discovery-support"
	HSTS              Code = "hsts"
)

// metadata is the part of the discovery document that the checks use.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	ResponseTypes         []string `json:"response_types_supported"`
	Algorithms            []string `json:"id_token_signing_alg_values_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
}

// endpointURLs returns the URLs that LivePerson uses, as far as the document has
// them.
func (m metadata) endpointURLs() []namedURL {
	var present []namedURL
	for _, u := range []namedURL{
		{"the authorization endpoint", m.AuthorizationEndpoint},
		{"the token endpoint", m.TokenEndpoint},
		{"the key set", m.JWKSURI},
	} {
		if u.url != "" {
			present = append(present, u)
		}
	}
	return present
}

// checkDiscovery reads the discovery document. LivePerson does not read it, but
// the later checks need its URLs.
func (e *exam) checkDiscovery(ctx context.Context) {
	if e.hasEndpoints() {
		e.meta = metadata{
			Issuer: e.cfg.Issuer, AuthorizationEndpoint: e.cfg.AuthorizationEndpoint,
			TokenEndpoint: e.cfg.TokenEndpoint, JWKSURI: e.cfg.KeySetURL,
		}
		e.addSkip(DiscoveryDocument, "The discovery document was not read, because the endpoints were given.",
			"Nothing: LivePerson does not read it either.")
		return
	}
	res, ok := e.fetchDiscovery(ctx)
	if !ok {
		return
	}
	if missing := e.listMissingMembers(); len(missing) > 0 {
		e.addError(DiscoveryDocument, fmt.Sprintf("The discovery document lacks %s.", strings.Join(missing, ", ")),
			"Make the provider publish all its endpoints there, or give them (--authorization-endpoint, --token-endpoint, "+
				"--jwks).")
	} else {
		e.addOK(DiscoveryDocument, "The discovery document is available and complete.")
	}
	if e.meta.Issuer != e.cfg.Issuer {
		e.addError(DiscoveryIssuer,
			fmt.Sprintf("The discovery document has the issuer %q, but %q is expected: %s.",
				e.meta.Issuer, e.cfg.Issuer, describeDifference(e.meta.Issuer, e.cfg.Issuer)),
			"Use exactly the same issuer in the provider's configuration, in the connector, and in the identity "+
				"function of your pages.")
	} else {
		e.addOK(DiscoveryIssuer, "The discovery document has the expected issuer.")
	}
	e.checkSupport()
	e.checkHSTS(res)
}

// fetchDiscovery reads the discovery document into e.meta. It returns false if
// there is nothing to read.
func (e *exam) fetchDiscovery(ctx context.Context) (response, bool) {
	discoveryURL := strings.TrimSuffix(e.cfg.Issuer, "/") + pathDiscovery
	res, err := e.get(ctx, discoveryURL)
	if err != nil {
		e.addError(DiscoveryDocument, fmt.Sprintf("The discovery document cannot be read: %v.", err),
			"Fix what is reported above, and start the provider. If it has no such document, which LivePerson does not read, "+
				"give its endpoints (--authorization-endpoint, --token-endpoint, --jwks).",
			discoveryURL)
		return response{}, false
	}
	e.checkClock(res)
	if res.status != http.StatusOK {
		e.addError(DiscoveryDocument, fmt.Sprintf("The discovery document has status %d instead of 200.", res.status),
			"Check that the issuer is exactly right, and that the proxy forwards "+pathDiscovery+" to the provider. If it has "+
				"no such document, give its endpoints (--authorization-endpoint, --token-endpoint, --jwks).",
			res.summarize())
		return response{}, false
	}
	var m metadata
	if err := json.Unmarshal([]byte(res.body), &m); err != nil {
		e.addError(DiscoveryDocument, "The discovery document is not valid JSON with the expected types.",
			"Check that the issuer is an OpenID provider, and that no other page is served at this URL.", res.summarize())
		return response{}, false
	}
	e.meta = m
	return res, true
}

// hasEndpoints reports whether endpoints were given.
func (e *exam) hasEndpoints() bool {
	return e.cfg.AuthorizationEndpoint != "" || e.cfg.TokenEndpoint != "" || e.cfg.KeySetURL != ""
}

// listMissingMembers returns the members that LivePerson needs and the document lacks:
// no token endpoint for the implicit flow, and no key set if a key is pasted.
func (e *exam) listMissingMembers() []string {
	var missing []string
	for _, member := range []struct {
		name, value string
		needed      bool
	}{
		{"authorization_endpoint", e.meta.AuthorizationEndpoint, true},
		{"token_endpoint", e.meta.TokenEndpoint, e.usesCode()},
		{"jwks_uri", e.meta.JWKSURI, e.cfg.PastedKey == ""},
	} {
		if member.needed && member.value == "" {
			missing = append(missing, member.name)
		}
	}
	return missing
}

// checkSupport compares what LivePerson needs with the lists in the document. A
// list that is not there is not judged.
func (e *exam) checkSupport() {
	m := e.meta
	var missing []string
	for _, t := range e.cfg.ResponseTypes {
		if m.ResponseTypes != nil && !slices.Contains(m.ResponseTypes, t) {
			missing = append(missing, fmt.Sprintf("the response type %q", t))
		}
	}
	if m.Algorithms != nil && !slices.Contains(m.Algorithms, "RS256") {
		missing = append(missing, "RS256 for ID tokens")
	}
	// The default is client_secret_basic (OIDC Discovery section 3).
	if m.AuthMethods != nil && !slices.Contains(m.AuthMethods, "client_secret_basic") && e.usesCode() {
		missing = append(missing, "client_secret_basic at the token endpoint")
	}
	if len(missing) > 0 {
		e.addWarning(DiscoverySupport,
			fmt.Sprintf("LivePerson needs %s, which the discovery document does not list.", strings.Join(missing, ", ")),
			"Enable it in the provider, or for this client.")
		return
	}
	e.addOK(DiscoverySupport, "The discovery document lists what LivePerson needs.")
}

// usesCode reports whether the client uses the code flow.
func (e *exam) usesCode() bool { return slices.Contains(e.cfg.ResponseTypes, "code") }

func (e *exam) checkHSTS(res response) {
	if !strings.HasPrefix(e.cfg.Issuer, "https:") {
		return
	}
	if res.header.Get("Strict-Transport-Security") == "" {
		e.addNote(HSTS, "Responses have no Strict-Transport-Security header.",
			"Send it, so that browsers always use https.")
		return
	}
	e.addOK(HSTS, "Responses tell browsers to use https only (Strict-Transport-Security).")
}
