package oidc

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	zoidc "github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"idpbridge/internal/jwtclaims"
	"idpbridge/keys"
)

// verifyHint checks signature and issuer of an ID token of ours. It may have expired.
func (p *Provider) verifyHint(ctx context.Context, token string) (*zoidc.IDTokenClaims, error) {
	p.refreshKeys(ctx)
	hint, err := op.VerifyIDTokenHint[*zoidc.IDTokenClaims](ctx, token, p.hints)
	if _, expired := errors.AsType[op.IDTokenHintExpiredError](err); err != nil && !expired {
		return nil, fmt.Errorf("verify id_token_hint: %w", err)
	}
	return hint, nil
}

// hintKeys finds the key of an ID token of ours for zitadel's verifier.
type hintKeys struct{ ring *keys.Ring }

// VerifySignature implements the key set of zitadel/oidc.
func (h hintKeys) VerifySignature(_ context.Context, jws *jose.JSONWebSignature) ([]byte, error) {
	if len(jws.Signatures) != 1 {
		return nil, errors.New("want exactly one signature")
	}
	if kind := jws.Signatures[0].Header.ExtraHeaders[jose.HeaderType]; kind != "JWT" {
		return nil, errors.New("not an ID token: a logout token is signed by the same keys")
	}
	key, ok := h.ring.Key(jws.Signatures[0].Header.KeyID)
	if !ok || key.Algorithm != jws.Signatures[0].Header.Algorithm {
		return nil, errors.New("unknown key")
	}
	payload, err := jws.Verify(key.Key)
	if err == nil {
		_, err = jwtclaims.Parse(payload)
	}
	return payload, err
}
