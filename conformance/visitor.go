package conformance

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// Visitor is a person with a browser of their own at a provider: it fills in the
// pages that the provider shows and keeps its cookies, so whoever has signed in once
// is not asked again. It is not safe for concurrent use.
type Visitor struct {
	target  *Target
	through http.RoundTripper
	client  Client
	person  Person
	jar     http.CookieJar
	known   *metadata
}

// NewVisitor returns a visitor who has not been there yet. Of the client, ID and
// RedirectURI count; nothing need listen at the latter.
func NewVisitor(issuer string, through http.RoundTripper, client Client, person Person) (*Visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Visitor{target: &Target{Issuer: issuer, Web: client, Person: person}, through: through, client: client, person: person, jar: jar}, nil
}

// Authorize asks for a response type with the scope openid, signs the person in
// where a page wants that, and returns the parameters of the answer. Changes are
// pairs of a parameter of the request and its value, "" to leave it out. An answer
// that is an OAuth error is an error.
func (v *Visitor) Authorize(ctx context.Context, responseType string, changes ...string) (answer url.Values, err error) {
	r := &run{ctx: ctx, target: v.target, through: v.through, known: v.known}
	defer func() {
		switch end := recover().(type) {
		case nil:
		case stopped:
			texts := make([]string, 0, len(r.problems))
			for _, p := range r.problems {
				texts = append(texts, p.text)
			}
			answer, err = nil, errors.New(strings.Join(texts, "; "))
		default:
			panic(end)
		}
	}()
	b := &browser{r: r, jar: v.jar}
	q := r.request(v.client, variant{responseType: responseType}, changes...)
	a := b.signInAs(v.person, q)
	v.known = r.known
	if code := a.Get("error"); code != "" {
		return nil, fmt.Errorf("the provider answers %s: %s", code, excerpt(a.Get("error_description")))
	}
	if a.Get("state") != q.Get("state") {
		return nil, errors.New("the answer's state is not that of the request")
	}
	return a.Values, nil
}
