package web

import "idpbridge/liveengage/inspect"

// InspectPage says how LiveEngage would take a token: the page "inspect" of the
// development mode.
type InspectPage struct {
	Action string          // where the form goes
	Text   string          // what was pasted; empty at first
	Issuer string          // what iss was compared with
	Report *inspect.Report // nil at first
	// Verdict is the report in one sentence.
	Verdict string
}

// Lines is how tall the field for the token is: smaller once there is a report
// to read.
func (p InspectPage) Lines() int {
	if p.Report != nil {
		return 4
	}
	return 10
}

// Bad says whether the report has a fault.
func (p InspectPage) Bad() bool { return p.Report != nil && p.Report.CountErrors() > 0 }

// Part is a piece of the token, laid out as JSON.
type Part struct{ Title, JSON string }

// Parts are the pieces of the token that could be read.
func (p InspectPage) Parts() []Part {
	var out []Part
	if p.Report == nil {
		return out
	}
	for _, part := range []Part{
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
