package doctor

import (
	"strings"
	"unicode"

	"idpbridge/internal/secret"
)

// Code names a check. The codes are declared with their checks, and docs/doctor.md
// has a table of them.
type Code string

// Level is the severity of a finding.
type Level string

// The levels, from harmless to severe.
const (
	// OK means that there is nothing to do.
	OK Level = "ok"
	// Skip means that the check was not made; the finding says why.
	Skip Level = "skip"
	// Note is information.
	Note Level = "note"
	// Warn means that something does not work in part, for some users, or soon.
	Warn Level = "warn"
	// Error means that LivePerson cannot work with the provider.
	Error Level = "error"
)

// Finding is the result of one check. Its texts are single lines without control
// characters, and never contain the client's secret.
type Finding struct {
	// Code names the check. A code never changes its meaning.
	Code  Code  `json:"code"`
	Level Level `json:"level"`
	// Sentence is what was found, and Remedy what to do about it.
	Sentence string `json:"sentence"`
	Remedy   string `json:"remedy"`
	// Seen is the evidence, such as the response, cut to a readable length. It may
	// be empty.
	Seen string `json:"seen,omitempty"`
}

// Report is the result of Run.
type Report struct {
	Findings []Finding     `json:"findings"`
	Totals   map[Level]int `json:"totals"`
}

// Level returns the most severe level among the findings with the code, or ""
// if there are none.
func (r Report) Level(code Code) Level {
	severity := map[Level]int{OK: 1, Skip: 2, Note: 3, Warn: 4, Error: 5}
	var highest Level
	for _, f := range r.Findings {
		if f.Code == code && severity[f.Level] > severity[highest] {
			highest = f.Level
		}
	}
	return highest
}

// problems counts the warnings and errors so far.
func (r Report) problems() int { return r.Totals[Warn] + r.Totals[Error] }

const (
	nothingToDo     = "Nothing to do."
	fixDiscovery    = "Fix the discovery document first."
	fixKeySet       = "Fix the key set first."
	maxSentenceSize = 1000 // characters
	maxSeenSize     = 300  // characters
)

func (e *exam) addOK(code Code, sentence string) {
	e.addFinding(Finding{Code: code, Level: OK, Sentence: sentence, Remedy: nothingToDo})
}

func (e *exam) addSkip(code Code, sentence, remedy string, seen ...string) {
	e.addFinding(Finding{code, Skip, sentence, remedy, strings.Join(seen, " ")})
}

func (e *exam) addNote(code Code, sentence, remedy string, seen ...string) {
	e.addFinding(Finding{code, Note, sentence, remedy, strings.Join(seen, " ")})
}

func (e *exam) addWarning(code Code, sentence, remedy string, seen ...string) {
	e.addFinding(Finding{code, Warn, sentence, remedy, strings.Join(seen, " ")})
}

func (e *exam) addError(code Code, sentence, remedy string, seen ...string) {
	e.addFinding(Finding{code, Error, sentence, remedy, strings.Join(seen, " ")})
}

// addUnreachable adds an error about something that keeps LivePerson from
// reaching the provider. For a local provider it is a note.
func (e *exam) addUnreachable(code Code, sentence, remedy string, seen ...string) {
	if e.cfg.Local {
		e.addNote(code, sentence, remedy, seen...)
		return
	}
	e.addError(code, sentence, remedy, seen...)
}

// addFinding keeps a finding and passes it to OnFinding. It drops findings made
// after the context has ended, because then every request fails, and that says
// nothing about the provider.
func (e *exam) addFinding(f Finding) {
	select {
	case <-e.done:
		return
	default:
	}
	f.Sentence = e.sanitize(f.Sentence, maxSentenceSize)
	f.Remedy = e.sanitize(f.Remedy, maxSentenceSize)
	f.Seen = e.sanitize(f.Seen, maxSeenSize)
	e.report.Findings = append(e.report.Findings, f)
	e.report.Totals[f.Level]++
	if e.cfg.OnFinding != nil {
		e.cfg.OnFinding(f)
	}
}

// sanitize makes a text safe to print on a terminal, because the provider wrote
// part of it: one line, no control characters, no secret, not too long.
func (e *exam) sanitize(s string, maxSize int) string {
	for _, form := range secret.Encodings(e.cfg.ClientSecret.Reveal()) {
		s = strings.ReplaceAll(s, form, "[the secret]")
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxSize {
		return string(runes[:maxSize]) + "…"
	}
	return s
}
