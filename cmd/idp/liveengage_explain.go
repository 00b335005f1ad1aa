package main

import (
	"fmt"
	"io"
	"strings"

	"idpbridge/liveengage/explain"
)

type explainCommand struct {
	Code []string `arg:"" optional:"" help:"A code such as 9007, or a response that contains it; without it, all codes."`
	JSON bool     `name:"json" help:"Print JSON."`
}

// Help is printed above the flags.
func (explainCommand) Help() string {
	return `For example:

    idp liveengage explain 9007
    idp liveengage explain '{"internalErrorCode":"9007"}'`
}

// Run explains one error code of LivePerson, or lists them all.
func (e explainCommand) Run(p *process) error {
	if len(e.Code) == 0 {
		return e.printCodes(p.stdout)
	}
	text := strings.Join(e.Code, " ")
	found, ok := explain.Lookup(text)
	if !ok {
		return unknownCodeError(text)
	}
	if e.JSON {
		return printJSON(p.stdout, found)
	}
	_, err := io.WriteString(p.stdout, formatErrorCode(found))
	return err
}

func (e explainCommand) printCodes(out io.Writer) error {
	known := explain.All()
	if e.JSON {
		return printJSON(out, known)
	}
	rows := make([][]string, 0, len(known))
	for _, c := range known {
		rows = append(rows, []string{c.Code, c.Name})
	}
	return printTable(out, rows)
}

// unknownCodeError says that a code is unknown, and names similar ones.
func unknownCodeError(text string) error {
	similar := explain.Nearest(text)
	if len(similar) == 0 {
		return fmt.Errorf("%q is not a known LivePerson error; idp liveengage explain lists them", truncate(text))
	}
	names := make([]string, 0, len(similar))
	for _, c := range similar {
		names = append(names, c.Code+" ("+c.Name+")")
	}
	return fmt.Errorf("%q is not a known LivePerson error; similar ones are %s", truncate(text), strings.Join(names, ", "))
}

func formatErrorCode(c explain.ErrorCode) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n\n%s\n\nUsual causes:\n", c.Code, c.Name, c.Meaning)
	for _, cause := range c.Causes {
		fmt.Fprintf(&b, "  - %s\n", cause)
	}
	b.WriteString("\nWhat to do:\n")
	for i, remedy := range c.Remedies {
		fmt.Fprintf(&b, "  %d. %s\n", i+1, remedy)
	}
	fmt.Fprintf(&b, "\n%s\n", c.Source)
	return b.String()
}
