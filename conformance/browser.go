package conformance

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/html"
)

const (
	mostRedirects = 12
	mostBody      = 4 << 20
	formEncoded   = "application/x-www-form-urlencoded"
)

// fetch makes one request without cookies and without following redirects; edit
// may change it before it is sent, and is nil otherwise.
func (r *run) fetch(method, address string, form url.Values, edit ...func(*http.Request)) response {
	res, _ := r.send(nil, method, address, form, edit...)
	return res
}

// send makes one request, with the cookies of a browser where there is one, and
// demands an answer.
func (r *run) send(jar http.CookieJar, method, address string, form url.Values, edit ...func(*http.Request)) (response, *url.URL) {
	res, at, err := r.attempt(jar, method, address, form, edit...)
	r.must(err == nil, "%s %s got no answer: %v", method, excerpt(address), err)
	return res, at
}

// attempt makes one request.
func (r *run) attempt(jar http.CookieJar, method, address string, form url.Values, edit ...func(*http.Request)) (response, *url.URL, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(r.ctx, method, address, body)
	r.must(err == nil, "the address %s cannot be asked: %v", excerpt(address), err)
	if form != nil {
		req.Header.Set("Content-Type", formEncoded)
	}
	for _, e := range edit {
		e(req)
	}
	transport := r.through
	if transport == nil {
		transport = r.target.HTTP
	}
	client := &http.Client{
		Transport: transport, Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(req)
	if err != nil {
		return response{}, req.URL, err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(res.Body, mostBody))
	return response{status: res.StatusCode, header: res.Header, body: string(text)}, req.URL, err
}

// browser is a person's browser: it keeps cookies and follows redirects until
// one leads away from the provider.
type browser struct {
	r   *run
	jar http.CookieJar
}

// browser returns one that has never been anywhere.
func (r *run) browser() *browser {
	jar, err := cookiejar.New(nil)
	r.must(err == nil, "no cookie jar: %v", err)
	return &browser{r: r, jar: jar}
}

// page is where a browser has come to rest. Where that is a redirect that leads
// to a client, or anywhere but to the provider, location is its address.
type page struct {
	response

	address  *url.URL // of the last request
	location string
}

// get opens an address.
func (b *browser) get(address string) page { return b.follow(http.MethodGet, address, nil) }

// post sends a form as a page of the provider does.
func (b *browser) post(address string, form url.Values, edit ...func(*http.Request)) page {
	return b.follow(http.MethodPost, address, form, append([]func(*http.Request){sameOrigin}, edit...)...)
}

// sameOrigin makes a request one that a page of its own server sends.
func sameOrigin(req *http.Request) {
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Origin", req.URL.Scheme+"://"+req.URL.Host)
}

func (b *browser) follow(method, address string, form url.Values, edit ...func(*http.Request)) page {
	html := func(req *http.Request) { req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8") }
	for range mostRedirects {
		res, at := b.r.send(b.jar, method, address, form, append([]func(*http.Request){html}, edit...)...)
		p := page{response: res, address: at}
		location := res.header.Get("Location")
		if location == "" || res.status < 300 || res.status > 399 {
			return p
		}
		next, err := at.Parse(location)
		if err != nil || b.r.leaves(next, location) {
			p.location = location
			return p
		}
		b.r.fail(method != http.MethodPost || res.status == http.StatusSeeOther || res.status == http.StatusFound,
			"a form was answered by %d, which posts it again elsewhere (RFC 9700 section 4.12)", res.status)
		method, address, form, edit = http.MethodGet, next.String(), nil, nil
	}
	b.r.must(false, "more than %d redirects in a row", mostRedirects)
	return page{}
}

// leaves says whether a redirect leads to a client, or to a host that is not the
// provider's: none of these is ever opened.
func (r *run) leaves(next *url.URL, location string) bool {
	t := r.target
	for _, c := range []Client{t.Web, t.Other, t.Post, t.Public, t.Keyed} {
		for _, known := range []string{c.RedirectURI, c.PostLogoutRedirectURI} {
			if known != "" && strings.HasPrefix(location, known) {
				return true
			}
		}
	}
	m := r.meta()
	for _, own := range []string{m.Issuer, m.AuthorizationEndpoint, m.EndSessionEndpoint} {
		if u, err := url.Parse(own); err == nil && u.Host == next.Host && u.Scheme == next.Scheme {
			return false
		}
	}
	return true
}

// form is a form of a page.
type form struct {
	action  string
	method  string
	fields  url.Values
	types   map[string]string // of the fields that a person fills in
	buttons []button
}

type button struct{ name, value, id, text string }

// forms are the forms of the page, in order.
func (p page) forms() []form {
	doc, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		return nil
	}
	var out []form
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode || n.Data != "form" {
			continue
		}
		f := readForm(n)
		for c := range doc.Descendants() { // a button may stand elsewhere and name its form
			if id := attr(n, "id"); id != "" && c.Type == html.ElementNode && c.Data == "button" && attr(c, "form") == id {
				f.buttons = append(f.buttons, button{attr(c, "name"), attr(c, "value"), attr(c, "id"), textOf(c)})
			}
		}
		out = append(out, f)
	}
	return out
}

