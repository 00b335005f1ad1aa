package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"idpbridge/internal/netaddr"
	"idpbridge/internal/secret"
	"idpbridge/keys"
	"idpbridge/liveengage"
)

// LiveEngage is how LivePerson's services talk to the client of the profile
// liveengage. Load fills in every default.
type LiveEngage struct {
	// Dialect is rfc, the default, or legacy: of connectors that are not set to RFC
	// compliance.
	Dialect string `yaml:"dialect"`
	// RedirectQueryKeys may stand in the query of a redirect URI in the legacy
	// dialect: lpUnifiedWindowConfig unless given.
	RedirectQueryKeys []string `yaml:"redirect_query_keys"`
	// TokenRedirectURI is what LivePerson sends at the token endpoint where the page
	// names none: https://liveperson.net unless given; "same" allows no other than at
	// the authorization endpoint.
	TokenRedirectURI string `yaml:"token_redirect_uri"`
	// ImplicitParameter carries the token of an implicit answer: id_token, the
	// default, token or code. ImplicitIn is fragment, the default, or query.
	ImplicitParameter string `yaml:"implicit_parameter"`
	ImplicitIn        string `yaml:"implicit_in"`
	// TokenRequests is form_or_json, the default, or form.
	TokenRequests string `yaml:"token_requests"`
	// TokenErrors is oauth, the default, or liveperson: the names of the token
	// endpoint's refusals.
	TokenErrors string `yaml:"token_errors"`
	// Delegation gives a refresh token with every code, for LivePerson's consumer
	// delegation.
	Delegation bool `yaml:"delegation"`
	// JSMethod and JSContext name the function that the page script defines:
	// lpGetAuthenticationToken on window unless given.
	JSMethod  string `yaml:"js_method"`
	JSContext string `yaml:"js_context"`
	// Page is nil where no page may use the page script.
	Page *Page `yaml:"page"`
}

// Page says which of the brand's pages may use the page script.
type Page struct {
	// Origins are those of the pages: https, or http on loopback; at least one.
	Origins []string `yaml:"origins"`
	// HandsOut is code, the default where the client may have codes, or id_token.
	HandsOut string `yaml:"hands_out"`
	// ReturnURI is one of the client's redirect URIs, on one of the origins, that the
	// script goes through where the browser keeps cookies from it; empty for none.
	ReturnURI string `yaml:"return_uri"`
	// AcrossSites is for pages on another site than the issuer's, such as
	// brand.example and brand-login.example: it sends a second session cookie to them
	// where the browser allows it. It needs an https issuer.
	AcrossSites bool `yaml:"across_sites"`
}

// Encryption encrypts ID tokens with RSA-OAEP-256.
type Encryption struct {
	// Content is A128CBC-HS256, the default, or A256GCM.
	Content string `yaml:"enc"`
	// Keys are tried in their order: the first that is valid at the time is used.
	Keys []EncryptionKey `yaml:"keys"`
}

// EncryptionKey is a public key of the client's.
type EncryptionKey struct {
	ID  string       `yaml:"kid"` // as its owner names it
	Key secret.Value `yaml:"key"` // certificate or key in PEM, or the key as base64 on one line
	// Until is the last day, in UTC, on which it is used, as YYYY-MM-DD; empty means
	// until its certificate expires.
	Until string `yaml:"until"`
	// Short allows a key of 1024 to 2047 bits.
	Short bool `yaml:"insecure_short_key"`
}

const (
	legacy  = "legacy"
	same    = "same"
	idToken = "id_token"
)

