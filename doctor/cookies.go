package doctor

import (
	"context"
	"fmt"
	"strings"
)

// Cookies is the code of checkCookies.
const Cookies Code = "cookies"

// checkCookies checks the cookies that the authorization endpoint sets in a
// browser. Cookies that earlier requests have set count as well.
func (e *exam) checkCookies(ctx context.Context) {
	if e.meta.AuthorizationEndpoint == "" {
		return // checkAuthorization has reported it
	}
	_, err := e.authorize(ctx, authorizeRequest{redirectURI: e.cfg.RedirectURIs[0], nonce: true, mayShowPage: true})
	if err != nil {
		return
	}
	if !strings.HasPrefix(e.meta.AuthorizationEndpoint, "https:") {
		e.addSkip(Cookies, "Cookies were not checked, because the provider does not use https.",
			"Check the provider at its https URL.")
		return
	}
	seen, bad := map[string]bool{}, false
	for _, c := range e.cookies {
		if seen[c.Name] {
			continue
		}
		seen[c.Name] = true
		if !c.Secure {
			bad = true
			e.addError(Cookies, fmt.Sprintf("The cookie %s is not Secure, so browsers also send it over http.", c.Name),
				"Configure the provider for https (here: issuer: https://…), and make the proxy pass cookies unchanged.")
		} else if !strings.HasPrefix(c.Name, "__Host-") {
			bad = true
			e.addNote(Cookies,
				fmt.Sprintf("The cookie %s does not have the prefix __Host-, so another host of the domain can overwrite it.",
					c.Name),
				"Add the prefix to its name, set Path=/, and leave out Domain.")
		}
	}
	if !bad {
		e.addOK(Cookies, fmt.Sprintf("Cookies are limited to https and to this host (%d seen).", len(seen)))
	}
}
