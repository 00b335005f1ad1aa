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

// text is a field of the connector as text; false where it has none.
func (c connector) text(field string) (string, bool) {
	value, has := c.Configuration[field]
	if field == "type" && c.Type != nil {
		value, has = c.Type, true
	}
	if !has || value == nil {
		return "", false
	}
	return fmt.Sprint(value), true
}

// called is what people call the connector.
func (c connector) called() string {
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

// connectors compares what the account has on file with the provider.
func (e *exam) connectors(ctx context.Context) {
	switch {
	case e.cfg.Account == "":
		e.add(Skipped, ConnectorList, "LiveEngage's own entry was not compared.", "Name the account (--account): its connectors can be read by everybody.")
		return
	case !ValidAccount(e.cfg.Account):
		e.add(Fault, AccountNumber, fmt.Sprintf("%q is not an account number.", e.cfg.Account), "Write its digits and letters alone, as in the address of the LiveEngage console.")
		return
	}
	all, ok := e.listed(ctx)
	if !ok {
		return
	}
	for _, c := range firstOf(e.fitting(all)) {
		e.compare(c)
	}
}

func (e *exam) listed(ctx context.Context) ([]connector, bool) {
	address := strings.TrimSuffix(e.cfg.AccountBase, "/") + "/api/account/" + url.PathEscape(e.cfg.Account) + "/configuration/le-connectors/all-connectors"
	a, err := e.get(ctx, address, func(r *http.Request) { r.Header.Set("Accept", "application/json") })
	if err != nil {
		e.add(Fault, ConnectorList, fmt.Sprintf("LivePerson's list of connectors cannot be fetched: %v.", err), "Check that this machine reaches the internet, and try again.", address)
		return nil, false
	}
	if a.status != http.StatusOK {
		e.add(Fault, ConnectorList, fmt.Sprintf("LivePerson's list of connectors answers %d.", a.status), "Check the account number; it is the number in the console's address.", a.seen())
		return nil, false
	}
	var all []connector
	decoder := json.NewDecoder(bytes.NewReader([]byte(a.body)))
	decoder.UseNumber() // ids have more digits than a float keeps
	if err := decoder.Decode(&all); err != nil {
		e.add(Fault, ConnectorList, "LivePerson's list of connectors has another form than is known.", "Compare the connector by hand with the set-up page.", a.seen())
		return nil, false
	}
	e.fine(ConnectorList, fmt.Sprintf("The account %s has %s.", e.cfg.Account, count(len(all), "connector")))
	return all, true
}

// fitting picks the connectors that are meant for this provider.
func (e *exam) fitting(all []connector) []connector {
	var out, deleted []connector
	for _, c := range all {
		issuer, _ := c.text("issuer")
		client, _ := c.text("clientId")
		switch {
		case issuer != e.cfg.Issuer && client != e.cfg.ClientID:
		case c.Deleted:
			deleted = append(deleted, c)
		default:
			out = append(out, c)
		}
	}
	if e.cfg.Connector != "" {
		out = e.chosen(all, out)
	}
	switch {
	case len(out) > 0:
		var names []string
		for _, c := range firstOf(out) {
			names = append(names, strings.TrimPrefix(c.called(), "The connector "))
		}
		e.fine(ConnectorFound, "Meant for this provider: "+strings.Join(names, ", ")+".")
	case len(deleted) > 0:
		e.add(Fault, ConnectorDeleted, deleted[0].called()+" is meant for this provider, and is deleted.", "Enter it again in the LiveEngage console.")
	default:
		e.add(Fault, ConnectorFound, fmt.Sprintf("No connector of the account has the issuer %s or the client id %s.", e.cfg.Issuer, e.cfg.ClientID),
			"Enter this provider in the LiveEngage console as its set-up page says, or correct the issuer there.", "there is: "+e.summary(all))
	}
	return out
}

// chosen is the one connector that was named: by id, by name, or by its place
// among those that fit.
func (e *exam) chosen(all, fitting []connector) []connector {
	for _, c := range all {
		display, _ := c.text("issuerDisplayName")
		if want := e.cfg.Connector; fmt.Sprint(c.ID) == want || c.Name == want || display == want {
			return []connector{c}
		}
	}
	if n, err := strconv.Atoi(e.cfg.Connector); err == nil && n >= 1 && n <= len(fitting) {
		return fitting[n-1 : n]
	}
	return nil
}

// summary lists what there is instead.
func (e *exam) summary(all []connector) string {
	const most = 8
	var out []string
	for _, c := range all {
		issuer, ok := c.text("issuer")
		if !ok {
			continue // of another kind
		}
		if len(out) == most {
			out = append(out, "…")
			break
		}
		text := fmt.Sprintf("%v %q with issuer %q", c.ID, c.Name, e.presentable(issuer, 80))
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
