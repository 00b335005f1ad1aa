package main

import (
	"crypto/rand"
	"fmt"
	"net/url"
	"strings"
)

type signCommand struct {
	URL    string `arg:"" help:"URL of the request, with its query."`
	Key    string `required:"" help:"JSON file with the four values of an API key." type:"existingfile" placeholder:"FILE"`
	Method string `short:"X" default:"GET" help:"Method of the request (${default})." placeholder:"METHOD"`
}

// Help is printed above the flags.
func (signCommand) Help() string {
	return `For example:

    URL='https://va.data.liveperson.net/messaging_history/api/account/12345678/conversations/search?v=2'
    curl -H "$(idp liveengage sign --key key.json -X POST "$URL")" --json '{}' "$URL"

The header is for exactly this method and URL, works once, and for a few minutes. A JSON
body is not part of the signature (RFC 5849 section 3.4.1.3.1).`
}

// Run prints the OAuth 1.0 header of a request. It sends nothing.
func (s signCommand) Run(p *process) error {
	u, err := url.Parse(s.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return usageErrorf("%q is not a URL such as https://va.data.liveperson.net/path?v=2", truncate(s.URL))
	}
	method := strings.ToUpper(s.Method)
	if method == "" || strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return usageErrorf("--method %q is not a method such as POST", truncate(s.Method))
	}
	key, err := loginFlags{Key: s.Key}.readAPIKey()
	if err != nil {
		return err
	}
	header := key.AuthorizationHeader(method, s.URL, p.now(), rand.Text())
	_, err = fmt.Fprintf(p.stdout, "Authorization: %s\n", header)
	return err
}
