package api

import (
	"context"
	"encoding/json"
	"errors"
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

// Users returns the account's users. It needs a session or an API key. A read-only key
// works at one service and a key that may write at the other, so it tries both: first
// the one that cannot change anything.
func (c *Client) Users(ctx context.Context, auth Authorizer) ([]User, error) {
	if _, err := c.findServiceURL(ctx, serviceUsersReadOnly); errors.Is(err, ErrUnknownService) {
		return c.usersOf(ctx, auth, serviceUsers)
	}
	users, err := c.usersOf(ctx, auth, serviceUsersReadOnly)
	if !errors.Is(err, ErrBadCredentials) {
		return users, err
	}
	users, errWrite := c.usersOf(ctx, auth, serviceUsers)
	if errors.Is(errWrite, ErrUnknownService) {
		return nil, err // the error of the service that is there
	}
	return users, errWrite
}

func (c *Client) usersOf(ctx context.Context, auth Authorizer, service string) ([]User, error) {
	var out []User
	_, err := c.callService(ctx, serviceCall{
		service:   service,
		method:    http.MethodGet,
		path:      c.accountPath("/configuration/le-users/users"),
		authorize: auth,
	}, &out)
	return out, err
}
