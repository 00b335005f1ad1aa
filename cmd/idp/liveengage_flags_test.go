package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDomainAPIUsesHTTPS: LivePerson's documentation has the Domain API with http in
// places. It is called by https.
func TestDomainAPIUsesHTTPS(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"http://api.liveperson.net":  "https://api.liveperson.net",
		"HTTP://API.liveperson.net":  "https://API.liveperson.net",
		"https://api.liveperson.net": "https://api.liveperson.net",
		"http://127.0.0.1:8090":      "http://127.0.0.1:8090",
		"http://localhost":           "http://localhost",
		"http://evil.example":        "http://evil.example",
	} {
		require.Equal(t, want, serviceFlags{Domains: given}.domainAPI(), given)
	}
}