func readForm(n *html.Node) form {
	f := form{action: attr(n, "action"), method: strings.ToUpper(attr(n, "method")), fields: url.Values{}, types: map[string]string{}}
	for c := range n.Descendants() {
		if c.Type != html.ElementNode {
			continue
		}
		name, value, kind := attr(c, "name"), attr(c, "value"), strings.ToLower(attr(c, "type"))
		switch {
		case c.Data == "button", c.Data == "input" && kind == "submit":
			f.buttons = append(f.buttons, button{name, value, attr(c, "id"), textOf(c)})
		case c.Data == "input" && name != "":
			f.fields.Add(name, value)
			if kind != "hidden" {
				f.types[name] = kind
			}
		}
	}
	return f
}

// elements are the values of an attribute of every element of that name.
func (p page) elements(name, attribute string) []string {
	doc, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		return nil
	}
	var out []string
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == name {
			out = append(out, attr(n, attribute))
		}
	}
	return out
}

// has says whether any element of that name has the attribute, be it empty.
func (p page) has(name, attribute string) bool {
	doc, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		return false
	}
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == name && slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == attribute }) {
			return true
		}
	}
	return false
}

// text is what a person can read on the page.
func (p page) text() string {
	doc, err := html.Parse(strings.NewReader(p.body))
	if err != nil {
		return ""
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && !slices.Contains([]string{"title", "script", "style", "noscript", "template"}, n.Parent.Data) {
			b.WriteString(n.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for c := range n.Descendants() {
		if c.Type == html.TextNode {
			b.WriteString(c.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// signinForm is the form that asks for a password; false where there is none.
func (p page) signinForm() (form, bool) {
	for _, f := range p.forms() {
		for _, kind := range f.types {
			if kind == "password" {
				return f, true
			}
		}
	}
	return form{}, false
}

// fillIn writes a person's name and password into a sign-in form.
func (f form) fillIn(p Person) url.Values {
	v := url.Values{}
	for name, values := range f.fields {
		v[name] = slices.Clone(values)
	}
	for name, kind := range f.types {
		switch kind {
		case "password":
			v.Set(name, p.Password)
		case "text", "email", "":
			v.Set(name, p.Username)
		}
	}
	return v
}

// submitted are the fields as a browser sends them: every line break is CR LF.
func (f form) submitted() url.Values {
	v := url.Values{}
	for name, values := range f.fields {
		for _, value := range values {
			v.Add(name, strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(value))
		}
	}
	return v
}

// agree is the form filled in with the button that says yes, or with the first.
func (f form) agree() url.Values {
	v := url.Values{}
	for name, values := range f.fields {
		v[name] = slices.Clone(values)
	}
	yes := func(b button) bool {
		text := strings.ToLower(b.name + " " + b.value + " " + b.id + " " + b.text)
		return slices.ContainsFunc([]string{"allow", "accept", "agree", "approve", "continue", "yes", "confirm"},
			func(word string) bool { return strings.Contains(text, word) })
	}
	i := max(slices.IndexFunc(f.buttons, yes), 0)
	if i < len(f.buttons) && f.buttons[i].name != "" {
		v.Set(f.buttons[i].name, f.buttons[i].value)
	}
	return v
}

// submit sends a form of the page.
func (b *browser) submit(p page, f form, v url.Values) page {
	to, err := p.address.Parse(f.action)
	b.r.must(err == nil, "a form of %s leads to %q, which is no address", p.address, f.action)
	return b.post(to.String(), v)
}
