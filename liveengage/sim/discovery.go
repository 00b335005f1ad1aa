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

// discoverConnector fills a connector's URLs and key from an identity provider: from its
// discovery document, its key set and, if it has one, /keys/public.txt. LivePerson does
// not do that; there, every field is typed in.
func (s *Simulator) discoverConnector(ctx context.Context, c Connector, issuer string) (Connector, error) {
	issuer = strings.TrimSuffix(issuer, "/")
	response, err := s.idp.get(ctx, "read discovery", issuer+"/.well-known/openid-configuration")
	if err != nil {
		return c, idpErrorf(liveengage.CodeACConnectorFailed,
			"the identity provider did not respond: %s", redactQuote(err.Error(), nil))
	}
	var found struct {
		Issuer    string `json:"issuer"`
		Authorize string `json:"authorization_endpoint"`
		Token     string `json:"token_endpoint"`
		JWKS      string `json:"jwks_uri"`
	}
	if response.Status != http.StatusOK || json.Unmarshal(response.Body, &found) != nil || found.Issuer == "" {
		return c, idpErrorf(liveengage.CodeACConnectorFailed,
			"this issuer has no valid discovery document (status %d)", response.Status)
	}
	f := &c.Configuration
	f.Issuer, f.AuthorizationEndpoint, f.JWKSEndpoint = found.Issuer, found.Authorize, found.JWKS
	if c.UsesCode() {
		f.TokenEndpoint = found.Token
	}
	f.RFCCompliance, f.ACRValues = true, liveengage.ACR
	f.JSMethodName = cmp.Or(f.JSMethodName, liveengage.DefaultJSMethod)
	f.JSContext = cmp.Or(f.JSContext, liveengage.DefaultJSContext)
	if c.Delegates() {
		return c, nil // the marker in place of the key stays
	}
	line, err := s.fetchPastedKey(ctx, issuer, found.JWKS)
	if err != nil && !c.UsesKeySet() {
		return c, err
	}
	f.JWTPublicKey = cmp.Or(line, f.JWTPublicKey)
	return c, nil
}

// FillConnectors fills every connector without an issuer from an identity provider. If
// it cannot tell which key to paste, the connector uses the key set instead.
func (s *Simulator) FillConnectors(ctx context.Context, issuer string) error {
	for _, c := range s.listConnectors() {
		if c.Configuration.Issuer != "" {
			continue
		}
		filled, err := s.discoverConnector(ctx, c, issuer)
		e, ok := errors.AsType[*idpError](err)
		if ok && (e.Code == liveengage.CodeJWKIDNotFound || e.Code == liveengage.CodeMultipleJWKWithoutKidHeader) {
			c.Configuration.JWTValidationType = liveengage.KeyTypeJWKS
			filled, err = s.discoverConnector(ctx, c, issuer)
		}
		if err != nil {
			return err
		}
		filled, dropped := filled.dropMovedSecret(c, issuer, filled.UsesCode())
		if dropped != "" {
			s.Log.WarnContext(ctx, "simulator_secret_removed", "connector", c.Name, "note", strings.TrimSpace(dropped))
		}
		s.putConnector(filled)
	}
	return nil
}

// fetchPastedKey returns the one-line key: the one that the provider publishes, or the
// only RSA key of its key set.
func (s *Simulator) fetchPastedKey(ctx context.Context, issuer, keySetURL string) (string, error) {
	response, err := s.idp.get(ctx, "read the public key", issuer+"/keys/public.txt")
	if err == nil && response.Status == http.StatusOK {
		line := strings.TrimSpace(string(response.Body))
		if _, err := keys.ParsePublicKey(line); err == nil {
			return line, nil
		}
	}
	all, err := s.keySets.fetchKeys(ctx, keySetURL)
	if err != nil {
		return "", err
	}
	var line string
	for _, key := range all {
		if key.Algorithm != "" && key.Algorithm != "RS256" {
			continue
		}
		if line != "" {
			return "", idpErrorf(liveengage.CodeMultipleJWKWithoutKidHeader,
				"the key set has several RSA keys: choose JWKS Endpoint, or paste the one that signs")
		}
		line = keys.PublicKey{Key: key.Key}.Base64()
	}
	if line == "" {
		return "", idpErrorf(liveengage.CodeJWKIDNotFound, "the key set has no RSA key")
	}
	return line, nil
}
