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
	mux.HandleFunc("POST /keys", s.createAPIKey)
}

// showAPIKeys lists the keys and the demo agent. Unlike LivePerson's page it shows
// the secrets for as long as the key lives.
func (s *Simulator) showAPIKeys(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	all := s.apiKeys.newestFirst()
	s.mu.Unlock()
	s.renderPage(w, r, page{name: "keys", data: struct {
		Keys            []apiKey
		Agent, Password string
	}{all, s.AgentName, s.AgentPassword}})
}

// createAPIKey makes a key. As at LivePerson there are no more than a hundred; here
// the oldest goes.
func (s *Simulator) createAPIKey(w http.ResponseWriter, r *http.Request) {
	name := truncateText(strings.TrimSpace(r.PostFormValue("name")))
	if name == "" {
		s.renderError(w, r, http.StatusBadRequest, "Give the application a name.")
		return
	}
	s.NewAPIKey(name)
	redirectTo(w, r, "/keys")
}

// APIKey is the four values of an API key and the name of its bot.
type APIKey struct{ Username, AppKey, Secret, AccessToken, AccessTokenSecret string }

// NewAPIKey makes an API key for an application.
func (s *Simulator) NewAPIKey(application string) APIKey {
	k := apiKey{
		Name: application, Username: "bot", App: randomHex()[:32], Secret: randomHex()[:16], Token: randomHex()[:32], TokenSecret: randomHex()[:16],
		Made: s.Now(),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apiKeys.put(k.App, k)
	return APIKey{Username: k.Username, AppKey: k.App, Secret: k.Secret, AccessToken: k.Token, AccessTokenSecret: k.TokenSecret}
}
