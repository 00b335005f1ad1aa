package web

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// PathPageScript is the path of the page script, below the issuer.
const PathPageScript = "/liveengage.js"

// PageScript holds the settings of the page script. None is secret.
type PageScript struct {
	Issuer       string `json:"issuer"`
	ClientID     string `json:"client_id"`
	JSMethod     string `json:"js_method"`
	JSContext    string `json:"js_context"`
	Code         bool   `json:"code"`          // hands out codes instead of tokens
	ReturnURI    string `json:"return_uri"`    // empty: never leaves the page
	Parameter    string `json:"parameter"`     // that carries the ID token of an implicit response
	CodeSeconds  int    `json:"code_seconds"`  // lifetime of a code
	TokenSeconds int    `json:"token_seconds"` // lifetime of an ID token
}

// Source returns the script: static/liveengage.js, called with the settings. In JSON,
// no character can end a script element.
func (p PageScript) Source() ([]byte, error) {
	settings, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("page script: %w", err)
	}
	body, err := static.ReadFile("static/liveengage.js")
	if err != nil {
		return nil, fmt.Errorf("page script: %w", err)
	}
	return fmt.Appendf(nil, "%s(%s);\n", bytes.TrimRight(body, "\n"), settings), nil
}
