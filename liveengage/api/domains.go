package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idpbridge/liveengage"
)

// The services that this package asks, as the Domain API spells them.
const (
	serviceDomains      = "domains"
	serviceIDP          = "idp"
	serviceMessaging    = "asyncMessagingEnt"
	serviceLogin        = "agentVep"
	serviceUsers        = "accountConfigReadWrite"
	serviceInteractions = "msgHist"
	serviceAccdn        = "acCdnDomain"
)

// Domain is where a service of the account is. BaseURI has no scheme.
type Domain struct {
	Service string `json:"service"`
	Account string `json:"account"`
	BaseURI string `json:"baseURI"`
}

// Domains asks for every service of the account, ordered by name, and remembers them.
func (c *Client) Domains(ctx context.Context) ([]Domain, error) {
	var out []Domain
	err := c.retryCall(ctx, newRetryPlan(c.cfg.Retry, threePauses(), false), serviceDomains, "GET "+c.domainsPath(""), func() (err error) {
		out, err = c.fetchDomains(ctx)
		return err
	})
	return out, err
}

// Domain asks where one service is and remembers it. Names of services are
// case-sensitive.
func (c *Client) Domain(ctx context.Context, service string) (Domain, error) {
	var all domainList
	call := serviceCall{service: serviceDomains, baseURL: c.cfg.DomainAPI, method: http.MethodGet, path: c.domainsPath(service), query: domainQuery()}
	if _, err := c.callService(ctx, call, &all); err != nil {
		return Domain{}, err
	}
	for _, d := range all {
		if d.Service == service && d.BaseURI != "" {
			c.rememberDomain(d)
			return d, nil
		}
	}
	return Domain{}, fmt.Errorf("%w %q", ErrUnknownService, service)
}

func domainQuery() url.Values { return url.Values{"version": {"1.0"}} }

func (c *Client) domainsPath(service string) string {
	if service == "" {
		return c.accountPath("/service/baseURI.json")
	}
	return c.accountPath("/service/" + url.PathEscape(service) + "/baseURI.json")
}

// domainList reads an answer of the Domain API: a list, or for a single service
// perhaps the service alone. The documentation shows the first.
type domainList []Domain

// UnmarshalJSON reads either shape.
func (l *domainList) UnmarshalJSON(text []byte) error {
	var shape struct {
		Domain

		BaseURIs []Domain `json:"baseURIs"`
	}
	if err := json.Unmarshal(text, &shape); err != nil {
		return err
	}
	*l = shape.BaseURIs
	if shape.BaseURI != "" {
		*l = append(*l, shape.Domain)
	}
	return nil
}

// fetchDomains makes one request; whoever calls it decides whether to make another.
func (c *Client) fetchDomains(ctx context.Context) ([]Domain, error) {
	a, err := c.sendCall(ctx, serviceCall{service: serviceDomains, method: http.MethodGet}, c.cfg.DomainAPI+c.domainsPath("")+"?"+domainQuery().Encode(), nil)
	if err != nil {
		return nil, err
	}
	var all domainList
	if err := json.Unmarshal(a.body, &all); err != nil {
		return nil, fmt.Errorf("the Domain API at %s answers what is not its JSON: %w", c.cfg.DomainAPI, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the Domain API at %s knows no services of account %s", c.cfg.DomainAPI, c.cfg.Account)
	}
	slices.SortFunc(all, func(a, b Domain) int { return cmp.Compare(a.Service, b.Service) })
	known := make(map[string]string, len(all))
	for _, d := range all {
		known[d.Service] = d.BaseURI
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.domains = known
	return all, nil
}

func (c *Client) rememberDomain(d Domain) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.domains == nil {
		c.domains = map[string]string{}
	}
	c.domains[d.Service] = d.BaseURI
}

// forgetService makes the next attempt look a service up again: it may have moved.
func (c *Client) forgetService(service string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.domains, service)
}

// findServiceURL is the address of a service, from memory or by one request.
func (c *Client) findServiceURL(ctx context.Context, service string) (string, error) {
	c.mu.Lock()
	uri := c.domains[service]
	c.mu.Unlock()
	if uri == "" {
		if _, err := c.fetchDomains(ctx); err != nil {
			return "", &stepError{serviceDomains, "GET " + c.domainsPath(""), err}
		}
		c.mu.Lock()
		uri = c.domains[service]
		c.mu.Unlock()
	}
	if uri == "" {
		return "", fmt.Errorf("%w %q of account %s", ErrUnknownService, service, c.cfg.Account)
	}
	return c.resolveBaseURI(uri)
}

// findAccountConfigURL is the address of the public account configuration.
func (c *Client) findAccountConfigURL(ctx context.Context) (string, error) {
	if c.cfg.Accdn != "" {
		return c.cfg.Accdn, nil
	}
	base, err := c.findServiceURL(ctx, serviceAccdn)
	switch {
	case !errors.Is(err, ErrUnknownService):
		return base, err
	case strings.EqualFold(c.cfg.DomainAPI, DefaultDomainAPI):
		return liveengage.AccountConfig, nil
	}
	return c.cfg.DomainAPI, nil // a stand-in serves everything at one address
}
