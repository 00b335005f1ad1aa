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

// delegation is a stranger who was sent to the brand's sign-in by a bot.
type delegation struct {
	Conversation string
	Connector    int64
	Ends         time.Time
}

const delegationLifetime = 15 * time.Minute

func (s *Simulator) registerDelegation(mux *http.ServeMux) {
	mux.HandleFunc("GET "+DelegationPath("{account}"), s.finishDelegation)
	mux.HandleFunc("POST /agent/{conversation}/delegate", s.sendSignInLink)
	mux.HandleFunc("POST /agent/{conversation}/renew", s.renewBotTokens)
}

// DelegationPath is where delegation comes back to, below the simulator's address:
// it is a redirect URI of the client that LivePerson is.
func DelegationPath(account string) string { return "/callback/" + account + liveengage.DelegationPath }

// DelegationURI is the redirect URI of delegation.
func (s *Simulator) DelegationURI() string { return s.Address + DelegationPath(s.Account) }

// sendSignInLink sends the consumer a link to the brand's sign-in, as a bot would.
func (s *Simulator) sendSignInLink(w http.ResponseWriter, r *http.Request) {
	all := s.listConnectors()
	i := slices.IndexFunc(all, func(c Connector) bool { return c.Delegates() && !c.Deleted })
	if i < 0 {
		s.renderError(w, r, http.StatusConflict, "No connector is for delegation: make one with the code flow whose JWT Public Key is the word "+liveengage.DelegationKey+".")
		return
	}
	c, id, state := all[i], r.PathValue("conversation"), newHandle()
	s.mu.Lock()
	s.delegations.put(state, delegation{Conversation: id, Connector: c.ID, Ends: s.Now().Add(delegationLifetime)})
	s.mu.Unlock()
	link := addQuery(c.Configuration.AuthorizationEndpoint, url.Values{
		"response_type": {"code"}, "client_id": {c.Configuration.ClientID}, "scope": {"openid"},
		"redirect_uri": {s.DelegationURI()}, "state": {state},
	})
	if _, ok := s.addMessage(id, "", true, "Please sign in so that I can look into your account: "+link); !ok {
		s.renderError(w, r, http.StatusConflict, "This conversation is over, or was never there.")
		return
	}
	redirectTo(w, r, "/agent/"+id)
}

// addQuery adds parameters to an address that may have some.
func addQuery(address string, more url.Values) string {
	separator := "?"
	if u, err := url.Parse(address); err == nil && u.RawQuery != "" {
		separator = "&"
	}
	return address + separator + more.Encode()
}

// finishDelegation is where the consumer comes back to. The access token is kept for this
// conversation alone; nobody becomes authenticated by it.
func (s *Simulator) finishDelegation(w http.ResponseWriter, r *http.Request) {
	state := r.URL.Query().Get("state")
	s.mu.Lock()
	d, ok := s.delegations.get(state)
	s.delegations.remove(state)
	s.mu.Unlock()
	c, found := s.connectorByID(d.Connector)
	if !s.matchesAccount(r) || !ok || !found || s.Now().After(d.Ends) {
		s.renderError(w, r, http.StatusBadRequest, "This sign-in was not asked for here, or took longer than 15 minutes: its state is unknown.")
		return
	}
	if name := r.URL.Query().Get("error"); name != "" {
		said := truncateText(redactQuote(strings.TrimSpace(name+" "+r.URL.Query().Get("error_description")), nil))
		s.idp.note(Exchange{At: s.Now(), Purpose: "delegation", Answer: "the identity provider answers " + said, Refused: true})
		s.renderError(w, r, http.StatusBadRequest, "You are not signed in: your identity provider answers "+said+". The chat goes on without.")
		return
	}
	t, err := s.redeemCode(r.Context(), c, r.URL.Query().Get("code"), s.DelegationURI(), "")
	if err == nil && t.AccessToken == "" {
		err = idpErrorf(liveengage.CodeCustomerAuthFailed, "the token endpoint's answer has no access_token")
	}
	if f, ok := errors.AsType[*idpError](err); ok {
		s.idp.note(Exchange{At: s.Now(), Purpose: "delegation", Answer: "refused with " + f.Code + ": " + explainError(f), Refused: true})
		s.renderError(w, r, http.StatusBadGateway, "LivePerson would answer "+f.Code+". "+explainError(f))
		return
	}
	k := t.botTokens(c, s.Now())
	k.Refresh = "" // ignored in conversations with strangers
	s.mu.Lock()
	if t, ok := s.conversations.get(d.Conversation); ok && !t.Closed {
		t.BotTokens = k
	}
	s.mu.Unlock()
	s.renderPage(w, r, page{name: "thanks"})
}

// renewBotTokens asks the brand for a new access token, as LivePerson does when the one
// of an authenticated conversation has expired.
func (s *Simulator) renewBotTokens(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("conversation")
	s.mu.Lock()
	var k botTokens
	subject := ""
	if t, ok := s.conversations.get(id); ok {
		subject = t.Consumer
		if p, ok := s.consumers.get(subject); ok {
			k = p.BotTokens
		}
	}
	s.mu.Unlock()
	c, ok := s.connectorByID(k.Connector)
	if !ok || k.Refresh == "" {
		s.renderError(w, r, http.StatusConflict, "There is no refresh token: the brand's token endpoint gives one where delegation is on.")
		return
	}
	t, err := s.renewAccessToken(r.Context(), c, k.Refresh)
	if f, ok := errors.AsType[*idpError](err); ok {
		s.renderError(w, r, http.StatusBadGateway, "LivePerson would answer "+f.Code+". "+explainError(f))
		return
	}
	fresh := t.botTokens(c, s.Now())
	if fresh.Refresh == "" {
		fresh.Refresh = k.Refresh // the old one stays good (RFC 6749 section 6)
	}
	s.mu.Lock()
	if p, ok := s.consumers.get(subject); ok {
		// A copy: whoever was admitted again meanwhile has a record of their own.
		renewed := *p
		renewed.BotTokens = fresh
		s.consumers.put(subject, &renewed)
	}
	s.mu.Unlock()
	redirectTo(w, r, "/agent/"+id)
}
