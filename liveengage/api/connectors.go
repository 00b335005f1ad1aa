package api

import (
	"context"
	"encoding/json"
	"net/http"

	"idpbridge/liveengage"
)

// Connector is an authentication server of the account, as the public list shows it.
type Connector struct {
	ID json.Number `json:"id"`
	liveengage.Connector
}

// Connectors returns the account's connectors. The list is public and contains no
// client secrets.
func (c *Client) Connectors(ctx context.Context) ([]Connector, error) {
	var out []Connector
	_, err := c.callService(ctx, serviceCall{
		service:     serviceAccountConfig,
		findBaseURL: c.findAccountConfigURL,
		method:      http.MethodGet,
		path:        c.accountPath("/configuration/le-connectors/all-connectors"),
	}, &out)
	return out, err
}

// FindConnector returns the first connector with this issuer and client ID that is
// not deleted. An empty client ID matches any client. The bool reports whether there
// is one.
func FindConnector(all []Connector, issuer, clientID string) (Connector, bool) {
	for _, k := range all {
		if !k.Deleted && k.Configuration.Issuer == issuer && (clientID == "" || k.Configuration.ClientID == clientID) {
			return k, true
		}
	}
	return Connector{}, false
}

// Flow returns the flow the connector most likely uses. LivePerson does not document
// the values of Type, but only the code flow has a token endpoint.
func (k Connector) Flow() liveengage.Flow {
	if k.UsesCode() || k.Configuration.TokenEndpoint != "" {
		return liveengage.FlowCode
	}
	return liveengage.FlowImplicit
}
