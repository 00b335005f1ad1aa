package sim

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"idpbridge/liveengage"
)

// delegation is a sign-in that a bot has asked a visitor for.
type delegation struct {
	Conversation string
	Connector    int64
	Ends         time.Time
}

const delegationLifetime = 15 * time.Minute

func (s *Simulator) registerDelegation(mux *http.ServeMux) {
	mux.HandleFunc("GET /callback/{account}/redirectCode", s.finishDelegation)
	mux.HandleFunc("POST /agent/{conversation}/delegate", s.sendSignInLink)
	mux.HandleFunc("POST /agent/{conversation}/renew", s.renewBotTokens)
}

// DelegationPath returns the path of the redirect URI for consumer delegation.
func DelegationPath(account string) string { return "/callback/" + account + liveengage.DelegationPath }

// DelegationURI returns the redirect URI for consumer delegation.
func (s *Simulator) DelegationURI() string { return s.Address + DelegationPath(s.Account) }

// sendSignInLink sends the consumer a link to the brand's sign-in, as a bot would.
func (s *Simulator) sendSignInLink(w http.ResponseWriter, r *http.Request) {
	all := s.listConnectors()
	i := slices.IndexFunc(all, func(c Connector) bool { return c.Delegates() && !c.Deleted })
	if i < 0 {
		s.renderError(w, r, http.StatusConflict,
			"There is no connector for delegation. Add one with the code flow and "+liveengage.DelegationKey+
				" as its JWT Public Key.")
		return
	}
	c, id, state := all[i], r.PathValue("conversation"), newHandle()
	s.mu.Lock()
	s.delegations.put(state, delegation{Conversation: id, Connector: c.ID, Ends: s.Now().Add(delegationLifetime)})
	s.mu.Unlock()
	link := addQuery(c.Configuration.AuthorizationEndpoint, url.Values{
		"response_type": {"code"},
		"client_id":     {c.Configuration.ClientID},
		"scope":         {"openid"},
		"redirect_uri":  {s.DelegationURI()},
		"state":         {state},
	})
	if _, ok := s.addMessage(id, "", true, "Please sign in so that I can look into your account: "+link); !ok {
		s.renderError(w, r, http.StatusConflict, "This conversation is closed or does not exist.")
		return
	}
	redirectTo(w, r, "/agent/"+id)
}

// addQuery adds parameters to a URL that may already have some.
func addQuery(address string, more url.Values) string {
	separator := "?"
	if u, err := url.Parse(address); err == nil && u.RawQuery != "" {
		separator = "&"
	}
	return address + separator + more.Encode()
}

// finishDelegation handles the redirect after the sign-in. The access token is kept for
// this conversation only. It does not authenticate the visitor.
func (s *Simulator) finishDelegation(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	d, c, ok := s.takeDelegation(query.Get("state"))
	if !s.matchesAccount(r) || !ok {
		s.renderError(w, r, http.StatusBadRequest,
			"The state is unknown. This sign-in was not started here, or it took longer than 15 minutes.")
		return
	}
	if name := query.Get("error"); name != "" {
		said := truncateText(redactQuote(strings.TrimSpace(name+" "+query.Get("error_description")), nil))
		s.idp.record(exchange{
			At: s.Now(), Purpose: "delegation", Response: "the identity provider returned " + said, Failed: true,
		})
		s.renderError(w, r, http.StatusBadRequest,
			"You are not signed in. Your identity provider returned "+said+". You can continue the chat without signing in.")
		return
	}
	t, err := s.redeemCode(r.Context(), c, query.Get("code"), s.DelegationURI(), "")
	if err == nil && t.AccessToken == "" {
		err = idpErrorf(liveengage.CodeCustomerAuthFailed, "the token endpoint's response has no access_token")
	}
	if e, ok := errors.AsType[*idpError](err); ok {
		s.idp.recordRejection("delegation", e.Code, explainError(e))
		s.renderError(w, r, http.StatusBadGateway, "LivePerson would return "+e.Code+". "+explainError(e))
		return
	}
	k := t.botTokens(c, s.Now())
	k.Refresh = "" // LivePerson ignores it in anonymous conversations
	s.mu.Lock()
	if conv, ok := s.conversations.get(d.Conversation); ok && !conv.Closed {
		conv.BotTokens = k
	}
	s.mu.Unlock()
	s.renderPage(w, r, page{name: "thanks"})
}

// takeDelegation returns the delegation for a state, once, and its connector.
func (s *Simulator) takeDelegation(state string) (delegation, Connector, bool) {
	s.mu.Lock()
	d, ok := s.delegations.get(state)
	s.delegations.remove(state)
	s.mu.Unlock()
	if !ok || s.Now().After(d.Ends) {
		return delegation{}, Connector{}, false
	}
	c, found := s.connectorByID(d.Connector)
	return d, c, found
}

// renewBotTokens gets a new access token from the brand, as LivePerson does when the one
// of an authenticated conversation has expired.
func (s *Simulator) renewBotTokens(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("conversation")
	s.mu.Lock()
	var k botTokens
	subject := ""
	if conv, ok := s.conversations.get(id); ok {
		subject = conv.Consumer
		if p, ok := s.consumers.get(subject); ok {
			k = p.BotTokens
		}
	}
	s.mu.Unlock()
	c, ok := s.connectorByID(k.Connector)
	if !ok || k.Refresh == "" {
		s.renderError(w, r, http.StatusConflict,
			"There is no refresh token. The brand's token endpoint issues one if delegation is on.")
		return
	}
	t, err := s.renewAccessToken(r.Context(), c, k.Refresh)
	if e, ok := errors.AsType[*idpError](err); ok {
		s.renderError(w, r, http.StatusBadGateway, "LivePerson would return "+e.Code+". "+explainError(e))
		return
	}
	renewed := t.botTokens(c, s.Now())
	if renewed.Refresh == "" {
		renewed.Refresh = k.Refresh // the old one stays valid (RFC 6749 section 6)
	}
	s.mu.Lock()
	if p, ok := s.consumers.get(subject); ok {
		// A copy, because the consumer may have a new record since.
		updated := *p
		updated.BotTokens = renewed
		s.consumers.put(subject, &updated)
	}
	s.mu.Unlock()
	redirectTo(w, r, "/agent/"+id)
}
