// Package idpbridge is an OpenID Connect identity provider for authenticated
// chat in LivePerson's LiveEngage. The binary is cmd/idp; docs/adr/0001 says
// what each folder is for.
package idpbridge
