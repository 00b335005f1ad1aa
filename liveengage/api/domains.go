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

// The services this package calls, as the Domain API names them.
const (
	serviceDomains       = "domains"
	serviceIDP           = "idp"
	serviceMessaging     = "asyncMessagingEnt"
	serviceLogin         = "agentVep"
	serviceUsersReadOnly = "accountConfigReadOnly"
	serviceUsers         = "accountConfigReadWrite"
	serviceInteractions  = "msgHist"
	serviceAccountConfig = "acCdnDomain"
)

// Domain says where a service of the account is. BaseURI has no scheme.
type Domain struct {
	Service string `json:"service"`
	Account string `json:"account"`
	BaseURI string `json:"baseURI"`
}

// Domains fetches the services of the account, sorted by name, and remembers them.
func (c *Client) Domains(ctx context.Context) ([]Domain, error) {
	var out []Domain
	plan := newRetryPlan(c.cfg.Retry, threePauses(), false)
	err := c.retryCall(ctx, plan, serviceDomains, "GET "+c.domainsPath(""), func() (err error) {
		out, err = c.fetchDomains(ctx)
		return err
	})
	return out, err
}

// Domain fetches one service and remembers it. Service names are case-sensitive. If
// the account has no such service, the error is ErrUnknownService.
func (c *Client) Domain(ctx context.Context, service string) (Domain, error) {
	var all domainList
	call := serviceCall{
		service: serviceDomains,
		baseURL: c.cfg.DomainAPI,
		method:  http.MethodGet,
		path:    c.domainsPath(service),
		query:   domainQuery(),
	}
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

// domainList reads a response of the Domain API. It is a list; for a single service
// it may also be that service alone. LivePerson documents only the list.
type domainList []Domain

// UnmarshalJSON reads both forms.
func (c *domainList) UnmarshalJSON(raw []byte) error {
	var form struct {
		Domain

		BaseURIs []Domain `json:"baseURIs"`
	}
	if err := json.Unmarshal(raw, &form); err != nil {
		return err
	}
	*c = form.BaseURIs
	if form.BaseURI != "" {
		*c = append(*c, form.Domain)
	}
	return nil
}

// fetchDomains makes one request. Retrying is up to the caller.
func (c *Client) fetchDomains(ctx context.Context) ([]Domain, error) {
	call := serviceCall{service: serviceDomains, method: http.MethodGet}
	address := c.cfg.DomainAPI + c.domainsPath("") + "?" + domainQuery().Encode()
	response, err := c.sendCall(ctx, call, address, nil)
	if err != nil {
		return nil, err
	}
	var all domainList
	if err := json.Unmarshal(response.body, &all); err != nil {
		return nil, fmt.Errorf("invalid JSON from the Domain API at %s: %w", c.cfg.DomainAPI, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("the Domain API at %s lists no services for account %s", c.cfg.DomainAPI, c.cfg.Account)
	}
	slices.SortFunc(all, func(a, b Domain) int { return cmp.Compare(a.Service, b.Service) })
	domains := make(map[string]string, len(all))
	for _, d := range all {
		domains[d.Service] = d.BaseURI
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.domains = domains
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

// forgetService makes the next attempt look the service up again: it may have moved.
func (c *Client) forgetService(service string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.domains, service)
}

// findServiceURL returns the base URL of a service, from memory or with one request.
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

// findAccountConfigURL returns the base URL of the public account configuration.
func (c *Client) findAccountConfigURL(ctx context.Context) (string, error) {
	base, err := c.findServiceURL(ctx, serviceAccountConfig)
	if !errors.Is(err, ErrUnknownService) {
		return base, err
	}
	if strings.EqualFold(c.cfg.DomainAPI, liveengage.DomainAPI) {
		return liveengage.AccountConfig, nil
	}
	return c.cfg.DomainAPI, nil // a simulator serves everything at one URL
}
