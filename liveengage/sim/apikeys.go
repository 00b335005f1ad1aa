package sim

import (
	"net/http"
	"strings"
	"time"
)

// apiKey is an API key: the four values, and whose it is.
type apiKey struct {
	Name, Username     string
	App, Secret        string
	Token, TokenSecret string
	Made               time.Time
}

func (s *Simulator) registerAPIKeys(mux *http.ServeMux) {
	mux.HandleFunc("GET /keys", s.showAPIKeys)
	mux.HandleFunc("POST /keys", s.makeAPIKey)
}

// showAPIKeys lists the keys and the demo agent. Unlike LivePerson's page it shows
// the secrets for as long as the key lives.
func (s *Simulator) showAPIKeys(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	all := s.apiKeys.newest()
	s.mu.Unlock()
	s.show(w, r, view{name: "keys", page: struct {
		Keys            []apiKey
		Agent, Password string
	}{all, s.AgentName, s.AgentPassword}})
}

// makeAPIKey makes a key. As at LivePerson there are no more than a hundred; here
// the oldest goes.
func (s *Simulator) makeAPIKey(w http.ResponseWriter, r *http.Request) {
	name := clip(strings.TrimSpace(r.PostFormValue("name")))
	if name == "" {
		s.sorry(w, r, http.StatusBadRequest, "Give the application a name.")
		return
	}
	s.NewAPIKey(name)
	back(w, r, "/keys")
}

// APIKey is the four values of an API key and the name of its bot.
type APIKey struct{ Username, AppKey, Secret, AccessToken, AccessTokenSecret string }

// NewAPIKey makes an API key for an application.
func (s *Simulator) NewAPIKey(application string) APIKey {
	k := apiKey{
		Name: application, Username: "bot", App: hexText()[:32], Secret: hexText()[:16], Token: hexText()[:32], TokenSecret: hexText()[:16],
		Made: s.Now(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apiKeys.put(k.App, k)
	return APIKey{Username: k.Username, AppKey: k.App, Secret: k.Secret, AccessToken: k.Token, AccessTokenSecret: k.TokenSecret}
}
