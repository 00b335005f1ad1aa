package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// ProxyHeaders is the code of checkProxyHeaders.
const ProxyHeaders Code = "proxy-headers"

// foreignHost is a host that does not exist (RFC 2606 section 2).
const foreignHost = "attacker.invalid"

// checkProxyHeaders sends forged proxy headers and checks that the provider does
// not believe them.
func (e *exam) checkProxyHeaders(ctx context.Context) {
	if e.meta.Issuer == "" {
		e.addSkip(ProxyHeaders, "Forged proxy headers were not tried, because there is no discovery document.", fixDiscovery)
		return
	}
	trusted := e.checkDiscoveryHeaders(ctx)
	if e.meta.AuthorizationEndpoint != "" && len(e.cfg.RedirectURIs) > 0 {
		authorizeURL := e.authorizeURL(authorizeRequest{redirectURI: e.cfg.RedirectURIs[0]})
		res, err := e.get(ctx, authorizeURL, forgeProxyHeaders)
		if err == nil && mentionsForeignHost(res) {
			trusted = true
			e.addTrustedHeaders("the authorization endpoint", res)
		}
	}
	if !trusted {
		e.addOK(ProxyHeaders, "Forged proxy headers change nothing.")
	}
}

// checkDiscoveryHeaders reports whether forged headers change the discovery
// document.
func (e *exam) checkDiscoveryHeaders(ctx context.Context) bool {
	// The query keeps a cache on the way from serving this response to others.
	discoveryURL := strings.TrimSuffix(e.cfg.Issuer, "/") + pathDiscovery + "?uncached=" + randomText()
	res, err := e.get(ctx, discoveryURL, forgeProxyHeaders)
	if err != nil {
		return false // checkDiscovery reports a provider that does not respond
	}
	changed := mentionsForeignHost(res)
	var m metadata
	if res.status == http.StatusOK && json.Unmarshal([]byte(res.body), &m) == nil {
		changed = changed || m.Issuer != e.meta.Issuer || !slices.Equal(m.endpointURLs(), e.meta.endpointURLs())
	}
	if changed {
		e.addTrustedHeaders("the discovery document", res)
	}
	return changed
}

func (e *exam) addTrustedHeaders(where string, res response) {
	e.addError(ProxyHeaders,
		fmt.Sprintf("Any client can change %s by sending X-Forwarded-Host or X-Forwarded-Proto.", where),
		"Make the proxy overwrite these headers, and make the provider trust only the proxy (here: proxies in the "+
			"configuration).", res.summarize())
}

func forgeProxyHeaders(r *http.Request) {
	r.Header.Set("X-Forwarded-Host", foreignHost)
	r.Header.Set("X-Forwarded-Proto", "http")
	r.Header.Set("X-Forwarded-For", "203.0.113.77") // RFC 5737
	r.Header.Set("Forwarded", "for=203.0.113.77;host="+foreignHost+";proto=http")
}

func mentionsForeignHost(res response) bool {
	return strings.Contains(res.body, foreignHost) || strings.Contains(res.header.Get("Location"), foreignHost)
}
