package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"

	"idpbridge/liveengage/api"
)

// agentView is what an agent sees of a consumer, or why one cannot tell.
type agentView struct {
	From         string            `json:"from,omitempty"` // interactions or id_token
	Interactions []api.Interaction `json:"interactions,omitempty"`
	Attributes   json.RawMessage   `json:"lp_sdes,omitempty"`
	Why          string            `json:"why,omitempty"`
}

// parseSDEs reads lp_sdes of a token.
func parseSDEs(token string) (agentView, error) {
	text, err := decodeClaims(token)
	if err != nil {
		return agentView{}, err
	}
	var claims struct {
		SDEs json.RawMessage `json:"lp_sdes"`
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return agentView{}, errors.New("the provider's token is no JWT")
	}
	if len(claims.SDEs) == 0 {
		return agentView{}, errors.New("the token has no lp_sdes")
	}
	return agentView{From: "id_token", Attributes: claims.SDEs}, nil
}

// printTo prints it for people: one attribute a line.
func (s agentView) printTo(out io.Writer) error {
	if s.Why != "" {
		_, err := fmt.Fprintf(out, "\nWhat the agent sees is not known: %s.\n", s.Why)
		return err
	}
	var rows [][]string
	heading := "The agent sees, by the Messaging Interactions API:"
	for _, r := range s.Interactions {
		for _, e := range slices.Concat(r.SDEs.Events, r.UnAuthSDEs.Events) {
			rows = append(rows, flattenJSON("", unwrapEnvelope(e.CustomerInfo, "customerInfo"))...)
			rows = append(rows, flattenJSON("", unwrapEnvelope(e.PersonalInfo, "personalInfo"))...)
		}
	}
	if s.From == "id_token" {
		heading = "The agent sees, by the brand's token:"
		var all []struct {
			Info     any `json:"info"`
			Personal any `json:"personal"`
		}
		if err := json.Unmarshal(s.Attributes, &all); err != nil {
			return fmt.Errorf("lp_sdes is not a list of attributes: %w", err)
		}
		for _, one := range all {
			rows = append(rows, flattenJSON("", one.Info)...)
			rows = append(rows, flattenJSON("", one.Personal)...)
		}
	}
	if _, err := fmt.Fprintf(out, "\n%s\n", heading); err != nil {
		return err
	}
	return printTable(out, rows)
}

// unwrapEnvelope is a member of an envelope that has the name of the envelope.
func unwrapEnvelope(raw json.RawMessage, name string) any {
	var envelope map[string]any
	if json.Unmarshal(raw, &envelope) != nil {
		return nil
	}
	return envelope[name]
}

// flattenJSON is a JSON value as rows of path and value, ordered by name.
func flattenJSON(path string, v any) [][]string {
	join := func(name string) string {
		if path == "" {
			return name
		}
		return path + "." + name
	}
	var rows [][]string
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			rows = append(rows, flattenJSON(join(name), v[name])...)
		}
	case []any:
		for i, one := range v {
			rows = append(rows, flattenJSON(join(strconv.Itoa(i+1)), one)...)
		}
	case nil:
	case float64:
		rows = append(rows, []string{"  " + path, strconv.FormatFloat(v, 'f', -1, 64)})
	default:
		rows = append(rows, []string{"  " + path, fmt.Sprint(v)})
	}
	return rows
}
