package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// Interaction is what the Messaging Interactions API tells of a conversation: what
// an agent sees of the consumer, in an envelope of its own.
type Interaction struct {
	SDEs       SDEs `json:"sdes"`
	UnAuthSDEs SDEs `json:"unAuthSdes"`
}

// SDEs are engagement attributes in their envelope.
type SDEs struct {
	Events []SDEEvent `json:"events"`
}

// SDEEvent is one of two: customerInfo with the type CUSTOMER_INFO, or personalInfo
// with PERSONAL_INFO. Each holds a member of the same name.
type SDEEvent struct {
	Type         string          `json:"sdeType"`
	CustomerInfo json.RawMessage `json:"customerInfo,omitempty"`
	PersonalInfo json.RawMessage `json:"personalInfo,omitempty"`
	At           json.RawMessage `json:"serverTimeStamp,omitempty"` // a number, shown as text
}

// Interactions reads what is known of a conversation by its id: one record, or none
// while the service does not know it yet.
func (c *Client) Interactions(ctx context.Context, as Authorizer, conversation string) ([]Interaction, error) {
	var out struct {
		Records []Interaction `json:"conversationHistoryRecords"`
	}
	_, err := c.callService(ctx, serviceCall{
		service: serviceInteractions, method: http.MethodPost, authorize: as, query: url.Values{"v": {"2"}},
		path:     "/messaging_history" + c.accountPath("/conversations/conversation/search"),
		makeBody: fixedBody(map[string]string{"conversationId": conversation}),
	}, &out)
	return out.Records, err
}
