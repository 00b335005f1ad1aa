// Package sim simulates LivePerson on one machine: LiveEngage's services, a brand's
// website with the chat window, and the agent's view. Start here, then see
// authenticate.go for what happens to a token or a code.
//
// Everything is kept in memory, with limits on number and size. docs/adr/0019 says what
// is known about LivePerson and what is a guess.
package sim

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"idpbridge/internal/pages"
	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
)

// Config configures a Simulator. Address and Now are required. The zero value of every
// other field works.
type Config struct {
	// Account is the number of the LiveEngage account. Empty means 12345678.
	Account string
	// Address is the simulator's own base URL, without a trailing slash. Requests with
	// another Host header are rejected.
	Address string
	// HTTP provides the transport for requests to the identity provider. Nil means a
	// transport without a proxy. Its timeout and redirect policy are replaced.
	HTTP *http.Client
	// Timeout limits each of those requests. Zero means five seconds.
	Timeout time.Duration
	// Hosts are host names the simulator may contact, in addition to loopback.
	Hosts []string
	Now   func() time.Time
	Log   *slog.Logger // nil means no log
	// Issuer is the identity provider to fill connectors from. If it is empty, the page
	// asks for it.
	Issuer string
	// Connectors are the account's connectors. Nil means one empty connector.
	Connectors []Connector
	// Key decrypts tokens. Nil means a new key.
	Key *rsa.PrivateKey
	// signingKey signs LivePerson's own tokens. Nil means a new key.
	signingKey *rsa.PrivateKey
	// SocketTimeout is how long a socket may take to send its token, and how long its
	// client may take to read a frame. Zero means five seconds.
	SocketTimeout time.Duration
}

// The demo agent and the bot user of all API keys.
const (
	agentName     = "agent"
	agentPassword = "agent-password"
	botName       = "bot"
)

// Limits on what is kept and what is accepted.
const (
	maxBody             = 256 << 10 // bytes of a response of the identity provider
	maxRequest          = 64 << 10  // bytes of a request to the simulator
	maxToken            = 16 << 10  // bytes of a token or a code
	maxConsumers        = 500
	maxConversations    = 200
	maxMessages         = 500 // in a conversation
	maxMessage          = 8 << 10
	maxConversationText = 256 << 10 // bytes of all messages in a conversation
	maxExchanges        = 200
	maxVerifiers        = 500
	maxSessions         = 100
	maxNonces           = 10_000 // of the last minutes
	maxAPIKeys          = 100    // as at LivePerson
	maxConnectors       = 20
)

// Simulator simulates LivePerson for one account. It is safe for concurrent use.
type Simulator struct {
	Config

	origin    *url.URL
	idp       *idpClient
	keyring   *keyring
	templates *pages.Set
	keySets   *keySets

	mu            sync.Mutex
	connectors    []Connector
	consumers     *lruCache[*consumer]
	conversations *lruCache[*conversation]
	verifiers     *lruCache[string]     // by the handle that the window has
	delegations   *lruCache[delegation] // by state
	sessions      *lruCache[*session]
	apiKeys       *lruCache[apiKey]
	nonces        *nonceStore
	socketCount   int                         // including sockets without a token yet
	sockets       map[string]map[*socket]bool // by consumer
}

// New returns a simulator. It makes no request.
func New(c Config) (*Simulator, error) {
	origin, err := url.Parse(c.Address)
	if err != nil || origin.Host == "" || origin.Path != "" {
		return nil, errors.New("simulator: Address must be a base URL without a path")
	}
	if c.Now == nil {
		return nil, errors.New("simulator: Now is required")
	}
	if c.Account = cmp.Or(c.Account, "12345678"); !isNumber(c.Account) {
		return nil, errors.New("simulator: Account must be a number")
	}
	c.Timeout, c.SocketTimeout = cmp.Or(c.Timeout, 5*time.Second), cmp.Or(c.SocketTimeout, 5*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Simulator{
		Config:        c,
		origin:        origin,
		idp:           newIDPClient(c),
		consumers:     newLRUCache[*consumer](maxConsumers),
		conversations: newLRUCache[*conversation](maxConversations),
		verifiers:     newLRUCache[string](maxVerifiers),
		delegations:   newLRUCache[delegation](maxVerifiers),
		sessions:      newLRUCache[*session](maxSessions),
		apiKeys:       newLRUCache[apiKey](maxAPIKeys),
		nonces:        &nonceStore{limit: maxNonces, expiries: map[string]time.Time{}},
		sockets:       map[string]map[*socket]bool{},
	}
	s.keySets = &keySets{idp: s.idp, sets: map[string]keySet{}}
	if s.keyring, err = newKeyring(c); err != nil {
		return nil, err
	}
	if s.templates, err = pages.Parse(templateFiles); err != nil {
		return nil, err
	}
	if len(c.Connectors) == 0 {
		c.Connectors = []Connector{newConnector(c.Issuer)}
	}
	for _, connector := range c.Connectors {
		if connector.ID == 0 {
			connector.ID = firstConnectorID + int64(len(s.connectors))
		}
		s.connectors = append(s.connectors, connector)
	}
	return s, nil
}

func newConnector(issuer string) Connector {
	facts := setup.Facts{Issuer: issuer, DisplayName: "my identity provider"}
	return Connector{Connector: setup.NewConnector(facts, liveengage.FlowImplicit, liveengage.KeyTypePasted)}
}

// Handler serves all services and pages.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, register := range []func(*http.ServeMux){
		s.registerDomain,
		s.registerConnectors,
		s.registerAuthenticate,
		s.registerAnonymous,
		s.registerDelegation,
		s.registerSocket,
		s.registerAgent,
		s.registerInteractions,
		s.registerLogin,
		s.registerAPIKeys,
		s.registerUsers,
		s.registerBrand,
		s.registerLog,
		s.registerHome,
	} {
		register(mux)
	}
	guard := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		// With DNS rebinding, the Host header is that of the other site.
		if !strings.EqualFold(r.Host, s.origin.Host) {
			http.Error(w, "This is the simulator at "+s.Address+". Open that URL.", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		guard.Handler(mux).ServeHTTP(w, r)
	})
}

// WindowPath is the path of the pop-out window. With the simulator's base URL it is a
// redirect URI of LiveEngage's client.
const WindowPath = liveengage.WindowPath

// WindowURI returns the redirect URI of the pop-out window.
func (s *Simulator) WindowURI() string { return s.Address + WindowPath }

// matchesAccount reports whether a request is for the simulator's account.
func (s *Simulator) matchesAccount(r *http.Request) bool { return r.PathValue("account") == s.Account }

// requireAccount returns an error with the code if a request is for another account.
func (s *Simulator) requireAccount(r *http.Request, code string) error {
	if s.matchesAccount(r) {
		return nil
	}
	return idpErrorf(code, "account %q does not exist", truncateText(r.PathValue("account")))
}

// newHandle returns a random string that cannot be guessed.
func newHandle() string { return strings.ToLower(rand.Text()) }

// newUUID returns a random UUID (RFC 9562 section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
