package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// metadata is the discovery document, as far as it is needed.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	ResponseTypes         []string `json:"response_types_supported"`
	Algorithms            []string `json:"id_token_signing_alg_values_supported"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported"`
}

// endpointURLs lists the addresses that LivePerson is told to use; none where the
// document could not be read.
func (m metadata) endpointURLs() []namedURL {
	var out []namedURL
	for _, a := range []namedURL{
		{"the authorization endpoint", m.AuthorizationEndpoint},
		{"the token endpoint", m.TokenEndpoint},
		{"the key set", m.JWKSURI},
	} {
		if a.url != "" {
			out = append(out, a)
		}
	}
	return out
}

// checkDiscovery reads what the provider says about itself. LivePerson does not read
// it, but everything after this needs its addresses.
func (e *exam) checkDiscovery(ctx context.Context) {
	address := strings.TrimSuffix(e.cfg.Issuer, "/") + pathDiscovery
	a, err := e.get(ctx, address)
	if err != nil {
		e.addFinding(Error, DiscoveryDocument, fmt.Sprintf("The discovery document cannot be fetched: %v.", err),
			"Put right what was found above, or start the provider; nothing else can be looked at until then.", address)
		return
	}
	e.checkClock(a)
	var m metadata
	err = json.Unmarshal([]byte(a.body), &m)
	switch {
	case a.status != http.StatusOK:
		e.addFinding(Error, DiscoveryDocument, fmt.Sprintf("The discovery document answers %d instead of 200.", a.status),
			"Check the issuer letter by letter, and that what stands in front of the provider lets "+pathDiscovery+" pass.", a.summarize())
		return
	case err != nil:
		e.addFinding(Error, DiscoveryDocument, "The discovery document is not JSON of the right types.",
			"Check that the issuer is that of an OpenID provider, and that no other page answers in its place.", a.summarize())
		return
	}
	e.meta = m
	if missing := listMissingMembers(m); len(missing) > 0 {
		e.addFinding(Error, DiscoveryDocument, fmt.Sprintf("The discovery document lacks %s.", strings.Join(missing, ", ")), "Let the provider publish all of its addresses.")
	} else {
		e.addOK(DiscoveryDocument, "The discovery document is there and complete.")
	}
	if m.Issuer != e.cfg.Issuer {
		e.addFinding(Error, DiscoveryIssuer, fmt.Sprintf("The provider calls itself %q, not %q: %s.", m.Issuer, e.cfg.Issuer, describeDifference(m.Issuer, e.cfg.Issuer)),
			"Use one issuer, letter by letter, in the provider's configuration, in the connector and in the identity function of the pages.")
	} else {
		e.addOK(DiscoveryIssuer, "The provider calls itself by the issuer, letter by letter.")
	}
	e.checkSupport(m)
	if strings.HasPrefix(e.cfg.Issuer, "https:") {
		if a.header.Get("Strict-Transport-Security") == "" {
			e.addFinding(Note, HSTS, "Answers have no Strict-Transport-Security header.", "Send it, so that browsers come by https the next time, too.")
		} else {
			e.addOK(HSTS, "Browsers are told to come by https.")
		}
	}
}

func listMissingMembers(m metadata) []string {
	var out []string
	for _, c := range []namedURL{
		{"authorization_endpoint", m.AuthorizationEndpoint}, {"token_endpoint", m.TokenEndpoint}, {"jwks_uri", m.JWKSURI},
	} {
		if c.url == "" {
			out = append(out, c.name)
		}
	}
	return out
}

// checkSupport compares what LivePerson needs with what the document lists, where it
// lists anything.
func (e *exam) checkSupport(m metadata) {
	var lacks []string
	for _, t := range e.cfg.ResponseTypes {
		if m.ResponseTypes != nil && !slices.Contains(m.ResponseTypes, t) {
			lacks = append(lacks, fmt.Sprintf("the response type %q", t))
		}
	}
	if m.Algorithms != nil && !slices.Contains(m.Algorithms, "RS256") {
		lacks = append(lacks, "RS256 for ID tokens")
	}
	// Without the member it is client_secret_basic (OIDC Discovery section 3).
	if m.AuthMethods != nil && !slices.Contains(m.AuthMethods, "client_secret_basic") && slices.Contains(e.cfg.ResponseTypes, "code") {
		lacks = append(lacks, "client_secret_basic at the token endpoint")
	}
	if len(lacks) > 0 {
		e.addFinding(Warn, DiscoverySupport, fmt.Sprintf("By its discovery document the provider does not support %s, which LivePerson needs.", strings.Join(lacks, ", ")),
			"Switch it on in the provider, or for this client.")
		return
	}
	e.addOK(DiscoverySupport, "By its discovery document the provider supports what LivePerson needs.")
}

