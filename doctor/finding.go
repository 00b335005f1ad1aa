package doctor

import (
	"strings"
	"unicode"
)

// Level says how grave a finding is.
type Level string

// The levels. LivePerson cannot work with a Fault; a Warning breaks something in
// part, soon or for some; a Note is for knowing; Skipped was not looked at.
const (
	OK    Level = "ok"
	Note  Level = "note"
	Warn  Level = "warn"
	Error Level = "error"
	Skip  Level = "skip"
)

// Finding is one thing that was looked at. Its texts are one line each and hold
// neither the client's secret nor control characters.
type Finding struct {
	// Code names what was looked at and never changes; the level says what came
	// of it.
	Code  Code  `json:"code"`
	Level Level `json:"level"`
	// Sentence says what was found, and Remedy what to do.
	Sentence string `json:"sentence"`
	Remedy   string `json:"remedy"`
	// Seen is what it was concluded from, word for word but for its length; may
	// be empty.
	Seen string `json:"seen,omitempty"`
}

// Report is a whole examination.
type Report struct {
	Findings []Finding     `json:"findings"`
	Totals   map[Level]int `json:"totals"`
}

// Level returns the gravest level among the findings of a code; empty where
// there is none.
func (r Report) Level(code Code) Level {
	gravity := map[Level]int{OK: 1, Skip: 2, Note: 3, Warn: 4, Error: 5}
	var out Level
	for _, f := range r.Findings {
		if f.Code == code && gravity[f.Level] > gravity[out] {
			out = f.Level
		}
	}
	return out
}

const nothingToDo = "Nothing to do."

// addFinding keeps a finding and tells it on. Seen may be left out. Once the context has
// ended every request fails, which says nothing about the provider.
func (e *exam) addFinding(level Level, code Code, sentence, remedy string, seen ...string) {
	select {
	case <-e.done:
		return
	default:
	}
	f := Finding{
		Code: code, Level: level, Sentence: e.sanitize(sentence, 1000),
		Remedy: e.sanitize(remedy, 1000), Seen: e.sanitize(strings.Join(seen, " "), 300),
	}
	e.report.Findings = append(e.report.Findings, f)
	e.report.Totals[level]++
	if e.cfg.OnFinding != nil {
		e.cfg.OnFinding(f)
	}
}

// addOK is add for what is as it should be.
func (e *exam) addOK(code Code, sentence string) { e.addFinding(OK, code, sentence, nothingToDo) }

// addUnreachable is add for what keeps LivePerson from reaching the provider.
func (e *exam) addUnreachable(code Code, sentence, remedy string, seen ...string) {
	level := Error
	if e.cfg.Local {
		level = Note
	}
	e.addFinding(level, code, sentence, remedy, seen...)
}

// sanitize makes a text fit for a line on somebody's terminal: the provider
// has written part of it.
func (e *exam) sanitize(s string, longest int) string {
	if e.cfg.ClientSecret != "" {
		s = strings.ReplaceAll(s, e.cfg.ClientSecret, "[the secret]")
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return '·'
		}
		return r
	}, strings.ToValidUTF8(s, "·"))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return s
}
