package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Interaction is what the Messaging Interactions API knows about a conversation: the
// consumer's engagement attributes, as an agent sees them.
type Interaction struct {
	SDEs       SDEs `json:"sdes"`
	UnAuthSDEs SDEs `json:"unAuthSdes"`
}

// SDEs is a list of engagement attributes.
type SDEs struct {
	Events []SDEEvent `json:"events"`
}

// SDEEvent has either customerInfo, with the type CUSTOMER_INFO, or personalInfo,
// with PERSONAL_INFO. Both contain a member of the same name.
type SDEEvent struct {
	Type         string          `json:"sdeType"`
	CustomerInfo json.RawMessage `json:"customerInfo,omitempty"`
	PersonalInfo json.RawMessage `json:"personalInfo,omitempty"`
	At           json.RawMessage `json:"serverTimeStamp,omitempty"` // a number, or a string in version 1
}

// Interactions returns what is known about a conversation: one record, or none if
// the service does not know the conversation yet.
func (c *Client) Interactions(ctx context.Context, auth Authorizer, conversation string) ([]Interaction, error) {
	var out struct {
		Records []Interaction `json:"conversationHistoryRecords"`
	}
	_, err := c.callService(ctx, serviceCall{
		service:   serviceInteractions,
		method:    http.MethodPost,
		path:      "/messaging_history" + c.accountPath("/conversations/conversation/search"),
		query:     url.Values{"v": {"2"}},
		makeBody:  fixedBody(map[string]string{"conversationId": conversation}),
		authorize: auth,
	}, &out)
	return out.Records, err
}
