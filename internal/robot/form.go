package robot

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// Form is a form of a page.
type Form struct {
	Action  string // as it is written on the page
	Method  string // GET or POST
	Fields  url.Values
	Types   map[string]string // of the fields that a person fills in, by name
	Buttons []Button
}

// Button submits a form.
type Button struct{ Name, Value, ID, Text string }

// Forms returns the forms of the page in order.
func (p *Page) Forms() []Form {
	document := p.document()
	var out []Form
	for _, n := range elementsBelow(document, "form") {
		form := readForm(n)
		// A button may be elsewhere on the page and name its form.
		if id := attributeOf(n, "id"); id != "" {
			for _, button := range elementsBelow(document, "button") {
				if attributeOf(button, "form") == id {
					form.Buttons = append(form.Buttons, readButton(button))
				}
			}
		}
		out = append(out, form)
	}
	return out
}

// PasswordForm returns the form that asks for a password, and false if there is
// none.
func (p *Page) PasswordForm() (Form, bool) {
	for _, form := range p.Forms() {
		for _, kind := range form.Types {
			if kind == "password" {
				return form, true
			}
		}
	}
	return Form{}, false
}

func readForm(n *html.Node) Form {
	form := Form{
		Action: attributeOf(n, "action"), Method: http.MethodGet,
		Fields: url.Values{}, Types: map[string]string{},
	}
	if strings.EqualFold(attributeOf(n, "method"), http.MethodPost) {
		form.Method = http.MethodPost
	}
	for _, field := range elementsBelow(n, "button", "input") {
		kind := strings.ToLower(attributeOf(field, "type"))
		if field.Data == "button" || kind == "submit" {
			form.Buttons = append(form.Buttons, readButton(field))
			continue
		}
		name := attributeOf(field, "name")
		if name == "" {
			continue
		}
		form.Fields.Add(name, attributeOf(field, "value"))
		if kind != "hidden" {
			form.Types[name] = kind
		}
	}
	return form
}

func readButton(n *html.Node) Button {
	return Button{
		Name: attributeOf(n, "name"), Value: attributeOf(n, "value"), ID: attributeOf(n, "id"), Text: textOf(n),
	}
}

// FillIn returns the fields with a username and a password written into them.
func (f Form) FillIn(user Credentials) url.Values {
	fields := f.copyFields()
	for name, kind := range f.Types {
		switch kind {
		case "password":
			fields.Set(name, user.Password)
		case "text", "email", "":
			fields.Set(name, user.Username)
		}
	}
	return fields
}

// Agree returns the fields with the button that says yes, or with the first one.
func (f Form) Agree() url.Values {
	fields := f.copyFields()
	i := max(slices.IndexFunc(f.Buttons, Button.saysYes), 0)
	if i < len(f.Buttons) && f.Buttons[i].Name != "" {
		fields.Set(f.Buttons[i].Name, f.Buttons[i].Value)
	}
	return fields
}

func (b Button) saysYes() bool {
	text := strings.ToLower(b.Name + " " + b.Value + " " + b.ID + " " + b.Text)
	for _, word := range []string{"allow", "accept", "agree", "approve", "continue", "yes", "confirm"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// SubmittedFields returns the fields as a browser sends them: every line break
// becomes CR LF.
func (f Form) SubmittedFields() url.Values {
	breaks := strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n")
	fields := url.Values{}
	for name, values := range f.Fields {
		for _, value := range values {
			fields.Add(name, breaks.Replace(value))
		}
	}
	return fields
}

func (f Form) copyFields() url.Values {
	fields := url.Values{}
	for name, values := range f.Fields {
		fields[name] = slices.Clone(values)
	}
	return fields
}
