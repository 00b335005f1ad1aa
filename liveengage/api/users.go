package api

import (
	"context"
	"encoding/json"
	"net/http"
)

// User is a user who can log in to the account.
type User struct {
	ID        json.Number `json:"id"`
	LoginName string      `json:"loginName"`
	FullName  string      `json:"fullName"`
	Email     string      `json:"email"`
	Enabled   bool        `json:"isEnabled"`
	Deleted   bool        `json:"deleted"`
}

// Users returns the account's users. It needs a session or an API key.
func (c *Client) Users(ctx context.Context, auth Authorizer) ([]User, error) {
	var out []User
	_, err := c.callService(ctx, serviceCall{
		service:   serviceUsers,
		method:    http.MethodGet,
		path:      c.accountPath("/configuration/le-users/users"),
		authorize: auth,
	}, &out)
	return out, err
}
