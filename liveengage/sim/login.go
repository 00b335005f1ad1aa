package sim

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"idpbridge/internal/secret"
	"idpbridge/liveengage"
)

// sessionLifetime is how long a session lasts without a refresh.
const sessionLifetime = 8 * time.Hour

// sessionCookie is the name of the cookie with the session ID.
const sessionCookie = "Session_id"

// Codes of the Login Service's errors.
const (
	loginBadCredentials = liveengage.LoginBadCredentials
	loginSessionExpired = liveengage.LoginSessionExpired
	loginBadRequest     = liveengage.LoginBadRequest
	loginBadAuthHeader  = liveengage.LoginBadAuthHeader
	loginCSRFMismatch   = liveengage.LoginRejected
)

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

// loginRequest is the body of a user login or an application login.
type loginRequest struct {
	Username          string `json:"username"`
	Password          string `json:"password"`
	AppKey            string `json:"appKey"`
	Secret            string `json:"secret"`
	AccessToken       string `json:"accessToken"`
	AccessTokenSecret string `json:"accessTokenSecret"`
}

func (s *Simulator) logIn(w http.ResponseWriter, r *http.Request) {
	var body loginRequest
	err := json.NewDecoder(r.Body).Decode(&body)
	if err != nil || body.Username == "" || body.Password == "" && body.AppKey == "" || r.URL.Query().Get("v") != "1.3" {
		const fields = "username and either password or appKey, secret, accessToken and accessTokenSecret"
		s.writeLoginError(w, http.StatusBadRequest, "Bad request: send v=1.3 and JSON with "+fields, loginBadRequest)
		return
	}
	if !s.matchesAccount(r) || !s.checkLogin(body) {
		s.writeLoginError(w, http.StatusUnauthorized, "Login failed! bad credentials", loginBadCredentials)
		return
	}
	l := &session{
		ID: newHandle(), CSRF: newHandle(), Bearer: randomHex(), User: body.Username, Ends: s.Now().Add(sessionLifetime),
	}
	s.mu.Lock()
	s.sessions.put(l.ID, l)
	s.mu.Unlock()
	s.setCookie(w, l.ID, int(sessionLifetime/time.Second))
	writeJSON(w, http.StatusOK, map[string]any{
		"csrf":       l.CSRF,
		"wsuk":       newHandle(),
		"bearer":     l.Bearer,
		"sessionTTl": strconv.FormatInt(sessionLifetime.Milliseconds(), 10),
		"config": map[string]any{
			"loginName": l.User, "userId": "1", "userPid": stableID(l.User), "isAdmin": true, "isAgent": true,
		},
		"csdsCollectionResponse": map[string]any{"baseURIs": s.listBaseURIs()},
		"accountData":            map[string]any{"agentGroupsData": map[string]any{"items": []any{}}},
	})
}

// checkLogin reports whether the credentials are those of the demo agent or of an API
// key.
func (s *Simulator) checkLogin(body loginRequest) bool {
	if body.AppKey == "" {
		return equalSecrets(body.Username, agentName) && equalSecrets(body.Password, agentPassword)
	}
	s.mu.Lock()
	key, found := s.apiKeys.touch(body.AppKey)
	s.mu.Unlock()
	return found && equalSecrets(body.Username, key.Username) && equalSecrets(body.Secret, key.Secret) &&
		equalSecrets(body.AccessToken, key.AccessToken) &&
		equalSecrets(body.AccessTokenSecret, key.AccessTokenSecret)
}

func (s *Simulator) setCookie(w http.ResponseWriter, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure if the simulator is served over https; not on loopback
		Name:     sessionCookie,
		Value:    value,
		Path:     "/api/account/" + s.Account,
		MaxAge:   seconds,
		HttpOnly: true,
		Secure:   s.origin.Scheme == "https",
		SameSite: http.SameSiteLaxMode,
	})
}

// refreshSession extends a session. Clients call it every few minutes.
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

// requireSession returns the session of a request's cookie, if csrf in the body matches.
// Otherwise it writes an error and returns nil.
func (s *Simulator) requireSession(w http.ResponseWriter, r *http.Request) *session {
	var body struct {
		CSRF string `json:"csrf"`
	}
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.CSRF == "" {
		s.writeLoginError(w, http.StatusBadRequest, "Bad request: send JSON with csrf", loginBadRequest)
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
	if !s.matchesAccount(r) || !ok {
		s.writeLoginError(w, http.StatusUnauthorized, "Session is invalid or has expired", loginSessionExpired)
		return nil
	}
	if !equalSecrets(body.CSRF, l.CSRF) {
		s.writeLoginError(w, http.StatusUnauthorized,
			"CSRF token invalid! csrf in the body is not that of the session", loginCSRFMismatch)
		return nil
	}
	return l
}

// requireBearer reports whether a request has the bearer of a session. If not, it writes
// an error.
func (s *Simulator) requireBearer(w http.ResponseWriter, r *http.Request) bool {
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		s.writeLoginError(w, http.StatusUnauthorized,
			"Bad authorization request. general_problem=unknown_authorization_type", loginBadAuthHeader)
		return false
	}
	if !s.matchesAccount(r) || !s.isValidBearer(bearer) {
		s.writeLoginError(w, http.StatusUnauthorized, "Bearer is invalid or has expired", loginSessionExpired)
		return false
	}
	return true
}

// isValidBearer reports whether a session has this bearer.
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

// writeLoginError writes an error in the Login Service's form.
func (s *Simulator) writeLoginError(w http.ResponseWriter, status int, message string, code int) {
	writeJSON(w, status, map[string]any{"error": map[string]any{
		"time":           s.Now().UnixMilli(),
		"message":        message,
		"internalCode":   code,
		"responseStatus": strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_")),
	}})
}

// equalSecrets compares secrets in constant time. An empty secret matches nothing.
func equalSecrets(got, want string) bool {
	return secret.New(want).Equal(got)
}

// randomHex returns 64 random hexadecimal characters, like LivePerson's bearers.
func randomHex() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// stableID returns an ID that is always the same for a name.
func stableID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}
