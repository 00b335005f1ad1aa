package web

import "idpbridge/liveengage/inspect"

// InspectPage shows what LiveEngage would find wrong with a token: the page "inspect" of
// development mode.
type InspectPage struct {
	Action  string          // URL of the form
	Pasted  string          // empty at first
	Issuer  string          // that iss was compared with
	Report  *inspect.Report // nil at first
	Verdict string          // the report in one sentence
}

// Rows is the height of the text field: smaller if there is a report to read.
func (p InspectPage) Rows() int {
	if p.Report != nil {
		return 4
	}
	return 10
}

// HasErrors reports whether the report has a finding of the level error.
func (p InspectPage) HasErrors() bool { return p.Report != nil && p.Report.CountErrors() > 0 }

// tokenPart is a part of the token as indented JSON.
type tokenPart struct{ Title, JSON string }

// Parts are the parts of the token that could be decoded.
func (p InspectPage) Parts() []tokenPart {
	var out []tokenPart
	if p.Report == nil {
		return out
	}
	for _, part := range []tokenPart{
		{"Outer header", string(p.Report.Outer)},
		{"Header", string(p.Report.Header)},
		{"Claims", string(p.Report.Claims)},
	} {
		if part.JSON != "" {
			out = append(out, part)
		}
	}
	return out
}
