// Package explain says what the error codes of LivePerson's side mean, and what to do.
package explain

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"idpbridge/internal/spelling"
)

// ErrorCode is what an error of LivePerson's side means to the engineer of a
// brand.
type ErrorCode struct {
	Code     string   `json:"code"`     // as it stands in an answer: 9007, 4407, invalid_code
	Name     string   `json:"name"`     // LivePerson's own name for it, or ours in words where it has none
	Meaning  string   `json:"meaning"`  // one or two sentences
	Causes   []string `json:"causes"`   // the usual ones, likeliest first
	Remedies []string `json:"remedies"` // what to do, in order
	Source   string   `json:"source"`   // how this is known, and how well
}

// Lookup finds the explanation of an error. It takes the bare code and what
// people copy from logs: "9007", "LP 9007", "error code: 9007" or a whole answer
// such as {"internalErrorCode":"9007"}. Where a text has several numbers, the
// first that is a code counts; 10, which may as well be a count, comes last.
func Lookup(code string) (ErrorCode, bool) {
	all := All()
	var ten ErrorCode
	for _, word := range words(code) {
		i := slices.IndexFunc(all, func(e ErrorCode) bool { return strings.EqualFold(e.Code, word) })
		if i < 0 {
			continue
		}
		if word != "10" {
			return all[i], true
		}
		ten = all[i]
	}
	return ten, ten.Code != ""
}

// All lists every error that is known: the service that takes tokens
// and codes first, its commonest family at the head, then the socket, the older
// chat server and the names of a token endpoint's errors. The caller may change
// the list.
func All() []ErrorCode {
	return slices.Concat(serviceErrors(), tokenErrors(), keyErrors(), internalErrors(), anonymousErrors(), otherErrors())
}

// Nearest lists at most five codes that somebody may have meant who wrote one
// that does not exist.
func Nearest(code string) []ErrorCode {
	wanted := ""
	for _, w := range words(code) {
		if wanted == "" || digits(w) && !digits(wanted) {
			wanted = strings.ToLower(w)
		}
	}
	type scored struct {
		e        ErrorCode
		distance int
	}
	var near []scored
	for _, e := range All() {
		if d := spelling.Distance(wanted, strings.ToLower(e.Code)); d <= max(1, len(wanted)/2) {
			near = append(near, scored{e, d*100_000 + apart(wanted, e.Code)})
		}
	}
	slices.SortStableFunc(near, func(a, b scored) int { return a.distance - b.distance })
	var out []ErrorCode
	for _, n := range near[:min(5, len(near))] {
		out = append(out, n.e)
	}
	return out
}

// words are the parts of a text that may be a code, in the order in which they
// should be tried: the members of a JSON answer that hold one before the rest.
func words(text string) []string {
	var answer struct {
		Code  any             `json:"internalErrorCode"`
		Error json.RawMessage `json:"error"`
	}
	var out []string
	if strings.Contains(text, "{") && json.Unmarshal([]byte(text[strings.Index(text, "{"):]), &answer) == nil {
		out = append(out, plainCode(answer.Code))
		var name string
		var inner struct {
			Code any `json:"internalCode"`
		}
		if json.Unmarshal(answer.Error, &name) == nil {
			out = append(out, name)
		} else if json.Unmarshal(answer.Error, &inner) == nil {
			out = append(out, plainCode(inner.Code))
		}
	}
	out = append(out, strings.FieldsFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})...)
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// plainCode spells a code that JSON gave as text or as a number.
func plainCode(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.Itoa(int(v))
	}
	return ""
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// apart is how far two numbers lie from each other; texts that are no numbers
// are not apart.
func apart(a, b string) int {
	x, err := strconv.Atoi(a)
	y, err2 := strconv.Atoi(b)
	if err != nil || err2 != nil {
		return 0
	}
	return min(max(x-y, y-x), 99_999)
}
