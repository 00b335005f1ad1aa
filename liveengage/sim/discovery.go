package sim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"idpbridge/keys"
	"idpbridge/liveengage"
)

// discoverConnector reads a connector's addresses and key from an identity provider: discovery,
// the key set and, where there is one, our own /keys/public.txt. LivePerson never
// does that: there every field is typed in.
func (s *Simulator) discoverConnector(ctx context.Context, c Connector, issuer string) (Connector, error) {
	issuer = strings.TrimSuffix(issuer, "/")
	a, err := s.idp.get(ctx, "read discovery", issuer+"/.well-known/openid-configuration")
	if err != nil {
		return c, idpErrorf(liveengage.CodeACConnectorFailed, "the identity provider does not answer: %s", redactQuote(cause(err), nil))
	}
	var found struct {
		Issuer    string `json:"issuer"`
		Authorize string `json:"authorization_endpoint"`
		Token     string `json:"token_endpoint"`
		JWKS      string `json:"jwks_uri"`
	}
	if a.status != http.StatusOK || json.Unmarshal(a.body, &found) != nil || found.Issuer == "" {
		return c, idpErrorf(liveengage.CodeACConnectorFailed, "there is no discovery document at this issuer (status %d)", a.status)
	}
	f := &c.Configuration
	f.Issuer, f.AuthorizationEndpoint, f.JWKSEndpoint = found.Issuer, found.Authorize, found.JWKS
	if c.UsesCode() {
		f.TokenEndpoint = found.Token
	}
	f.RFCCompliance, f.ACRValues = true, liveengage.ACR
	f.JSMethodName, f.JSContext = cmp.Or(f.JSMethodName, liveengage.DefaultJSMethod), cmp.Or(f.JSContext, liveengage.DefaultJSContext)
	if c.Delegates() {
		return c, nil // the word in place of the key stays
	}
	line, err := s.fetchPastedKey(ctx, issuer, found.JWKS)
	if err != nil && !c.UsesKeySet() {
		return c, err
	}
	f.JWTPublicKey = cmp.Or(line, f.JWTPublicKey)
	return c, nil
}

// FillConnectors fills every connector that has no issuer yet from an identity provider. Where
// the one key to paste cannot be told, the connector uses the key set instead.
func (s *Simulator) FillConnectors(ctx context.Context, issuer string) error {
	for _, c := range s.listConnectors() {
		if c.Configuration.Issuer != "" {
			continue
		}
		filled, err := s.discoverConnector(ctx, c, issuer)
		if f, ok := errors.AsType[*idpError](err); ok && (f.Code == liveengage.CodeJWKIDNotFound || f.Code == liveengage.CodeMultipleJWKWithoutKidHeader) {
			c.Configuration.JWTValidationType = liveengage.KeyTypeJWKS
			filled, err = s.discoverConnector(ctx, c, issuer)
		}
		if err != nil {
			return err
		}
		filled, dropped := filled.dropMovedSecret(c, issuer, filled.UsesCode())
		if dropped != "" {
			s.Log.WarnContext(ctx, "connector was filled", "connector", c.Name, "note", strings.TrimSpace(dropped))
		}
		s.putConnector(filled)
	}
	return nil
}

// fetchPastedKey is the one-line key: as the provider publishes it, or the only RSA key
// of its key set.
func (s *Simulator) fetchPastedKey(ctx context.Context, issuer, set string) (string, error) {
	a, err := s.idp.get(ctx, "read the public key", issuer+"/keys/public.txt")
	if err == nil && a.status == http.StatusOK {
		line := strings.TrimSpace(string(a.body))
		if _, err := keys.ParsePublicKey(line); err == nil {
			return line, nil
		}
	}
	all, err := s.keySets.fetchKeys(ctx, set)
	if err != nil {
		return "", err
	}
	var line string
	for _, key := range all {
		p := keys.PublicKey{Key: key.Key}
		if key.Algorithm != "" && key.Algorithm != "RS256" {
			continue
		}
		if line != "" {
			return "", idpErrorf(liveengage.CodeMultipleJWKWithoutKidHeader, "the key set has several RSA keys: choose JWKS Endpoint, or paste the one that signs")
		}
		line = p.Base64()
	}
	if line == "" {
		return "", idpErrorf(liveengage.CodeJWKIDNotFound, "the key set has no RSA key")
	}
	return line, nil
}
