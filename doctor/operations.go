package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// checkOperations looks at the provider's second address, and whether it is as private
// as it should be.
func (e *exam) checkOperations(ctx context.Context) {
	if e.meta.Issuer != "" {
		e.checkMetrics(ctx)
	}
	if e.cfg.OperationsURL == "" {
		e.addFinding(Skip, OperationsReady, "The operations address was not asked.", "Run the examination on the provider's machine and name the address (--operations).")
		return
	}
	base := strings.TrimSuffix(e.cfg.OperationsURL, "/")
	a, err := e.get(ctx, base+"/readyz")
	switch {
	case err != nil:
		e.addFinding(Skip, OperationsReady, fmt.Sprintf("The operations address does not answer here: %v.", err), "Run the examination on the provider's machine, where the address is reachable.", base)
		return
	case a.status != http.StatusOK:
		e.addFinding(Error, OperationsReady, fmt.Sprintf("The provider is not ready: /readyz answers %d.", a.status), "Its database does not answer; the provider's log says why.", a.summarize())
	default:
		e.addOK(OperationsReady, "The provider is ready.")
	}
	e.checkActiveKey(ctx, base)
}

// setupPage is what is read of the set-up page's data, GET /setup.json.
type setupPage struct {
	Key struct {
		ID, Fingerprint string
		Created         time.Time
		Pinned, Retired bool
	}
}

// checkActiveKey compares the key for pasting with the one that signs for the client now,
// by the data of the set-up page, and says how old it is.
func (e *exam) checkActiveKey(ctx context.Context, base string) {
	if e.current == nil {
		e.addFinding(Skip, KeyActive, "Which key signs now was not compared, because no key for pasting was found.", "Put that right first.")
		return
	}
	var s setupPage
	a, err := e.get(ctx, base+"/setup.json?client_id="+url.QueryEscape(e.cfg.ClientID))
	if err != nil || a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &s) != nil || s.Key.Fingerprint == "" {
		e.addFinding(Skip, KeyActive, "Which key signs now cannot be seen: there is no set-up page.", "Name the address of /setup (--operations).")
		return
	}
	age := ""
	if !s.Key.Created.IsZero() {
		age = fmt.Sprintf(", %d days old", max(0, int(e.cfg.Now().Sub(s.Key.Created)/(24*time.Hour))))
	}
	switch {
	case s.Key.Fingerprint != e.current.Fingerprint():
		e.addFinding(Error, KeyActive, fmt.Sprintf("The key for pasting is %s, but the set-up page shows that another one signs now.", e.current.ID),
			"The public address and the operations address lead to different instances, or a cache in front is old: give all instances one database, and empty the cache.")
	default:
		e.addOK(KeyActive, fmt.Sprintf("The key for pasting, %s%s, is the one that signs now.", e.current.ID, age))
	}
	switch {
	case s.Key.Pinned && s.Key.Retired:
		e.addFinding(Warn, KeyPinned, fmt.Sprintf("The key %s%s is pinned for this client; every other client has moved on to a newer one.", s.Key.ID, age),
			"Paste the newer key, or let the connector read the key set, then take pinned_key out of the configuration.")
	case s.Key.Pinned:
		e.addFinding(Note, KeyPinned, fmt.Sprintf("The key %s%s is pinned for this client, whatever rotation does.", s.Key.ID, age), nothingToDo)
	}
}

// checkMetrics looks whether everybody can read what is for the operator.
func (e *exam) checkMetrics(ctx context.Context) {
	a, err := e.get(ctx, strings.TrimSuffix(e.cfg.Issuer, "/")+"/metrics")
	if err != nil {
		return
	}
	if a.status == http.StatusOK && strings.Contains(a.body, "# TYPE ") {
		e.addFinding(Warn, OperationsPrivate, "Metrics are public: /metrics answers below the issuer.", "Keep the operations address on loopback, and let no proxy lead to it.")
		return
	}
	e.addOK(OperationsPrivate, "Metrics are not public.")
}
