// Package oidc is the OpenID provider: its endpoints and the life of a sign-in.
//
// Read authorize.go first. An authorization request is read (request.go),
// checked (validate.go) and answered at once where the browser's session satisfies
// it (response.go). Where a person is needed first, the request is sealed
// (savedrequest.go) and travels through the pages of package web, each of which ends in
// a redirect to resume, the one dispatcher that decides what comes next. The
// client then redeems its code (token.go).
//
// The package stores nothing for a stranger: the first row is written when
// somebody has proved who they are. It uses zitadel/oidc for the protocol's
// types, names and hint verification, never for its handlers.
package oidc
