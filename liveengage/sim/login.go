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

// sessionLives is how long a login lasts without refresh.
const sessionLives = 8 * time.Hour

// sessionCookie carries the id of a login.
const sessionCookie = "Session_id"

// session is the login of an agent or a bot.
type session struct {
	ID, CSRF, Bearer string
	User             string
	Ends             time.Time
}

func (s *Simulator) registerLogin(mux *http.ServeMux) {
	mux.HandleFunc("POST /api/account/{account}/login", s.login)
	mux.HandleFunc("POST /api/account/{account}/refresh", s.refreshLogin)
	mux.HandleFunc("POST /api/account/{account}/logout", s.logout)
}

// login is user login and application login: which one, the body says.
func (s *Simulator) login(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Username          string `json:"username"`
		Password          string `json:"password"`
		AppKey            string `json:"appKey"`
		Secret            string `json:"secret"`
		AccessToken       string `json:"accessToken"`
		AccessTokenSecret string `json:"accessTokenSecret"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Username == "" || in.Password == "" && in.AppKey == "" || r.URL.Query().Get("v") != "1.3" {
		s.denied(w, http.StatusBadRequest, "Bad request: v=1.3, and JSON with username and either password or appKey, secret, accessToken and accessTokenSecret", 4)
		return
	}
	ok := s.knows(r)
	if in.AppKey != "" {
		s.mu.Lock()
		key, found := s.apiKeys.use(in.AppKey)
		s.mu.Unlock()
		ok = ok && found && same(in.Username, key.Username) && same(in.Secret, key.Secret) && same(in.AccessToken, key.Token) && same(in.AccessTokenSecret, key.TokenSecret)
	} else {
		ok = ok && same(in.Username, s.AgentName) && same(in.Password, s.AgentPassword)
	}
	if !ok {
		s.denied(w, http.StatusUnauthorized, "Login failed! bad credentials", 2)
		return
	}
	l := &session{ID: handle(), CSRF: handle(), Bearer: hexText(), User: in.Username, Ends: s.Now().Add(sessionLives)}
	s.mu.Lock()
	s.sessions.put(l.ID, l)
	s.mu.Unlock()
	all := make([]baseURI, 0, len(services()))
	for _, name := range services() {
		all = append(all, s.baseURI(name))
	}
	s.setCookie(w, l.ID, int(sessionLives/time.Second))
	writeJSON(w, http.StatusOK, map[string]any{
		"csrf": l.CSRF, "wsuk": handle(), "bearer": l.Bearer, "sessionTTl": strconv.FormatInt(sessionLives.Milliseconds(), 10),
		"config":                 map[string]any{"loginName": l.User, "userId": "1", "userPid": uuidOf(l.User), "isAdmin": true, "isAgent": true},
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

// refreshLogin keeps a login alive, asked for every few minutes.
func (s *Simulator) refreshLogin(w http.ResponseWriter, r *http.Request) {
	if l := s.loggedIn(w, r); l != nil {
		s.mu.Lock()
		l.Ends = s.Now().Add(sessionLives)
		s.mu.Unlock()
		s.setCookie(w, l.ID, int(sessionLives/time.Second))
	}
}

func (s *Simulator) logout(w http.ResponseWriter, r *http.Request) {
	if l := s.loggedIn(w, r); l != nil {
		s.mu.Lock()
		s.sessions.remove(l.ID)
		s.mu.Unlock()
		s.setCookie(w, "", -1)
	}
}

// loggedIn is the login of a request's cookie, whose csrf the body must have. Where
// there is none it has answered.
func (s *Simulator) loggedIn(w http.ResponseWriter, r *http.Request) *session {
	var in struct {
		CSRF string `json:"csrf"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.CSRF == "" {
		s.denied(w, http.StatusBadRequest, "Bad request: JSON with csrf", 4)
		return nil
	}
	id := ""
	if c, err := r.Cookie(sessionCookie); err == nil {
		id = c.Value
	}
	s.mu.Lock()
	l, ok := s.sessions.use(id)
	ok = ok && s.Now().Before(l.Ends)
	s.mu.Unlock()
	switch {
	case !s.knows(r) || !ok:
		s.denied(w, http.StatusUnauthorized, "Session is invalid or has expired", 3)
	case !same(in.CSRF, l.CSRF):
		s.denied(w, http.StatusUnauthorized, "CSRF token invalid! the body's csrf is not that of the login", 10)
	default:
		return l
	}
	return nil
}

// bears says whether a request has the bearer of a login; where not it has answered.
func (s *Simulator) bears(w http.ResponseWriter, r *http.Request) bool {
	scheme, bearer, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		s.denied(w, http.StatusUnauthorized, "Bad authorization request. general_problem=unknown_authorization_type", 5)
		return false
	}
	if !s.knows(r) || !s.bearer(bearer) {
		s.denied(w, http.StatusUnauthorized, "Bearer is invalid or has expired", 3)
		return false
	}
	return true
}

// bearer says whether a login has that bearer.
func (s *Simulator) bearer(bearer string) bool {
	now := s.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.sessions.newest() {
		if same(bearer, l.Bearer) && now.Before(l.Ends) {
			s.sessions.use(l.ID)
			return true
		}
	}
	return false
}

// denied answers in the Login Service's own shape.
func (s *Simulator) denied(w http.ResponseWriter, status int, message string, code int) {
	writeJSON(w, status, map[string]any{"error": map[string]any{
		"time": s.Now().UnixMilli(), "message": message, "internalCode": code,
		"responseStatus": strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_")),
	}})
}

// same compares secrets in constant time. An empty one matches nothing.
func same(got, want string) bool {
	return want != "" && subtle.ConstantTimeCompare([]byte(got), []byte(want)) == 1
}

// hexText is 64 random hexadecimal characters, as LivePerson's bearers are.
func hexText() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// uuidOf is a stable id for a name.
func uuidOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}
