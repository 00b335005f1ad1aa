package inspect

import "fmt"

// Verdict sums the report up in one sentence.
func (r Report) Verdict() string {
	if r.Form == "" {
		return "This is not a token that LiveEngage can read."
	}
	signature := ""
	if r.Signature.State == WrongKey {
		signature = "; the signature does not match the key"
	} else if r.Signature.State != Verified {
		signature = "; the signature was not checked"
	}
	errorCount, warningCount := countNoun(r.CountErrors(), "error"), countNoun(r.CountWarnings(), "warning")
	if r.CountErrors() > 0 {
		return "LiveEngage would reject or misread this token: " + errorCount + ", " + warningCount + signature + "."
	}
	if r.CountWarnings() > 0 {
		return "No errors, " + warningCount + signature + "."
	}
	return "No problems found" + signature + "."
}

// countNoun returns a number with its noun, in the plural unless it is 1.
func countNoun(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
