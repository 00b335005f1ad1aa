// Package idpbridge is the root of an OpenID Connect identity provider for
// authenticated chat in LivePerson's LiveEngage. It holds no code: the binary is
// cmd/idp, docs/adr/0001 says what each folder is for, and the test beside this
// file holds the arrows between them.
package idpbridge
