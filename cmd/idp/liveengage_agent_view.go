package main

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"idpbridge/liveengage/api"
)

// agentView is what an agent sees of a consumer, or why that is unknown.
type agentView struct {
	From         string            `json:"from,omitempty"` // viewFromInteractions or viewFromIDToken
	Interactions []api.Interaction `json:"interactions,omitempty"`
	Attributes   json.RawMessage   `json:"lp_sdes,omitempty"`
	Why          string            `json:"why,omitempty"`
}

// The values of agentView.From.
const (
	viewFromInteractions = "interactions" // LivePerson's Messaging Interactions API
	viewFromIDToken      = "id_token"     // the brand's ID token
)

var (
	errNotJWT    = errors.New("the provider's token is not a JWT")
	errEncrypted = errors.New("the token is encrypted for LivePerson")
)

// parseSDEs reads the attributes lp_sdes of an ID token.
func parseSDEs(token string) (agentView, error) {
	payload, err := decodeClaims(token)
	if err != nil {
		return agentView{}, err
	}
	var claims struct {
		SDEs json.RawMessage `json:"lp_sdes"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return agentView{}, errNotJWT
	}
	if len(claims.SDEs) == 0 {
		return agentView{}, errors.New("the token has no lp_sdes")
	}
	return agentView{From: viewFromIDToken, Attributes: claims.SDEs}, nil
}

// decodeClaims returns the claims of a token without verifying it; LivePerson does.
func decodeClaims(token string) ([]byte, error) {
	parts := strings.Split(token, ".")
	if len(parts) == 5 {
		return nil, errEncrypted
	}
	if len(parts) != 3 {
		return nil, errNotJWT
	}
	return base64.RawURLEncoding.DecodeString(cmp.Or(parts[1], "?"))
}

// printTo prints one attribute per line.
func (v agentView) printTo(out io.Writer) error {
	if v.Why != "" {
		_, err := fmt.Fprintf(out, "\nWhat the agent sees is unknown: %s.\n", v.Why)
		return err
	}
	heading, rows := "The agent sees, according to the Messaging Interactions API:", v.interactionRows()
	if v.From == viewFromIDToken {
		var err error
		heading = "The agent sees, according to the brand's token:"
		if rows, err = v.attributeRows(); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(out, "\n%s\n", heading); err != nil {
		return err
	}
	return printTable(out, rows)
}

func (v agentView) interactionRows() [][]string {
	var rows [][]string
	for _, interaction := range v.Interactions {
		for _, event := range slices.Concat(interaction.SDEs.Events, interaction.UnAuthSDEs.Events) {
			rows = append(rows, flattenJSON("", unwrapEnvelope(event.CustomerInfo, "customerInfo"))...)
			rows = append(rows, flattenJSON("", unwrapEnvelope(event.PersonalInfo, "personalInfo"))...)
		}
	}
	return rows
}

func (v agentView) attributeRows() ([][]string, error) {
	var attributes []struct {
		Info     any `json:"info"`
		Personal any `json:"personal"`
	}
	if err := json.Unmarshal(v.Attributes, &attributes); err != nil {
		return nil, fmt.Errorf("lp_sdes is not a list of attributes: %w", err)
	}
	var rows [][]string
	for _, a := range attributes {
		rows = append(rows, flattenJSON("", a.Info)...)
		rows = append(rows, flattenJSON("", a.Personal)...)
	}
	return rows, nil
}

// unwrapEnvelope returns the named member of a JSON object, or nil.
func unwrapEnvelope(raw json.RawMessage, name string) any {
	var envelope map[string]any
	if json.Unmarshal(raw, &envelope) != nil {
		return nil
	}
	return envelope[name]
}

// flattenJSON returns the paths and values in a JSON value as rows, sorted by name.
func flattenJSON(path string, value any) [][]string {
	join := func(name string) string { return path + textIf(path != "", ".") + name }
	var rows [][]string
	switch value := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(value)) {
			rows = append(rows, flattenJSON(join(name), value[name])...)
		}
		return rows
	case []any:
		for i, element := range value {
			rows = append(rows, flattenJSON(join(strconv.Itoa(i+1)), element)...)
		}
		return rows
	case nil:
		return nil
	case float64:
		return [][]string{{"  " + path, strconv.FormatFloat(value, 'f', -1, 64)}}
	}
	return [][]string{{"  " + path, fmt.Sprint(value)}}
}
