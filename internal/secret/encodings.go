package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// Encodings returns strings in every form in which another service may repeat them in a
// message: as they are, in JSON, in a URL, and in base64. The longest come first, so
// that replacing them one after the other leaves no part of one. Empty strings have no
// encodings.
func Encodings(plain ...string) []string {
	var out []string
	for _, s := range plain {
		if s == "" {
			continue
		}
		out = append(out, s, quoteJSON(s, true), quoteJSON(s, false),
			url.QueryEscape(s), url.PathEscape(s), base64.StdEncoding.EncodeToString([]byte(s)))
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(out)
}

// quoteJSON returns a string as it is between the quotes in JSON.
func quoteJSON(s string, escapeHTML bool) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(s) // cannot fail for a string
	quoted := strings.TrimSuffix(b.String(), "\n")
	return quoted[1 : len(quoted)-1]
}
