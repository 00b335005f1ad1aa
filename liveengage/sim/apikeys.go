package sim

import (
	"net/http"
	"strings"
)

// apiKey is an API key: its four values, the application and its bot user.
type apiKey struct {
	Name, Username                                 string
	AppKey, Secret, AccessToken, AccessTokenSecret string
}

func (s *Simulator) registerAPIKeys(mux *http.ServeMux) {
	mux.HandleFunc("GET /keys", s.showAPIKeys)
	mux.HandleFunc("POST /keys", s.createAPIKey)
}

// showAPIKeys lists the keys and the demo agent. Unlike LivePerson's page it shows the
// secrets at any time.
func (s *Simulator) showAPIKeys(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	all := s.apiKeys.newestFirst()
	s.mu.Unlock()
	s.renderPage(w, r, page{name: "keys", data: struct {
		Keys            []apiKey
		Agent, Password string
	}{all, agentName, agentPassword}})
}

// createAPIKey creates a key. The limit is a hundred, as at LivePerson; here the oldest
// key is dropped.
func (s *Simulator) createAPIKey(w http.ResponseWriter, r *http.Request) {
	name := truncateText(strings.TrimSpace(r.PostFormValue("name")))
	if name == "" {
		s.renderError(w, r, http.StatusBadRequest, "Enter a name for the application.")
		return
	}
	s.newAPIKey(name)
	redirectTo(w, r, "/keys")
}

func (s *Simulator) newAPIKey(application string) apiKey {
	k := apiKey{
		Name:              application,
		Username:          botName,
		AppKey:            randomHex()[:32],
		Secret:            randomHex()[:16],
		AccessToken:       randomHex()[:32],
		AccessTokenSecret: randomHex()[:16],
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apiKeys.put(k.AppKey, k)
	return k
}
