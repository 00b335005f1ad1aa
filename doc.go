// Package idpbridge is the root of an OpenID Connect identity provider for
// authenticated chat in LivePerson's LiveEngage. It contains no code. The program
// is cmd/idp, CONTRIBUTING.md follows a sign-in through the packages, and
// docs/adr/0001 says what each package is for. The tests next to this file check
// which package imports which, and that the documentation matches the code.
package idpbridge
