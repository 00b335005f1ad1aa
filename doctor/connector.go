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
)

// connector is an authentication server as a LiveEngage account has it on file.
// Everybody can read it; secrets are not in it.
type connector struct {
	ID            any
	Deleted       bool
	Name          string
	Type          any
	Configuration map[string]any
}

// fieldValue is a field of the connector as text; false where it has none.
func (c connector) fieldValue(field string) (string, bool) {
	value, has := c.Configuration[field]
	if field == "type" && c.Type != nil {
		value, has = c.Type, true
	}
	if !has || value == nil {
		return "", false
	}
	return fmt.Sprint(value), true
}

// displayName is what people call the connector.
func (c connector) displayName() string {
	if c.Name != "" {
		return fmt.Sprintf("The connector %q (%v)", c.Name, c.ID)
	}
	return fmt.Sprintf("The connector %v", c.ID)
}

// ValidAccount says whether a text can be the number of a LiveEngage account:
// digits and letters, nothing that would lead to another address.
func ValidAccount(account string) bool {
	return account != "" && len(account) <= 32 && !strings.ContainsFunc(account, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

// checkConnectors compares what the account has on file with the provider.
func (e *exam) checkConnectors(ctx context.Context) {
	switch {
	case e.cfg.Account == "":
		e.addFinding(Skip, ConnectorList, "LiveEngage's own entry was not compared.", "Name the account (--account): its connectors can be read by everybody.")
		return
	case !ValidAccount(e.cfg.Account):
		e.addFinding(Error, AccountNumber, fmt.Sprintf("%q is not an account number.", e.cfg.Account), "Write its digits and letters alone, as in the address of the LiveEngage console.")
		return
	}
	all, ok := e.listConnectors(ctx)
	if !ok {
		return
	}
	for _, c := range firstListed(e.selectConnectors(all)) {
		e.compareConnector(c)
	}
}

func (e *exam) listConnectors(ctx context.Context) ([]connector, bool) {
	address := strings.TrimSuffix(e.cfg.AccountBaseURL, "/") + "/api/account/" + url.PathEscape(e.cfg.Account) + "/configuration/le-connectors/all-connectors"
	a, err := e.get(ctx, address, func(r *http.Request) { r.Header.Set("Accept", "application/json") })
	if err != nil {
		e.addFinding(Error, ConnectorList, fmt.Sprintf("LivePerson's list of connectors cannot be fetched: %v.", err), "Check that this machine reaches the internet, and try again.", address)
		return nil, false
	}
	if a.status != http.StatusOK {
		e.addFinding(Error, ConnectorList, fmt.Sprintf("LivePerson's list of connectors answers %d.", a.status), "Check the account number; it is the number in the console's address.", a.summarize())
		return nil, false
	}
	var all []connector
	decoder := json.NewDecoder(bytes.NewReader([]byte(a.body)))
	decoder.UseNumber() // ids have more digits than a float keeps
	if err := decoder.Decode(&all); err != nil {
		e.addFinding(Error, ConnectorList, "LivePerson's list of connectors has another form than is known.", "Compare the connector by hand with the set-up page.", a.summarize())
		return nil, false
	}
	e.addOK(ConnectorList, fmt.Sprintf("The account %s has %s.", e.cfg.Account, pluralize(len(all), "connector")))
	return all, true
}

// selectConnectors picks the connectors that are meant for this provider.
func (e *exam) selectConnectors(all []connector) []connector {
	var out, deleted []connector
	for _, c := range all {
		issuer, _ := c.fieldValue("issuer")
		client, _ := c.fieldValue("clientId")
		switch {
		case issuer != e.cfg.Issuer && client != e.cfg.ClientID:
		case c.Deleted:
			deleted = append(deleted, c)
		default:
			out = append(out, c)
		}
	}
	if e.cfg.Connector != "" {
		out = e.selectNamedConnector(all, out)
	}
	switch {
	case len(out) > 0:
		var names []string
		for _, c := range firstListed(out) {
			names = append(names, strings.TrimPrefix(c.displayName(), "The connector "))
		}
		e.addOK(ConnectorFound, "Meant for this provider: "+strings.Join(names, ", ")+".")
	case len(deleted) > 0:
		e.addFinding(Error, ConnectorDeleted, deleted[0].displayName()+" is meant for this provider, and is deleted.", "Enter it again in the LiveEngage console.")
	default:
		e.addFinding(Error, ConnectorFound, fmt.Sprintf("No connector of the account has the issuer %s or the client id %s.", e.cfg.Issuer, e.cfg.ClientID),
			"Enter this provider in the LiveEngage console as its set-up page says, or correct the issuer there.", "there is: "+e.summarizeConnectors(all))
	}
	return out
}

// selectNamedConnector is the one connector that was named: by id, by name, or by its place
// among those that fit.
func (e *exam) selectNamedConnector(all, fitting []connector) []connector {
	for _, c := range all {
		display, _ := c.fieldValue("issuerDisplayName")
		if want := e.cfg.Connector; fmt.Sprint(c.ID) == want || c.Name == want || display == want {
			return []connector{c}
		}
	}
	if n, err := strconv.Atoi(e.cfg.Connector); err == nil && n >= 1 && n <= len(fitting) {
		return fitting[n-1 : n]
	}
	return nil
}

// summarizeConnectors lists what there is instead.
func (e *exam) summarizeConnectors(all []connector) string {
	const most = 8
	var out []string
	for _, c := range all {
		issuer, ok := c.fieldValue("issuer")
		if !ok {
			continue // of another kind
		}
		if len(out) == most {
			out = append(out, "…")
			break
		}
		text := fmt.Sprintf("%v %q with issuer %q", c.ID, c.Name, e.sanitize(issuer, 80))
		if c.Deleted {
			text += ", deleted"
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return "no authentication server at all"
	}
	return strings.Join(out, "; ")
}
