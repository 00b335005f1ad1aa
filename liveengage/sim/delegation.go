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
	Talk      string
	Connector int64
	Ends      time.Time
}

const delegationLives = 15 * time.Minute

func (s *Simulator) registerDelegation(mux *http.ServeMux) {
	mux.HandleFunc("GET "+PathDelegation("{account}"), s.delegated)
	mux.HandleFunc("POST /agent/{talk}/delegate", s.delegate)
	mux.HandleFunc("POST /agent/{talk}/renew", s.renewKept)
}

// PathDelegation is where delegation comes back to, below the simulator's address:
// it is a redirect URI of the client that LivePerson is.
func PathDelegation(account string) string { return "/callback/" + account + liveengage.DelegationPath }

// DelegateURI is the redirect URI of delegation.
func (s *Simulator) DelegateURI() string { return s.Address + PathDelegation(s.Account) }

// delegate sends the consumer a link to the brand's sign-in, as a bot would.
func (s *Simulator) delegate(w http.ResponseWriter, r *http.Request) {
	all := s.list()
	i := slices.IndexFunc(all, func(c Connector) bool { return c.Delegates() && !c.Deleted })
	if i < 0 {
		s.sorry(w, r, http.StatusConflict, "No connector is for delegation: make one with the code flow whose JWT Public Key is the word "+liveengage.DelegationKey+".")
		return
	}
	c, id, state := all[i], r.PathValue("talk"), handle()
	s.mu.Lock()
	s.challenges.put(state, delegation{Talk: id, Connector: c.ID, Ends: s.Now().Add(delegationLives)})
	s.mu.Unlock()
	link := addQuery(c.Configuration.AuthorizationEndpoint, url.Values{
		"response_type": {"code"}, "client_id": {c.Configuration.ClientID}, "scope": {"openid"},
		"redirect_uri": {s.DelegateURI()}, "state": {state},
	})
	if _, ok := s.say(id, "", true, "Please sign in so that I can look into your account: "+link); !ok {
		s.sorry(w, r, http.StatusConflict, "This conversation is over, or was never there.")
		return
	}
	back(w, r, "/agent/"+id)
}

// addQuery adds parameters to an address that may have some.
func addQuery(address string, more url.Values) string {
	separator := "?"
	if u, err := url.Parse(address); err == nil && u.RawQuery != "" {
		separator = "&"
	}
	return address + separator + more.Encode()
}

// delegated is where the consumer comes back to. The access token is kept for this
// conversation alone; nobody becomes authenticated by it.
func (s *Simulator) delegated(w http.ResponseWriter, r *http.Request) {
	state := r.URL.Query().Get("state")
	s.mu.Lock()
	d, ok := s.challenges.get(state)
	s.challenges.remove(state)
	s.mu.Unlock()
	c, found := s.connector(d.Connector)
	if !s.knows(r) || !ok || !found || s.Now().After(d.Ends) {
		s.sorry(w, r, http.StatusBadRequest, "This sign-in was not asked for here, or took longer than 15 minutes: its state is unknown.")
		return
	}
	if name := r.URL.Query().Get("error"); name != "" {
		said := clip(quoted(strings.TrimSpace(name+" "+r.URL.Query().Get("error_description")), nil))
		s.out.note(Exchange{At: s.Now(), Purpose: "delegation", Answer: "the identity provider answers " + said, Refused: true})
		s.sorry(w, r, http.StatusBadRequest, "You are not signed in: your identity provider answers "+said+". The chat goes on without.")
		return
	}
	t, err := s.redeem(r.Context(), c, r.URL.Query().Get("code"), s.DelegateURI(), "")
	if err == nil && t.AccessToken == "" {
		err = fault("9011", "the token endpoint's answer has no access_token")
	}
	if f, ok := errors.AsType[*Fault](err); ok {
		s.out.note(Exchange{At: s.Now(), Purpose: "delegation", Answer: "refused with " + f.Code + ": " + explained(f), Refused: true})
		s.sorry(w, r, http.StatusBadGateway, "LivePerson would answer "+f.Code+". "+explained(f))
		return
	}
	k := t.keep(c, s.Now())
	k.Refresh = "" // ignored in conversations with strangers
	s.mu.Lock()
	if t, ok := s.talks.get(d.Talk); ok && !t.Closed {
		t.Kept = k
	}
	s.mu.Unlock()
	s.show(w, r, view{name: "thanks"})
}

// renewKept asks the brand for a new access token, as LivePerson does when the one
// of an authenticated conversation has expired.
func (s *Simulator) renewKept(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("talk")
	s.mu.Lock()
	var k kept
	subject := ""
	if t, ok := s.talks.get(id); ok {
		subject = t.Consumer
		if p, ok := s.consumers.get(subject); ok {
			k = p.Kept
		}
	}
	s.mu.Unlock()
	c, ok := s.connector(k.Connector)
	if !ok || k.Refresh == "" {
		s.sorry(w, r, http.StatusConflict, "There is no refresh token: the brand's token endpoint gives one where delegation is on.")
		return
	}
	t, err := s.renew(r.Context(), c, k.Refresh)
	if f, ok := errors.AsType[*Fault](err); ok {
		s.sorry(w, r, http.StatusBadGateway, "LivePerson would answer "+f.Code+". "+explained(f))
		return
	}
	fresh := t.keep(c, s.Now())
	if fresh.Refresh == "" {
		fresh.Refresh = k.Refresh // the old one stays good (RFC 6749 section 6)
	}
	s.mu.Lock()
	if p, ok := s.consumers.get(subject); ok {
		// A copy: whoever was admitted again meanwhile has a record of their own.
		renewed := *p
		renewed.Kept = fresh
		s.consumers.put(subject, &renewed)
	}
	s.mu.Unlock()
	back(w, r, "/agent/"+id)
}
