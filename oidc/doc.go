// Package oidc is the OpenID provider: its endpoints, and the life of a sign-in.
//
// Read authorize.go first. An authorization request is parsed (request.go), validated
// (validate.go), and answered at once if the browser's session satisfies it
// (response.go). If a page is needed first, the request is sealed (savedrequest.go) and
// travels through the pages of package web. Each of them ends in a redirect to /resume,
// where handleResume decides what comes next. The client then redeems its code
// (token.go).
//
// The package stores nothing before a user has signed in. It uses zitadel/oidc for the
// protocol's types, names and hint verification, never for its handlers.
package oidc
