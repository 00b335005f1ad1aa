package config

import (
	"slices"
	"strings"
)

// isPublished reports whether a secret is in this project's documentation, where everyone
// can read it.
func isPublished(secret string) bool {
	return slices.ContainsFunc(demoSecrets(), func(begin string) bool {
		rest, found := strings.CutPrefix(strings.ToLower(secret), begin)
		return found && strings.Trim(rest, "0") == ""
	})
}

// demoSecrets begin the secrets of the clients of idp dev, which end with zeros.
func demoSecrets() []string {
	return []string{
		"liveengage-development-secret-",
		"local-web-development-secret-",
		"local-post-development-secret-",
	}
}
