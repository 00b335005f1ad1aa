package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"idpbridge/liveengage/inspect"
)

// formatReport lays a report out for a terminal. Its last line is the verdict.
func formatReport(r inspect.Report) string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		json  []byte
	}{{"Outer header", r.Outer}, {"Header", r.Header}, {"Claims", r.Claims}} {
		if part.json != nil {
			fmt.Fprintf(&b, "%s\n  %s\n\n", part.title, strings.ReplaceAll(string(part.json), "\n", "\n  "))
		}
	}
	if r.Form != "" {
		fmt.Fprintf(&b, "Signature\n  %s: %s\n\n", r.Signature.State, r.Signature.Detail)
	}
	if len(r.AgentSees) > 0 {
		b.WriteString("What the agent sees\n")
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, s := range r.AgentSees {
			_, _ = fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", s.Where, s.Label, s.Value, s.From)
		}
		_ = w.Flush()
		b.WriteString("\n")
	}
	if len(r.Findings) > 0 {
		b.WriteString("Findings\n")
	}
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "  %-7s  %s: %s\n           %s  [%s]\n", f.Level, f.Where, f.Problem, f.Remedy, f.Code)
	}
	if len(r.Findings) > 0 {
		b.WriteString("\n")
	}
	b.WriteString(r.Verdict() + "\n")
	return b.String()
}
