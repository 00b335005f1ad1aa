package main

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"idpbridge/liveengage/inspect"
)

// formatReport lays a report out for a terminal. Its last line is the verdict.
func formatReport(report inspect.Report) string {
	var b strings.Builder
	for _, part := range []struct {
		title string
		json  []byte
	}{{"Outer header", report.Outer}, {"Header", report.Header}, {"Claims", report.Claims}} {
		if part.json != nil {
			fmt.Fprintf(&b, "%s\n  %s\n\n", part.title, strings.ReplaceAll(string(part.json), "\n", "\n  "))
		}
	}
	if report.Form != "" {
		fmt.Fprintf(&b, "Signature\n  %s: %s\n\n", report.Signature.State, report.Signature.Detail)
	}
	if len(report.AgentSees) > 0 {
		b.WriteString("What the agent sees\n")
		table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, s := range report.AgentSees {
			_, _ = fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", s.Where, s.Label, s.Value, s.From)
		}
		_ = table.Flush()
		b.WriteString("\n")
	}
	if len(report.Findings) > 0 {
		b.WriteString("Findings\n")
		for _, f := range report.Findings {
			fmt.Fprintf(&b, "  %-7s  %s: %s\n           %s  [%s]\n", f.Level, f.Where, f.Problem, f.Remedy, f.Code)
		}
		b.WriteString("\n")
	}
	b.WriteString(report.Verdict() + "\n")
	return b.String()
}
