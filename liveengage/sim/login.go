package sim

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// sessionLifetime is how long a login lasts without refresh.
const sessionLifetime = 8 * time.Hour

// sessionCookie carries the id of a login.
const sessionCookie = "Session_id"

// session is the login of an agent or a bot.
type session struct {
	ID, CSRF, Bearer string
	User             string
	Ends             time.Time
}

func (s *Simulator) registerLogin(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/account/{account}/login", s.logIn)
	mux.HandleFunc("POST /api/account/{account}/refresh", s.refreshSession)
	mux.HandleFunc("POST /api/account/{account}/logout", s.logOut)
}

// logIn is user login and application login: which one, the body says.
func (s *Simulator) logIn(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Username          string `json:"username"`
		Password          string `json:"password"`
		AppKey            string `json:"appKey"`
		Secret            string `json:"secret"`
		AccessToken       string `json:"accessToken"`
		AccessTokenSecret string `json:"accessTokenSecret"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Username == "" || in.Password == "" && in.AppKey == "" || r.URL.Query().Get("v") != "1.3" {
		s.writeLoginError(w, http.StatusBadRequest, "Bad request: v=1.3, and JSON with username and either password or appKey, secret, accessToken and accessTokenSecret", 4)
		return
	}
	ok := s.matchesAccount(r)
	if in.AppKey != "" {
		s.mu.Lock()
		key, found := s.apiKeys.touch(in.AppKey)
		s.mu.Unlock()
		ok = ok && found && equalSecrets(in.Username, key.Username) && equalSecrets(in.Secret, key.Secret) && equalSecrets(in.AccessToken, key.Token) && equalSecrets(in.AccessTokenSecret, key.TokenSecret)
	} else {
		ok = ok && equalSecrets(in.Username, s.AgentName) && equalSecrets(in.Password, s.AgentPassword)
	}
	if !ok {
		s.writeLoginError(w, http.StatusUnauthorized, "Login failed! bad credentials", 2)
		return
	}
	l := &session{ID: newHandle(), CSRF: newHandle(), Bearer: randomHex(), User: in.Username, Ends: s.Now().Add(sessionLifetime)}
	s.mu.Lock()
	s.sessions.put(l.ID, l)
	s.mu.Unlock()
	all := make([]baseURI, 0, len(serviceNames()))
	for _, name := range serviceNames() {
		all = append(all, s.baseURI(name))
	}
	s.setCookie(w, l.ID, int(sessionLifetime/time.Second))
	writeJSON(w, http.StatusOK, map[string]any{
		"csrf": l.CSRF, "wsuk": newHandle(), "bearer": l.Bearer, "sessionTTl": strconv.FormatInt(sessionLifetime.Milliseconds(), 10),
		"config":                 map[string]any{"loginName": l.User, "userId": "1", "userPid": stableID(l.User), "isAdmin": true, "isAgent": true},
		"csdsCollectionResponse": map[string]any{"baseURIs": all},
		"accountData":            map[string]any{"agentGroupsData": map[string]any{"items": []any{}}},
	})
}

func (s *Simulator) setCookie(w http.ResponseWriter, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure where the simulator is served over https; on loopback it is not
		Name: sessionCookie, Value: value, Path: "/api/account/" + s.Account, MaxAge: seconds, HttpOnly: true,
		Secure: s.origin.Scheme == "https", SameSite: http.SameSiteLaxMode,
	})
}

// refreshSession keeps a login alive, asked for every few minutes.
func (s *Simulator) refreshSession(w http.ResponseWriter, r *http.Request) {
	if l := s.requireSession(w, r); l != nil {
		s.mu.Lock()
		l.Ends = s.Now().Add(sessionLifetime)
		s.mu.Unlock()
		s.setCookie(w, l.ID, int(sessionLifetime/time.Second))
	}
}

func (s *Simulator) logOut(w http.ResponseWriter, r *http.Request) {
	if l := s.requireSession(w, r); l != nil {
		s.mu.Lock()
		s.sessions.remove(l.ID)
		s.mu.Unlock()
		s.setCookie(w, "", -1)
	}
}

// requireSession is the login of a request's cookie, whose csrf the body must have. Where
// there is none it has answered.
func (s *Simulator) requireSession(w http.ResponseWriter, r *http.Request) *session {
	var in struct {
		CSRF string `json:"csrf"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.CSRF == "" {
		s.writeLoginError(w, http.StatusBadRequest, "Bad request: JSON with csrf", 4)
		return nil
	}
	id := ""
	if c, err := r.Cookie(sessionCookie); err == nil {
		id = c.Value
	}
	s.mu.Lock()
	l, ok := s.sessions.touch(id)
	ok = ok && s.Now().Before(l.Ends)
	s.mu.Unlock()
	switch {
	case !s.matchesAccount(r) || !ok:
		s.writeLoginError(w, http.StatusUnauthorized, "Session is invalid or has expired", 3)
	case !equalSecrets(in.CSRF, l.CSRF):
		s.writeLoginError(w, http.StatusUnauthorized, "CSRF token invalid! the body's csrf is not that of the login", 10)
	default:
		return l
	}
	return nil
}

// requireBearer says whether a request has the bearer of a login; where not it has answered.
func (s *Simulator) requireBearer(w http.ResponseWriter, r *http.Request) bool {
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		s.writeLoginError(w, http.StatusUnauthorized, "Bad authorization request. general_problem=unknown_authorization_type", 5)
		return false
	}
	if !s.matchesAccount(r) || !s.isValidBearer(bearer) {
		s.writeLoginError(w, http.StatusUnauthorized, "Bearer is invalid or has expired", 3)
		return false
	}
	return true
}

// isValidBearer says whether a login has that bearer.
func (s *Simulator) isValidBearer(bearer string) bool {
	now := s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.sessions.newestFirst() {
		if equalSecrets(bearer, l.Bearer) && now.Before(l.Ends) {
			s.sessions.touch(l.ID)
			return true
		}
	}
	return false
}

// writeLoginError answers in the Login Service's own shape.
func (s *Simulator) writeLoginError(w http.ResponseWriter, status int, message string, code int) {
	writeJSON(w, status, map[string]any{"error": map[string]any{
		"time": s.Now().UnixMilli(), "message": message, "internalCode": code,
		"responseStatus": strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_")),
	}})
}

// equalSecrets compares secrets in constant time. An empty one matches nothing.
func equalSecrets(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

// randomHex is 64 random hexadecimal characters, as LivePerson's bearers are.
func randomHex() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// stableID is a stable id for a name.
func stableID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}