func (l *LiveEngage) fillIn(code bool) {
	set(&l.Dialect, "rfc")
	if l.Dialect == legacy && len(l.RedirectQueryKeys) == 0 {
		l.RedirectQueryKeys = []string{liveengage.WindowQueryKey}
	}
	set(&l.TokenRedirectURI, liveengage.EmbeddedRedirectURI)
	set(&l.ImplicitParameter, idToken)
	set(&l.ImplicitIn, "fragment")
	set(&l.TokenRequests, "form_or_json")
	set(&l.TokenErrors, "oauth")
	set(&l.JSMethod, liveengage.DefaultJSMethod)
	set(&l.JSContext, liveengage.DefaultJSContext)
	if l.Page != nil {
		handsOut := idToken
		if code {
			handsOut = "code"
		}
		set(&l.Page.HandsOut, handsOut)
	}
}

// jsName is one name or several with dots between them; the method is one.
var jsName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]{0,63}(\.[A-Za-z_$][A-Za-z0-9_$]{0,63}){0,7}$`)

// liveengage fills in and checks what only the profile liveengage has.
func (r *reader) liveengage(path string, c Client) {
	path += ".liveengage"
	bad := func(key, format string, args ...any) { r.fault(path+"."+key, format, args...) }
	if c.Profile != profileLiveEngage {
		if r.has(path) {
			r.fault(path, "liveengage belongs to a client with profile: liveengage; its exceptions are for no other")
		}
		return
	}
	l := c.LiveEngage
	l.fillIn(slices.Contains(c.ResponseTypes, "code"))
	for _, v := range []struct {
		key, value string
		allowed    []string
	}{
		{"dialect", l.Dialect, []string{"rfc", legacy}},
		{"implicit_parameter", l.ImplicitParameter, []string{idToken, "token", "code"}},
		{"implicit_in", l.ImplicitIn, []string{"fragment", "query"}},
		{"token_requests", l.TokenRequests, []string{"form_or_json", "form"}},
		{"token_errors", l.TokenErrors, []string{"oauth", "liveperson"}},
	} {
		if !slices.Contains(v.allowed, v.value) {
			bad(v.key, "%s %q is not known; write one of: %s", v.key, excerpt(v.value), strings.Join(v.allowed, ", "))
		}
	}
	if len(l.RedirectQueryKeys) > 0 && l.Dialect != legacy {
		bad("redirect_query_keys", "redirect_query_keys is for dialect: legacy; leave it out")
	}
	if l.TokenRedirectURI != same {
		if err := CheckRedirectURI(l.TokenRedirectURI, c.Type); err != nil {
			bad("token_redirect_uri", "%s", err)
		}
	}
	for i, uri := range c.RedirectURIs {
		if l.Dialect == legacy && strings.Contains(uri, "?") {
			r.fault(fmt.Sprintf("%s.redirect_uris[%d]", strings.TrimSuffix(path, ".liveengage"), i),
				"redirect URI %q has a query; leave it out, the legacy dialect adds one", withoutUser(uri))
		}
	}
	if !jsName.MatchString(l.JSMethod) || strings.Contains(l.JSMethod, ".") {
		bad("js_method", "js_method %q is no name of a JavaScript function; write one such as lpGetAuthenticationToken", excerpt(l.JSMethod))
	}
	if !jsName.MatchString(l.JSContext) {
		bad("js_context", "js_context %q is no name of a JavaScript object; write one such as window or lpMethods", excerpt(l.JSContext))
	}
	if l.Page != nil {
		r.page(path+".page", c, *l.Page)
	}
}

func (r *reader) page(path string, c Client, p Page) {
	if len(p.Origins) == 0 {
		r.fault(path+".origins", "origins is missing; list the origins of your pages, such as https://www.brand.example")
	}
	for i, origin := range p.Origins {
		if err := CheckPageOrigin(origin); err != nil {
			r.fault(fmt.Sprintf("%s.origins[%d]", path, i), "%s", err)
		}
	}
	wanted := map[string]string{"code": "code", idToken: idToken}[p.HandsOut]
	switch {
	case wanted == "":
		r.fault(path+".hands_out", "hands_out %q is not known; write one of: code, id_token", excerpt(p.HandsOut))
	case !slices.Contains(c.ResponseTypes, wanted):
		r.fault(path+".hands_out", "hands_out is %s, which is not among the response_types of this client; add it there", p.HandsOut)
	}
	if p.ReturnURI == "" {
		return
	}
	onPage := slices.ContainsFunc(p.Origins, func(o string) bool { return p.ReturnURI == o || strings.HasPrefix(p.ReturnURI, o+"/") })
	if !onPage || !slices.Contains(c.RedirectURIs, p.ReturnURI) {
		r.fault(path+".return_uri", "return_uri %q is not both one of redirect_uris and on one of origins; add it there", withoutUser(p.ReturnURI))
	}
}

// CheckPageOrigin says what is wrong with the origin of a page, or returns nil. It
// is https, or http on loopback: a scheme, a host and maybe a port, as browsers
// write it.
func CheckPageOrigin(origin string) error {
	rest, plain := strings.CutPrefix(origin, "http://")
	if plain {
		origin = "https://" + rest
	}
	u, err := url.Parse(origin)
	if checkOrigin(origin) == nil && err == nil && (!plain || netaddr.IsLoopback(u.Hostname())) && serialized(u, plain) {
		return nil
	}
	if plain {
		origin = "http://" + rest
	}
	return fmt.Errorf("%q is not an origin as browsers write it; write https:// and a host alone, such as https://www.brand.example (http is for loopback)", withoutUser(origin))
}

// serialized says whether a host stands as browsers write it in an origin: lower
// case, and a port only where it is not the scheme's own.
func serialized(u *url.URL, plain bool) bool {
	port, own := u.Port(), "443"
	if plain {
		own = "80"
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return u.Host == strings.ToLower(u.Host) && !strings.HasSuffix(u.Host, ":") &&
		(port == "" || err == nil && n > 0 && port != own && port == strconv.FormatUint(n, 10))
}

// encryption fills in and checks the keys that ID tokens are encrypted to.
func (r *reader) encryption(path string, c Client) {
	if c.Encryption == nil {
		return
	}
	if _, err := c.Encryption.Load(); err != nil {
		at, found := path+".id_token_encryption", false
		for i := range c.Encryption.Keys {
			if _, err := c.Encryption.Keys[i].load(); err != nil {
				r.fault(fmt.Sprintf("%s.keys[%d]", at, i), "%s", err)
				found = true
			}
		}
		switch {
		case len(c.Encryption.Keys) == 0:
			r.fault(at+".keys", "keys is missing; list the public key that LivePerson gave you, with its kid")
		case !found:
			r.fault(at, "%s", err)
		}
	}
}

// Load parses the keys. Errors repeat nothing of them but a kid.
func (e *Encryption) Load() (*keys.Encrypter, error) {
	content := e.Content
	if content == "" {
		content = keys.ContentEncryptions()[0]
	}
	recipients := make([]keys.Recipient, 0, len(e.Keys))
	for _, k := range e.Keys {
		r, err := k.load()
		if err != nil {
			return nil, err
		}
		recipients = append(recipients, r)
	}
	return keys.NewEncrypter(content, recipients)
}

func (k EncryptionKey) load() (keys.Recipient, error) {
	if k.ID == "" {
		return keys.Recipient{}, fmt.Errorf("encryption key without kid; write the name that its owner gave it")
	}
	r, err := keys.ParseRecipient(k.ID, k.Key.Reveal(), k.Short)
	if err != nil {
		return r, fmt.Errorf("encryption key %q: %w", excerpt(k.ID), err)
	}
	if k.Until != "" {
		day, err := time.Parse(time.DateOnly, k.Until)
		if err != nil {
			return r, fmt.Errorf("encryption key %q: until %q is no day; write YYYY-MM-DD", excerpt(k.ID), excerpt(k.Until))
		}
		if end := day.AddDate(0, 0, 1); r.NotAfter.IsZero() || end.Before(r.NotAfter) {
			r.NotAfter = end
		}
	}
	return r, nil
}
