package conformance

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

func metadataAttacks() []Check {
	return []Check{
		{
			Name:        "attack/84-issuer-elsewhere",
			Requirement: "There is one issuer URL, and metadata is served nowhere else.",
			do:          checkIssuerElsewhere,
		},
		{
			Name:        "attack/85-key-set",
			Requirement: "The key set has public keys with unique key IDs and a short cache lifetime.",
			do:          checkKeySet,
		},
	}
}

func checkIssuerElsewhere(r *run) {
	for _, path := range []string{pathDiscovery + "/", "/x" + pathDiscovery} {
		res := r.fetch(http.MethodGet, r.target.Issuer+path, nil)
		r.require(res.Status >= 300, "metadata is also served at %s", path)
	}
	res := r.fetch(http.MethodGet, r.target.Issuer+pathDiscovery, nil,
		func(req *http.Request) { req.Host = "evil.example" })
	var m metadata
	if res.Status == http.StatusOK && json.Unmarshal([]byte(res.Body), &m) == nil {
		r.require(m.Issuer == r.target.Issuer, "under another host the issuer is %q", m.Issuer)
	}
	// RFC 8414 puts the well-known part before the path of the issuer.
	u, err := url.Parse(r.target.Issuer)
	r.require(err == nil, "the issuer is not a URL")
	oauth := *u
	oauth.Path = "/.well-known/oauth-authorization-server" + u.Path
	res = r.fetch(http.MethodGet, oauth.String(), nil)
	if res.Status == http.StatusOK {
		r.require(json.Unmarshal([]byte(res.Body), &m) == nil && m.Issuer == r.target.Issuer,
			"RFC 8414 metadata names the issuer %q", m.Issuer)
	}
}

func checkKeySet(r *run) {
	r.fetchKeySet()
	res := r.fetch(http.MethodGet, r.metadata().JWKSURI, nil)
	var raw struct {
		Keys []map[string]any `json:"keys"`
	}
	r.require(json.Unmarshal([]byte(res.Body), &raw) == nil, "the key set is not JSON")
	for _, k := range raw.Keys {
		for _, private := range []string{"d", "p", "q", "dp", "dq", "qi", "k", "oth"} {
			r.require(k[private] == nil, "a key has the private member %s", private)
		}
	}
	control := res.Header.Get("Cache-Control")
	_, after, found := strings.Cut(control, "max-age=")
	seconds, err := strconv.Atoi(strings.TrimSpace(strings.Split(after, ",")[0]))
	r.require(found && err == nil && seconds > 0 && seconds <= 3600,
		"Cache-Control is %q; it must expire within an hour", control)
}
