package robot

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Page is where a browser stopped.
type Page struct {
	Status int
	Header http.Header
	Body   string
	URL    *url.URL // of the last request

	// Location is the redirect that was not followed, exactly as the server sent
	// it, or where a page continues to by itself; empty if a page is shown.
	Location string
}

// RefreshURL returns where an HTML page continues to by itself at once (HTML standard,
// section "Pragma directives"), or "" if it does not.
func RefreshURL(body string) string {
	if !strings.Contains(strings.ToLower(body), "http-equiv") {
		return ""
	}
	page := Page{Body: body}
	for _, n := range page.elements("meta") {
		if !strings.EqualFold(attributeOf(n, "http-equiv"), "refresh") {
			continue
		}
		seconds, to, _ := strings.Cut(attributeOf(n, "content"), ";")
		to = strings.TrimSpace(to)
		if strings.TrimSpace(seconds) == "0" && len(to) > 4 && strings.EqualFold(to[:4], "url=") {
			return to[4:]
		}
	}
	return ""
}

// Attributes returns the values of an attribute of every element with a name,
// with "" for an element that lacks it.
func (p *Page) Attributes(element, attribute string) []string {
	var out []string
	for _, n := range p.elements(element) {
		out = append(out, attributeOf(n, attribute))
	}
	return out
}

// HasAttribute reports whether any element with a name has the attribute, even
// an empty one.
func (p *Page) HasAttribute(element, attribute string) bool {
	isAttribute := func(a html.Attribute) bool { return a.Key == attribute }
	return slices.ContainsFunc(p.elements(element), func(n *html.Node) bool {
		return slices.ContainsFunc(n.Attr, isAttribute)
	})
}

// Text returns what a person can read on the page.
func (p *Page) Text() string {
	hidden := []string{"title", "script", "style", "noscript", "template"}
	var b strings.Builder
	for n := range p.document().Descendants() {
		if n.Type == html.TextNode && !slices.Contains(hidden, n.Parent.Data) {
			b.WriteString(n.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

// AlertText returns the messages of the page that a screen reader announces, one
// a line.
func (p *Page) AlertText() string {
	var out []string
	for n := range p.document().Descendants() {
		if n.Type == html.ElementNode && attributeOf(n, "role") == "alert" {
			out = append(out, textOf(n))
		}
	}
	return strings.Join(out, "\n")
}

// document parses the body. HTML has no syntax errors, and a reader of a string
// returns none, so that parsing cannot fail.
func (p *Page) document() *html.Node {
	document, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		return &html.Node{Type: html.DocumentNode}
	}
	return document
}

func (p *Page) elements(name string) []*html.Node { return elementsBelow(p.document(), name) }

// elementsBelow returns the elements with any of the names, in document order.
func elementsBelow(root *html.Node, names ...string) []*html.Node {
	var out []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && slices.Contains(names, n.Data) {
			out = append(out, n)
		}
	}
	return out
}

func attributeOf(n *html.Node, name string) string {
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

// maxExcerpt is the length of an excerpt in bytes.
const maxExcerpt = 200

// Excerpt returns the beginning of a text on one line, for a message.
func Excerpt(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxExcerpt {
		return s[:maxExcerpt] + "…"
	}
	return s
}
