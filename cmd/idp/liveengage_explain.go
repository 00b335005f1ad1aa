package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"idpbridge/liveengage/explain"
)

type explainCommand struct {
	Code []string `arg:"" optional:"" help:"A code such as 9007, or the answer that has it in it; without one, every code on a line of its own."`
	JSON bool     `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (explainCommand) Help() string {
	return `For example:

    idp liveengage explain 9007
    idp liveengage explain '{"internalErrorCode":"9007"}'`
}

// Run explains one error of LivePerson's side, or lists them all.
func (e explainCommand) Run(p *process) error {
	if len(e.Code) == 0 {
		return e.printCodes(p.stdout)
	}
	text := strings.Join(e.Code, " ")
	found, ok := explain.Lookup(text)
	if !ok {
		near := explain.Nearest(text)
		if len(near) == 0 {
			return fmt.Errorf("%q is not an error that is known of LiveEngage; idp liveengage explain lists them", truncate(text))
		}
		var codes []string
		for _, n := range near {
			codes = append(codes, n.Code+" ("+n.Name+")")
		}
		return fmt.Errorf("%q is not an error that is known of LiveEngage; the nearest are %s", truncate(text), strings.Join(codes, ", "))
	}
	if e.JSON {
		return printJSON(p.stdout, found)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n\n%s\n\nUsual causes:\n", found.Code, found.Name, found.Meaning)
	for _, cause := range found.Causes {
		fmt.Fprintf(&b, "  - %s\n", cause)
	}
	b.WriteString("\nWhat to do:\n")
	for i, remedy := range found.Remedies {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, remedy)
	}
	fmt.Fprintf(&b, "\n%s\n", found.Source)
	_, err := io.WriteString(p.stdout, b.String())
	return err
}

func (e explainCommand) printCodes(out io.Writer) error {
	all := explain.All()
	if e.JSON {
		return printJSON(out, all)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, x := range all {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", x.Code, x.Name)
	}
	return w.Flush()
}
