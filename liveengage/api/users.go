package api

import (
	"context"
	"encoding/json"
	"net/http"
)

// User is somebody who may log in to the account, as far as this package reads it.
type User struct {
	ID        json.Number `json:"id"`
	LoginName string      `json:"loginName"`
	FullName  string      `json:"fullName"`
	Nickname  string      `json:"nickname"`
	Email     string      `json:"email"`
	Enabled   bool        `json:"isEnabled"`
	Deleted   bool        `json:"deleted"`
}

// Users reads the account's list of users, with a session's or a key's authorization.
func (c *Client) Users(ctx context.Context, as Authorizer) ([]User, error) {
	var out []User
	_, err := c.callService(ctx, serviceCall{service: serviceUsers, method: http.MethodGet, path: c.accountPath("/configuration/le-users/users"), authorize: as}, &out)
	return out, err
}
