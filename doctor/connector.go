package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"idpbridge/liveengage"
)

// Codes of the list of connectors.
const (
	AccountNumber    Code = "account-number"
	ConnectorList    Code = "connector-list"
	ConnectorFound   Code = "connector-found"
	ConnectorDeleted Code = "connector-deleted"
)

// connector is an authentication server as a LiveEngage account lists it. The list
// is public and contains no secrets.
type connector struct {
	ID            any
	Deleted       bool
	Name          string
	Type          any
	Configuration map[string]any
}

// fieldValue returns a field of the connector as a string, and false if the
// connector does not have it.
func (c connector) fieldValue(field string) (string, bool) {
	value, ok := c.Configuration[field]
	if field == "type" && c.Type != nil {
		value, ok = c.Type, true
	}
	if !ok || value == nil {
		return "", false
	}
	return fmt.Sprint(value), true
}

// label returns the name and the ID of the connector.
func (c connector) label() string {
	if c.Name != "" {
		return fmt.Sprintf("%q (%v)", c.Name, c.ID)
	}
	return fmt.Sprint(c.ID)
}

// matches reports whether the connector has the provider's issuer or client ID.
func (c connector) matches(cfg Config) bool {
	issuer, _ := c.fieldValue("issuer")
	clientID, _ := c.fieldValue("clientId")
	return issuer == cfg.Issuer || clientID == cfg.ClientID
}

// checkConnectors compares the account's connectors with the provider.
func (e *exam) checkConnectors(ctx context.Context) {
	if e.cfg.Account == "" {
		e.addSkip(ConnectorList, "The connector in LiveEngage was not checked, because no account was given.",
			"Give the account number (--account): its list of connectors is public.")
		return
	}
	if !liveengage.IsAccount(e.cfg.Account) {
		e.addError(AccountNumber, fmt.Sprintf("%q is not an account number.", e.cfg.Account),
			"Write only its digits and letters, as in the URL of the LiveEngage console.")
		return
	}
	all, ok := e.fetchConnectors(ctx)
	if !ok {
		return
	}
	for _, c := range firstListed(e.selectConnectors(all)) {
		e.compareConnector(c)
	}
}

func (e *exam) fetchConnectors(ctx context.Context) ([]connector, bool) {
	listURL := strings.TrimSuffix(e.cfg.AccountBaseURL, "/") + "/api/account/" + url.PathEscape(e.cfg.Account) +
		"/configuration/le-connectors/all-connectors"
	res, err := e.get(ctx, listURL, func(r *http.Request) { r.Header.Set("Accept", "application/json") })
	if err != nil {
		e.addError(ConnectorList, fmt.Sprintf("LivePerson's list of connectors cannot be read: %v.", err),
			"Check that this machine can reach the internet, and run again.", listURL)
		return nil, false
	}
	if res.status != http.StatusOK {
		e.addError(ConnectorList, fmt.Sprintf("LivePerson's list of connectors has status %d.", res.status),
			"Check the account number; it is in the URL of the LiveEngage console.", res.summarize())
		return nil, false
	}
	var all []connector
	decoder := json.NewDecoder(bytes.NewReader([]byte(res.body)))
	decoder.UseNumber() // IDs have more digits than a float64 keeps
	if err := decoder.Decode(&all); err != nil {
		e.addError(ConnectorList, "LivePerson's list of connectors has an unknown format.",
			"Compare the connector with the set-up page by hand.", res.summarize())
		return nil, false
	}
	e.addOK(ConnectorList, fmt.Sprintf("The account %s has %s.", e.cfg.Account, pluralize(len(all), "connector")))
	return all, true
}

// selectConnectors returns the connectors that are meant for this provider.
func (e *exam) selectConnectors(all []connector) []connector {
	var selected, deleted []connector
	for _, c := range all {
		if !c.matches(e.cfg) {
			continue
		}
		if c.Deleted {
			deleted = append(deleted, c)
		} else {
			selected = append(selected, c)
		}
	}
	if e.cfg.Connector != "" {
		selected = e.selectNamedConnector(all, selected)
	}
	if len(selected) > 0 {
		var labels []string
		for _, c := range firstListed(selected) {
			labels = append(labels, c.label())
		}
		e.addOK(ConnectorFound, "Connectors for this provider: "+strings.Join(labels, ", ")+".")
		return selected
	}
	if len(deleted) > 0 {
		e.addError(ConnectorDeleted, fmt.Sprintf("The connector %s for this provider is deleted.", deleted[0].label()),
			"Create it again in the LiveEngage console.")
		return nil
	}
	e.addError(ConnectorFound,
		fmt.Sprintf("The account has no connector for this provider: none has the issuer %s or the client ID %s.",
			e.cfg.Issuer, e.cfg.ClientID),
		"Add this provider in the LiveEngage console as its set-up page shows, or correct the issuer there.",
		"the account has: "+e.summarizeConnectors(all))
	return nil
}

// selectNamedConnector returns the connector that Config.Connector names: by ID, by
// name, or by its position among those that match.
func (e *exam) selectNamedConnector(all, matching []connector) []connector {
	want := e.cfg.Connector
	for _, c := range all {
		displayName, _ := c.fieldValue("issuerDisplayName")
		if fmt.Sprint(c.ID) == want || c.Name == want || displayName == want {
			return []connector{c}
		}
	}
	if n, err := strconv.Atoi(want); err == nil && n >= 1 && n <= len(matching) {
		return matching[n-1 : n]
	}
	return nil
}

// summarizeConnectors lists the account's connectors with their issuers.
func (e *exam) summarizeConnectors(all []connector) string {
	const maxShown, maxIssuerSize = 8, 80
	var items []string
	for _, c := range all {
		issuer, ok := c.fieldValue("issuer")
		if !ok {
			continue // not an authentication server
		}
		if len(items) == maxShown {
			items = append(items, "…")
			break
		}
		item := fmt.Sprintf("%v %q with issuer %q", c.ID, c.Name, e.sanitize(issuer, maxIssuerSize))
		if c.Deleted {
			item += ", deleted"
		}
		items = append(items, item)
	}
	if len(items) == 0 {
		return "no authentication server"
	}
	return strings.Join(items, "; ")
}
