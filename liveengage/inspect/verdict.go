package inspect

import "fmt"

// Verdict sums the report up in one line.
func (r Report) Verdict() string {
	plural := func(n int, word string) string {
		if n == 1 {
			return "1 " + word
		}
		return fmt.Sprintf("%d %ss", n, word)
	}
	faults, warnings := r.Faults(), r.Warnings()
	checked := ""
	if r.Signature.State != Verified {
		checked = "; the signature was not checked"
		if r.Signature.State == WrongKey {
			checked = "; the signature does not fit"
		}
	}
	switch {
	case r.Form == "":
		return "This is no token that LiveEngage could take."
	case faults > 0:
		return "LiveEngage would refuse or misread this token: " + plural(faults, "fault") + ", " + plural(warnings, "warning") + checked + "."
	case warnings > 0:
		return "No fault, " + plural(warnings, "warning") + checked + "."
	}
	return "No fault was found" + checked + "."
}
