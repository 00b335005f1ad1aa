package web

import (
	"encoding/json"
	"fmt"
)

// PathPageScript is the address of the page script, below the issuer.
const PathPageScript = "/liveengage.js"

// PageScript are the settings that the page script works with; none is secret.
type PageScript struct {
	Issuer       string `json:"issuer"`
	ClientID     string `json:"client_id"`
	JSMethod     string `json:"js_method"`
	JSContext    string `json:"js_context"`
	Code         bool   `json:"code"`          // hands out codes instead of tokens
	ReturnURI    string `json:"return_uri"`    // empty: never leaves the page
	Parameter    string `json:"parameter"`     // of an implicit answer
	CodeSeconds  int    `json:"code_seconds"`  // a code's life
	TokenSeconds int    `json:"token_seconds"` // a token's life
}

// Source is the script for a page: the embedded one, called with the settings.
// JSON leaves no character that could end a script element.
func (p PageScript) Source() ([]byte, error) {
	settings, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("page script: %w", err)
	}
	body, err := static.ReadFile("static/liveengage.js")
	if err != nil {
		return nil, fmt.Errorf("page script: %w", err)
	}
	out := make([]byte, 0, len(body)+len(settings)+4)
	out = append(out, body...)
	for len(out) > 0 && out[len(out)-1] == '\n' {
		out = out[:len(out)-1]
	}
	out = append(append(append(out, '('), settings...), ')', ';', '\n')
	return out, nil
}