// checkClock compares the provider's clock with ours by the header Date, which has
// whole seconds.
func (e *exam) checkClock(a response) {
	const noticeable, fatal = 30 * time.Second, 5 * time.Minute
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		e.addFinding(Note, Clock, "Answers have no Date header, so the provider's clock cannot be compared.", "Compare it by hand: timedatectl, on both machines.")
		return
	}
	off := date.Sub(e.cfg.Now()).Round(time.Second)
	how := fmt.Sprintf("%s ahead of this machine's", off)
	if off < 0 {
		how = fmt.Sprintf("%s behind this machine's", -off)
	}
	const remedy = "Let both machines follow a time server (timedatectl set-ntp true). LivePerson refuses tokens from the future and from the past."
	switch {
	case off.Abs() > fatal:
		e.addFinding(Error, Clock, "The provider's clock is "+how+".", remedy)
	case off.Abs() > noticeable:
		e.addFinding(Warn, Clock, "The provider's clock is "+how+".", remedy)
	default:
		e.addOK(Clock, "The provider's clock agrees with this machine's.")
	}
}

// foreignHost is a host that is nobody's (RFC 2606 section 2).
const foreignHost = "stranger.invalid"

// checkProxyHeaders claims to be a proxy that was asked for another host, and looks whether
// the provider believes it.
func (e *exam) checkProxyHeaders(ctx context.Context) {
	if e.meta.Issuer == "" {
		e.addFinding(Skip, ProxyHeaders, "Forwarded headers were not tried, because there is no discovery document.", "Put that right first.")
		return
	}
	forward := func(r *http.Request) {
		r.Header.Set("X-Forwarded-Host", foreignHost)
		r.Header.Set("X-Forwarded-Proto", "http")
		r.Header.Set("X-Forwarded-For", "203.0.113.77") // RFC 5737
		r.Header.Set("Forwarded", "for=203.0.113.77;host="+foreignHost+";proto=http")
	}
	// The parameter keeps a cache in between from serving the answer to others.
	discovery := strings.TrimSuffix(e.cfg.Issuer, "/") + pathDiscovery + "?uncached=" + randomText()
	places := []namedURL{{"the discovery document", discovery}}
	if e.meta.AuthorizationEndpoint != "" && len(e.cfg.RedirectURIs) > 0 {
		places = append(places, namedURL{"the authorization endpoint", e.authorizeURL(authorizeRequest{uri: e.cfg.RedirectURIs[0]})})
	}
	bad := false
	for _, p := range places {
		a, err := e.get(ctx, p.url, forward)
		if err != nil {
			continue // said elsewhere
		}
		var m metadata
		changed := p.url == discovery && a.status == http.StatusOK && json.Unmarshal([]byte(a.body), &m) == nil &&
			(m.Issuer != e.meta.Issuer || !slices.Equal(m.endpointURLs(), e.meta.endpointURLs()))
		if changed || strings.Contains(a.body, foreignHost) || strings.Contains(a.header.Get("Location"), foreignHost) {
			bad = true
			e.addFinding(Error, ProxyHeaders, fmt.Sprintf("A stranger's X-Forwarded-Host or X-Forwarded-Proto changes what %s says.", p.name),
				"Let the proxy overwrite these headers, and let the provider believe the proxy alone (here: proxies: in the configuration).", a.summarize())
		}
	}
	if !bad {
		e.addOK(ProxyHeaders, "Forwarded headers of a stranger change nothing.")
	}
}

// describeDifference names the first character at which two texts part, counted from
// one: the text that is there and the text that should be.
func describeDifference(got, want string) string {
	g, w := []rune(got), []rune(want)
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("character %d is %q and should be %q", i+1, g[i], w[i])
		}
	}
	switch {
	case len(g) < len(w):
		return fmt.Sprintf("it ends after %d of %d characters; %q is the first that is missing", len(g), len(w), w[len(g)])
	case len(g) > len(w):
		return fmt.Sprintf("it has %d characters more than the %d that it should have; %q is the first of them", len(g)-len(w), len(w), g[len(w)])
	}
	return "they are equal"
}
