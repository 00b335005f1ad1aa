package api

import (
	"context"
	"encoding/json"
	"net/http"

	"idpbridge/liveengage"
)

// Connector is an authentication server of the account, as the public list has it.
type Connector struct {
	ID json.Number `json:"id"`
	liveengage.Connector
}

// Connectors reads the account's list, which anybody may read. Its client secrets
// are not in it.
func (c *Client) Connectors(ctx context.Context) ([]Connector, error) {
	var out []Connector
	_, err := c.callService(ctx, serviceCall{
		service: serviceAccdn, findBaseURL: c.findAccountConfigURL, method: http.MethodGet, path: c.accountPath("/configuration/le-connectors/all-connectors"),
	}, &out)
	return out, err
}

// FindConnector is the connector for an issuer and a client id; an empty client id fits any.
func FindConnector(all []Connector, issuer, clientID string) (Connector, bool) {
	for _, k := range all {
		if !k.Deleted && k.Configuration.Issuer == issuer && (clientID == "" || k.Configuration.ClientID == clientID) {
			return k, true
		}
	}
	return Connector{}, false
}

// Flow is how the connector wants a consumer to be authenticated, as far as one can
// tell: what numbers Type may have is not documented, but only the code flow has a
// token endpoint.
func (k Connector) Flow() liveengage.Flow {
	if k.UsesCode() || k.Configuration.TokenEndpoint != "" {
		return liveengage.FlowCode
	}
	return liveengage.FlowImplicit
}
