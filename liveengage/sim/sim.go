// Package sim plays LivePerson's side on one machine: the services that LiveEngage
// has on the internet, a brand's page with its window, and what an agent sees. Read
// sim.go first, then authenticate.go: what becomes of a token or a code.
//
// Everything is kept in memory, bounded in number and size. What is known of
// LivePerson and what is guessed stands in docs/adr/0019.
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
	"slices"
	"strings"
	"sync"
	"time"

	"idpbridge/liveengage"
	"idpbridge/liveengage/setup"
)

// Config is what a Simulator needs. Now and Address are required; the zero value
// of every other field works.
type Config struct {
	// Account is the number of the one LiveEngage account; empty means 12345678.
	Account string
	// Address is the simulator's own base URL, without a slash at its end. Requests
	// that were sent to another host are refused.
	Address string
	// HTTP makes the requests to the identity provider; nil means one that uses no
	// proxy. Either way its redirects and time-out are replaced by stricter ones.
	HTTP *http.Client
	// Timeout bounds each of those requests; zero means five seconds.
	Timeout time.Duration
	// Hosts are host names outside this machine that the operator names; requests go
	// to loopback and to them alone.
	Hosts []string
	Now   func() time.Time
	Log   *slog.Logger // nil: nothing is logged
	// Issuer is the identity provider that a connector may be filled from; empty: it
	// is asked for on the page.
	Issuer string
	// Connectors are what the account starts with; none makes an empty one.
	Connectors []Connector
	// Key decrypts tokens; nil means a new one.
	Key *rsa.PrivateKey
	// AgentName and AgentPassword sign the demo agent in; empty means agent and
	// agent-password.
	AgentName, AgentPassword string
	// SocketTimeout is how long a socket may stay silent before it has said who it is, and
	// how long it may take to read a frame; zero means five seconds.
	SocketTimeout time.Duration
}

// Bounds of what is kept and of what is taken.
const (
	maxBody             = 256 << 10 // bytes of an answer of the identity provider
	maxRequest          = 64 << 10  // bytes of a request to the simulator
	maxToken            = 16 << 10  // bytes of a token or a code
	maxConsumers        = 500
	maxConversations    = 200
	maxMessages         = 500 // of one conversation
	maxMessage          = 8 << 10
	maxConversationText = 256 << 10 // bytes of the lines of one conversation
	maxExchanges        = 200
	maxVerifiers        = 500
	maxSessions         = 100
	maxNonces           = 10_000 // of the last minutes
	maxAPIKeys          = 100    // as LivePerson has it
	maxConnectors       = 20
)

// Simulator is LivePerson's side for one account. It is safe for concurrent use.
type Simulator struct {
	Config

	origin  *url.URL
	idp     *outgoing
	keyring *keyring
	pages   *templateSet
	keySets *keySets

	mu            sync.Mutex
	connectors    []Connector
	consumers     *lruCache[*consumer]
	conversations *lruCache[*conversation]
	verifiers     *lruCache[string] // by the handle that the window has
	delegations   *lruCache[delegation]
	sessions      *lruCache[*session]
	apiKeys       *lruCache[apiKey]
	nonces        *nonceStore
	socketCount   int                         // sockets, also of nobody yet
	sockets       map[string]map[*socket]bool // by consumer
}

// New prepares a simulator. It makes no request.
func New(c Config) (*Simulator, error) {
	origin, err := url.Parse(c.Address)
	if err != nil || origin.Host == "" || origin.Path != "" || c.Now == nil {
		return nil, errors.New("simulator: Address is its own base URL without a path, and Now is required")
	}
	if c.Account = cmp.Or(c.Account, "12345678"); !isNumber(c.Account) {
		return nil, errors.New("simulator: Account is a number")
	}
	c.Timeout, c.SocketTimeout = cmp.Or(c.Timeout, 5*time.Second), cmp.Or(c.SocketTimeout, 5*time.Second)
	c.AgentName, c.AgentPassword = cmp.Or(c.AgentName, "agent"), cmp.Or(c.AgentPassword, "agent-password")
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Simulator{
		Config: c, origin: origin,
		consumers: newLRUCache[*consumer](maxConsumers), conversations: newLRUCache[*conversation](maxConversations), verifiers: newLRUCache[string](maxVerifiers),
		delegations: newLRUCache[delegation](maxVerifiers), sessions: newLRUCache[*session](maxSessions), apiKeys: newLRUCache[apiKey](maxAPIKeys),
		nonces: &nonceStore{limit: maxNonces, expiries: map[string]time.Time{}}, sockets: map[string]map[*socket]bool{},
	}
	s.idp = newOutgoing(c)
	s.keySets = &keySets{out: s.idp, sets: map[string]keySet{}}
	if s.keyring, err = newKeyring(c); err != nil {
		return nil, err
	}
	if s.pages, err = parseTemplates(); err != nil {
		return nil, err
	}
	if len(c.Connectors) == 0 {
		c.Connectors = []Connector{newConnector(c.Issuer)}
	}
	for _, connector := range c.Connectors {
		if connector.ID == 0 {
			connector.ID = firstConnector + int64(len(s.connectors))
		}
		s.connectors = append(s.connectors, connector)
	}
	return s, nil
}

// firstConnector is the number of the first connector, as long as LivePerson's are.
const firstConnector = 4056284238

func newConnector(issuer string) Connector {
	return Connector{Connector: setup.NewConnector(setup.Facts{Issuer: issuer, DisplayName: "my identity provider"}, liveengage.FlowImplicit, liveengage.KeyTypePasted)}
}

// Handler answers for every service and page.
func (s *Simulator) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, register := range []func(*http.ServeMux){
		s.registerDomain, s.registerConnectors, s.registerAuthenticate, s.registerAnonymous, s.registerDelegation,
		s.registerSocket, s.registerAgent, s.registerInteractions, s.registerLogin, s.registerAPIKeys, s.registerUsers,
		s.registerBrand, s.registerLog, s.registerHome,
	} {
		register(mux)
	}
	guard := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		// A page of another site that has its name point to this machine sends its
		// own name here (DNS rebinding).
		if !strings.EqualFold(r.Host, s.origin.Host) {
			http.Error(w, "This is the simulator at "+s.Address+"; open that address.", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		guard.Handler(mux).ServeHTTP(w, r)
	})
}

// WindowPath is where the window of its own comes back to, below the simulator's
// address: it is a redirect URI of the client that LivePerson is.
const WindowPath = liveengage.WindowPath

// WindowURI is the redirect URI of the window of its own.
func (s *Simulator) WindowURI() string { return s.Address + WindowPath }

// matchesAccount says whether a request is about the one account.
func (s *Simulator) matchesAccount(r *http.Request) bool { return r.PathValue("account") == s.Account }

// connectorByID is the connector of that id.
func (s *Simulator) connectorByID(id int64) (Connector, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.connectors, func(c Connector) bool { return c.ID == id && !c.Deleted })
	if i < 0 {
		return Connector{}, false
	}
	return s.connectors[i], true
}

// listConnectors is a copy of the connectors.
func (s *Simulator) listConnectors() []Connector {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.connectors)
}

// newHandle is a text that nobody guesses.
func newHandle() string { return strings.ToLower(rand.Text()) }

// newUUID is a random UUID (RFC 9562 section 5.4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
