// Package explain says what the error codes of LivePerson's services mean, and what to
// do about them.
package explain

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"idpbridge/internal/spelling"
)

// ErrorCode explains an error of LivePerson's services to an engineer of the brand.
type ErrorCode struct {
	Code     string   `json:"code"`     // as in a response: 9007, 4407, invalid_code
	Name     string   `json:"name"`     // LivePerson's name, or a description if it has none
	Meaning  string   `json:"meaning"`  // one or two sentences
	Causes   []string `json:"causes"`   // the usual ones, most likely first
	Remedies []string `json:"remedies"` // what to do, in order
	Source   string   `json:"source"`   // how this is known, and how reliably
}

// Lookup finds the error code in a text. The text is the code or what people copy from
// logs: "9007", "LP 9007", "error code: 9007", or a response such as
// {"internalErrorCode":"9007"}. If it has several codes, the first one counts.
//
// The Login Service has small numbers with several meanings, so the message beside them
// counts more than the number. A small number alone is a code only if the text says so,
// as in "code 10"; it may be a count.
func Lookup(text string) (ErrorCode, bool) {
	all := All()
	words := splitWords(text)
	for _, word := range words {
		if e, found := findCode(all, word); found && len(word) > maxSmallCode {
			return e, true
		}
	}
	lower := strings.ToLower(text)
	for _, e := range messageErrors() {
		if strings.Contains(lower, strings.ToLower(e.Name)) {
			return e, true
		}
	}
	for i, word := range words {
		named := len(words) == 1 || i > 0 && strings.HasSuffix(strings.ToLower(words[i-1]), "code")
		if e, found := findCode(all, word); found && named {
			return e, true
		}
	}
	return ErrorCode{}, false
}

// maxSmallCode is the length of a number that may be a count.
const maxSmallCode = 2

func findCode(all []ErrorCode, word string) (ErrorCode, bool) {
	i := slices.IndexFunc(all, func(e ErrorCode) bool { return strings.EqualFold(e.Code, word) })
	if i < 0 {
		return ErrorCode{}, false
	}
	return all[i], true
}

// All returns every known error code: first those of the service that accepts tokens
// and codes, beginning with the most common ones, then those of the messaging socket,
// of the Login Service, of API keys and of a token endpoint. The caller may change the
// slice. A code of the Login Service may occur several times, with different names.
func All() []ErrorCode {
	return slices.Concat(
		serviceErrors(), otherServiceErrors(), tokenErrors(), claimErrors(), connectorErrors(), keySetErrors(),
		internalErrors(), anonymousErrors(), socketErrors(),
		loginErrors(), messageErrors(), keyErrors(), tokenEndpointErrors(),
	)
}

// Nearest returns at most five codes that are similar to an unknown one.
func Nearest(text string) []ErrorCode {
	wanted := ""
	for _, w := range splitWords(text) {
		if wanted == "" || isNumber(w) && !isNumber(wanted) {
			wanted = strings.ToLower(w)
		}
	}
	type candidate struct {
		code     ErrorCode
		distance int
	}
	var near []candidate
	for _, e := range All() {
		d := spelling.Distance(wanted, strings.ToLower(e.Code))
		known := slices.ContainsFunc(near, func(c candidate) bool { return c.code.Code == e.Code })
		if wanted != "" && !known && d <= max(1, len(wanted)/2) {
			near = append(near, candidate{e, d*maxNumericDistance + numericDistance(wanted, e.Code)})
		}
	}
	slices.SortStableFunc(near, func(a, b candidate) int { return a.distance - b.distance })
	var out []ErrorCode
	for _, c := range near[:min(5, len(near))] {
		out = append(out, c.code)
	}
	return out
}

// splitWords returns the parts of a text that may be a code, in the order to try them.
// If the text contains a JSON response, the members with codes come first.
func splitWords(text string) []string {
	var out []string
	if i := strings.Index(text, "{"); i >= 0 {
		out = codesInJSON(text[i:])
	}
	out = append(out, strings.FieldsFunc(text, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})...)
	return slices.DeleteFunc(out, func(s string) bool { return s == "" })
}

// codesInJSON returns the members of a JSON response that have codes; unused ones are
// empty.
func codesInJSON(text string) []string {
	var response struct {
		Code  any             `json:"internalErrorCode"`
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal([]byte(text), &response) != nil {
		return nil
	}
	out := []string{formatCode(response.Code)}
	var name string
	if json.Unmarshal(response.Error, &name) == nil {
		return append(out, name)
	}
	var inner struct {
		Code any `json:"internalCode"`
	}
	if json.Unmarshal(response.Error, &inner) == nil {
		out = append(out, formatCode(inner.Code))
	}
	return out
}

// formatCode returns a code that is a JSON string or number, or "".
func formatCode(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.Itoa(int(v))
	}
	return ""
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// maxNumericDistance is more than numericDistance returns.
const maxNumericDistance = 100_000

// numericDistance returns how far apart two numbers are, or 0 if one is not a number.
func numericDistance(a, b string) int {
	x, err := strconv.Atoi(a)
	if err != nil {
		return 0
	}
	y, err := strconv.Atoi(b)
	if err != nil {
		return 0
	}
	return min(max(x-y, y-x), maxNumericDistance-1)
}
