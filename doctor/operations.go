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

// Codes of the operations listener, and of the keys on its set-up page.
const (
	OperationsReady   Code = "operations-ready"
	OperationsPrivate Code = "operations-private"
	KeyActive         Code = "key-active"
	KeyPinned         Code = "key-pinned"
)

const runOnProvider = "Run the check on the provider's machine"

// checkOperations checks that the operations listener is private, what it says
// about the provider's health, and, on its set-up page, which key signs.
func (e *exam) checkOperations(ctx context.Context) {
	if e.meta.Issuer != "" {
		e.checkMetrics(ctx)
	}
	if e.cfg.OperationsURL == "" {
		e.addSkip(OperationsReady, "The operations URL was not checked, because it was not given.",
			runOnProvider+", and give the URL (--operations).")
		return
	}
	base := strings.TrimSuffix(e.cfg.OperationsURL, "/")
	res, err := e.get(ctx, base+"/readyz")
	if err != nil {
		e.addSkip(OperationsReady, fmt.Sprintf("The operations URL does not respond here: %v.", err),
			runOnProvider+", where this URL is reachable.", base)
		return
	}
	if res.status == http.StatusOK {
		e.addOK(OperationsReady, "The provider is ready.")
	} else {
		e.addError(OperationsReady, fmt.Sprintf("The provider is not ready: /readyz has status %d.", res.status),
			"Check its database, which does not respond. The provider's log has the reason.", res.summarize())
	}
	e.checkActiveKey(ctx, base)
}

// checkMetrics checks that metrics are not public.
func (e *exam) checkMetrics(ctx context.Context) {
	res, err := e.get(ctx, strings.TrimSuffix(e.cfg.Issuer, "/")+"/metrics")
	if err != nil {
		return // checkDiscovery reports a provider that does not respond
	}
	if res.status == http.StatusOK && strings.Contains(res.body, "# TYPE ") {
		e.addWarning(OperationsPrivate, "Metrics are public: anyone can read /metrics at the issuer's host.",
			"Bind the operations listener to a loopback address, and do not let the proxy forward to it.")
		return
	}
	e.addOK(OperationsPrivate, "Metrics are not public.")
}

// setupPage is the part of GET /setup.json that the checks use.
type setupPage struct {
	Key struct {
		ID, Fingerprint string
		Created         time.Time
		Pinned, Retired bool
	}
}

// fetchSetupPage returns false if there is no set-up page.
func (e *exam) fetchSetupPage(ctx context.Context, base string) (setupPage, bool) {
	var page setupPage
	res, err := e.get(ctx, base+"/setup.json?client_id="+url.QueryEscape(e.cfg.ClientID))
	if err != nil || res.status != http.StatusOK || json.Unmarshal([]byte(res.body), &page) != nil {
		return setupPage{}, false
	}
	return page, page.Key.Fingerprint != ""
}

// checkActiveKey compares the key to paste with the key that signs for the client
// now, which the set-up page shows, and reports how old that key is.
func (e *exam) checkActiveKey(ctx context.Context, base string) {
	if e.current == nil {
		e.addSkip(KeyActive, "The signing key was not compared, because "+pathLine+" shows no key of the key set.",
			"Fix "+pathLine+" first.")
		return
	}
	page, ok := e.fetchSetupPage(ctx, base)
	if !ok {
		e.addSkip(KeyActive, "The signing key was not compared, because there is no set-up page.",
			"Give the URL of the listener that serves /setup (--operations).")
		return
	}
	key, age := page.Key, ""
	if !key.Created.IsZero() {
		days := max(0, int(e.cfg.Now().Sub(key.Created)/(24*time.Hour)))
		age = fmt.Sprintf(" (%s old)", pluralize(days, "day"))
	}
	if key.Fingerprint != e.current.Fingerprint() {
		e.addError(KeyActive,
			fmt.Sprintf("%s shows the key %s, but by the set-up page another key signs now.", pathLine, e.current.ID),
			oneDatabase)
	} else {
		e.addOK(KeyActive, fmt.Sprintf("%s shows the key that signs now, %s%s.", pathLine, e.current.ID, age))
	}
	if !key.Pinned {
		return
	}
	if key.Retired {
		e.addWarning(KeyPinned,
			fmt.Sprintf("The key %s%s is pinned for this client; all other clients already use a newer key.", key.ID, age),
			"Paste the newer key, or set the connector to use the key set. Then remove pinned_key from the configuration.")
		return
	}
	e.addNote(KeyPinned,
		fmt.Sprintf("The key %s%s is pinned for this client, so rotation does not change it.", key.ID, age), nothingToDo)
}
